// SPDX-License-Identifier: Apache-2.0
#include "app/values.hpp"

#include "app/network_namespace.hpp"
#include "model/escape.hpp"
#include "probe/namespaces.hpp"
#include "probe/probe.hpp"
#include "story/diagram.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace stalesock {

namespace {

[[noreturn]] void reject(std::string_view text, std::string_view expected) {
	throw std::invalid_argument(fmt::format("\"{}\" is not {}", escape_untrusted(text), expected));
}

/// The whole text as a number, or nothing.
template <typename Number> std::optional<Number> number(std::string_view text) {
	Number value{};
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (error != std::errc{} || end != text.data() + text.size()) {
		return std::nullopt;
	}
	return value;
}

template <typename Number>
Number number_between(std::string_view text, Number smallest, Number largest,
                      std::string_view what) {
	const auto value = number<Number>(text);
	if (!value || !(*value >= smallest && *value <= largest)) { // not a number is neither
		reject(text, fmt::format("{} ({} to {})", what, smallest, largest));
	}
	return *value;
}

// 2^0, 2^10, ... for "", "K", ...
std::uint64_t unit_factor(std::string_view& text) {
	constexpr std::string_view suffixes = "KMG";
	if (text.empty()) {
		return 1;
	}
	const char last = static_cast<char>(text.back() & ~0x20); // upper case
	const std::size_t index = suffixes.find(last);
	if (index == std::string_view::npos) {
		return 1;
	}
	text.remove_suffix(1);
	return std::uint64_t{1} << (10 * (index + 1));
}

/// "512K", or nothing.
std::optional<std::uint64_t> byte_count(std::string_view text) {
	const std::uint64_t factor = unit_factor(text);
	const auto count = number<std::uint32_t>(text);
	return count ? std::optional(*count * factor) : std::nullopt;
}

std::string all_names() {
	std::vector<std::string_view> names;
	for (std::size_t i = 0; i < verdict_kind_count; ++i) {
		names.push_back(to_string(static_cast<VerdictKind>(i)));
	}
	return fmt::format("{}", fmt::join(names, ", "));
}

} // namespace

std::chrono::microseconds read_duration(std::string_view text) {
	constexpr double longest = 1e9; // half a lifetime
	const auto seconds = number<double>(text);
	if (!seconds || !std::isfinite(*seconds) || *seconds <= 0 || *seconds > longest) {
		reject(text, "a number of seconds greater than 0, for example 2.5");
	}
	const std::chrono::duration<double> duration{*seconds};
	return std::max(std::chrono::duration_cast<std::chrono::microseconds>(duration),
	                std::chrono::microseconds{1});
}

std::chrono::microseconds read_scan_interval(std::string_view text) {
	constexpr double shortest = 0.1; // a scan visits every socket and every open file
	constexpr double longest = 3600;
	const std::chrono::duration<double> seconds{
		number_between<double>(text, shortest, longest, "a number of seconds")};
	return std::chrono::duration_cast<std::chrono::microseconds>(seconds);
}

Nanoseconds read_waiting_limit(std::string_view text) {
	constexpr double shortest = 0.1;
	constexpr double longest = 86'400;
	const std::chrono::duration<double> seconds{
		number_between<double>(text, shortest, longest, "a number of seconds")};
	return std::chrono::duration_cast<Nanoseconds>(seconds);
}

std::uint32_t read_ring_size(std::string_view text) {
	const auto bytes = byte_count(text);
	if (!bytes || *bytes < smallest_ring || *bytes > largest_ring || !std::has_single_bit(*bytes)) {
		reject(text, "a ring size: a power of two from 64K to 1G, for example 4M");
	}
	return static_cast<std::uint32_t>(*bytes);
}

std::size_t read_queue_size(std::string_view text) {
	const auto bytes = byte_count(text);
	if (!bytes || *bytes < smallest_ring || *bytes > largest_ring) {
		reject(text, "a size from 64K to 1G, for example 4M");
	}
	return *bytes;
}

std::uint64_t read_file_size(std::string_view text) {
	const auto bytes = byte_count(text);
	if (!bytes || (*bytes != 0 && *bytes < smallest_ring)) {
		reject(text, "a size of at least 64K, for example 100M, or 0 for no limit");
	}
	return *bytes;
}

unsigned read_file_count(std::string_view text) {
	constexpr unsigned most = 1000;
	return number_between<unsigned>(text, 1, most, "a number of files");
}

std::size_t read_connection_limit(std::string_view text) {
	constexpr std::size_t most = 1U << 26;
	return number_between<std::size_t>(text, 1, most, "a number of connections");
}

std::size_t read_peer_limit(std::string_view text) {
	constexpr std::size_t most = 1U << 24;
	return number_between<std::size_t>(text, 1, most, "a number of endpoints");
}

std::uint16_t read_port(std::string_view text) {
	return number_between<std::uint16_t>(text, 1, std::numeric_limits<std::uint16_t>::max(),
	                                     "a port");
}

std::int32_t read_pid(std::string_view text) {
	constexpr std::int32_t largest = 1 << 22; // PID_MAX_LIMIT
	return number_between<std::int32_t>(text, 1, largest, "a process id");
}

Endpoint read_remote(std::string_view text) {
	const auto endpoint = parse_endpoint(text);
	if (!endpoint) {
		reject(text, "an address and port, for example 10.0.0.7:8080 or [2001:db8::7]:8080");
	}
	return *endpoint;
}

Endpoint read_remote_or_address(std::string_view text) {
	if (const auto address = parse_address(text)) {
		return {*address, 0};
	}
	return read_remote(text);
}

PeerOrder read_peer_order(std::string_view text) {
	constexpr std::pair<std::string_view, PeerOrder> orders[] = {
		{"endpoint", PeerOrder::endpoint}, {"timeout", PeerOrder::timeout},
		{"reuse", PeerOrder::reuse},       {"near", PeerOrder::near_misses},
		{"seen", PeerOrder::last_seen},
	};
	for (const auto& [name, order] : orders) {
		if (text == name) {
			return order;
		}
	}
	reject(text, "an order; there are endpoint, timeout, reuse, near, seen");
}

VerdictKind read_verdict_kind(std::string_view text) {
	const auto kind = parse_verdict_kind(text);
	if (!kind) {
		reject(text, fmt::format("a verdict; there are {}", all_names()));
	}
	return *kind;
}

Severity read_severity(std::string_view text) {
	const auto severity = parse_severity(text);
	if (!severity) {
		reject(text, "a severity; there are info, notice, warning, error");
	}
	return *severity;
}

HookChoice read_hook_choice(std::string_view text) {
	for (const HookChoice choice : {HookChoice::automatic, HookChoice::tracepoint,
	                                HookChoice::trampoline, HookChoice::none}) {
		if (text == to_string(choice)) {
			return choice;
		}
	}
	reject(text, "a class of hooks; there are automatic, tracepoint, trampoline, none");
}

std::uint32_t read_collapse(std::string_view text) {
	constexpr std::uint32_t most = 1'000'000;
	return number_between<std::uint32_t>(text, 0, most, "a number of verdicts");
}

std::size_t read_width(std::string_view text) {
	return number_between<std::size_t>(text, narrowest_diagram, widest_diagram,
	                                   "a number of columns");
}

std::string read_verdict_id(std::string_view text) {
	constexpr std::size_t longest = 64;
	const bool plain = std::all_of(
		text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
	if (text.empty() || text.size() > longest || !plain) {
		reject(text, "an id, for example 3d2d66e-2: see \"id\" in JSON");
	}
	return std::string{text};
}

std::string read_path(std::string_view text) {
	if (text.empty()) {
		reject(text, "the name of a file");
	}
	return std::string{text};
}

std::string read_unit(std::string_view text) {
	if (text.empty() || text.find('/') != std::string_view::npos) {
		reject(text, "a systemd unit, for example nginx.service");
	}
	const bool complete = text.ends_with(".service") || text.ends_with(".scope");
	return complete ? std::string{text} : fmt::format("{}.service", text);
}

std::uint32_t read_network_namespace(std::string_view text) {
	if (text == "self") {
		return own_network_namespace();
	}
	if (const auto inode = number<std::uint32_t>(text); inode && *inode > 0) {
		return *inode;
	}
	if (text.find('/') == std::string_view::npos) {
		reject(text,
		       "a network namespace: self, a path such as /run/netns/blue, or an inode number");
	}
	return network_namespace_at(std::string{text});
}

} // namespace stalesock
