// SPDX-License-Identifier: Apache-2.0
#include "verdict/engine_state.hpp"
#include "verdict/finding.hpp"
#include "verdict/late_facts.hpp"

#include "verdict/resume.hpp"

#include <algorithm>
#include <cerrno>

namespace stalesock {

namespace {

constexpr std::uint8_t both_directions = 3; // RCV_SHUTDOWN | SEND_SHUTDOWN

/// Long enough for an RST to come back and for a second part of the request to be written.
constexpr Nanoseconds late_write_settles = std::chrono::milliseconds(250);

/// As it was so long before; all that is aged by the clock alone. TCP's own clock stands still between segments.
void make_younger(SocketView& view, Nanoseconds time, Nanoseconds tick) {
	const auto ticks = static_cast<std::uint32_t>(std::max(time / tick, Nanoseconds::rep{0}));
	const auto take = [ticks](std::uint32_t& age) { age -= std::min(age, ticks); };
	take(view.send_age_ticks);
	take(view.receive_age_ticks);
	take(view.ack_age_ticks);
	if (view.exchange) {
		take(view.exchange->turn_age_ticks);
		take(view.exchange->read_age_ticks);
	}
}

/// The peer ended it in ESTABLISHED by an RST: there will be no FIN.
bool is_reset(const Event& event, const Connection& connection) {
	return event.kind == EventKind::end && event.error == ECONNRESET && !connection.fin &&
	       event.old_state == TcpState::established && event.view.has_value();
}

} // namespace

/// limit_close waits where the response is unread and we were still sending: writes may follow that
/// belong to the same request.
void Engine::State::on_peer_fin(Connection& connection, const Event& event,
                                const Handler& handler) {
	if (connection.role != Role::active || event.old_state != TcpState::established ||
	    !event.view) {
		return;
	}
	const auto finding = judge_end(situation_at_end(connection, event));
	if (!finding) {
		return;
	}
	connection.fin->answered_early = finding->kind == VerdictKind::early_response;
	if (finding->kind != VerdictKind::limit_close ||
	    !may_become_early_response(connection, options.tick)) {
		report(connection, *finding, &event, handler);
		if (finding->kind == VerdictKind::idle_close) {
			mention(connection, keepalive_ineffective(situation(connection, &event)), event,
			        handler);
		}
		return;
	}
	connection.fin->judged_at_fin = event.time + early_continuation;
	due.emplace(*connection.fin->judged_at_fin, connection.cookie);
}

/// A scan found it: the socket as it was when the FIN came, from its ages. The time is that of the last ACK, at the earliest
/// when the connection was last heard of.
void Engine::State::on_missed_fin(Connection& connection, const Event& event,
                                  const Handler& handler) {
	if (!connection.fin || !connection.fin->missed || connection.fin->late || !event.view ||
	    connection.role != Role::active) {
		return;
	}
	connection.fin->missed = false;
	Event fin = event;
	fin.kind = EventKind::peer_fin;
	fin.old_state = TcpState::established;
	fin.time = connection.fin->time;
	make_younger(*fin.view, event.time - fin.time, options.tick);
	if (auto finding = judge_end(situation_at_end(connection, fin))) {
		infer(*finding, Confidence::likely, "when the FIN came, which no hook saw");
		report(connection, *finding, &fin, handler);
	}
}

/// The deferred verdict on the FIN, unless the late write shows that the request was still being sent.
void Engine::State::settle_fin(Connection& connection, const Handler& handler) {
	if (!connection.fin || !connection.fin->judged_at_fin) {
		return;
	}
	connection.fin->judged_at_fin.reset();
	if (connection.fin->late && !is_flow_control(situation(connection, nullptr)) &&
	    late_facts(situation(connection, nullptr)).continues.value == Continues::answered) {
		return;
	}
	Event fin;
	fin.kind = EventKind::peer_fin;
	fin.time = connection.fin->time;
	fin.peer_fin_seen = true;
	fin.view = connection.fin->view;
	if (const auto finding = judge_end(situation_at_end(connection, fin))) {
		report(connection, *finding, &fin, handler);
	}
}

void Engine::State::on_late_write(Connection& connection, const Handler& handler) {
	FinFacts& fin = *connection.fin;
	settle_fin(connection, handler);
	if (fin.late_was_control && !is_flow_control(situation(connection, nullptr))) {
		fin.late_was_control = false;
		fin.late_judged = false;
		fin.judge_late_at.reset();
	}
	if (fin.late_judged || connection.role != Role::active) {
		return;
	}
	if (fin.late->read_afterwards && connection.state == TcpState::close) {
		settle_late_write(connection, handler);
		return;
	}
	if (!fin.judge_late_at) {
		fin.judge_late_at = fin.late->time + late_write_settles;
		due.emplace(*fin.judge_late_at, connection.cookie);
	}
}

void Engine::State::settle_late_write(Connection& connection, const Handler& handler) {
	if (!connection.fin || !connection.fin->late || connection.fin->late_judged) {
		return;
	}
	connection.fin->late_judged = true;
	connection.fin->late_was_control = is_flow_control(situation(connection, nullptr));
	const LateWrite& late = *connection.fin->late;
	if (connection.fin->answered_early && late.head != PayloadHead::http_request &&
	    late.time - connection.fin->time <= early_continuation) {
		return; // the rest of what was answered early
	}
	Situation at_present = situation(connection, nullptr);
	at_present.other = pairs.seen_of(connection, {}, tracker);
	if (const auto finding = judge_late_write(at_present)) {
		report(connection, *finding, nullptr, handler);
	}
}

/// The first time that it is due, unless more is to be expected: then at the second.
void Engine::State::settle_due_write(Connection& connection, const Handler& handler) {
	FinFacts& fin = *connection.fin;
	const Nanoseconds last = fin.late->time + late_write_is_old;
	if (late_write_is_open(situation(connection, nullptr)) && *fin.judge_late_at < last) {
		fin.judge_late_at = last;
		due.emplace(last, connection.cookie);
		return;
	}
	settle_late_write(connection, handler);
}

void Engine::State::settle_passive(Connection& connection, const Event& event,
                                   const Handler& handler) {
	if (connection.fin->late_judged) {
		return;
	}
	connection.fin->late_judged = true;
	judge(connection, rules_at_passive_end(), &event, handler);
}

/// Our FIN, or the release of the socket. With a late write its own end is still to come; where no hook
/// sees one, this is when it is found.
void Engine::State::on_our_close(Connection& connection, const Event& event,
                                 const Handler& handler) {
	if (event.shutdown != both_directions && event.kind != EventKind::released) {
		return;
	}
	settle_fin(connection, handler);
	if (!connection.fin || !connection.fin->late) {
		tracker.forget(connection.cookie);
		return;
	}
	on_late_write(connection, handler);
}

void Engine::State::on_end(Connection& connection, const Event& event, const Handler& handler) {
	const bool is_judged =
		connection.state == TcpState::close &&
		(event.old_state == TcpState::established || event.old_state == TcpState::close_wait);
	if (event.error != 0 && is_judged && connection.role == Role::active && !held.empty()) {
		if (const auto other = pairs.seen_of(connection, event, tracker)) {
			drop_held(other->cookie);
		}
	}
	settle_fin(connection, handler);
	if (is_reset(event, connection)) {
		on_reset(connection, event, handler);
	} else if (connection.fin && connection.fin->late) {
		if (connection.role == Role::passive) {
			settle_passive(connection, event, handler);
		} else if (!event.destroyed && event.error != 0 &&
		           late_write_is_open(situation(connection, nullptr))) {
			return; // what the application does now decides; the destruction of the socket is the end
		}
		settle_late_write(connection, handler);
	}
	if (event.view) {
		const auto rules = event.error == 0 ? rules_at_abort() : rules_at_timeout();
		if (const auto finding = first_finding(rules, situation_at_end(connection, event))) {
			report(connection, *finding, &event, handler);
		}
	}
	tracker.forget(connection.cookie);
}

void Engine::State::dispatch(Connection& connection, const Event& event, const Handler& handler) {
	consider_keepalive(connection, event, handler);
	note_survival(connection, event);
	switch (event.kind) {
	case EventKind::peer_fin: on_peer_fin(connection, event, handler); break;
	case EventKind::late_write:
		if (connection.fin && connection.fin->late) {
			on_late_write(connection, handler);
		}
		break;
	case EventKind::close:
	case EventKind::released: on_our_close(connection, event, handler); break;
	case EventKind::end: on_end(connection, event, handler); break;
	case EventKind::scan:
		on_missed_fin(connection, event, handler);
		on_scan(connection, event, handler);
		break;
	case EventKind::retransmit: on_retransmission(connection, event, handler); break;
	case EventKind::reuse: on_reuse(connection, event, handler); break;
	default: break;
	}
}

void Engine::State::settle_due(Nanoseconds now, const Handler& handler) {
	if (!found_leaks.empty() && leaks_due <= now) {
		tell_leaks(handler);
	}
	tell_held(now, handler);
	while (!due.empty() && due.begin()->first <= now) {
		const auto [time, cookie] = *due.begin();
		due.erase(due.begin());
		Connection* connection = tracker.find(cookie);
		if (connection == nullptr || !connection->fin) {
			continue;
		}
		if (connection->fin->judged_at_fin == time) {
			settle_fin(*connection, handler);
		}
		if (connection->fin->judge_late_at == time && connection->fin->late) {
			settle_due_write(*connection, handler);
		}
		remember(cookie);
	}
}

void Engine::State::take_up(Connection& connection, const Event& event, const Handler& handler) {
	const auto found = former.find(connection.cookie);
	if (found == former.end()) {
		return;
	}
	stalesock::resume(connection, found->second, event);
	former.erase(found);
	if (event.kind == EventKind::inventory && connection.fin && connection.fin->late) {
		on_late_write(connection, handler);
	}
}

void Engine::State::remember(std::uint64_t cookie) {
	const Connection* connection = options.store == nullptr ? nullptr : tracker.find(cookie);
	if (connection != nullptr && needs_continuation(*connection)) {
		options.store->keep(continuation_of(*connection));
	}
}

void Engine::State::on_gone(const Connection& connection) {
	leaks.remove(connection);
	pairs.forget(connection);
	survivals.erase(connection.cookie);
	spent_ids.note(connection.cookie, connection.verdicts);
	if (options.store != nullptr && needs_continuation(connection)) {
		options.store->drop(connection.cookie);
	}
}

Engine::Engine(const EngineOptions& options) : state_(std::make_unique<State>(options)) {}

Engine::~Engine() = default;

void Engine::apply(const Event& event, const Handler& handler) {
	state_->reached = std::max(state_->reached, event.time);
	state_->settle_due(event.time, handler);
	if (event.kind == EventKind::owner && event.new_state == TcpState::listen) {
		state_->listener_holders.note(event);
		return;
	}
	if (event.kind == EventKind::refused_write) { // its connection has left the table
		state_->on_refused_write(event, handler);
		return;
	}
	if (event.kind == EventKind::open) { // a socket that is connected anew keeps its cookie
		(void)state_->resets.take(event.cookie);
	}
	Connection* connection = state_->tracker.apply(event, state_->options.tick);
	if (connection != nullptr) {
		if (event.kind == EventKind::open) {
			connection->verdicts =
				std::max(connection->verdicts, state_->spent_ids.of(event.cookie));
		}
		state_->listeners.observe(*connection, event, state_->options.tick);
		state_->pairs.observe(*connection, event, state_->tracker);
		if (!state_->former.empty()) {
			state_->take_up(*connection, event, handler);
		}
		state_->dispatch(*connection, event, handler);
		state_->remember(event.cookie);
	}
}

void Engine::resume(std::span<const Continuation> former) {
	for (const Continuation& continuation : former) {
		state_->former.insert_or_assign(continuation.cookie, continuation);
	}
}

std::size_t Engine::unmet() const {
	return state_->former.size();
}

std::size_t Engine::end_resume() {
	const std::size_t ended = state_->former.size();
	for (const auto& [cookie, continuation] : state_->former) {
		if (state_->options.store != nullptr) {
			state_->options.store->drop(cookie);
		}
	}
	state_->former.clear();
	return ended;
}

void Engine::on_tick(Nanoseconds now, const Handler& handler) {
	state_->reached = std::max(state_->reached, now);
	state_->settle_due(now, handler);
}

bool Engine::take_wish_for_holders() {
	return std::exchange(state_->holders_wanted, false);
}

void Engine::note_holders_seen(Nanoseconds now) {
	state_->holders_seen = now;
}

void Engine::finish(Nanoseconds now, const Handler& handler) {
	constexpr Nanoseconds longest_wait = late_write_is_old + early_continuation;
	state_->reached = std::max(state_->reached, now);
	state_->settle_due(now + longest_wait, handler);
}

EngineCounters Engine::counters() const {
	const TrackerCounters counters = state_->tracker.counters();
	const PeerCounters peers = state_->peers.counters();
	return {.tracked = state_->tracker.size(),
	        .opened = counters.opened,
	        .evicted = counters.evicted,
	        .peers = peers.known,
	        .peers_evicted = peers.evicted,
	        .undecided = state_->due.size(),
	        .unowned = counters.unowned,
	        .inferred = counters.inferred};
}

const Peers& Engine::peers() const {
	return state_->peers;
}

Peers& Engine::peers() {
	return state_->peers;
}

const Listeners& Engine::listeners() const {
	return state_->listeners;
}

Listeners& Engine::listeners() {
	return state_->listeners;
}

} // namespace stalesock
