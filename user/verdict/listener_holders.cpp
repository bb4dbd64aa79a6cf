// SPDX-License-Identifier: Apache-2.0
#include "verdict/listener_holders.hpp"

namespace stalesock {

namespace {

bool is_unspecified(const Address& address) {
	return address == Address{} || address == address_from_ipv4({0, 0, 0, 0});
}

} // namespace

/// A listener on all addresses of either family serves both.
void ListenerHolders::note(const Event& event) {
	if (!event.actor) {
		return;
	}
	Key key{event.local, event.netns};
	if (is_unspecified(key.local.address)) {
		key.local.address = Address{};
	}
	if (holders_.size() < limit || holders_.contains(key)) {
		holders_.insert_or_assign(key, *event.actor);
	}
}

const Actor* ListenerHolders::find(const Endpoint& local, std::uint32_t netns) const {
	auto found = holders_.find(Key{local, netns});
	if (found == holders_.end()) {
		found = holders_.find(Key{Endpoint{Address{}, local.port}, netns});
	}
	return found == holders_.end() ? nullptr : &found->second;
}

} // namespace stalesock
