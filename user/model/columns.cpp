// SPDX-License-Identifier: Apache-2.0
#include "model/columns.hpp"

#include "model/column_groups.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace stalesock {

namespace {

using namespace column;

// name, title, unit, help, section, field, width, right, descending, text, json, key
constexpr std::array table{
	Column{"state", "STATE", "", "TCP state", Section::connection, "state", 12, false, false,
           word_text<state>, word_json<state>, state_key},
	Column{"role", "ROLE", "", "who opened it: active (we) or passive (the peer)",
           Section::connection, "role", 7, false, false, word_text<role>, word_json<role>,
           word_key<role>},
	Column{"pid", "PID", "", "process that holds it; holders: how many do, when several",
           Section::owner, "pid", 7, true, false, number_text<pid>, pid_json, number_key<pid>},
	Column{"command", "COMMAND", "", "its command", Section::owner, "command", 15, false, false,
           untrusted_text<command_of>, untrusted_json<command_of>, word_key<command_of>},
	Column{"unit", "UNIT", "", "its systemd unit", Section::owner, "unit", 20, false, false,
           untrusted_text<unit>, untrusted_json<unit>, word_key<unit>},
	Column{"local", "LOCAL", "", "local endpoint", Section::connection, "local", 21, false, false,
           endpoint_text<&SocketEntry::local>, endpoint_json<&SocketEntry::local>,
           key_of_endpoint<&SocketEntry::local>},
	Column{"remote", "REMOTE", "", "remote endpoint", Section::connection, "remote", 21, false,
           false, endpoint_text<&SocketEntry::remote>, endpoint_json<&SocketEntry::remote>,
           key_of_endpoint<&SocketEntry::remote>},
	Column{"age", "AGE", "ms", "since the handshake", Section::connection, "age_ms", 7, true, true,
           duration_text<age>, duration_json<age>, duration_key<age>},
	Column{"sent", "SENT", "ms", "since our last payload", Section::socket, "idle_ms", 7, true,
           true, duration_text<sent_age>, duration_json<sent_age>, duration_key<sent_age>},
	Column{"received", "RECVD", "ms", "since the peer's last payload", Section::socket,
           "receive_age_ms", 7, true, true, duration_text<received_age>,
           duration_json<received_age>, duration_key<received_age>},
	Column{"closer", "FIRST", "", "whose FIN came first: peer, us, both", Section::socket,
           "first_closer", 5, false, false, word_text<first_closer>, word_json<first_closer>,
           word_key<first_closer>},
	Column{"fin", "FIN", "ms", "since the peer's FIN", Section::socket, "fin_age_ms", 7, true, true,
           duration_text<fin_age>, duration_json<fin_age>, duration_key<fin_age>},
	Column{"unread", "UNREAD", "bytes", "received and not read by the application", Section::socket,
           "unread_bytes", 7, true, true, number_text<unread>, number_json<unread>,
           number_key<unread>},
	Column{"unacked", "UNACKED", "bytes", "written and not acknowledged by the peer",
           Section::socket, "unacked_bytes", 7, true, true, number_text<unacked>,
           number_json<unacked>, number_key<unacked>},
	Column{"bytes-out", "OUT", "bytes", "payload sent, without retransmissions", Section::socket,
           "bytes_sent", 8, true, true, number_text<bytes_sent>, number_json<bytes_sent>,
           number_key<bytes_sent>},
	Column{"bytes-in", "IN", "bytes", "payload received", Section::socket, "bytes_received", 8,
           true, true, number_text<bytes_received>, number_json<bytes_received>,
           number_key<bytes_received>},
	Column{"retrans", "RETR", "", "segments sent again", Section::socket, "retransmits", 4, true,
           true, number_text<retransmits>, number_json<retransmits>, number_key<retransmits>},
	Column{"rtt", "RTT", "ms", "smoothed round trip", Section::socket, "round_trip_ms", 7, true,
           true, duration_text<round_trip>, duration_json<round_trip>, duration_key<round_trip>},
	Column{"timer", "TIMER", "", "what is pending, as ss names it; until when; tries",
           Section::socket, "timer", 16, false, false, timer_text, timer_json, timer_key},
	Column{"queue", "QUEUE", "", "listener: connections not accepted yet, and the limit",
           Section::socket, "accept_queue", 9, true, true, queue_text, queue_json, queue_key},
	Column{"keepalive", "KEEPALIVE", "", "effective idle time, interval and count of probes",
           Section::keepalive, "on", 12, false, true, keepalive_text, keepalive_json,
           keepalive_key},
	Column{"probes", "PROBES", "", "keepalive probes not answered", Section::keepalive,
           "probes_out", 6, true, true, number_text<probes_out>, number_json<probes_out>,
           number_key<probes_out>},
	Column{"next-probe", "NEXT", "ms", "until the next keepalive probe", Section::keepalive,
           "next_probe_ms", 7, true, false, duration_text<next_probe>, duration_json<next_probe>,
           duration_key<next_probe>},
	Column{"timeout", "TIMEOUT", "ms", "learned: idle time after which the peer closes",
           Section::peer, "idle_timeout_ms", 8, true, false, timeout_text, timeout_json,
           timeout_key},
	Column{"left", "LEFT", "ms", "until then, when nothing is sent", Section::peer, "left_ms", 7,
           true, false, duration_text<time_left>, duration_json<time_left>,
           duration_key<time_left>},
	Column{"verdict", "VERDICT", "", "gravest verdict so far", Section::line, "verdict", 18, false,
           false, word_text<verdict>, word_json<verdict>, word_key<verdict>},
	Column{"family", "FAMILY", "", "ipv4 or ipv6", Section::connection, "family", 6, false, false,
           word_text<family>, word_json<family>, word_key<family>},
	Column{"netns", "NETNS", "", "network namespace, an inode number", Section::connection, "netns",
           10, true, false, number_text<netns>, number_json<netns>, number_key<netns>},
	Column{"cookie", "COOKIE", "", "the kernel's name for the socket, never used twice",
           Section::connection, "cookie", 10, true, false, number_text<cookie>, number_json<cookie>,
           number_key<cookie>},
};

std::uint64_t big_endian(const Address& address, std::size_t from) {
	std::uint64_t value = 0;
	for (std::size_t i = from; i < from + 8; i++) {
		value = value << 8U | address.bytes.at(i);
	}
	return value;
}

} // namespace

SortKey endpoint_key(const Endpoint& endpoint) {
	if (!is_chosen(endpoint)) {
		return {};
	}
	return {true, big_endian(endpoint.address, 0), big_endian(endpoint.address, 8), endpoint.port};
}

std::string_view to_string(Section section) {
	switch (section) {
	case Section::connection: return "connection";
	case Section::owner: return "owner";
	case Section::socket: return "socket";
	case Section::keepalive: return "keepalive";
	case Section::peer: return "peer";
	case Section::line: return {};
	}
	return {};
}

std::span<const Column> all_columns() {
	return table;
}

const Column* find_column(std::string_view name) {
	const auto* const found = std::find_if(
		table.begin(), table.end(), [name](const Column& column) { return column.name == name; });
	return found == table.end() ? nullptr : found;
}

const std::vector<const Column*>& default_columns() {
	static const std::vector<const Column*> chosen = [] {
		std::vector<const Column*> columns;
		for (const std::string_view name :
		     {"state",     "role",       "pid",     "command", "local",  "remote",    "age",
		      "sent",      "received",   "closer",  "fin",     "unread", "bytes-out", "bytes-in",
		      "keepalive", "next-probe", "retrans", "timeout", "left",   "verdict",   "unit"}) {
			columns.push_back(find_column(name));
		}
		return columns;
	}();
	return chosen;
}

std::string column_names() {
	std::string names;
	for (const Column& column : table) {
		names += names.empty() ? "" : ", ";
		names += column.name;
	}
	return names;
}

void sort_by(const Column& column, bool reversed, const RowReader& reader,
             std::span<const SocketEntry> sockets, std::vector<std::uint32_t>& order) {
	std::vector<std::pair<SortKey, std::uint32_t>> keys;
	keys.reserve(order.size());
	for (const std::uint32_t index : order) {
		keys.emplace_back(column.key(reader.read(sockets[index])), index);
	}
	const bool falling = column.descending != reversed;
	std::stable_sort(keys.begin(), keys.end(), [falling](const auto& left, const auto& right) {
		if (left.first.known != right.first.known) {
			return left.first.known;
		}
		return falling ? right.first < left.first : left.first < right.first;
	});
	std::transform(keys.begin(), keys.end(), order.begin(),
	               [](const auto& key) { return key.second; });
}

} // namespace stalesock
