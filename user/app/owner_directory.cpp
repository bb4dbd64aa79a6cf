// SPDX-License-Identifier: Apache-2.0
#include "app/owner_directory.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace stalesock {

namespace {

constexpr std::size_t longest_file = 64U << 10; // a command line can have megabytes

/// USER_HZ is 100 on every architecture that Linux runs on today (include/asm-generic/param.h).
constexpr Nanoseconds user_tick = std::chrono::milliseconds(10);

std::string text_of(const std::string& path) {
	std::ifstream file{path, std::ios::binary};
	std::string text(longest_file, '\0');
	file.read(text.data(), static_cast<std::streamsize>(text.size()));
	text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
	return text;
}

/// A start is rounded down to the tick.
bool began_after(std::uint64_t start_time, Nanoseconds seen) {
	const auto latest = static_cast<std::uint64_t>(std::max<std::int64_t>(seen / user_tick, 0));
	return start_time > latest;
}

OwnerDirectory::Places places_of_host() {
	OwnerDirectory::Places places;
	places.cgroup = unified_mount(text_of("/proc/self/mounts")).value_or("");
	return places;
}

} // namespace

std::optional<std::uint64_t> start_time_in(std::string_view stat) {
	const std::size_t end_of_command = stat.rfind(')');
	if (end_of_command == std::string_view::npos) {
		return std::nullopt;
	}
	std::string_view rest = stat.substr(end_of_command + 1);
	constexpr int spaces_before = 20; // " S 1 ...": field 3 follows the first
	for (int i = 0; i < spaces_before; i++) {
		const std::size_t space = rest.find(' ');
		if (space == std::string_view::npos) {
			return std::nullopt;
		}
		rest.remove_prefix(space + 1);
	}
	std::uint64_t ticks = 0;
	const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
	return error == std::errc{} ? std::optional(ticks) : std::nullopt;
}

std::string command_line_in(std::string_view cmdline) {
	while (cmdline.ends_with('\0')) {
		cmdline.remove_suffix(1);
	}
	std::string line{cmdline.substr(0, longest_command_line)};
	std::replace(line.begin(), line.end(), '\0', ' ');
	return line;
}

OwnerDirectory::OwnerDirectory() : OwnerDirectory(places_of_host()) {}

OwnerDirectory::OwnerDirectory(const Places& places, std::size_t limit)
	: places_(places), limit_(std::max<std::size_t>(limit, 1)), cgroups_(places.cgroup) {}

std::string OwnerDirectory::read_file(std::int32_t pid, const char* name) const {
	return text_of(fmt::format("{}/{}/{}", places_.proc, pid, name));
}

OwnerDirectory::Process OwnerDirectory::read(std::int32_t pid, std::uint64_t start_time) {
	const std::string cgroup = read_file(pid, "cgroup");
	Process process;
	process.start_time = start_time;
	process.names = names_in_cgroup_file(cgroup);
	process.command_line = command_line_in(read_file(pid, "cmdline"));
	if (const auto path = unified_path(cgroup)) {
		process.cgroup_id = cgroups_.learn(*path).value_or(0);
	}
	return process;
}

/// The start time is read again afterwards: meanwhile the process may have gone, and its pid to another.
const OwnerDirectory::Process* OwnerDirectory::find(std::int32_t pid, Nanoseconds seen) {
	const auto known = processes_.find(pid);
	const auto start_time = start_time_in(read_file(pid, "stat"));
	if (!start_time ||
	    began_after(*start_time, seen)) { // gone, and who had its pid at the time is not known
		return nullptr;
	}
	if (known != processes_.end() && known->second.start_time == *start_time) {
		return &known->second;
	}
	Process process = read(pid, *start_time);
	if (start_time_in(read_file(pid, "stat")) != start_time) {
		return nullptr;
	}
	const auto [place, is_new] = processes_.insert_or_assign(pid, std::move(process));
	if (is_new) {
		order_.push_back(pid);
	}
	if (order_.size() > limit_) {
		processes_.erase(order_.front());
		order_.pop_front();
	}
	return &processes_.find(pid)->second;
}

void OwnerDirectory::complete(Owner& owner, Nanoseconds seen, Nanoseconds now) {
	if (!owner.pid) {
		return;
	}
	const Process* process = find(*owner.pid, seen);
	CgroupNames names = process != nullptr ? process->names : CgroupNames{};
	if (owner.cgroup_id != 0 && (process == nullptr || process->cgroup_id != owner.cgroup_id)) {
		// Not where it was at the event: moved since, or gone.
		if (const auto path = cgroups_.path_of(owner.cgroup_id, now)) {
			names = names_in_path(*path);
		}
	}
	owner.unit = names.unit;
	owner.container = names.container;
	owner.container_runtime = names.runtime;
	owner.pod = names.pod;
	if (process != nullptr) {
		owner.command_line = process->command_line;
	}
}

} // namespace stalesock
