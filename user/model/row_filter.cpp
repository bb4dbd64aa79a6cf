// SPDX-License-Identifier: Apache-2.0
#include "model/row_filter.hpp"

#include "model/append.hpp"

#include <algorithm>
#include <charconv>

namespace stalesock {

namespace {

char lower(char c) {
	return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool contains(std::string_view text, std::string_view part) {
	return std::search(text.begin(), text.end(), part.begin(), part.end(),
	                   [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool matches(const std::optional<EndpointPattern>& pattern, const Endpoint& endpoint) {
	return !pattern || ((!pattern->address || *pattern->address == endpoint.address) &&
	                    (!pattern->port || *pattern->port == endpoint.port));
}

bool matches_owner(const RowFilter& filter, const Process* process) {
	if (!filter.pid && !filter.unit) {
		return true;
	}
	return process != nullptr && (!filter.pid || process->pid == *filter.pid) &&
	       (!filter.unit || process->unit == filter.unit);
}

bool matches_idle(const RowFilter& filter, const Row& row) {
	return !filter.idle_over || idle_time(row) > filter.idle_over;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
	std::uint16_t port = 0;
	const char* const end = text.data() + text.size();
	const auto [stop, failure] = std::from_chars(text.data(), end, port);
	return failure == std::errc{} && stop == end && port != 0 ? std::optional(port) : std::nullopt;
}

} // namespace

std::optional<EndpointPattern> parse_endpoint_pattern(std::string_view text) {
	if (text.starts_with(':') && text.rfind(':') == 0) {
		const auto port = parse_port(text.substr(1));
		return port ? std::optional(EndpointPattern{{}, port}) : std::nullopt;
	}
	if (const auto endpoint = parse_endpoint(text)) {
		return EndpointPattern{endpoint->address, endpoint->port};
	}
	const auto address = parse_address(text);
	return address ? std::optional(EndpointPattern{address, {}}) : std::nullopt;
}

bool is_empty(const RowFilter& filter) {
	return filter.states == 0 && !filter.remote && !filter.local && !filter.port && !filter.pid &&
	       !filter.unit && !filter.role && !filter.idle_over && !filter.stale &&
	       filter.text.empty();
}

bool contains(const Row& row, std::string_view text) {
	std::string name;
	append_endpoint(name, row.socket->local);
	name += ' ';
	append_endpoint(name, row.socket->remote);
	name += ' ';
	name += to_string(row.socket->state);
	name += ' ';
	name += command_of(row);
	if (row.process != nullptr) {
		name += ' ';
		append_number(name, static_cast<std::uint64_t>(row.process->pid));
		name += ' ';
		name += row.process->unit.value_or("");
	}
	return contains(name, text);
}

bool matches(const RowFilter& filter, const Row& row) {
	const SocketEntry& socket = *row.socket;
	if (filter.states != 0 && (filter.states & state_bit(socket.state)) == 0) {
		return false;
	}
	if ((filter.stale && !is_stale(socket)) || (filter.role && *filter.role != row.role)) {
		return false;
	}
	if (filter.port && *filter.port != socket.local.port && *filter.port != socket.remote.port) {
		return false;
	}
	return matches(filter.remote, socket.remote) && matches(filter.local, socket.local) &&
	       matches_owner(filter, row.process) && matches_idle(filter, row) &&
	       (filter.text.empty() || contains(row, filter.text));
}

std::optional<TcpState> parse_tcp_state(std::string_view name) {
	std::string wanted;
	for (const char c : name) {
		wanted += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
	}
	for (auto value = static_cast<std::uint8_t>(TcpState::established);
	     value <= static_cast<std::uint8_t>(TcpState::new_syn_recv); value++) {
		const auto state = static_cast<TcpState>(value);
		if (to_string(state) == wanted && state != TcpState::close) {
			return state;
		}
	}
	return std::nullopt;
}

std::optional<Role> parse_role(std::string_view name) {
	for (const Role role : {Role::active, Role::passive}) {
		if (name == to_string(role)) {
			return role;
		}
	}
	return std::nullopt;
}

} // namespace stalesock
