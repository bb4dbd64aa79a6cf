// SPDX-License-Identifier: Apache-2.0
// Behaviours of applications that forget: a close that does not come, an answer that nobody reads.
#include "behaviours.hpp"

#include "limits.hpp"

namespace oracle {

namespace {

/// Mostly long enough to be found, also by a scan that a busy machine delays.
Microseconds neglect(Draft& draft) {
	const Microseconds longest =
		waiting_limit + scan_interval + longest_scan_delay + milliseconds(900);
	return draft.chance(75) ? draft.between(longest - milliseconds(400), longest)
	                        : draft.between(milliseconds(200), milliseconds(750));
}

} // namespace

void client_forgets_to_close(Draft& draft) {
	draft.turns(draft.between(1, 3));
	Microseconds fin{};
	if (draft.chance(50))
		fin = draft.arrival(draft.server_idles());
	draft.plan.passive.push_back(step(Action::close));
	if (draft.chance(40))
		draft.plan.active.push_back(step(Action::receive_to_end));
	draft.plan.active.push_back(pause(fin + neglect(draft)));
	draft.plan.active.push_back(step(Action::close));
}

void server_forgets_to_close(Draft& draft) {
	draft.turns(draft.between(1, 3));
	draft.plan.active.push_back(pause(draft.between(milliseconds(0), milliseconds(100))));
	draft.plan.active.push_back(step(Action::close));
	draft.plan.passive.push_back(pause(draft.round_trip() + neglect(draft)));
	draft.plan.passive.push_back(step(Action::close));
}

/// The server says more than it was asked for.
void client_forgets_to_read(Draft& draft) {
	draft.turns(draft.between(1, 3));
	const std::size_t extra = draft.segment_size();
	const Microseconds time = neglect(draft);
	draft.plan.passive.push_back(send(Head::response, extra));
	draft.plan.passive.push_back(pause(time + milliseconds(400)));
	draft.plan.passive.push_back(step(Action::close));
	draft.plan.active.push_back(pause(draft.round_trip() + time));
	if (draft.chance(40))
		draft.plan.active.push_back(receive(extra));
	draft.plan.active.push_back(step(Action::close));
}

} // namespace oracle
