// SPDX-License-Identifier: Apache-2.0
#include "verdict/resets.hpp"

#include <utility>

namespace stalesock {

void Resets::add(ResetConnection connection) {
	const std::uint64_t cookie = connection.connection.cookie;
	if (connections_.insert_or_assign(cookie, std::move(connection)).second) {
		order_.push_back(cookie);
	}
	while (order_.size() > limit) {
		connections_.erase(order_.front());
		order_.pop_front();
	}
}

std::optional<ResetConnection> Resets::take(std::uint64_t cookie) {
	auto found = connections_.extract(cookie);
	if (found.empty()) {
		return std::nullopt;
	}
	std::erase(order_, cookie);
	return std::move(found.mapped());
}

} // namespace stalesock
