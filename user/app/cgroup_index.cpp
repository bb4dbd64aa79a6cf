// SPDX-License-Identifier: Apache-2.0
#include "app/cgroup_index.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace stalesock {

namespace {

std::string_view next_word(std::string_view& line) {
	const std::size_t space = std::min(line.find(' '), line.size());
	const std::string_view word = line.substr(0, space);
	line.remove_prefix(std::min(space + 1, line.size()));
	return word;
}

std::optional<std::uint64_t> inode_of(const std::string& path) {
	struct stat facts {};
	if (stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
		return std::nullopt;
	}
	return facts.st_ino;
}

} // namespace

std::optional<std::string> unified_mount(std::string_view mounts) {
	while (!mounts.empty()) {
		const std::size_t end = std::min(mounts.find('\n'), mounts.size());
		std::string_view line = mounts.substr(0, end);
		next_word(line); // the device
		const std::string_view place = next_word(line);
		if (next_word(line) == "cgroup2") {
			return std::string{place};
		}
		mounts.remove_prefix(std::min(end + 1, mounts.size()));
	}
	return std::nullopt;
}

CgroupIndex::CgroupIndex(std::string root, std::size_t limit)
	: root_(std::move(root)), limit_(std::max<std::size_t>(limit, 1)) {}

std::optional<std::string> CgroupIndex::path_of(std::uint64_t id, Nanoseconds now) {
	auto found = paths_.find(id);
	if (found == paths_.end() && !root_.empty() && (!walked_ || now - *walked_ >= walk_interval)) {
		walked_ = now;
		walk();
		found = paths_.find(id);
	}
	return found == paths_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> CgroupIndex::learn(const std::string& path) {
	const auto id = root_.empty() ? std::nullopt : inode_of(root_ + path);
	if (id) {
		keep(*id, path);
	}
	return id;
}

void CgroupIndex::keep(std::uint64_t id, const std::string& path) {
	const auto [place, is_new] = paths_.insert_or_assign(id, path);
	if (!is_new) {
		return;
	}
	order_.push_back(id);
	if (order_.size() > limit_) {
		paths_.erase(order_.front());
		order_.pop_front();
	}
}

void CgroupIndex::walk() {
	namespace fs = std::filesystem;
	std::error_code error;
	learn("/");
	fs::recursive_directory_iterator place(root_, fs::directory_options::skip_permission_denied,
	                                       error);
	std::size_t looked_at = 0;
	for (; !error && place != fs::recursive_directory_iterator{}; place.increment(error)) {
		std::error_code gone; // a cgroup may vanish while it is looked at
		if (!place->is_directory(gone) || gone) {
			continue;
		}
		if (++looked_at > longest_walk) {
			break;
		}
		learn(place->path().string().substr(root_.size()));
	}
}

} // namespace stalesock
