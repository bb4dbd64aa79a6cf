// SPDX-License-Identifier: Apache-2.0
// What the peer's FIN or RST means where hooks saw the exchange.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/end_table.hpp"
#include "verdict/finding.hpp"

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

/// A connection of ours that was watched from its open.
struct Watched {
	Watched() {
		connection.role = Role::active;
		connection.opened_known = true;
		connection.opened = start;
		(void)socket.open(start);
		socket.established(start);
		socket.observe();
	}

	std::optional<Finding> fin(Nanoseconds now) {
		const Event event = socket.peer_fin(now);
		return judge_end({connection, &event, tick, {}, other});
	}
	std::optional<Finding> reset(Nanoseconds now) {
		const Event event = socket.reset(now);
		return judge_end({connection, &event, tick, {}, other});
	}

	SocketModel socket;
	Connection connection;
	std::optional<OtherEndSeen> other;
};

void check(const std::optional<Finding>& finding, VerdictKind kind, Confidence confidence) {
	REQUIRE(finding.has_value());
	CHECK(to_string(finding->kind) == to_string(kind));
	CHECK(to_string(finding->confidence) == to_string(confidence));
	CHECK(finding->inferred.empty() == (confidence == Confidence::certain));
}

EndFacts facts_of_number(unsigned number) {
	const auto take = [&number](unsigned count) {
		const unsigned value = number % count;
		number /= count;
		return value;
	};
	EndFacts facts;
	facts.by = static_cast<EndedBy>(take(2));
	facts.holder.value = static_cast<OtherHolder>(take(2));
	facts.farewell.value = static_cast<Farewell>(take(2));
	facts.direction = static_cast<Direction>(take(4));
	facts.expectation.value = static_cast<Expectation>(take(2));
	facts.outstanding.value = static_cast<Outstanding>(take(3));
	facts.answer.value = static_cast<Answer>(take(3));
	facts.use.value = static_cast<Use>(take(2));
	facts.quiet.value = static_cast<Quiet>(take(3));
	facts.taken.value = static_cast<Taken>(take(2));
	return facts;
}

constexpr unsigned combinations = 2 * 2 * 2 * 4 * 2 * 3 * 3 * 2 * 3 * 2;

} // namespace

TEST_CASE("the table at the peer's end is total, and every row is met", "[table]") {
	std::vector<bool> met(end_table().size());
	for (unsigned number = 0; number < combinations; number++) {
		const EndRow* const row = find_row(facts_of_number(number));
		INFO("combination " << number);
		REQUIRE(row != nullptr);
		met.at(static_cast<std::size_t>(row - end_table().data())) = true;
	}
	for (std::size_t row = 0; row < met.size(); row++) {
		INFO("row " << row);
		CHECK(met[row]);
	}
}

TEST_CASE("a row that says nothing says why", "[table]") {
	for (const EndRow& row : end_table()) {
		CHECK((row.says || !row.note.empty()));
	}
}

TEST_CASE("a request that was taken and never answered, though keepalive probes went out since",
          "[exchange]") {
	Watched peer;
	peer.socket.turn(start, 4, 4, microseconds(100));
	peer.socket.send(start + microseconds(200), 4);
	peer.socket.acked(start + microseconds(300));
	peer.socket.send_ack(
		start +
		milliseconds(2100)); // an answer to a probe moves rcv_wup and the stamp of the last segment
	check(peer.fin(start + milliseconds(2500)), VerdictKind::unanswered_close, Confidence::certain);
}

TEST_CASE("an answer that came before the end of the request", "[exchange]") {
	Watched peer;
	peer.socket.send(start, 50);
	peer.socket.acked(start + milliseconds(1));
	peer.socket.receive(start + milliseconds(1), 60);
	peer.socket.send(start + milliseconds(20), 5); // the rest
	peer.socket.acked(start + milliseconds(21));
	SECTION("is an answer: the connection was idle when it was closed") {
		peer.socket.read_all();
		const auto finding = peer.fin(start + milliseconds(1020));
		check(finding, VerdictKind::idle_close, Confidence::certain);
		CHECK(finding->evidence.idle == seconds(1));
	}
	SECTION("and the close at once after it") {
		check(peer.fin(start + milliseconds(22)), VerdictKind::early_response, Confidence::certain);
	}
}

TEST_CASE("the server hangs up on a part of the request", "[exchange]") {
	Watched peer;
	SECTION("of the first one") {
		peer.socket.send(start, 50);
		peer.socket.send(start + microseconds(200), 10);
		peer.socket.acked_in_part(start + milliseconds(40), 50);
	}
	SECTION("of a later one") {
		peer.socket.turn(start, 26, 40);
		peer.socket.send(start + milliseconds(600), 50);
		peer.socket.send(start + milliseconds(600) + microseconds(200), 10);
		peer.socket.acked_in_part(start + milliseconds(640), 50);
	}
	check(peer.fin(start + milliseconds(640)), VerdictKind::unanswered_close, Confidence::likely);
}

TEST_CASE("what crossed the FIN as a whole was a race", "[exchange]") {
	Watched peer;
	peer.socket.turn(start, 26, 40);
	peer.socket.send(start + seconds(1), 50);
	SECTION("alone") {}
	SECTION("and words of the server crossed it as well") {
		peer.socket.receive(start + seconds(1) + milliseconds(10), 300);
	}
	check(peer.fin(start + seconds(1) + milliseconds(16)), VerdictKind::reuse_race,
	      Confidence::certain);
}

TEST_CASE("parting words of any length do not hide how long it was quiet", "[exchange]") {
	for (const std::uint32_t bytes : {1U, 24U, 117U, 2000U}) {
		for (const bool read : {false, true}) {
			INFO(bytes << " bytes, read: " << read);
			Watched peer;
			peer.socket.turn(start, 14, 64);
			peer.socket.turn(start + milliseconds(100), 14, 64);
			peer.socket.receive(start + milliseconds(1600), bytes);
			if (read) {
				peer.socket.read_all();
			}
			const auto finding = peer.fin(start + milliseconds(1604));
			check(finding, VerdictKind::idle_close, Confidence::likely);
			CHECK(finding->counts_when_agreed);
			CHECK(finding->evidence.idle >= milliseconds(1500));
			CHECK(finding->evidence.idle <= milliseconds(1508));
		}
	}
}

TEST_CASE("the last part of an answer that took its time is no parting word", "[exchange]") {
	Watched peer;
	peer.socket.turn(start, 14, 64);
	peer.socket.send(start + milliseconds(100), 14);
	peer.socket.acked(start + milliseconds(100));
	peer.socket.receive(start + milliseconds(2100), 172);
	peer.socket.read_all();
	peer.socket.receive(start + milliseconds(2308), 5);
	SECTION("read") {
		peer.socket.read_all();
	}
	SECTION("unread") {}
	check(peer.fin(start + milliseconds(2308)), VerdictKind::limit_close, Confidence::likely);
}

TEST_CASE("whoever pushes now and then has no parting words", "[exchange]") {
	Watched peer;
	peer.socket.turn(start, 14, 64);
	peer.socket.turn(start + milliseconds(100), 14, 64);
	for (int i = 1; i <= 3; i++) {
		peer.socket.receive(start + milliseconds(100 + 1000 * i), 30);
		peer.socket.read_all();
	}
	check(peer.fin(start + milliseconds(3104)), VerdictKind::limit_close, Confidence::likely);
}

TEST_CASE("a sender whose messages were taken and never answered expects no answer", "[exchange]") {
	Watched peer;
	for (int i = 0; i < 4; i++) {
		peer.socket.send(start + milliseconds(600 * i), 24);
		peer.socket.acked(start + milliseconds(600 * i));
	}
	const auto finding = peer.fin(start + milliseconds(2800));
	check(finding, VerdictKind::idle_close, Confidence::likely);
	CHECK(finding->evidence.idle == seconds(1));
}

TEST_CASE("nothing is said of what a server only sends, and of what nobody used", "[exchange]") {
	Watched peer;
	SECTION("closed as soon as it was opened") {
		CHECK_FALSE(peer.fin(start + milliseconds(1)).has_value());
	}
	SECTION("the data of a transfer") {
		peer.socket.receive(start + milliseconds(5), 100000);
		CHECK_FALSE(peer.fin(start + milliseconds(6)).has_value());
	}
	SECTION("a pair of sockets of one process") {
		peer.other = OtherEndSeen{9, true, {}};
		peer.socket.send(start, 1);
		peer.socket.acked(start);
		peer.socket.send(start + seconds(2), 1);
		CHECK_FALSE(peer.reset(start + seconds(2) + microseconds(30)).has_value());
	}
}

TEST_CASE("a close soon after an answer is not one with it", "[exchange]") {
	Watched peer;
	peer.socket.turn(start, 14, 64);
	const auto finding = peer.fin(start + milliseconds(70));
	check(finding, VerdictKind::limit_close, Confidence::likely);
	CHECK(finding->evidence.idle >= milliseconds(66));
}

TEST_CASE("an RST whose sender had read a part of the request was no race", "[exchange]") {
	Watched peer;
	peer.socket.turn(start, 26, 40);
	peer.socket.send(start + milliseconds(800), 5000);
	const Nanoseconds now = start + milliseconds(801);
	SECTION("a part was read") {
		peer.other = OtherEndSeen{9, false, true};
		check(peer.reset(now), VerdictKind::unanswered_close, Confidence::likely);
	}
	SECTION("nothing was read") {
		peer.other = OtherEndSeen{9, false, false};
		check(peer.reset(now), VerdictKind::reuse_race, Confidence::certain);
	}
}

TEST_CASE("what counters tell of an exchange is never certain", "[exchange]") {
	SocketModel socket;
	Connection connection;
	connection.role = Role::active;
	(void)socket.open(start);
	socket.turn(start, 100, 500);
	socket.send(start + seconds(1), 100);
	socket.acked(start + seconds(1) + milliseconds(1));
	const Event event = socket.peer_fin(start + seconds(4));
	check(judge_end({connection, &event, tick}), VerdictKind::unanswered_close, Confidence::likely);
}

} // namespace stalesock::test
