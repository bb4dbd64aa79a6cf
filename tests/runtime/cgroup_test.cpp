// SPDX-License-Identifier: Apache-2.0
// Where a writer ran: by the cgroup of the write, in a real hierarchy.
#include "support/catch.hpp"
#include "support/sight.hpp"
#include "support/watch.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace runtime;

namespace {

std::optional<std::string> unified_hierarchy() {
	std::ifstream mounts("/proc/self/mounts");
	for (std::string line; std::getline(mounts, line);) {
		std::istringstream words(line);
		std::string device;
		std::string place;
		std::string type;
		words >> device >> place >> type;
		if (type == "cgroup2") {
			return place;
		}
	}
	return std::nullopt;
}

/// A cgroup of our own, as a container's runtime would name it.
class Container {
  public:
	Container() {
		std::array<char, 65> text{};
		std::snprintf(text.data(), text.size(), "%064x", static_cast<unsigned>(getpid()));
		id_ = text.data();
		const auto root = unified_hierarchy();
		if (!root) {
			problem_ = "there is no unified hierarchy";
			return;
		}
		path_ = *root + "/docker-" + id_ + ".scope";
		if (mkdir(path_.c_str(), 0755) != 0) {
			problem_ = std::string("a cgroup cannot be made: ") + std::strerror(errno);
			path_.clear();
		}
	}
	~Container() {
		if (!path_.empty()) {
			rmdir(path_.c_str());
		}
	}
	Container(const Container&) = delete;
	Container& operator=(const Container&) = delete;

	/// Moves this process into it.
	[[nodiscard]] bool enter() const {
		std::ofstream members(path_ + "/cgroup.procs");
		members << "0" << std::flush;
		return members.good();
	}

	[[nodiscard]] const std::string& id() const { return id_; }
	[[nodiscard]] const std::string& problem() const { return problem_; }

  private:
	std::string id_;
	std::string path_;
	std::string problem_;
};

/// Whether the container was known; all else must be right in any case.
bool check_reuse_from(const Container& container) {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	Fork writer([&] {
		if (!container.enter()) {
			return 1;
		}
		rename_thread("contained");
		send_all(connection.active, request);
		return 0;
	});
	const pid_t pid = writer.pid();
	REQUIRE(writer.wait() == 0);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_writer(seen.active[1], pid, "contained");
	const Json& owner = seen.active[1].at("owner");
	CHECK_FALSE(seen.active[0].at("owner").contains("container")); // who connected is elsewhere
	if (!owner.contains("container")) {
		return false;
	}
	CHECK(owner.at("container") == container.id());
	CHECK(owner.at("container_runtime") == "docker");
	CHECK(owner.at("unit") == "docker-" + container.id() + ".scope");
	return true;
}

} // namespace

TEST_CASE("a writer that has gone is named by the container it wrote from",
          "[owner][cgroup][guest]") {
	if (!sees(Sight::writer)) {
		return skip("the writer cannot be seen");
	}
	const Container container;
	if (!container.problem().empty()) {
		return skip(container.problem());
	}
	// Cgroups are not looked for all the time: one that is too young may be missed.
	REQUIRE(eventually([&] { return check_reuse_from(container); }));
}
