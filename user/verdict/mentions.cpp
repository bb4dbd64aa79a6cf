// SPDX-License-Identifier: Apache-2.0
#include "verdict/mentions.hpp"

#include <algorithm>

namespace stalesock {

bool Mentions::is_news(VerdictKind kind, const PeerKey& peer, std::string_view command,
                       Nanoseconds now) {
	const Key key{kind, peer, CommandName(command)};
	const auto found = said_.find(key);
	if (found != said_.end() && now - found->second < interval) {
		return false;
	}
	if (found == said_.end()) {
		make_room();
	}
	said_[key] = now;
	return true;
}

void Mentions::make_room() {
	if (said_.size() < capacity) {
		return;
	}
	said_.erase(std::min_element(said_.begin(), said_.end(),
	                             [](const auto& a, const auto& b) { return a.second < b.second; }));
}

} // namespace stalesock
