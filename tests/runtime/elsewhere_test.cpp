// SPDX-License-Identifier: Apache-2.0
// Who may not enter other network namespaces, as the service may not, still knows what lies open there.
#include "support/catch.hpp"
#include "support/sight.hpp"
#include "support/watch.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace runtime;

namespace {

using matchers::Contains;

/// What the unit leaves to the daemon, in a network namespace of its own.
const Arguments elsewhere{"unshare",         "--net",
                          "setpriv",         "--bounding-set=-all,+bpf,+perfmon",
                          "--inh-caps=-all", "--ambient-caps=-all"};

/// Of the sockets of these tests.
Arguments here(const Arguments& more = {}) {
	struct stat status {};
	checked(stat("/proc/self/ns/net", &status), "/proc/self/ns/net");
	Arguments all{"--netns", std::to_string(status.st_ino)};
	all.insert(all.end(), more.begin(), more.end());
	return all;
}

/// As the watch says when it starts.
int existing_sockets(const Watch& watch) {
	const std::string& errors = watch.errors();
	const std::size_t end = errors.find(" sockets existed");
	return std::stoi(errors.substr(errors.rfind(' ', end - 1) + 1));
}

const std::string gap =
	"of existing connections in other network namespaces only those are known that "
	"a process holds by a descriptor: CAP_SYS_ADMIN and CAP_SYS_PTRACE are missing";

} // namespace

TEST_CASE("elsewhere: a late write on a socket that was in CLOSE_WAIT before the watch",
          "[elsewhere][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	Watch later(here(), elsewhere);
	CHECK_THAT(later.errors(), Contains("gap: " + gap));
	send_all(connection.active, request);

	const Seen seen = later.observe(connection);
	CHECK(names(seen.passive) == Names{});
	REQUIRE(names(seen.active) == Names{"stale_reuse"});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("connection").at("role") == "active");
	CHECK(verdict.at("evidence").at("bytes_after_fin") == request.size());
	check_writer(verdict, getpid(), own_command());
	CHECK(later.stop() == 0);
}

TEST_CASE("elsewhere: a socket that was established before the watch has its owner",
          "[elsewhere]") {
	Connection connection = open_used_connection();
	Watch later(here(), elsewhere);
	stay_idle();
	close_passive(connection);

	const Seen seen = later.observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close"});
	CHECK(seen.active[0].at("owner").at("pid") == getpid());
	CHECK(seen.active[0].at("owner").at("source") == "scan");
	CHECK(later.stop() == 0);
}

TEST_CASE("elsewhere: what waits for its application is found", "[elsewhere]") {
	Watch watch(here({"--close-wait", "1", "--dirty-idle", "1"}), elsewhere);
	Connection leaked = open_used_connection();
	Connection dirty = open_used_connection();
	half_close_passive(leaked);
	send_all(dirty.passive, "extra");
	watch.wait_for(leaked.active_side, "close_wait_leak");
	watch.wait_for(dirty.active_side, "dirty_idle");
	CHECK(watch.about(leaked.active_side).back().at("owner").at("pid") == getpid());
	CHECK(watch.about(dirty.active_side).back().at("evidence").at("unread_bytes") == 5);
	close_both(leaked);
	close_both(dirty);
	CHECK(watch.stop() == 0);
}

TEST_CASE("elsewhere: a socket with many descriptors is one socket", "[elsewhere]") {
	const Connection connection = open_used_connection();
	Watch before(here(), elsewhere);
	const int found = existing_sockets(before);
	CHECK(before.stop() == 0);
	CHECK(found >= 2);
	const Descriptor again(checked(dup(connection.active), "dup"));
	Watch after(here(), elsewhere);
	CHECK(existing_sockets(after) == found);
	CHECK(after.stop() == 0);
}

TEST_CASE("elsewhere: nothing there, no gap", "[elsewhere]") {
	Watch alone({}, elsewhere);
	CHECK_THAT(alone.errors(), !Contains("other network namespaces"));
	CHECK(alone.stop() == 0);
}
