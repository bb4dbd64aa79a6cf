// SPDX-License-Identifier: Apache-2.0
#include "probe/namespaces.hpp"

#include "probe/descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <stdexcept>
#include <sys/stat.h>

namespace stalesock {

namespace {

constexpr const char* own_path = "/proc/self/ns/net";

std::uint32_t inode_of(const std::string& path) {
	struct stat status {};
	return stat(path.c_str(), &status) == 0 ? static_cast<std::uint32_t>(status.st_ino) : 0;
}

Descriptor open_file(const std::string& path) {
	return Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::string last_error() {
	return std::strerror(errno); // NOLINT(concurrency-mt-unsafe): one thread
}

/// Back to where we came from, also when the action throws.
class ReturnHome {
  public:
	explicit ReturnHome(const Descriptor& home) : home_(home) {}
	~ReturnHome() {
		if (setns(home_.get(), CLONE_NEWNET) != 0) {
			std::terminate(); // everything after would look at the wrong namespace
		}
	}
	ReturnHome(const ReturnHome&) = delete;
	ReturnHome& operator=(const ReturnHome&) = delete;

  private:
	const Descriptor& home_;
};

} // namespace

std::uint32_t own_network_namespace() {
	return inode_of(own_path);
}

std::vector<NetworkNamespace> find_network_namespaces(std::uint32_t wanted) {
	std::vector<NetworkNamespace> found{{own_network_namespace(), own_path}};
	if (wanted == found.front().inode) {
		return found; // without a look at every process
	}
	std::error_code error;
	for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
		const std::string name = entry.path().filename();
		if (name.find_first_not_of("0123456789") != std::string::npos) {
			continue;
		}
		const std::string path = entry.path() / "ns/net";
		const std::uint32_t inode = inode_of(path);
		const bool known = std::any_of(found.begin(), found.end(),
		                               [&](const auto& other) { return other.inode == inode; });
		if (inode != 0 && !known) {
			found.push_back({inode, path});
		}
	}
	if (wanted != 0) {
		std::erase_if(found, [wanted](const auto& place) { return place.inode != wanted; });
	}
	return found;
}

std::string run_inside(const NetworkNamespace& place, const std::function<void()>& action) {
	if (place.inode == own_network_namespace()) {
		action();
		return {};
	}
	const Descriptor home = open_file(own_path);
	const Descriptor target = open_file(place.path);
	if (!target.valid() || !home.valid()) {
		return last_error();
	}
	if (setns(target.get(), CLONE_NEWNET) != 0) {
		return errno == EPERM ? "setns needs CAP_SYS_ADMIN" : last_error();
	}
	const ReturnHome back(home);
	action();
	return {};
}

} // namespace stalesock
