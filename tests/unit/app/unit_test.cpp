// SPDX-License-Identifier: Apache-2.0
// Texts as /proc/PID/cgroup has them.
#include "app/unit.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

namespace stalesock::test {

namespace {

std::string unit_in(std::string_view text) {
	return unit_from_cgroup(text).value_or("none");
}

} // namespace

TEST_CASE("the unit in the unified hierarchy", "[app]") {
	CHECK(unit_in("0::/system.slice/nginx.service\n") == "nginx.service");
	CHECK(unit_in("0::/system.slice/nginx.service") == "nginx.service");
	CHECK(unit_in("0::/system.slice/system-getty.slice/getty@tty1.service\n") ==
	      "getty@tty1.service");
	CHECK(unit_in("0::/init.scope\n") == "init.scope");
	CHECK(unit_in("0::/user.slice/user-1000.slice/session-3.scope\n") == "session-3.scope");
}

TEST_CASE("the innermost unit counts", "[app]") {
	CHECK(unit_in("0::/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service\n") ==
	      "foo.service");
	CHECK(unit_in("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n") == "init.scope");
}

TEST_CASE("a cgroup below a unit belongs to it", "[app]") {
	CHECK(unit_in("0::/system.slice/nginx.service/workers/a\n") == "nginx.service");
	CHECK(unit_in("0::/user.slice/user-1000.slice/user@1000.service/app.slice\n") ==
	      "user@1000.service");
	CHECK(unit_in("0::/system.slice/containerd.service/kubepods/besteffort/pod1/abc\n") ==
	      "containerd.service");
}

TEST_CASE("containers outside of units have none", "[app]") {
	CHECK(unit_in("0::/\n") == "none");
	CHECK(unit_in("0::/docker/0123456789abcdef\n") == "none");
	CHECK(unit_in("0::/kubepods/burstable/pod1/0123456789abcdef\n") == "none");
	CHECK(unit_in("0::/../../docker/0123456789abcdef\n") == "none");
	CHECK(unit_in("0::/system.slice\n") == "none");
}

TEST_CASE("containers that systemd runs are scopes", "[app]") {
	CHECK(unit_in("0::/system.slice/docker-0123456789abcdef.scope\n") ==
	      "docker-0123456789abcdef.scope");
	CHECK(unit_in("0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/"
	              "cri-containerd-0123456789abcdef.scope\n") ==
	      "cri-containerd-0123456789abcdef.scope");
}

TEST_CASE("without the unified hierarchy, systemd's own tells", "[app]") {
	const std::string controllers = "12:pids:/docker/x.service\n4:cpu,cpuacct:/docker/y.scope\n";
	CHECK(unit_in(controllers + "1:name=systemd:/system.slice/nginx.service\n") == "nginx.service");
	CHECK(unit_in(controllers) == "none");
	CHECK(unit_in("1:name=elogind:/3.scope\n") == "none");
}

TEST_CASE("with both, the unified hierarchy tells, where it has a unit", "[app]") {
	CHECK(unit_in("1:name=systemd:/system.slice/old.service\n0::/system.slice/new.service\n") ==
	      "new.service");
	CHECK(unit_in("1:name=systemd:/system.slice/old.service\n0::/\n") == "old.service");
	CHECK(unit_in("0::/\n1:name=systemd:/system.slice/old.service\n") == "old.service");
}

TEST_CASE("a cgroup that was removed still has its unit's name", "[app]") {
	CHECK(unit_in("0::/system.slice/nginx.service (deleted)\n") == "nginx.service");
}

TEST_CASE("the underscore that systemd adds is removed, escapes are part of the name", "[app]") {
	CHECK(unit_in("0::/system.slice/_cpu.service\n") == "cpu.service");
	CHECK(unit_in("0::/system.slice/__foo.service\n") == "_foo.service");
	CHECK(unit_in("0::/system.slice/a_b.service\n") == "a_b.service");
	CHECK(unit_in("0::/system.slice/systemd-fsck@dev-disk-by\\x2duuid.service\n") ==
	      "systemd-fsck@dev-disk-by\\x2duuid.service");
}

TEST_CASE("what is no unit is none", "[app]") {
	CHECK(unit_in("") == "none");
	CHECK(unit_in("\n\n") == "none");
	CHECK(unit_in("garbage") == "none");
	CHECK(unit_in("0::") == "none");
	CHECK(unit_in("10::/system.slice/nginx.service\n") == "none");
	CHECK(unit_in("0::/system.slice/.service\n") == "none");
	CHECK(unit_in("0::/system.slice/nginx.services\n") == "none");
	CHECK(unit_in("0::/system.slice/nginx.socket\n") == "none");
}

TEST_CASE("a process that is not there has no unit", "[app]") {
	CHECK_FALSE(unit_of_process(0).has_value());
	CHECK_NOTHROW(unit_of_process(getpid()));
}

} // namespace stalesock::test
