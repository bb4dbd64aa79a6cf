// SPDX-License-Identifier: Apache-2.0
// Columns that say several things at once: timer, keepalive, learned timeout, accept queue.
#pragma once

#include "model/column_values.hpp"

namespace stalesock::column {

inline void append_json_duration(std::string& out, std::string_view field, Nanoseconds value) {
	append_field(out, field);
	append_milliseconds(out, value);
	out += ',';
}

inline void append_json_number(std::string& out, std::string_view field, std::uint64_t value) {
	append_field(out, field);
	append_number(out, value);
	out += ',';
}

/// "keepalive 59.2s", "on 204ms x3".
inline void timer_text(std::string& out, const Row& row) {
	const SocketEntry& socket = *row.socket;
	if (socket.timer_kind == TimerKind::none) {
		return;
	}
	out += to_string(socket.timer_kind);
	out += ' ';
	append_duration(out, socket.timer);
	if (socket.timer_tries != 0) {
		out += " x";
		append_number(out, socket.timer_tries);
	}
}

inline void timer_json(std::string& out, std::string_view field, const Row& row) {
	const SocketEntry& socket = *row.socket;
	if (socket.timer_kind == TimerKind::none) {
		return;
	}
	append_field(out, field);
	out += '"';
	out += to_string(socket.timer_kind);
	out += "\",";
	append_json_duration(out, R"("timer_ms":)", socket.timer);
	append_json_number(out, R"("timer_tries":)", socket.timer_tries);
}

inline SortKey timer_key(const Row& row) {
	const bool pending = row.socket->timer_kind != TimerKind::none;
	return pending ? SortKey{true, static_cast<std::uint64_t>(row.socket->timer.count())}
	               : SortKey{};
}

inline bool has_keepalive(const Row& row) {
	return counts(row) && row.socket->flags_known;
}

/// "7200s/75s/9", "off".
inline void keepalive_text(std::string& out, const Row& row) {
	const SocketEntry& socket = *row.socket;
	if (!has_keepalive(row)) {
		return;
	}
	if (!socket.keepalive) {
		out += "off";
		return;
	}
	const auto append_seconds = [&out](Nanoseconds value) {
		append_number(out, static_cast<std::uint64_t>(value / std::chrono::seconds(1)));
		out += "s/";
	};
	append_seconds(socket.keepalive_idle);
	append_seconds(socket.keepalive_interval);
	append_number(out, socket.keepalive_probes);
}

inline void keepalive_json(std::string& out, std::string_view field, const Row& row) {
	const SocketEntry& socket = *row.socket;
	if (!has_keepalive(row)) {
		return;
	}
	append_field(out, field);
	out += socket.keepalive ? "true," : "false,";
	if (socket.keepalive) {
		append_json_duration(out, R"("idle_ms":)", socket.keepalive_idle);
		append_json_duration(out, R"("interval_ms":)", socket.keepalive_interval);
		append_json_number(out, R"("count":)", socket.keepalive_probes);
	}
}

inline SortKey keepalive_key(const Row& row) {
	if (!has_keepalive(row)) {
		return {};
	}
	const Nanoseconds idle =
		row.socket->keepalive ? row.socket->keepalive_idle : Nanoseconds::zero();
	return {true, static_cast<std::uint64_t>(idle.count())};
}

/// Zero-window probes share the counter: only without one under way.
inline Count probes_out(const Row& row) {
	const SocketEntry& socket = *row.socket;
	const bool ours = socket.keepalive && socket.timer_kind != TimerKind::persist;
	return has_keepalive(row) && ours ? Count(socket.probes_out) : Count{};
}

inline std::optional<Nanoseconds> next_probe(const Row& row) {
	return row.next_probe;
}

/// "5.00s", "5.00s+1.00s" for a range.
inline void timeout_text(std::string& out, const Row& row) {
	if (!row.peer) {
		return;
	}
	append_duration(out, row.peer->idle);
	if (row.peer->spread * 10 > row.peer->idle) {
		out += '+';
		append_duration(out, row.peer->spread);
	}
}

inline void timeout_json(std::string& out, std::string_view field, const Row& row) {
	if (row.peer) {
		append_json_duration(out, field, row.peer->idle);
		append_json_duration(out, R"("spread_ms":)", row.peer->spread);
		append_json_number(out, R"("observations":)", row.peer->observations);
	}
}

inline SortKey timeout_key(const Row& row) {
	return row.peer ? SortKey{true, static_cast<std::uint64_t>(row.peer->idle.count())} : SortKey{};
}

inline std::optional<Nanoseconds> time_left(const Row& row) {
	return row.time_left;
}

/// "3/128": connections that wait for accept(), and the limit.
inline void queue_text(std::string& out, const Row& row) {
	if (row.socket->state == TcpState::listen) {
		append_number(out, row.socket->unread);
		out += '/';
		append_number(out, row.socket->unacked);
	}
}

inline void queue_json(std::string& out, std::string_view field, const Row& row) {
	if (row.socket->state == TcpState::listen) {
		append_json_number(out, field, row.socket->unread);
		append_json_number(out, R"("accept_limit":)", row.socket->unacked);
	}
}

inline SortKey queue_key(const Row& row) {
	return row.socket->state == TcpState::listen ? SortKey{true, row.socket->unread} : SortKey{};
}

} // namespace stalesock::column
