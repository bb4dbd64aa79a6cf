// SPDX-License-Identifier: Apache-2.0
// Writes after the peer's FIN of which no byte is accepted.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <csignal>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace runtime;

namespace {

/// No acknowledgement has moved for a while: the peer's window is full.
void wait_until_still(int fd) {
	int before = -1;
	int waiting = 0;
	do {
		before = waiting;
		stay_idle(milliseconds(50));
		checked(ioctl(fd, SIOCOUTQ, &waiting), "SIOCOUTQ");
	} while (waiting != before);
}

Connection idle_connection_after_fin() {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	return connection;
}

} // namespace

TEST_CASE("a full buffer refuses the late write: EAGAIN, zero bytes", "[late][guest]") {
	Connection connection = open_connection();
	const int small = 16384; // a size that was set does not grow any more
	checked(setsockopt(connection.active, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	        "SO_SNDBUF");
	const std::string bulk(1U << 20, 'x');
	while (send(connection.active, bulk.data(), bulk.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
		wait_until_still(connection.active);
	}
	REQUIRE(errno == EAGAIN);
	half_close_passive(connection);
	CHECK(send(connection.active, bulk.data(), bulk.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == -1);
	CHECK(errno == EAGAIN);
	check_verdicts(connection, {}, {});
}

TEST_CASE("SIGPIPE ends the program at its second late write", "[late][owner]") {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	Fork child([&] {
		std::signal(SIGPIPE, SIG_DFL);
		for (;;) {
			checked(write(connection.active, request.data(), request.size()), "write");
			wait_for_state(connection.active, TCP_CLOSE);
		}
		return 0;
	});
	const pid_t pid = child.pid();
	CHECK(child.wait() == -SIGPIPE);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_writer(seen.active[1], pid, own_command());
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == request.size());
}

TEST_CASE("a write of nothing after the FIN is not a write", "[late]") {
	Connection connection = idle_connection_after_fin();
	CHECK(send(connection.active, "", 0, MSG_NOSIGNAL) == 0);
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"idle_close"});
}

TEST_CASE("a bad buffer after the FIN is not a write", "[late]") {
	Connection connection = idle_connection_after_fin();
	CHECK(send(connection.active, nullptr, 10, MSG_NOSIGNAL) == -1);
	CHECK(errno == EFAULT);
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"idle_close"});
}
