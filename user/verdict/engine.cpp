// SPDX-License-Identifier: Apache-2.0
#include "verdict/engine.hpp"

#include "track/tracker.hpp"
#include "verdict/advice.hpp"
#include "verdict/message.hpp"
#include "verdict/rules.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace stalesock {

namespace {

constexpr std::uint8_t both_directions = 3; // RCV_SHUTDOWN | SEND_SHUTDOWN

/// Long enough for an RST to come back and for a second part of the request to be written.
constexpr Nanoseconds late_write_settles = std::chrono::milliseconds(250);
/// A short TLS record is a farewell unless the application then waits for an answer.
constexpr Nanoseconds farewell_settles = std::chrono::seconds(2);

ConnectionFacts facts_of(const Connection& connection, const Finding& finding) {
	ConnectionFacts facts;
	facts.cookie = connection.cookie;
	facts.ipv6 = !connection.remote_address.is_ipv4();
	facts.local = connection.local();
	facts.remote = connection.remote();
	facts.role = connection.role;
	facts.state = finding.evidence.bytes_after_fin ? TcpState::close_wait : connection.state;
	facts.netns = connection.netns;
	if (connection.opened_known) {
		facts.age = finding.time - connection.opened;
	}
	return facts;
}

Owner owner_from(const Actor& actor, OwnerSource source) {
	return {source, actor.pid, actor.command, std::nullopt};
}

Owner owner_of(const Connection& connection, VerdictKind kind, const Event* event) {
	if (kind == VerdictKind::dirty_close && event != nullptr && event->actor) {
		return owner_from(*event->actor, OwnerSource::close);
	}
	if (connection.fin && connection.fin->late && connection.fin->late->writer) {
		return owner_from(*connection.fin->late->writer, OwnerSource::write);
	}
	Owner owner;
	owner.source = connection.owner_source;
	if (connection.owner_pid != 0) {
		owner.pid = connection.owner_pid;
		owner.command = std::string(connection.owner_name());
	}
	return owner;
}

/// The peer ended it in ESTABLISHED by an RST: there will be no FIN.
bool is_reset(const Event& event, const Connection& connection) {
	return event.kind == EventKind::end && event.error == ECONNRESET && !connection.fin &&
	       event.old_state == TcpState::established && event.view.has_value();
}

} // namespace

struct Engine::State {
	explicit State(const EngineOptions& chosen)
		: options(chosen), tracker(std::max<std::size_t>(chosen.max_connections, 1)),
		  peers(chosen.max_peers) {}

	EngineOptions options;
	Tracker tracker;
	Peers peers;
	/// Connections that wait for more evidence, by the time it is enough.
	std::set<std::pair<Nanoseconds, std::uint64_t>> due;

	void report(Connection& connection, const Finding& finding, const Event* event,
	            const Handler& handler);
	void judge(Connection& connection, std::span<const Rule> rules, const Event* event,
	           const Handler& handler);

	void on_peer_fin(Connection& connection, const Event& event, const Handler& handler);
	void on_late_write(Connection& connection, const Handler& handler);
	void on_our_close(Connection& connection, const Event& event, const Handler& handler);
	void on_end(Connection& connection, const Event& event, const Handler& handler);
	void dispatch(Connection& connection, const Event& event, const Handler& handler);

	void settle_fin(Connection& connection, const Handler& handler);
	void settle_late_write(Connection& connection, const Handler& handler);
	void settle_passive(Connection& connection, const Event& event, const Handler& handler);
	void settle_due(Nanoseconds now, const Handler& handler);
};

/// Teaches first: see Engine::apply.
void Engine::State::report(Connection& connection, const Finding& finding, const Event* event,
                           const Handler& handler) {
	Verdict verdict;
	verdict.kind = finding.kind;
	verdict.confidence = finding.confidence;
	verdict.inferred = finding.inferred;
	verdict.time = finding.time;
	verdict.id = fmt::format("{:x}-{}", connection.cookie, ++connection.verdicts);
	verdict.connection = facts_of(connection, finding);
	verdict.owner = owner_of(connection, finding.kind, event);
	verdict.evidence = finding.evidence;
	peers.observe(verdict);
	verdict.peer = peers.facts(verdict.connection);
	verdict.message = message_for(verdict);
	verdict.advice = advice_for(verdict);
	handler(verdict);
}

void Engine::State::judge(Connection& connection, std::span<const Rule> rules, const Event* event,
                          const Handler& handler) {
	if (const auto finding = first_finding(rules, {connection, event, options.tick})) {
		report(connection, *finding, event, handler);
	}
}

/// limit_close waits where the response is unread and we were still sending: writes may follow that
/// belong to the same request.
void Engine::State::on_peer_fin(Connection& connection, const Event& event,
                                const Handler& handler) {
	if (connection.role != Role::active || event.old_state != TcpState::established ||
	    !event.view) {
		return;
	}
	const auto finding = first_finding(rules_at_peer_fin(), {connection, &event, options.tick});
	if (!finding) {
		return;
	}
	connection.fin->answered_early = finding->kind == VerdictKind::early_response;
	if (finding->kind != VerdictKind::limit_close ||
	    !may_become_early_response(connection, options.tick)) {
		report(connection, *finding, &event, handler);
		return;
	}
	connection.fin->judged_at_fin = event.time + early_continuation;
	due.emplace(*connection.fin->judged_at_fin, connection.cookie);
}

/// The deferred verdict on the FIN, unless the late write shows that the request was still being sent.
void Engine::State::settle_fin(Connection& connection, const Handler& handler) {
	if (!connection.fin || !connection.fin->judged_at_fin) {
		return;
	}
	connection.fin->judged_at_fin.reset();
	const Situation situation{connection, nullptr, options.tick};
	if (connection.fin->late && early_response_by_late_write(situation)) {
		return;
	}
	Event fin;
	fin.kind = EventKind::peer_fin;
	fin.time = connection.fin->time;
	fin.peer_fin_seen = true;
	fin.view = connection.fin->view;
	judge(connection, std::span(rules_at_peer_fin()), &fin, handler);
}

void Engine::State::on_late_write(Connection& connection, const Handler& handler) {
	FinFacts& fin = *connection.fin;
	settle_fin(connection, handler);
	if (fin.late_judged || connection.role != Role::active) {
		return;
	}
	if (fin.late->read_afterwards && connection.state == TcpState::close) {
		settle_late_write(connection, handler);
		return;
	}
	if (!fin.judge_late_at) {
		fin.judge_late_at =
			fin.late->time + (farewell_is_open(connection) ? farewell_settles : late_write_settles);
		due.emplace(*fin.judge_late_at, connection.cookie);
	}
}

void Engine::State::settle_late_write(Connection& connection, const Handler& handler) {
	if (!connection.fin || !connection.fin->late || connection.fin->late_judged) {
		return;
	}
	connection.fin->late_judged = true;
	if (!connection.fin->answered_early) {
		judge(connection, rules_at_late_write(), nullptr, handler);
	}
}

void Engine::State::settle_passive(Connection& connection, const Event& event,
                                   const Handler& handler) {
	if (connection.fin->late_judged) {
		return;
	}
	connection.fin->late_judged = true;
	const Situation situation{connection, &event, options.tick};
	if (const auto farewell = farewell_write(situation)) {
		report(connection, *farewell, &event, handler);
		return;
	}
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
	settle_fin(connection, handler);
	if (is_reset(event, connection)) {
		if (connection.role == Role::active) {
			judge(connection, rules_at_reset(), &event, handler);
		}
	} else if (connection.fin && connection.fin->late) {
		if (connection.role == Role::passive) {
			settle_passive(connection, event, handler);
		} else if (!event.destroyed && farewell_is_open(connection)) {
			return; // what the application does now decides; the destruction of the socket is the end
		}
		settle_late_write(connection, handler);
	}
	if (event.view) {
		judge(connection, rules_at_abort(), &event, handler);
	}
	tracker.forget(connection.cookie);
}

void Engine::State::dispatch(Connection& connection, const Event& event, const Handler& handler) {
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
	default: break;
	}
}

void Engine::State::settle_due(Nanoseconds now, const Handler& handler) {
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
		if (connection->fin->judge_late_at == time) {
			settle_late_write(*connection, handler);
		}
	}
}

Engine::Engine(const EngineOptions& options) : state_(std::make_unique<State>(options)) {}

Engine::~Engine() = default;

void Engine::apply(const Event& event, const Handler& handler) {
	state_->settle_due(event.time, handler);
	Connection* connection = state_->tracker.apply(event, state_->options.tick);
	if (connection != nullptr) {
		state_->dispatch(*connection, event, handler);
	}
}

void Engine::on_tick(Nanoseconds now, const Handler& handler) {
	state_->settle_due(now, handler);
}

void Engine::finish(Nanoseconds now, const Handler& handler) {
	constexpr Nanoseconds longest_wait = farewell_settles + early_continuation;
	state_->settle_due(now + longest_wait, handler);
}

EngineCounters Engine::counters() const {
	const TrackerCounters counters = state_->tracker.counters();
	const PeerCounters peers = state_->peers.counters();
	return {state_->tracker.size(), counters.opened, counters.evicted, peers.known, peers.evicted};
}

const Peers& Engine::peers() const {
	return state_->peers;
}

} // namespace stalesock
