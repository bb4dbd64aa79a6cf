// SPDX-License-Identifier: Apache-2.0
#include "state/state.hpp"

#include <algorithm>

namespace stalesock {

namespace {

using std::chrono::seconds;

/// When the state was saved, as boot time of now; negative when that was before the boot. A clock that was set back
/// makes nothing younger than it was.
Nanoseconds saved_at(const Place& saved, const Place& now) {
	const seconds now_boot = std::chrono::floor<seconds>(now.boot_time);
	if (!saved.boot.empty() && saved.boot == now.boot) {
		return std::min<Nanoseconds>(saved.boot_time, now_boot);
	}
	return now_boot - seconds(std::max<std::int64_t>(0, now.unix_seconds - saved.unix_seconds));
}

/// False for a namespace that cannot be told here.
bool translate(PeerKey& key, const Place& saved, const Place& now) {
	if (key.netns == 0) {
		return true;
	}
	if (saved.host != now.host) {
		return false;
	}
	if (key.netns == saved.netns) {
		key.netns = now.netns;
		return now.netns != 0;
	}
	return !saved.boot.empty() && saved.boot == now.boot;
}

void shift(RecentValues& values, Nanoseconds by) {
	std::vector<Seen> entries(values.entries().begin(), values.entries().end());
	for (Seen& seen : entries) {
		seen.second = second_of(std::chrono::seconds(seen.second) + by);
	}
	values = {};
	values.merge(entries);
}

void shift(std::optional<LongestReuse>& reuse, Nanoseconds by) {
	if (reuse) {
		reuse->seen += by;
	}
}

void shift(Peer& peer, Nanoseconds by) {
	peer.last_seen += by;
	for (RecentValues* const values : {&peer.idle_times.values(), &peer.lifetimes.values(),
	                                   &peer.silent_drops.values(), &peer.request_counts}) {
		shift(*values, by);
	}
	shift(peer.longest_reuse, by);
}

void shift(Listener& listener, Nanoseconds by) {
	listener.last_seen += by;
	shift(listener.idle_times.values(), by);
	shift(listener.client_idle_times.values(), by);
	shift(listener.longest_reuse, by);
}

template <typename Entry, typename Table>
void merge_list(const std::vector<Entry>& entries, const Place& saved, const Place& now,
                Table& into, StateMerge& result) {
	for (Entry entry : entries) {
		if (!translate(entry.key, saved, now)) {
			result.elsewhere++;
			continue;
		}
		shift(entry, saved_at(saved, now));
		into.merge(entry);
		result.endpoints++;
	}
	into.age_all(now.boot_time);
}

} // namespace

StateMerge merge_state(const SavedState& saved, const Place& now, Peers& peers,
                       Listeners& listeners) {
	StateMerge result;
	merge_list(saved.peers, saved.place, now, peers, result);
	merge_list(saved.listeners, saved.place, now, listeners, result);
	return result;
}

} // namespace stalesock
