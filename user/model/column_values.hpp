// SPDX-License-Identifier: Apache-2.0
// What each column reads from a row.
#pragma once

#include "model/column_parts.hpp"
#include "model/escape.hpp"

#include <algorithm>
#include <array>

namespace stalesock::column {

using Count = std::optional<std::uint64_t>;

inline std::string_view state(const Row& row) {
	return to_string(row.socket->state);
}

inline std::string_view role(const Row& row) {
	return row.role == Role::unknown ? std::string_view{} : to_string(row.role);
}

inline Count pid(const Row& row) {
	return row.process == nullptr ? Count{} : Count(row.process->pid);
}

inline std::string_view unit(const Row& row) {
	return row.process == nullptr || !row.process->unit ? std::string_view{} : *row.process->unit;
}

inline Count nonzero(std::uint64_t value) {
	return value == 0 ? Count{} : Count(value);
}

template <auto Get> void untrusted_text(std::string& out, const Row& row) {
	out += escape_untrusted(Get(row));
}

template <auto Get> void untrusted_json(std::string& out, std::string_view field, const Row& row) {
	const std::string_view text = Get(row);
	if (!text.empty()) {
		append_field(out, field);
		append_json_string(out, text);
		out += ',';
	}
}

inline void pid_json(std::string& out, std::string_view field, const Row& row) {
	if (row.process == nullptr) {
		return;
	}
	number_json<pid>(out, field, row);
	out += R"("source":"scan",)";
	if (row.socket->holders > 1) {
		append_field(out, R"("holders":)");
		append_number(out, row.socket->holders);
		out += ',';
	}
}

template <Endpoint SocketEntry::*End> void endpoint_text(std::string& out, const Row& row) {
	const Endpoint& endpoint = row.socket->*End;
	if (is_chosen(endpoint)) {
		append_endpoint(out, endpoint);
	}
}

template <Endpoint SocketEntry::*End>
void endpoint_json(std::string& out, std::string_view field, const Row& row) {
	const Endpoint& endpoint = row.socket->*End;
	if (is_chosen(endpoint)) {
		append_field(out, field);
		out += '"';
		append_endpoint(out, endpoint);
		out += "\",";
	}
}

template <Endpoint SocketEntry::*End> SortKey key_of_endpoint(const Row& row) {
	return endpoint_key(row.socket->*End);
}

inline std::string_view family(const Row& row) {
	return row.socket->local.address.is_ipv4() && row.socket->remote.address.is_ipv4() ? "ipv4"
	                                                                                   : "ipv6";
}

inline Count cookie(const Row& row) {
	return nonzero(row.socket->cookie);
}

inline Count netns(const Row& row) {
	return nonzero(row.socket->netns);
}

inline auto age(const Row& row) {
	return row.age;
}
inline auto sent_age(const Row& row) {
	return row.sent_age;
}
inline auto received_age(const Row& row) {
	return row.received_age;
}
inline auto fin_age(const Row& row) {
	return row.fin_age;
}

inline std::string_view first_closer(const Row& row) {
	return to_string(row.first_closer);
}

inline auto unread(const Row& row) {
	return row.unread;
}
inline auto unacked(const Row& row) {
	return row.unacked;
}

/// Where counters are kept at all.
inline bool counts(const Row& row) {
	return row.unread.has_value();
}

inline Count bytes_sent(const Row& row) {
	return counts(row) ? Count(row.socket->bytes_sent) : Count{};
}

inline Count bytes_received(const Row& row) {
	return counts(row) ? Count(row.socket->bytes_received) : Count{};
}

inline Count retransmits(const Row& row) {
	const bool handshake =
		row.socket->state == TcpState::syn_sent || row.socket->state == TcpState::new_syn_recv;
	return counts(row) || handshake ? Count(row.socket->retransmits) : Count{};
}

inline std::optional<Nanoseconds> round_trip(const Row& row) {
	const auto measured = std::chrono::microseconds(row.socket->round_trip_us);
	return row.socket->round_trip_us == 0 ? std::nullopt : std::optional<Nanoseconds>(measured);
}

inline std::string_view verdict(const Row& row) {
	return row.verdict;
}

// In the order of a connection's life, the stale ones first.
inline SortKey state_key(const Row& row) {
	constexpr std::array<std::uint8_t, 13> ranks{12, 1, 9, 8, 3, 4, 6, 11, 0, 2, 7, 5, 10};
	return {true, ranks.at(static_cast<std::size_t>(row.socket->state))};
}

} // namespace stalesock::column
