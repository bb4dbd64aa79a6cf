// SPDX-License-Identifier: Apache-2.0
// From the kernel's cgroup id to the path: for processes that are gone.
#pragma once

#include "model/event.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace stalesock {

/// Where the unified hierarchy is mounted, from the text of /proc/self/mounts; nothing without one.
[[nodiscard]] std::optional<std::string> unified_mount(std::string_view mounts);

/// The id of a cgroup is the inode number of its directory (kernfs; cgroup_id() in the kernel). Directories are
/// walked when an id is not known, at most every `walk_interval`.
class CgroupIndex {
  public:
	/// Paths kept, of about 100 B each; beyond, the one that was learned first is forgotten.
	static constexpr std::size_t most_paths = 16'384;
	/// Directories looked at in one walk.
	static constexpr std::size_t longest_walk = 4096;
	static constexpr Nanoseconds walk_interval = std::chrono::seconds(2);

	/// `root`: the folder of the hierarchy; empty: there is none, and nothing is ever known.
	explicit CgroupIndex(std::string root, std::size_t limit = most_paths);

	/// The path below the root, with a leading slash. Of a cgroup that is gone too, if it was known before.
	[[nodiscard]] std::optional<std::string> path_of(std::uint64_t id, Nanoseconds now);
	/// The id of a path, which is remembered; nothing when it is not there.
	std::optional<std::uint64_t> learn(const std::string& path);

	[[nodiscard]] std::size_t size() const { return paths_.size(); }

  private:
	void keep(std::uint64_t id, const std::string& path);
	void walk();

	std::string root_;
	std::size_t limit_;
	absl::flat_hash_map<std::uint64_t, std::string> paths_;
	std::deque<std::uint64_t> order_;
	std::optional<Nanoseconds> walked_;
};

} // namespace stalesock
