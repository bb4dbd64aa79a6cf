// SPDX-License-Identifier: Apache-2.0
// What a write after the peer's FIN was, by what became of it and what its writer did next.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"
#include "verdict/late_table.hpp"

#include <string>
#include <vector>

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

using Names = std::vector<std::string>;

LateFacts facts_of_number(unsigned number) {
	const auto take = [&number](unsigned count) {
		const unsigned value = number % count;
		number /= count;
		return value;
	};
	LateFacts facts;
	facts.holder.value = static_cast<OtherHolder>(take(2));
	facts.begun.value = static_cast<Begun>(take(2));
	facts.bytes.value = static_cast<LateBytes>(take(4));
	facts.continues.value = static_cast<Continues>(take(3));
	facts.fate.value = static_cast<Fate>(take(3));
	facts.then.value = static_cast<Then>(take(4));
	return facts;
}

constexpr unsigned combinations = 2 * 2 * 4 * 3 * 3 * 4;

/// A connection that was answered, closed after a second of silence, and is written to a second later.
struct Stale {
	Stale() {
		socket.observe();
		apply(socket.open(start));
		socket.turn(start, 100, 500);
		apply(socket.peer_fin(start + seconds(1)));
		kinds.clear();
	}

	void apply(const Event& event) {
		engine.apply(event, [this](const Verdict& verdict) { note(verdict); });
	}
	void until(Nanoseconds now) {
		engine.on_tick(now, [this](const Verdict& verdict) { note(verdict); });
	}
	void note(const Verdict& verdict) {
		kinds.emplace_back(to_string(verdict.kind));
		confidence = verdict.confidence;
	}

	Engine engine{{100, tick}};
	SocketModel socket;
	Names kinds;
	Confidence confidence = Confidence::possible;
};

constexpr Nanoseconds written = start + seconds(2);

} // namespace

TEST_CASE("the table of late writes is total, and every row is met", "[table]") {
	std::vector<bool> met(late_table().size());
	for (unsigned number = 0; number < combinations; number++) {
		const LateRow* const row = find_row(facts_of_number(number));
		INFO("combination " << number);
		REQUIRE(row != nullptr);
		met.at(static_cast<std::size_t>(row - late_table().data())) = true;
	}
	for (std::size_t row = 0; row < met.size(); row++) {
		INFO("row " << row);
		CHECK(met[row]);
		CHECK((late_table()[row].says || !late_table()[row].note.empty()));
	}
}

TEST_CASE("a peer that takes what is written after its FIN has only ended its own sending",
          "[late]") {
	Stale stale;
	for (int i = 0; i < 8; i++) {
		stale.apply(stale.socket.late_write(written + milliseconds(300 * i), 100));
		stale.socket.acked(written + milliseconds(300 * i + 1));
		stale.until(written + milliseconds(300 * i + 299));
	}
	stale.apply(stale.socket.close(written + seconds(3)));
	stale.apply(stale.socket.last_ack(written + seconds(3)));
	stale.until(written + seconds(9));
	CHECK(stale.kinds.empty());
}

TEST_CASE("a write that nobody acknowledges is a reuse, without an RST", "[late]") {
	Stale stale;
	stale.apply(stale.socket.late_write(written, 100));
	stale.socket.retransmit(written + milliseconds(220));
	Event retransmit = stale.socket.full(EventKind::retransmit, written + milliseconds(220));
	stale.apply(retransmit);
	stale.until(written + milliseconds(250));
	CHECK(stale.kinds == Names{"stale_reuse"});
	CHECK(stale.confidence == Confidence::likely);
}

TEST_CASE("whoever waits for an answer wrote a request, though the peer took it", "[late]") {
	Stale stale;
	stale.apply(stale.socket.late_write(written, 100));
	stale.apply(stale.socket.read_after_late_write(written + milliseconds(1)));
	stale.until(written + milliseconds(250));
	CHECK(stale.kinds == Names{"stale_reuse"});
	CHECK(stale.confidence == Confidence::likely);
}

TEST_CASE("who reads the end of file, writes, and closes without a read says goodbye", "[late]") {
	Stale stale;
	stale.socket.read_eof();
	const bool request = GENERATE(false, true);
	stale.apply(stale.socket.late_write(written, 60,
	                                    request ? PayloadHead::http_request : PayloadHead::other));
	stale.apply(stale.socket.reset(written + microseconds(30)));
	stale.apply(stale.socket.destroyed(written + microseconds(90)));
	CHECK(stale.kinds == Names{request ? "stale_reuse" : "farewell_write"});
	CHECK(stale.confidence == (request ? Confidence::certain : Confidence::likely));
}

TEST_CASE("the rest of a request that the peer hung up on is told with that", "[late]") {
	SocketModel socket;
	socket.observe();
	Names kinds;
	const Engine::Handler note = [&](const Verdict& verdict) {
		kinds.emplace_back(to_string(verdict.kind));
	};
	Engine engine({100, tick});
	engine.apply(socket.open(start), note);
	socket.turn(start, 100, 500);
	socket.send(start + seconds(1), 50);
	socket.acked(start + seconds(1) + microseconds(100));
	engine.apply(socket.peer_fin(start + seconds(1) + microseconds(200)), note);
	REQUIRE(kinds == Names{"unanswered_close"});
	const bool request = GENERATE(false, true);
	engine.apply(socket.late_write(start + seconds(1) + microseconds(500), 10,
	                               request ? PayloadHead::http_request : PayloadHead::other),
	             note);
	engine.apply(socket.reset(start + seconds(1) + microseconds(600)), note);
	engine.finish(start + seconds(9), note);
	CHECK(kinds ==
	      (request ? Names{"unanswered_close", "stale_reuse"} : Names{"unanswered_close"}));
}

TEST_CASE("a write after the peer's RST is none while the answer before it lies unread", "[late]") {
	SocketModel socket;
	socket.observe();
	Names kinds;
	const Engine::Handler note = [&](const Verdict& verdict) {
		kinds.emplace_back(to_string(verdict.kind));
	};
	Engine engine({100, tick});
	engine.apply(socket.open(start), note);
	socket.send(start, 20000);
	socket.acked(start + microseconds(100));
	socket.receive(start + microseconds(200), 314);
	const bool soon = GENERATE(true, false);
	const Nanoseconds reset = start + (soon ? milliseconds(1) : milliseconds(200));
	engine.apply(socket.reset(reset), note);
	const bool read = GENERATE(true, false);
	if (read) {
		socket.read_all();
	}
	engine.apply(socket.refused_write(reset + milliseconds(40)), note);
	CHECK(kinds.front() == (soon ? "early_response" : "idle_close"));
	CHECK(kinds.size() == (read && !soon ? 2U : 1U));
}

TEST_CASE("a write after the peer's RST is a reuse, once", "[late]") {
	SocketModel socket;
	socket.observe();
	std::vector<Verdict> verdicts;
	const Engine::Handler note = [&](const Verdict& verdict) { verdicts.push_back(verdict); };
	Engine engine({100, tick});
	engine.apply(socket.open(start), note);
	socket.turn(start, 6, 7);
	engine.apply(socket.reset(start + seconds(1)), note);
	engine.apply(socket.refused_write(start + milliseconds(1400)), note);
	engine.apply(socket.refused_write(start + milliseconds(1500)), note);
	REQUIRE(verdicts.size() == 2);
	CHECK(verdicts[0].kind == VerdictKind::idle_close);
	CHECK(verdicts[1].kind == VerdictKind::stale_reuse);
	CHECK(verdicts[1].evidence.rst_to_write == milliseconds(400));
	CHECK(verdicts[1].evidence.idle == seconds(1));
	CHECK(verdicts[1].id != verdicts[0].id);
	CHECK(verdicts[1].message ==
	      "client (pid 812) wrote to 10.0.0.7:8080 400 ms after the server's RST, which "
	      "came after 1.00 s idle: the write failed");
}

} // namespace stalesock::test
