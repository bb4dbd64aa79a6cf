// SPDX-License-Identifier: Apache-2.0
// Who an owner is: systemd unit, container, command line. Reads /proc and the cgroup hierarchy.
#pragma once

#include "app/cgroup.hpp"
#include "app/cgroup_index.hpp"
#include "verdict/verdict.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace stalesock {

/// Field 22 of /proc/PID/stat: clock ticks (1/100 s, USER_HZ) from boot to the start of the process. Nothing when the
/// text is no such line; the command in it may hold anything.
[[nodiscard]] std::optional<std::uint64_t> start_time_in(std::string_view stat);

/// The text of /proc/PID/cmdline with its arguments separated by spaces, at most `longest_command_line` bytes.
[[nodiscard]] std::string command_line_in(std::string_view cmdline);
inline constexpr std::size_t longest_command_line = 512;

class OwnerDirectory {
  public:
	/// Processes remembered, of at most about 1 KiB; beyond, the one that was looked up first is forgotten.
	static constexpr std::size_t most_processes = 4096;

	struct Places {
		std::string proc = "/proc";
		std::string cgroup; ///< folder of the unified hierarchy; empty: there is none
	};

	/// Of this host.
	OwnerDirectory();
	explicit OwnerDirectory(const Places& places, std::size_t limit = most_processes);

	/// Fills what is known of the owner, who was seen at `seen` (boot time). The cgroup of the event, where it is known,
	/// goes before whatever has that pid now; a process that began later is another one, and what is not known stays
	/// absent.
	void complete(Owner& owner, Nanoseconds seen, Nanoseconds now);

	[[nodiscard]] std::size_t size() const { return processes_.size(); }

  private:
	struct Process {
		std::uint64_t start_time = 0; ///< tells it from others with the same pid
		std::uint64_t cgroup_id = 0;  ///< 0: not known
		CgroupNames names;
		std::string command_line;
	};

	[[nodiscard]] const Process* find(std::int32_t pid, Nanoseconds seen);
	[[nodiscard]] Process read(std::int32_t pid, std::uint64_t start_time);
	[[nodiscard]] std::string read_file(std::int32_t pid, const char* name) const;

	Places places_;
	std::size_t limit_;
	CgroupIndex cgroups_;
	absl::flat_hash_map<std::int32_t, Process> processes_;
	std::deque<std::int32_t> order_;
};

} // namespace stalesock
