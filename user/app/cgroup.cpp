// SPDX-License-Identifier: Apache-2.0
#include "app/cgroup.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace stalesock {

namespace {

constexpr std::string_view unified = "0::";
constexpr std::string_view removed = " (deleted)";

struct Prefix {
	std::string_view text;
	std::string_view runtime;
};

// systemd drivers: docker and containerd name a scope PREFIX-ID.scope, CRI-O and podman as well; their monitors
// (crio-conmon-ID, libpod-conmon-ID) are no containers. nerdctl is containerd's own client.
constexpr std::array<Prefix, 5> prefixes{{{"docker-", "docker"},
                                          {"cri-containerd-", "containerd"},
                                          {"nerdctl-", "containerd"},
                                          {"crio-", "crio"},
                                          {"libpod-", "podman"}}};

bool is_hexadecimal(std::string_view text) {
	return std::all_of(text.begin(), text.end(),
	                   [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_container_id(std::string_view text) {
	constexpr std::size_t length = 64; // SHA-256
	return text.size() == length && is_hexadecimal(text);
}

bool names_unit(std::string_view component) {
	constexpr std::string_view types[] = {".service", ".scope"};
	return std::any_of(std::begin(types), std::end(types), [&](std::string_view type) {
		return component.size() > type.size() && component.ends_with(type);
	});
}

std::string_view without(std::string_view text, std::string_view suffix) {
	return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

// systemd puts "_" before names that cgroupfs reserves for itself. "\x2d" and the like stay: they
// are part of the unit's name.
std::string_view unescaped(std::string_view component) {
	if (component.starts_with('_')) {
		component.remove_prefix(1);
	}
	return component;
}

/// "my\x2dmachine" is how systemd-machined writes "my-machine" in the name of a unit.
std::string unescaped_name(std::string_view text) {
	std::string name;
	while (!text.empty()) {
		if (text.starts_with("\\x2d")) {
			name += '-';
			text.remove_prefix(4);
		} else {
			name += text.front();
			text.remove_prefix(1);
		}
	}
	return name;
}

void set_container(CgroupNames& names, std::string_view id, std::string_view runtime) {
	names.container = id;
	if (runtime.empty()) {
		names.runtime.reset();
	} else {
		names.runtime = runtime;
	}
}

/// "docker-ID.scope", "kubepods-burstable-podUID.slice:cri-containerd:ID" (runc's way), or a bare ID.
void read_container(std::string_view component, std::string_view parent, CgroupNames& names) {
	const std::string_view name = without(component, ".scope");
	for (const Prefix& prefix : prefixes) {
		if (name.starts_with(prefix.text) && is_container_id(name.substr(prefix.text.size()))) {
			set_container(names, name.substr(prefix.text.size()), prefix.runtime);
			return;
		}
	}
	const std::size_t colon = name.rfind(':');
	const std::string_view id = colon == std::string_view::npos ? name : name.substr(colon + 1);
	if (!is_container_id(id)) {
		return;
	}
	const bool containerd = name.find(":cri-containerd:") != std::string_view::npos;
	set_container(names, id, parent == "docker" ? "docker" : containerd ? "containerd" : "");
}

/// systemd-machined's scopes, services of systemd-nspawn, LXC's payloads.
void read_machine(std::string_view component, std::string_view parent, CgroupNames& names) {
	constexpr std::string_view machine = "machine-";
	constexpr std::string_view nspawn = "systemd-nspawn@";
	constexpr std::string_view payload = "lxc.payload.";
	if (component.starts_with(machine) && component.ends_with(".scope")) {
		set_container(names, unescaped_name(without(component.substr(machine.size()), ".scope")),
		              "machine");
	} else if (component.starts_with(nspawn) && component.ends_with(".service")) {
		set_container(names, unescaped_name(without(component.substr(nspawn.size()), ".service")),
		              "machine");
	} else if (component.starts_with(payload) && component.size() > payload.size()) {
		set_container(names, component.substr(payload.size()), "lxc");
	} else if (parent == "lxc") {
		set_container(names, component, "lxc");
	}
}

/// "pod" and a UUID, or the 32 digits of a static pod; in the name of a slice with "_" for "-".
void read_pod(std::string_view component, CgroupNames& names) {
	const std::string_view name = without(component, ".slice");
	const std::size_t at = name.rfind("pod");
	if (at == std::string_view::npos || (at != 0 && name[at - 1] != '-')) {
		return;
	}
	std::string uid{name.substr(at + 3)};
	std::replace(uid.begin(), uid.end(), '_', '-');
	std::string digits = uid;
	std::erase(digits, '-');
	constexpr std::size_t length = 32;
	if (digits.size() == length && is_hexadecimal(digits)) {
		names.pod = uid;
	}
}

void read_component(std::string_view component, std::string_view parent, CgroupNames& names) {
	if (names_unit(component)) {
		names.unit = unescaped(component);
	}
	read_machine(component, parent, names);
	read_container(component, parent, names);
	read_pod(component, names);
}

/// "4:name=systemd:/path": number, name and path of a hierarchy.
struct Hierarchy {
	std::string_view name;
	std::string_view path;
};

std::optional<Hierarchy> hierarchy_of(std::string_view line) {
	const std::size_t first = line.find(':');
	const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
	if (second == std::string_view::npos) {
		return std::nullopt;
	}
	return Hierarchy{line.substr(first + 1, second - first - 1), line.substr(second + 1)};
}

template <typename Handler> void for_each_line(std::string_view text, Handler handler) {
	while (!text.empty()) {
		const std::size_t end = text.find('\n');
		handler(text.substr(0, end));
		text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
	}
}

void fill_container(CgroupNames& names, const CgroupNames& other) {
	if (!names.container) {
		names.container = other.container;
		names.runtime = other.runtime;
	}
	if (!names.pod) {
		names.pod = other.pod;
	}
}

} // namespace

CgroupNames names_in_path(std::string_view path) {
	CgroupNames names;
	path = without(path, removed);
	std::string_view parent;
	while (!path.empty()) {
		const std::size_t slash = path.find('/');
		const std::string_view component = path.substr(0, slash);
		if (!component.empty()) {
			read_component(component, parent, names);
			parent = component;
		}
		path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
	}
	return names;
}

CgroupNames names_in_cgroup_file(std::string_view text) {
	CgroupNames names = names_in_path(unified_path(text).value_or(""));
	for_each_line(text, [&names](std::string_view line) {
		const auto hierarchy = hierarchy_of(line);
		if (!hierarchy || line.starts_with(unified)) {
			return;
		}
		const CgroupNames other = names_in_path(hierarchy->path);
		if (!names.unit && hierarchy->name == "name=systemd") {
			names.unit = other.unit;
		}
		fill_container(names, other);
	});
	return names;
}

std::optional<std::string> unified_path(std::string_view text) {
	std::optional<std::string> path;
	for_each_line(text, [&path](std::string_view line) {
		if (line.starts_with(unified)) {
			path = line.substr(unified.size());
		}
	});
	return path;
}

} // namespace stalesock
