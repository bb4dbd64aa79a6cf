// SPDX-License-Identifier: Apache-2.0
// What the path of a cgroup says about who made it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stalesock {

/// Raw names: escape before printing.
struct CgroupNames {
	std::optional<std::string> unit; ///< the innermost service or scope of systemd
	std::optional<std::string>
		container; ///< its id (64 hexadecimal digits), or the name of a machine
	std::optional<std::string>
		runtime;                    ///< "docker", "containerd", "crio", "podman", "machine", "lxc"
	std::optional<std::string> pod; ///< uid of the Kubernetes pod
};

/// Of a path in a hierarchy, as in /proc/PID/cgroup; the innermost of each counts.
[[nodiscard]] CgroupNames names_in_path(std::string_view path);

/// Of the text of /proc/PID/cgroup: the unified hierarchy goes first, then systemd's own; a container may be named
/// by any.
[[nodiscard]] CgroupNames names_in_cgroup_file(std::string_view text);

/// The path in the unified hierarchy; nothing without one.
[[nodiscard]] std::optional<std::string> unified_path(std::string_view text);

} // namespace stalesock
