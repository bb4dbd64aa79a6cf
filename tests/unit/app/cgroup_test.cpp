// SPDX-License-Identifier: Apache-2.0
// Texts as /proc/PID/cgroup has them.
#include "app/cgroup.hpp"

#include "support/catch.hpp"

namespace stalesock::test {

namespace {

std::string unit_in(std::string_view text) {
	return names_in_cgroup_file(text).unit.value_or("none");
}

/// "docker ID pod UID"; "?" for an unknown runtime.
std::string container_in(const std::string& path) {
	const CgroupNames names = names_in_path(path);
	if (!names.container) {
		return names.pod ? "pod " + *names.pod : "none";
	}
	return names.runtime.value_or("?") + " " + *names.container +
	       (names.pod ? " pod " + *names.pod : "");
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

TEST_CASE("containers, and who runs them", "[app]") {
	const std::string id(64, 'a');
	const std::string pod = "01234567-89ab-cdef-0123-456789abcdef";
	const std::string sliced = "01234567_89ab_cdef_0123_456789abcdef";
	CHECK(container_in("/docker/" + id) == "docker " + id);
	CHECK(container_in("/system.slice/docker-" + id + ".scope") == "docker " + id);
	CHECK(container_in("/system.slice/docker-" + id + ".scope/system.slice/nginx.service") ==
	      "docker " + id);
	CHECK(container_in("/machine.slice/libpod-" + id + ".scope/container") == "podman " + id);
	CHECK(container_in("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id +
	                   ".scope") == "podman " + id);
	CHECK(container_in("/system.slice/nerdctl-" + id + ".scope") == "containerd " + id);
	const std::string slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod";
	CHECK(container_in(slice + sliced + ".slice/cri-containerd-" + id + ".scope") ==
	      "containerd " + id + " pod " + pod);
	CHECK(container_in(slice + sliced + ".slice/crio-" + id + ".scope") ==
	      "crio " + id + " pod " + pod);
	CHECK(container_in("/kubepods/besteffort/pod" + pod + "/" + id) == "? " + id + " pod " + pod);
	CHECK(container_in("/kubepods-pod0123456789abcdef0123456789abcdef.slice:cri-containerd:" +
	                   id) == "containerd " + id);
	CHECK(container_in("/machine.slice/machine-my\\x2dmachine.scope") == "machine my-machine");
	CHECK(container_in("/machine.slice/systemd-nspawn@web.service/payload") == "machine web");
	CHECK(container_in("/lxc.payload.web/init.scope") == "lxc web");
	CHECK(container_in("/lxc/web") == "lxc web");
}

TEST_CASE("the innermost container counts", "[app]") {
	const std::string outer(64, 'a');
	const std::string inner(64, 'b');
	CHECK(container_in("/docker/" + outer + "/docker/" + inner) == "docker " + inner);
	CHECK(container_in("/system.slice/docker-" + outer + ".scope/kubepods/" + inner) ==
	      "? " + inner);
}

TEST_CASE("what is no container is none", "[app]") {
	const std::string id(64, 'a');
	for (const std::string& path :
	     {std::string("/"), std::string("/system.slice/docker.service"),
	      "/machine.slice/libpod-conmon-" + id + ".scope",
	      "/system.slice/crio-conmon-" + id + ".scope", "/docker/" + id + "a",
	      "/docker/" + id.substr(1), "/docker/" + std::string(64, 'g'),
	      std::string("/kubepods/pod1"), std::string("/a-pod"), std::string("/lxc.payload."),
	      "/docker/" + std::string(64, 'A')}) {
		CAPTURE(path);
		CHECK(container_in(path) == "none");
	}
}

TEST_CASE("without the unified hierarchy any other names the container", "[app]") {
	const std::string id(64, 'a');
	const CgroupNames names = names_in_cgroup_file("12:pids:/docker/" + id +
	                                               "\n1:name=systemd:/system.slice/x.service\n");
	CHECK(names.container == id);
	CHECK(names.unit == "x.service");
	CHECK(names_in_cgroup_file("12:pids:/docker/" + id + "\n0::/docker/" + std::string(64, 'b'))
	          .container == std::string(64, 'b'));
}

TEST_CASE("the path in the unified hierarchy", "[app]") {
	CHECK(unified_path("1:name=systemd:/a\n0::/b\n") == "/b");
	CHECK(unified_path("0::/") == "/");
	CHECK_FALSE(unified_path("1:name=systemd:/a\n").has_value());
}

} // namespace stalesock::test
