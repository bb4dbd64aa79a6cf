// SPDX-License-Identifier: Apache-2.0
#include "verdict/spent_ids.hpp"

namespace stalesock {

void SpentIds::note(std::uint64_t cookie, std::uint32_t verdicts) {
	if (verdicts == 0) {
		return;
	}
	if (verdicts_.insert_or_assign(cookie, verdicts).second) {
		order_.push_back(cookie);
	}
	if (order_.size() > limit) {
		verdicts_.erase(order_.front());
		order_.pop_front();
	}
}

std::uint32_t SpentIds::of(std::uint64_t cookie) const {
	const auto found = verdicts_.find(cookie);
	return found == verdicts_.end() ? 0 : found->second;
}

} // namespace stalesock
