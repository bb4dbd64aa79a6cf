// SPDX-License-Identifier: Apache-2.0
#include "app/unit.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace stalesock {

namespace {

constexpr std::string_view unified = "0::";
constexpr std::string_view legacy = ":name=systemd:";
constexpr std::string_view removed = " (deleted)";

// systemd puts "_" before names that cgroupfs reserves for itself. "\x2d" and the like stay: they
// are part of the unit's name.
std::string_view unescaped(std::string_view component) {
	if (component.starts_with('_')) {
		component.remove_prefix(1);
	}
	return component;
}

bool names_unit(std::string_view component) {
	constexpr std::string_view types[] = {".service", ".scope"};
	return std::any_of(std::begin(types), std::end(types), [&](std::string_view type) {
		return component.size() > type.size() && component.ends_with(type);
	});
}

std::optional<std::string> innermost_unit(std::string_view path) {
	if (path.ends_with(removed)) {
		path.remove_suffix(removed.size());
	}
	while (!path.empty()) {
		const std::size_t slash = path.rfind('/');
		const std::string_view component =
			slash == std::string_view::npos ? path : path.substr(slash + 1);
		if (names_unit(component)) {
			return std::string{unescaped(component)};
		}
		path = slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
	}
	return std::nullopt;
}

// "4:name=systemd:/path": the hierarchy number comes first and has no colon.
std::optional<std::string_view> legacy_path(std::string_view line) {
	const std::size_t colon = line.find(':');
	if (colon == std::string_view::npos || !line.substr(colon).starts_with(legacy)) {
		return std::nullopt;
	}
	return line.substr(colon + legacy.size());
}

} // namespace

std::optional<std::string> unit_from_cgroup(std::string_view text) {
	std::optional<std::string> from_legacy;
	while (!text.empty()) {
		const std::size_t end = text.find('\n');
		const std::string_view line = text.substr(0, end);
		text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
		if (line.starts_with(unified)) {
			if (auto unit = innermost_unit(line.substr(unified.size()))) {
				return unit;
			}
		} else if (const auto path = legacy_path(line)) {
			from_legacy = innermost_unit(*path);
		}
	}
	return from_legacy;
}

std::optional<std::string> unit_of_process(std::int32_t pid) {
	std::ifstream file{fmt::format("/proc/{}/cgroup", pid)};
	const std::string text{std::istreambuf_iterator<char>{file}, {}};
	return unit_from_cgroup(text);
}

} // namespace stalesock
