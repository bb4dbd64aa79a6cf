// SPDX-License-Identifier: Apache-2.0
#include "sinks/peer_json.hpp"

#include "sinks/json_field.hpp"
#include "verdict/advice.hpp"
#include "verdict/peer_advice.hpp"

namespace stalesock {

namespace {

using json::Object;

void put_time(Object& object, const char* name, const std::optional<Agreement>& learned) {
	if (!learned) {
		return;
	}
	Object& time = object[name];
	time["ms"] = coarse_ms(learned->lowest);
	time["spread_ms"] = coarse_ms(learned->highest - learned->lowest);
	time["observations"] = learned->agreeing;
	time["remembered"] = learned->remembered;
}

void put_reuse(Object& object, const std::optional<LongestReuse>& reuse) {
	if (!reuse) {
		return;
	}
	Object& longest = object["longest_reuse"];
	longest["gap_ms"] = coarse_ms(reuse->gap);
	if (!reuse->command_name().empty()) {
		longest["command"] = reuse->command_name();
	}
}

/// A namespace number means something on this host, in this boot only.
Object object_for(const PeerKey& key, const char* role, WallTime seen) {
	Object object;
	object["endpoint"] = to_string(key.endpoint);
	object["role"] = role;
	json::put_nonzero(object, "netns", key.netns);
	object["last_seen"] = utc_text(seen);
	return object;
}

void put_advice(Object& object, const std::string& advice) {
	if (!advice.empty()) {
		object["advice"] = advice;
	}
}

} // namespace

std::string json_line(const Peer& peer, WallTime seen) {
	Object object = object_for(peer.key, "remote", seen);
	put_time(object, "idle_timeout", peer.idle_timeout);
	if (peer.idle_timeout) {
		object["pool_limit_ms"] = coarse_ms(pool_limit(peer.idle_timeout->lowest));
	}
	put_time(object, "lifetime", peer.lifetime);
	if (peer.request_limit) {
		Object& limit = object["request_limit"];
		limit["requests"] = peer.request_limit->lowest;
		limit["spread"] = peer.request_limit->highest - peer.request_limit->lowest;
		limit["observations"] = peer.request_limit->agreeing;
	}
	put_time(object, "silent_drop", peer.silent_drop_limit);
	Object& verdicts = object["verdicts"] = Object::object();
	for (std::size_t kind = 0; kind < verdict_kind_count; kind++) {
		if (peer.verdicts.at(kind) != 0) {
			verdicts[std::string(to_string(static_cast<VerdictKind>(kind)))] =
				peer.verdicts.at(kind);
		}
	}
	object["idle_resets"] = peer.idle_resets;
	put_reuse(object, peer.longest_reuse);
	object["near_misses"] = peer.near_misses;
	put_advice(object, advice_for(peer));
	return json::line(object);
}

std::string json_line(const Listener& listener, WallTime seen) {
	Object object = object_for(listener.key, "listener", seen);
	if (!listener.command.text().empty()) {
		object["command"] = listener.command.text();
	}
	put_time(object, "idle_timeout", listener.idle_timeout);
	put_time(object, "client_timeout", listener.client_timeout);
	object["idle_closes"] = listener.idle_closes;
	object["client_idle_closes"] = listener.client_idle_closes;
	put_reuse(object, listener.longest_reuse);
	object["near_misses"] = listener.near_misses;
	put_advice(object, advice_for(listener));
	return json::line(object);
}

} // namespace stalesock
