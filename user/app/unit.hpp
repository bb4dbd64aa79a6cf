// SPDX-License-Identifier: Apache-2.0
// Which systemd unit a process belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stalesock {

/// The innermost service or scope in the text of /proc/PID/cgroup: from the unified hierarchy, else
/// from systemd's own. Nothing when the process is in none.
[[nodiscard]] std::optional<std::string> unit_from_cgroup(std::string_view text);

/// Nothing also when the process has ended.
[[nodiscard]] std::optional<std::string> unit_of_process(std::int32_t pid);

} // namespace stalesock
