// SPDX-License-Identifier: Apache-2.0
// Behaviours around an idle connection: who leaves it, and who uses it once more.
#include "behaviours.hpp"

#include <algorithm>

namespace oracle {

void client_closes_first(Draft& draft) {
	draft.turns(draft.between(0, 3));
	draft.plan.active.push_back(pause(draft.between(milliseconds(0), milliseconds(200))));
	draft.plan.active.push_back(step(draft.chance(15) ? Action::reset : Action::close));
	draft.plan.passive.push_back(step(Action::receive_to_end));
	draft.plan.passive.push_back(step(Action::close));
}

void idle_then_late_write(Draft& draft) {
	draft.turns(draft.between(0, 3));
	const Microseconds fin = draft.arrival(draft.server_idles());
	draft.server_leaves();
	draft.plan.active.push_back(pause(fin + draft.between(milliseconds(8), milliseconds(250))));
	draft.late_writes();
	draft.client_gives_up();
}

void idle_then_noticed(Draft& draft) {
	draft.turns(draft.between(0, 3));
	const Microseconds fin = draft.arrival(draft.server_idles());
	draft.server_leaves();
	draft.plan.active.push_back(pause(fin + draft.between(milliseconds(8), milliseconds(150))));
	if (draft.chance(40))
		draft.plan.active.push_back(step(Action::peek));
	else if (draft.chance(70))
		draft.plan.active.push_back(step(Action::receive_to_end));
	draft.plan.active.push_back(step(Action::close));
}

void idle_then_farewell(Draft& draft) {
	draft.turns(draft.between(0, 3));
	const Microseconds fin = draft.arrival(draft.server_idles());
	draft.server_leaves();
	draft.plan.active.push_back(pause(fin + draft.between(milliseconds(8), milliseconds(200))));
	if (draft.chance(50))
		draft.plan.active.push_back(step(Action::receive_to_end));
	draft.plan.active.push_back(send(draft.farewell_head()));
	draft.plan.active.push_back(step(Action::close));
}

void request_crosses_fin(Draft& draft) {
	draft.relay();
	draft.turns(draft.between(0, 3));
	const Microseconds fin = draft.arrival(draft.server_idles());
	if (draft.chance(20)) {
		if (draft.tls && draft.chance(50))
			draft.last_words();
		draft.plan.passive.push_back(step(Action::reset));
	} else {
		draft.server_leaves();
	}
	const Microseconds margin = milliseconds(1);
	draft.plan.active.push_back(
		pause(draft.between(fin - draft.round_trip() + margin, fin - margin)));
	draft.plan.active.push_back(send(draft.request_head(), draft.burst_size()));
	draft.client_waits();
}

/// The client reuses within 2 ms of an edge; the server serves whatever comes in time.
void reuse_at_the_edge(Draft& draft) {
	draft.turns(draft.between(0, 2));
	const Microseconds idle = draft.between(milliseconds(180), milliseconds(300));
	const std::size_t request = draft.burst_size();
	const std::size_t response = draft.segment_size();
	draft.plan.passive.push_back(serve(idle, request, response));
	draft.plan.passive.push_back(step(Action::close));
	Microseconds edge = draft.arrival(idle);
	if (draft.chance(50))
		edge -= draft.round_trip();
	draft.plan.active.push_back(
		pause(draft.between(edge - milliseconds(2), edge + milliseconds(2))));
	draft.plan.active.push_back(send(Head::request, request));
	draft.plan.active.push_back(receive(response));
	draft.plan.active.push_back(step(Action::close));
}

void reuse_in_time(Draft& draft) {
	draft.turns(draft.between(1, 3));
	draft.plan.active.push_back(pause(draft.between(milliseconds(100), milliseconds(300))));
	draft.exchange();
	draft.plan.active.push_back(step(Action::close));
	draft.plan.passive.push_back(step(Action::receive_to_end));
	draft.plan.passive.push_back(step(Action::close));
}

void server_resets_while_idle(Draft& draft) {
	draft.turns(draft.between(0, 3));
	const Microseconds end = draft.arrival(draft.server_idles());
	draft.plan.passive.push_back(step(Action::reset));
	draft.plan.active.push_back(pause(end + draft.between(milliseconds(8), milliseconds(100))));
	if (draft.chance(60))
		draft.plan.active.push_back(send(draft.request_head(), draft.any_size()));
	draft.client_gives_up();
}

void server_resets_at_request(Draft& draft) {
	draft.turns(draft.between(0, 3));
	draft.plan.active.push_back(pause(draft.between(milliseconds(0), milliseconds(200))));
	const std::size_t request = draft.segment_size();
	draft.plan.active.push_back(send(Head::request, request));
	const bool reads_it = draft.chance(50);
	draft.plan.passive.push_back(receive(reads_it || request == 1 ? request : request / 2));
	draft.plan.passive.push_back(pause(draft.between(milliseconds(0), milliseconds(12))));
	draft.plan.passive.push_back(step(reads_it ? Action::reset : Action::close));
	draft.client_waits();
}

void closes_cross(Draft& draft) {
	draft.relay();
	draft.turns(draft.between(1, 3));
	const Microseconds fin = draft.arrival(draft.server_idles());
	draft.plan.passive.push_back(step(Action::close));
	draft.plan.active.push_back(pause(draft.between(fin - draft.round_trip(), fin)));
	draft.plan.active.push_back(step(Action::close));
}

/// The first ones are closed at moments of their own, and teach; the last ones are closed early after that.
void member_of_pool(Draft& draft, unsigned number) {
	constexpr unsigned early = 2;
	constexpr unsigned taught = 3;
	constexpr milliseconds idle_timer{700};
	constexpr milliseconds apart{1050};
	const bool is_early = number + early >= group_size;
	const Microseconds begin = std::min(number, taught - 1) * apart;
	draft.plan.active.push_back(pause(begin));
	draft.plan.passive.push_back(
		pause(begin)); // it does not wait for a request for longer than 2 s
	draft.exchange();
	for (int turn = 0; is_early && turn < 4; ++turn) { // until the others have been closed
		draft.plan.active.push_back(pause(milliseconds(300)));
		draft.exchange();
	}
	draft.plan.passive.push_back(pause(
		is_early ? draft.between(milliseconds(180), milliseconds(260)) : Microseconds(idle_timer)));
	draft.plan.passive.push_back(step(Action::close));
	draft.client_waits();
}

} // namespace oracle
