// SPDX-License-Identifier: Apache-2.0
// Behaviours around an answer: none, early, late, slow, unread, or the last one.
#include "behaviours.hpp"

namespace oracle {

namespace {

/// SHUT_WR, or a full close while the server is still thinking.
void server_answers_after_client(Draft& draft, Action leave) {
	draft.turns(draft.between(0, 3));
	const std::size_t request = draft.segment_size();
	const std::size_t response = draft.segment_size();
	draft.plan.active.push_back(send(Head::request, request));
	draft.plan.active.push_back(pause(draft.between(milliseconds(0), milliseconds(30))));
	draft.plan.active.push_back(step(leave));
	if (leave == Action::shut_write) {
		draft.plan.active.push_back(step(Action::receive_to_end));
		draft.plan.active.push_back(step(Action::close));
	}
	draft.plan.passive.push_back(receive(request));
	if (draft.chance(50))
		draft.plan.passive.push_back(step(Action::receive_to_end));
	const Microseconds thinking = draft.between(milliseconds(60), milliseconds(250));
	draft.plan.passive.push_back(pause(draft.round_trip() + thinking));
	draft.plan.passive.push_back(send(Head::response, response));
	if (draft.chance(30))
		draft.plan.passive.push_back(send(Head::more, draft.segment_size()));
	draft.plan.passive.push_back(step(Action::close));
}

/// One request in many writes, of which the server reads `first` bytes before it answers.
void upload(Draft& draft, std::size_t first) {
	draft.plan.active.push_back(send(Head::request, first));
	const Microseconds longest = draft.round_trip() + milliseconds(draft.between(80, 160));
	for (Microseconds spent{}; spent < longest;) {
		const Microseconds gap = draft.between(milliseconds(8), milliseconds(16));
		draft.plan.active.push_back(pause(gap));
		const int size = draft.between(200, 1400);
		draft.plan.active.push_back(send(Head::more, static_cast<std::size_t>(size)));
		spent += gap;
	}
	draft.client_gives_up();
	draft.plan.passive.push_back(receive(first));
	draft.plan.passive.push_back(send(Head::response, draft.page_size()));
}

} // namespace

void server_hangs_up_unanswered(Draft& draft) {
	draft.turns(draft.between(0, 3));
	draft.plan.active.push_back(pause(draft.between(milliseconds(0), milliseconds(250))));
	const std::size_t request = draft.segment_size();
	draft.plan.active.push_back(send(draft.request_head(), request));
	draft.plan.passive.push_back(receive(draft.plan.active.back().size));
	draft.plan.passive.push_back(pause(draft.chance(70)
	                                       ? draft.between(milliseconds(0), milliseconds(20))
	                                       : draft.between(milliseconds(160), milliseconds(300))));
	draft.server_shuts();
	draft.client_gives_up();
}

void server_answers_and_closes(Draft& draft) {
	draft.turns(draft.between(1, 3));
	draft.plan.passive.push_back(step(Action::close));
	draft.plan.active.push_back(pause(draft.between(milliseconds(5), milliseconds(250))));
	if (draft.chance(50))
		draft.late_writes();
	draft.client_gives_up();
}

/// The answer is already there when the client asks again; the FIN is a few ms behind it.
void limit_close_crosses_request(Draft& draft) {
	draft.relay();
	draft.turns(draft.between(1, 3));
	const Microseconds behind = draft.between(milliseconds(1), milliseconds(8));
	draft.plan.passive.push_back(pause(behind));
	if (draft.tls && draft.chance(70))
		draft.plan.passive.push_back(send(Head::tls_notify));
	draft.server_shuts();
	draft.plan.active.push_back(pause(draft.between(Microseconds(0), behind)));
	draft.plan.active.push_back(send(draft.request_head(), draft.burst_size()));
	draft.client_waits();
}

void slow_answer_then_close(Draft& draft) {
	draft.turns(draft.between(0, 2));
	const std::size_t request = draft.segment_size();
	draft.plan.active.push_back(send(Head::request, request));
	draft.plan.passive.push_back(receive(request));
	draft.plan.passive.push_back(pause(draft.between(milliseconds(180), milliseconds(350))));
	draft.plan.passive.push_back(send(Head::response, draft.page_size()));
	draft.plan.passive.push_back(step(Action::close));
	draft.plan.active.push_back(receive(draft.plan.passive[draft.plan.passive.size() - 2].size));
	draft.client_waits();
}

void streamed_answer_then_close(Draft& draft) {
	draft.turns(draft.between(0, 2));
	const std::size_t request = draft.segment_size();
	draft.plan.active.push_back(send(Head::request, request));
	draft.plan.passive.push_back(receive(request));
	draft.plan.passive.push_back(send(Head::response, draft.segment_size()));
	const int chunks = draft.between(8, 14);
	for (int chunk = 0; chunk < chunks; ++chunk) {
		draft.plan.passive.push_back(pause(draft.between(milliseconds(20), milliseconds(40))));
		draft.plan.passive.push_back(send(Head::more, draft.segment_size()));
	}
	draft.plan.passive.push_back(step(Action::close));
	draft.plan.active.push_back(step(Action::receive_to_end));
	draft.plan.active.push_back(step(Action::close));
}

void client_leaves_answer_unread(Draft& draft) {
	draft.turns(draft.between(0, 2));
	draft.exchange();
	Step& reading = draft.plan.active.back();
	const Step response = reading;
	if (draft.chance(50) || response.size == 1)
		draft.plan.active.pop_back();
	else
		reading.size = response.size / 2;
	const bool server_goes = draft.chance(30);
	draft.plan.passive.push_back(step(server_goes ? Action::close : Action::receive_to_end));
	draft.plan.passive.push_back(step(Action::close));
	draft.plan.active.push_back(
		pause(draft.round_trip() + draft.between(milliseconds(15), milliseconds(60))));
	draft.plan.active.push_back(step(Action::close));
}

void half_closed_client(Draft& draft) {
	server_answers_after_client(draft, Action::shut_write);
}
void client_gone(Draft& draft) {
	server_answers_after_client(draft, Action::close);
}

void early_answer(Draft& draft) {
	draft.turns(draft.between(0, 2));
	upload(draft, draft.segment_size());
	if (draft.chance(50))
		draft.server_drains();
	else
		draft.plan.passive.push_back(step(Action::close));
}

/// What lies unread at the server makes its close an RST: there is no FIN.
void early_answer_then_reset(Draft& draft) {
	draft.turns(draft.between(0, 2));
	upload(draft, draft.segment_size());
	draft.plan.passive.push_back(pause(draft.between(milliseconds(20), milliseconds(40))));
	draft.plan.passive.push_back(step(Action::close));
}

void server_says_farewell_last(Draft& draft) {
	draft.turns(draft.between(0, 3));
	draft.plan.active.push_back(pause(draft.between(milliseconds(0), milliseconds(100))));
	draft.plan.active.push_back(step(Action::close));
	draft.plan.passive.push_back(step(Action::receive_to_end));
	draft.plan.passive.push_back(send(draft.farewell_head()));
	draft.plan.passive.push_back(step(Action::close));
}

} // namespace oracle
