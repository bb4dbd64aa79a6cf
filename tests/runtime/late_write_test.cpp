// SPDX-License-Identifier: Apache-2.0
// A write after the peer's FIN, by every call and over every family.
#include "support/clock.hpp"
#include "support/expect.hpp"
#include "support/process.hpp"
#include "support/send_calls.hpp"
#include "support/sight.hpp"

#include <atomic>
#include <csignal>
#include <map>
#include <netinet/tcp.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace runtime;

namespace {

/// A late write and what the test itself knows about it.
struct LateWrite {
	const SendCall* call = nullptr;
	bool peer_is_gone = false; ///< the write draws an RST
	Connection connection;
	Clock::time_point last_use;
	std::size_t bytes = 0;
	double least_idle_ms = 0;
	double least_fin_to_write_ms = 0;
	double most_fin_to_write_ms = 0;
};

/// The product prints tenths.
constexpr double rounding_ms = 0.11;

LateWrite prepare(const SendCall& call, bool peer_is_gone, Family family = Family::ipv4) {
	LateWrite late;
	late.call = &call;
	late.peer_is_gone = peer_is_gone;
	late.connection = open_used_connection(family);
	late.last_use = Clock::now();
	return late;
}

/// After the idle gap: the peer's FIN and the write.
void write_late(LateWrite& late) {
	const auto before_fin = Clock::now();
	late.peer_is_gone ? close_passive(late.connection) : half_close_passive(late.connection);
	const auto after_fin = Clock::now();
	stay_idle(milliseconds(20));
	const auto before_write = Clock::now();
	late.bytes = late.call->send(late.connection.active);
	if (!late.peer_is_gone) {
		CHECK(reads_eof(late.connection.active)); // it waits for an answer
	}
	late.least_idle_ms = elapsed_ms(late.last_use, before_fin);
	late.least_fin_to_write_ms = elapsed_ms(after_fin, before_write);
	late.most_fin_to_write_ms = elapsed_ms(before_fin, Clock::now());
}

void check_connection(const Json& verdict, const LateWrite& late, const std::string& family) {
	const Json& connection = verdict.at("connection");
	CHECK(connection.at("role") == "active");
	CHECK(connection.at("family") == family);
	CHECK(connection.at("state") == "CLOSE_WAIT");
	CHECK(connection.at("age_ms") >= late.least_idle_ms);
}

void check_evidence(const Json& verdict, const LateWrite& late) {
	const Json& evidence = verdict.at("evidence");
	CHECK(evidence.at("bytes_after_fin") == late.bytes);
	CHECK(evidence.at("rst_received") == late.peer_is_gone);
	check_field(evidence, "eof_read", false, Sight::eof);
	check_field(evidence, "peeked", false, Sight::eof);
	check_field(evidence, "unread_bytes", 0, Sight::time);
	CHECK(evidence.at("unacked_at_fin") == 0);
	CHECK(evidence.at("idle_ms") >= late.least_idle_ms - rounding_ms);
	REQUIRE(evidence.contains("fin_to_write_ms") == sees(Sight::time));
	if (sees(Sight::time)) {
		CHECK(evidence.at("fin_to_write_ms") >= late.least_fin_to_write_ms - rounding_ms);
		CHECK(evidence.at("fin_to_write_ms") <= late.most_fin_to_write_ms + rounding_ms);
	}
}

void check_stale_reuse(const Seen& seen, const LateWrite& late, const std::string& family) {
	CHECK(names(seen.passive) == Names{});
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	const Json& verdict = seen.active[1];
	CHECK(verdict.at("severity") == "error");
	// Who takes a write whose head is not known may have ended only its own sending.
	const bool is_taken = !late.peer_is_gone && late.call->head_is_split;
	check_confidence(verdict, late.call->hides_content || is_taken ? "likely" : "certain");
	CHECK_FALSE(verdict.at("message").get<std::string>().empty());
	check_connection(verdict, late, family);
	check_evidence(verdict, late);
	check_writer(verdict, getpid(), own_command());
}

Connection idle_connection_after_fin() {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	return connection;
}

} // namespace

TEST_CASE("a late write by any call", "[late][guest]") {
	const bool peer_is_gone = GENERATE(true, false);
	std::vector<LateWrite> writes;
	for (const SendCall& call : send_calls()) {
		writes.push_back(prepare(call, peer_is_gone));
	}
	stay_idle();
	for (LateWrite& late : writes) {
		write_late(late);
	}
	watch().settle();
	for (const LateWrite& late : writes) {
		INFO(late.call->name << (peer_is_gone ? ", answered by an RST" : ", accepted"));
		CHECK((peer_is_gone || late.bytes == request.size()));
		check_stale_reuse(watch().about(late.connection), late, "ipv4");
	}
}

TEST_CASE("a late write over IPv6", "[late][ipv6][guest]") {
	LateWrite late = prepare(send_calls()[0], true, Family::ipv6);
	stay_idle();
	write_late(late);
	CHECK(late.connection.active_side.remote.substr(0, 6) == "[::1]:");
	check_stale_reuse(watch().observe(late.connection), late, "ipv6");
}

TEST_CASE("an IPv4-mapped connection prints as IPv4", "[late][ipv6]") {
	LateWrite late = prepare(send_calls()[0], true, Family::mapped);
	stay_idle();
	write_late(late);
	CHECK(late.connection.active_side.remote.substr(0, 10) == "127.0.0.1:");
	check_stale_reuse(watch().observe(late.connection), late, "ipv4");
}

TEST_CASE("several late writes are one reuse with all their bytes", "[late][guest]") {
	Connection connection = idle_connection_after_fin();
	for (int i = 0; i < 6; ++i) {
		send_all(connection.active, request);
	}
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == 6 * request.size());
}

TEST_CASE("late writes on and on are one reuse", "[late]") {
	Connection connection = idle_connection_after_fin();
	send_all(connection.active, request);
	watch().settle();
	send_all(connection.active, request);
	watch().settle();
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"idle_close", "stale_reuse"});
}

TEST_CASE("a late write of 300 kB counts every accepted byte", "[late]") {
	const std::string bulk(300'000, 'x');
	for (const bool peer_is_gone : {false, true}) {
		INFO("the peer is gone: " << peer_is_gone);
		Connection connection = open_used_connection();
		stay_idle();
		peer_is_gone ? close_passive(connection) : half_close_passive(connection);
		const ssize_t sent =
			send(connection.active, bulk.data(), bulk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
		REQUIRE(sent > 0);
		if (!peer_is_gone) {
			CHECK(reads_eof(connection.active)); // it waits for an answer
		}
		const Seen seen = watch().observe(connection);
		REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
		CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == sent);
	}
}

TEST_CASE("a second request after the RST is refused and adds nothing", "[late]") {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	send_all(connection.active, request);
	wait_for_state(connection.active, TCP_CLOSE);
	CHECK(send(connection.active, request.data(), request.size(), MSG_NOSIGNAL) == -1);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == request.size());
}

TEST_CASE("a late write and a close at once", "[late]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	send_all(connection.active, request);
	connection.active.close();
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == request.size());
}

TEST_CASE("a late write right after the answer and its FIN were read", "[late]") {
	Connection connection = open_used_connection();
	close_passive(connection);
	send_all(connection.active, request);
	check_verdicts(connection, {"limit_close", "stale_reuse"}, {});
}

TEST_CASE("a late write on a connection that was never used", "[late]") {
	Connection connection = open_connection();
	stay_idle();
	close_passive(connection);
	send_all(connection.active, request);
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"idle_close", "stale_reuse"});
}

TEST_CASE("a late write over what the peer said as it closed", "[late][last-words]") {
	const bool one_segment = GENERATE(true, false);
	const milliseconds gap = GENERATE(milliseconds(150), milliseconds(1200));
	INFO((one_segment ? "with" : "before") << " the FIN, after " << gap.count() << " ms");
	Connection connection = open_used_connection();
	stay_idle(gap);
	send_last_words(connection.passive, "bye\r\n", one_segment);
	close_passive(connection);
	send_all(connection.active, request);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_field(seen.active[1].at("evidence"), "unread_bytes", 5, Sight::time);
}

TEST_CASE("more than 4 GiB after a peer's half-close are all counted", "[late][large]") {
	Process events({stalesock_path(), "watch", "--json", "--events", "--netns", "self"});
	REQUIRE(eventually([&] {
		events.read_available(milliseconds(10));
		return events.errors().find("stalesock: watching") != std::string::npos;
	}));
	constexpr std::uint64_t wanted = (std::uint64_t{1} << 32U) + (std::uint64_t{1} << 28U);
	Connection connection = open_used_connection();
	half_close_passive(connection);
	const std::jthread reader([&] {
		std::vector<char> bytes(1 << 20);
		while (recv(connection.passive, bytes.data(), bytes.size(), 0) > 0) {
		}
	});
	const std::vector<char> bytes(1 << 20, 'x');
	std::uint64_t sent = 0;
	while (sent < wanted) {
		const ssize_t accepted = send(connection.active, bytes.data(), bytes.size(), MSG_NOSIGNAL);
		REQUIRE(accepted > 0);
		sent += static_cast<std::uint64_t>(accepted);
	}
	connection.active.close();
	const std::string counted = "\"bytes\":" + std::to_string(sent) + ",";
	CHECK(eventually([&] {
		events.read_available(milliseconds(10));
		return events.output().find(counted) != std::string::npos;
	}));
	events.signal(SIGTERM);
	CHECK(events.finish() == 0);
}

TEST_CASE("the application had read the end of file", "[late][guest]") {
	Connection connection = idle_connection_after_fin();
	REQUIRE(reads_eof(connection.active));
	send_all(connection.active, request);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_field(seen.active[1].at("evidence"), "eof_read", true, Sight::eof);
	check_field(seen.active[1].at("evidence"), "peeked", false, Sight::eof);
}

TEST_CASE("the application had peeked at the end of file", "[late][guest]") {
	Connection connection = idle_connection_after_fin();
	char byte = 0;
	REQUIRE(recv(connection.active, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0);
	send_all(connection.active, request);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_field(seen.active[1].at("evidence"), "peeked", true, Sight::eof);
	check_field(seen.active[1].at("evidence"), "eof_read", false, Sight::eof);
}

TEST_CASE("the application reads the end of file only after its late write", "[late][guest]") {
	Connection connection = idle_connection_after_fin();
	send_all(connection.active, request);
	REQUIRE(reads_eof(connection.active));
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_field(seen.active[1].at("evidence"), "eof_read", false, Sight::eof);
}

// Pools with a thread that reads all the time (Go) are told of the FIN while another thread writes. Each hook is then
// the first to note something about the socket, on a CPU of its own.
TEST_CASE("the end of file is read and a request is written at the same moment", "[late]") {
	constexpr int rounds = 500;
	std::set<Side> sides; // the kernel may give a port twice
	{
		const Listener listener;
		std::atomic<int> socket = -1;
		std::atomic<int> started = 0;
		std::atomic<int> done = 0;
		std::thread reader([&] {
			for (int round = 1; round <= rounds; round++) {
				while (started < round) {
					std::this_thread::yield();
				}
				char byte = 0;
				static_cast<void>(recv(socket, &byte, 1, MSG_DONTWAIT));
				done = round;
			}
		});
		for (int round = 1; round <= rounds; round++) {
			Connection connection = listener.open();
			exchange(connection);
			close_passive(connection);
			socket = connection.active;
			started = round;
			const auto moment = Clock::now() + std::chrono::nanoseconds(round % 50 * 50);
			while (Clock::now() < moment) {
			}
			send_all(connection.active, request);
			while (done < round) {
				std::this_thread::yield();
			}
			sides.insert(connection.active_side);
		}
		reader.join();
	}
	watch().settle();
	std::map<std::uint64_t, Verdicts> by_socket;
	for (const Side& side : sides) {
		for (const Json& verdict : watch().about(side)) {
			by_socket[verdict.at("connection").at("cookie")].push_back(verdict);
		}
	}
	CHECK(by_socket.size() == rounds);
	for (const auto& [cookie, told] : by_socket) {
		CAPTURE(told);
		REQUIRE(told.size() == 2);
		CHECK(told[1].at("verdict") == "stale_reuse");
		CHECK(told[1].at("evidence").at("bytes_after_fin") == request.size());
		check_confidence(told[1], "certain");
		CHECK(told[1].at("evidence").contains("fin_to_write_ms") == sees(Sight::time));
	}
}
