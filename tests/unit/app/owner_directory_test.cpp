// SPDX-License-Identifier: Apache-2.0
// With trees that look like /proc and like a cgroup hierarchy.
#include "app/owner_directory.hpp"

#include "support/scratch.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace stalesock::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace fs = std::filesystem;

std::string stat_line(const std::string& command, std::uint64_t start_time) {
	return "812 (" + command + ") S 1 812 812 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 " +
	       std::to_string(start_time) + " 1000 20 18446744073709551615\n";
}

/// Processes and cgroups that come and go.
class Host {
  public:
	Host() {
		fs::create_directory(folder / "proc");
		fs::create_directory(folder / "cgroup");
	}

	void start(std::int32_t pid, std::uint64_t start_time, const std::string& cgroup,
	           const std::string& command_line = "/usr/bin/client -x") {
		const fs::path place = fs::path(folder / "proc") / std::to_string(pid);
		fs::create_directories(place);
		std::ofstream(place / "stat") << stat_line("client", start_time);
		std::ofstream(place / "cgroup") << "0::" << cgroup << '\n';
		std::string text = command_line;
		std::replace(text.begin(), text.end(), ' ', '\0');
		std::ofstream(place / "cmdline") << text << '\0';
	}
	void end(std::int32_t pid) { fs::remove_all(fs::path(folder / "proc") / std::to_string(pid)); }
	/// The id that the kernel would name.
	std::uint64_t make_cgroup(const std::string& path) {
		fs::create_directories(folder / "cgroup" + path);
		struct stat facts {};
		REQUIRE(stat((folder / "cgroup" + path).c_str(), &facts) == 0);
		return facts.st_ino;
	}
	void remove_cgroup(const std::string& path) { fs::remove_all(folder / "cgroup" + path); }

	[[nodiscard]] OwnerDirectory::Places places() const {
		return {folder / "proc", folder / "cgroup"};
	}

	ScratchFolder folder;
};

Owner owner_with(std::int32_t pid, std::uint64_t cgroup_id = 0) {
	Owner owner;
	owner.source = OwnerSource::connect;
	owner.pid = pid;
	owner.command = "client";
	owner.cgroup_id = cgroup_id;
	return owner;
}

/// The unit of an owner who was seen at this time.
std::string unit_of(OwnerDirectory& owners, Owner owner, Nanoseconds seen = seconds(1000),
                    Nanoseconds now = seconds(2000)) {
	owners.complete(owner, seen, now);
	return owner.unit.value_or("none");
}

} // namespace

TEST_CASE("the start time stands after the command, whatever that holds", "[app]") {
	CHECK(start_time_in(stat_line("nginx", 4711)) == 4711);
	CHECK(start_time_in(stat_line("a) S 1 2 (b", 4711)) == 4711);
	CHECK(start_time_in(stat_line(") ) )", 4711)) == 4711);
	CHECK_FALSE(start_time_in("").has_value());
	CHECK_FALSE(start_time_in("812 (nginx) S 1 2").has_value());
	CHECK_FALSE(start_time_in("812 nginx S").has_value());
}

TEST_CASE("a command line has its arguments in a row, and an end", "[app]") {
	CHECK(command_line_in(std::string_view("a\0-b\0c\0", 7)) == "a -b c");
	CHECK(command_line_in("").empty());
	CHECK(command_line_in(std::string_view("nginx: worker\0\0\0", 16)) == "nginx: worker");
	CHECK(command_line_in(std::string(100'000, 'x')).size() == longest_command_line);
}

TEST_CASE("what is known of a living process", "[app]") {
	Host host;
	const std::string id(64, 'a');
	host.start(812, 5000, "/kubepods/pod0123456789abcdef0123456789abcdef/" + id);
	OwnerDirectory owners(host.places());
	Owner owner = owner_with(812);
	owners.complete(owner, seconds(1000), seconds(2000));
	CHECK_FALSE(owner.unit.has_value());
	CHECK(owner.container == id);
	CHECK_FALSE(owner.container_runtime.has_value());
	CHECK(owner.pod == "0123456789abcdef0123456789abcdef");
	CHECK(owner.command_line == "/usr/bin/client -x");
}

TEST_CASE("a process that is gone, or that began later, is not known", "[app]") {
	Host host;
	host.start(812, 5000, "/system.slice/web.service"); // 50 s after the boot
	OwnerDirectory owners(host.places());
	CHECK(unit_of(owners, owner_with(812), seconds(50)) == "web.service");
	CHECK(unit_of(owners, owner_with(812), seconds(50) - milliseconds(10)) == "none");
	CHECK(unit_of(owners, owner_with(813)) == "none");
	host.end(812);
	CHECK(unit_of(owners, owner_with(812)) == "none");
	Owner nobody;
	owners.complete(nobody, seconds(1000), seconds(2000));
	CHECK_FALSE(nobody.unit.has_value());
}

TEST_CASE("a pid that was reused is another process", "[app]") {
	Host host;
	host.start(812, 5000, "/system.slice/old.service", "/usr/bin/old");
	OwnerDirectory owners(host.places());
	CHECK(unit_of(owners, owner_with(812)) == "old.service");
	host.end(812);
	host.start(812, 150'000, "/system.slice/new.service", "/usr/bin/new");
	CHECK(unit_of(owners, owner_with(812), seconds(1000)) == "none"); // before it began
	CHECK(unit_of(owners, owner_with(812), seconds(1500)) == "new.service");
	Owner owner = owner_with(812);
	owners.complete(owner, seconds(1600), seconds(2000));
	CHECK(owner.command_line == "/usr/bin/new");
	CHECK(owners.size() == 1);
}

TEST_CASE("a process is read once, as long as it is the same", "[app]") {
	Host host;
	host.start(812, 5000, "/system.slice/web.service");
	OwnerDirectory owners(host.places());
	CHECK(unit_of(owners, owner_with(812)) == "web.service");
	host.start(812, 5000, "/system.slice/moved.service");
	CHECK(unit_of(owners, owner_with(812)) == "web.service");
}

TEST_CASE("the cgroup of the event goes before where the process is now", "[app]") {
	Host host;
	const std::uint64_t then = host.make_cgroup("/system.slice/then.service");
	host.make_cgroup("/system.slice/now.service");
	host.start(812, 5000, "/system.slice/now.service");
	OwnerDirectory owners(host.places());
	CHECK(unit_of(owners, owner_with(812, then)) == "then.service");
	CHECK(unit_of(owners, owner_with(812)) == "now.service");
}

TEST_CASE("the cgroup of the event is enough when the process is gone", "[app]") {
	Host host;
	const std::uint64_t id = host.make_cgroup("/system.slice/batch.service/worker");
	OwnerDirectory owners(host.places());
	Owner owner = owner_with(812, id);
	owners.complete(owner, seconds(1000), seconds(2000));
	CHECK(owner.unit == "batch.service");
	CHECK(owner.command_line.empty());
}

TEST_CASE("a cgroup that is gone is known if its process was looked up before", "[app]") {
	Host host;
	const std::uint64_t id = host.make_cgroup("/system.slice/run-1.scope");
	host.start(812, 5000, "/system.slice/run-1.scope");
	OwnerDirectory owners(host.places());
	CHECK(unit_of(owners, owner_with(812)) == "run-1.scope");
	host.end(812);
	host.remove_cgroup("/system.slice/run-1.scope");
	CHECK(unit_of(owners, owner_with(812, id)) == "run-1.scope");
	CHECK(unit_of(owners, owner_with(812, id + 1'000'000)) == "none");
}

TEST_CASE("processes remembered are bounded", "[app]") {
	Host host;
	OwnerDirectory owners(host.places(), 2);
	for (const std::int32_t pid : {1, 2, 3}) {
		host.start(pid, 5000, "/system.slice/web.service");
		CHECK(unit_of(owners, owner_with(pid)) == "web.service");
	}
	CHECK(owners.size() == 2);
	CHECK(unit_of(owners, owner_with(1)) == "web.service"); // read again
}

TEST_CASE("the unified hierarchy among the mounts", "[app]") {
	CHECK(unified_mount("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n") == "/sys/fs/cgroup");
	CHECK(unified_mount("tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
	                    "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n"
	                    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0") ==
	      "/sys/fs/cgroup/unified");
	CHECK_FALSE(unified_mount("tmpfs /tmp tmpfs rw 0 0\n").has_value());
	CHECK_FALSE(unified_mount("").has_value());
	CHECK_FALSE(unified_mount("cgroup2").has_value());
}

TEST_CASE("cgroups are walked when one is not known, but not often", "[app]") {
	Host host;
	CgroupIndex index(host.places().cgroup);
	const std::uint64_t first = host.make_cgroup("/a/b");
	CHECK(index.path_of(first, seconds(100)) == "/a/b");
	const std::uint64_t second = host.make_cgroup("/c");
	const Nanoseconds soon = seconds(100) + CgroupIndex::walk_interval - Nanoseconds(1);
	CHECK_FALSE(index.path_of(second, soon).has_value());
	CHECK(index.path_of(first, soon) == "/a/b");
	CHECK(index.path_of(second, soon + Nanoseconds(1)) == "/c");
}

TEST_CASE("cgroups remembered are bounded; without a hierarchy there are none", "[app]") {
	Host host;
	CgroupIndex index(host.places().cgroup, 2);
	for (const char* path : {"/a", "/b", "/c"}) {
		host.make_cgroup(path);
		CHECK(index.learn(path).has_value());
	}
	CHECK(index.size() == 2);
	CHECK_FALSE(index.learn("/missing").has_value());
	CgroupIndex none{""};
	CHECK_FALSE(none.learn("/").has_value());
	CHECK_FALSE(none.path_of(1, seconds(1)).has_value());
}

} // namespace stalesock::test
