// SPDX-License-Identifier: Apache-2.0
#include "app/values.hpp"

#include "app/network_namespace.hpp"
#include "model/escape.hpp"
#include "probe/probe.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>
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

std::uint32_t read_ring_size(std::string_view text) {
	std::string_view digits = text;
	const std::uint64_t factor = unit_factor(digits);
	const auto count = number<std::uint32_t>(digits);
	const std::uint64_t bytes = count.value_or(0) * factor;
	if (!count || bytes < smallest_ring || bytes > largest_ring || !std::has_single_bit(bytes)) {
		reject(text, "a ring size: a power of two from 64K to 1G, for example 4M");
	}
	return static_cast<std::uint32_t>(bytes);
}

std::size_t read_connection_limit(std::string_view text) {
	constexpr std::size_t most = 1U << 26;
	return number_between<std::size_t>(text, 1, most, "a number of connections");
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
