// SPDX-License-Identifier: Apache-2.0
// Who wrote: the process that did it, not the one that opened the socket or the one that was on
// the CPU.
#include "support/catch.hpp"
#include "support/sight.hpp"
#include "support/watch.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace runtime;

namespace {

Connection connection_after_fin() {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	return connection;
}

struct alignas(cmsghdr) Control {
	std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

void pass_descriptor(int channel, int fd) {
	Control control;
	char byte = 'x';
	iovec part{&byte, 1};
	msghdr message{};
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	message.msg_control = control.bytes.data();
	message.msg_controllen = control.bytes.size();
	cmsghdr* header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	checked(sendmsg(channel, &message, 0), "SCM_RIGHTS");
}

int receive_descriptor(int channel) {
	Control control;
	char byte = 0;
	iovec part{&byte, 1};
	msghdr message{};
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	message.msg_control = control.bytes.data();
	message.msg_controllen = control.bytes.size();
	checked(recvmsg(channel, &message, 0), "recvmsg");
	int fd = -1;
	std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

Json reuse_of(const Connection& connection) {
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.passive) == Names{});
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	return seen.active[1];
}

} // namespace

TEST_CASE("a forked child writes on an inherited socket", "[owner][guest]") {
	Connection connection = connection_after_fin();
	Fork child([&] {
		rename_thread("forked-writer");
		send_all(connection.active, request);
		return 0;
	});
	const pid_t pid = child.pid();
	REQUIRE(child.wait() == 0);
	check_writer(reuse_of(connection), pid, "forked-writer");
}

TEST_CASE("a thread with a name of its own writes: the process is named", "[owner][guest]") {
	Connection connection = connection_after_fin();
	std::thread writer([&] {
		rename_thread("worker-17");
		send_all(connection.active, request);
	});
	writer.join();
	check_writer(reuse_of(connection), getpid(), own_command());
}

TEST_CASE("the receiver of a passed descriptor writes", "[owner]") {
	std::array<int, 2> ends{};
	checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
	const Descriptor ours(ends[0]);
	const Descriptor theirs(ends[1]);
	Fork receiver([&] { // before the connection exists: nothing is inherited
		rename_thread("receiver");
		send_all(receive_descriptor(theirs), request);
		return 0;
	});
	const pid_t pid = receiver.pid();
	Connection connection = connection_after_fin();
	pass_descriptor(ours, connection.active);
	connection.active.close();
	REQUIRE(receiver.wait() == 0);
	check_writer(reuse_of(connection), pid, "receiver");
}

TEST_CASE("the process that answers a half-closed client is named, not the one that accepted",
          "[owner]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	shut_down_writing(connection.active);
	Fork worker([&] {
		rename_thread("server-worker");
		receive_exactly(connection.passive, request.size());
		send_all(connection.passive, response);
		return 0;
	});
	const pid_t pid = worker.pid();
	REQUIRE(worker.wait() == 0);
	connection.passive.close();
	receive_exactly(connection.active, response.size());
	connection.active.close();
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.passive) == Names{"half_close_response"});
	check_writer(seen.passive[0], pid, "server-worker");
}

TEST_CASE("a hostile command name breaks neither a line nor a terminal", "[owner][hostile]") {
	if (!sees(Sight::writer)) {
		return skip("the name of a writer cannot be seen");
	}
	const std::string hostile = "\x1b[31m\n\"\\\xff\x07";
	Process text({stalesock_path(), "watch", "--netns", "self"});
	REQUIRE(eventually([&] {
		text.read_available(milliseconds(50));
		return text.errors().find("stalesock: watching") != std::string::npos;
	}));
	Connection connection = connection_after_fin();
	Fork child([&] {
		rename_thread(hostile);
		send_all(connection.active, request);
		return 0;
	});
	const pid_t pid = child.pid();
	REQUIRE(child.wait() == 0);
	CHECK(reuse_of(connection).at("owner").at("pid") == pid);

	// The same verdict came as JSON: what is one line there has no raw control character.
	for (const std::string& line : watch().lines()) {
		const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
		CHECK(std::none_of(line.begin(), line.end(), is_control));
	}
	REQUIRE(eventually([&] {
		text.read_available(milliseconds(50));
		return text.output().find(std::to_string(pid)) != std::string::npos;
	}));
	text.signal(SIGTERM);
	CHECK(text.finish() == 0);
	CHECK(text.output().find('\x1b') == std::string::npos);
	CHECK(text.output().find('\x07') == std::string::npos);
	CHECK(text.output().find('\xff') == std::string::npos);
}
