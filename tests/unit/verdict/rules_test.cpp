// SPDX-License-Identifier: Apache-2.0
// Each rule, on both sides of its boundary.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "track/reading.hpp"
#include "verdict/late_facts.hpp"
#include "verdict/rules.hpp"

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

/// Hooks see what it sends and receives.
class Watched : public SocketModel {
  public:
	Watched() { observe(); }
};

/// ... from its start.
Connection watched() {
	Connection connection;
	connection.role = Role::active;
	connection.opened_known = true;
	return connection;
}

std::optional<Finding> found_at_fin(SocketModel& socket, Nanoseconds now) {
	const Connection connection = watched();
	const Event event = socket.peer_fin(now);
	return judge_end({connection, &event, tick});
}

std::optional<VerdictKind> at_fin(SocketModel& socket, Nanoseconds now) {
	const auto finding = found_at_fin(socket, now);
	return finding ? std::optional(finding->kind) : std::nullopt;
}

std::optional<Finding> at_reset(SocketModel& socket, Nanoseconds now) {
	const Connection connection = watched();
	const Event event = socket.reset(now);
	return judge_end({connection, &event, tick});
}

} // namespace

TEST_CASE("reuse_race: nothing of the request acknowledged, nothing answered") {
	Watched socket;
	socket.turn(start, 100, 500);
	socket.send(start + milliseconds(1000), 27);
	SECTION("the FIN does not acknowledge it") {
		CHECK(at_fin(socket, start + milliseconds(1016)) == VerdictKind::reuse_race);
	}
	SECTION("the FIN acknowledges it: the server had it") {
		socket.acked(start + milliseconds(1016));
		CHECK(at_fin(socket, start + milliseconds(1016)) == VerdictKind::unanswered_close);
	}
	SECTION("a part was acknowledged: the server had begun to take it") {
		socket.acked_in_part(start + milliseconds(1010), 10);
		CHECK(at_fin(socket, start + milliseconds(1016)) == VerdictKind::unanswered_close);
	}
	SECTION("a parting TLS record came with the FIN: still a race") {
		socket.receive(start + milliseconds(1016), 24);
		CHECK(at_fin(socket, start + milliseconds(1016)) == VerdictKind::reuse_race);
	}
	SECTION("a longer parting word came with the FIN: still no answer to what it had not seen") {
		socket.receive(start + milliseconds(1016), 300);
		CHECK(at_fin(socket, start + milliseconds(1016)) == VerdictKind::reuse_race);
	}
	SECTION("an answer came while a further part was on its way") {
		socket.acked(start + milliseconds(1010));
		socket.send(start + milliseconds(1010), 27);
		socket.receive(start + milliseconds(1015), 300);
		CHECK(at_fin(socket, start + milliseconds(1016)) == VerdictKind::early_response);
	}
}

TEST_CASE("a race right after the send before it may be the rest of that request") {
	const auto confidence = [](Nanoseconds gap) {
		Watched socket;
		socket.turn(start, 100, 500);
		socket.send(start + gap, 27);
		const Connection connection = watched();
		const Event event = socket.peer_fin(start + gap + milliseconds(16));
		const auto finding = judge_end({connection, &event, tick});
		CHECK(finding->kind == VerdictKind::reuse_race);
		return finding->confidence;
	};
	CHECK(confidence(same_request - microseconds(1)) == Confidence::likely);
	CHECK(confidence(same_request) == Confidence::certain);
}

TEST_CASE("a first request that crosses the FIN is a race only after a gap") {
	Watched socket;
	(void)socket.open(start);
	SECTION("opened in advance, used later") {
		socket.send(start + same_request, 27);
		CHECK(at_fin(socket, start + same_request + milliseconds(1)) == VerdictKind::reuse_race);
	}
	SECTION("opened for this request") {
		socket.send(start + same_request - tick, 27);
		CHECK(at_fin(socket, start + same_request) == VerdictKind::unanswered_close);
	}
	SECTION("opened for this request and reset") {
		socket.send(start + milliseconds(1), 27);
		const auto finding = at_reset(socket, start + milliseconds(2));
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::unanswered_close);
		CHECK(finding->confidence == Confidence::likely);
	}
}

TEST_CASE("the idle time of an unused connection counts from the end of its handshake") {
	const Nanoseconds established = start + milliseconds(1200); // a long way, and a SYN sent again
	Watched socket;
	(void)socket.open(start);
	socket.established(established);
	SECTION("used at once, within the same jiffy") {
		socket.send(established + microseconds(50), 27);
		CHECK(at_fin(socket, established + milliseconds(9)) == VerdictKind::unanswered_close);
	}
	SECTION("used at once, and the request was sent again") {
		socket.send(established + microseconds(50), 27);
		socket.retransmit(established + milliseconds(450));
		CHECK(at_fin(socket, established + milliseconds(500)) == VerdictKind::unanswered_close);
	}
	SECTION("a request in parts, close to each other") {
		for (const auto part : {milliseconds(10), milliseconds(70), milliseconds(130)}) {
			socket.send(established + part, 27);
			if (part != milliseconds(130)) {
				socket.acked(established + part + milliseconds(5));
			}
		}
		CHECK(at_fin(socket, established + milliseconds(140)) == VerdictKind::unanswered_close);
	}
	SECTION("used after a pause") {
		socket.send(established + same_request, 27);
		CHECK(at_fin(socket, established + milliseconds(109)) == VerdictKind::reuse_race);
	}
	SECTION("used after a pause, and the request was sent again") {
		socket.send(established + same_request, 27);
		socket.retransmit(established + milliseconds(450));
		CHECK(at_fin(socket, established + milliseconds(500)) == VerdictKind::reuse_race);
	}
}

TEST_CASE("last words that cross a first request are no early answer to it, though the SYN was "
          "sent again") {
	const Nanoseconds established = start + milliseconds(1300);
	Watched socket;
	(void)socket.open(start);
	socket.view().retransmits = 1;
	socket.established(established);
	socket.send(established + seconds(1), 491);
	socket.view().delivered_tx_us = 0; // which of the two SYNs was answered is not known
	socket.receive(established + milliseconds(1016), 24);
	CHECK(at_fin(socket, established + milliseconds(1017)) == VerdictKind::unanswered_close);
}

TEST_CASE("unanswered_close within one tick of the answer before") {
	Watched socket;
	// Response, next request and FIN within 500 us: no jiffy tells their order.
	socket.turn(start, 100, 500, microseconds(100));
	socket.send(start + microseconds(300), 80);
	socket.acked(start + microseconds(400));
	SECTION("nothing came after the second request") {
		CHECK(at_fin(socket, start + microseconds(500)) == VerdictKind::unanswered_close);
	}
	SECTION("its answer came and is not acknowledged yet") {
		socket.receive(start + microseconds(450), 200);
		CHECK(at_fin(socket, start + microseconds(500)) == VerdictKind::limit_close);
	}
	SECTION("its answer came and was acknowledged") {
		socket.receive(start + microseconds(450), 200);
		socket.send_ack(start + microseconds(460));
		CHECK(at_fin(socket, start + microseconds(500)) == VerdictKind::limit_close);
	}
}

TEST_CASE("what was written at once, and met the peer's end at once, may have been no request") {
	const auto judged = [](Nanoseconds gap, Nanoseconds taken) {
		Watched socket;
		socket.turn(start, 100, 50000);
		const Nanoseconds written = start + seconds(1) + gap;
		socket.receive(start + seconds(1), 50000);
		socket.read_all();
		socket.send(written, 42);
		socket.acked(written + microseconds(10));
		const Event event = socket.peer_fin(written + taken);
		const Connection connection = watched();
		return *judge_end({connection, &event, tick});
	};
	const Finding at_once = judged(microseconds(20), microseconds(30));
	CHECK(at_once.kind == VerdictKind::unanswered_close);
	CHECK(at_once.confidence == Confidence::likely);
	CHECK(at_once.inferred == "that what was written last was a request");
	CHECK(judged(2 * tick, microseconds(30)).confidence == Confidence::certain);
	CHECK(judged(microseconds(20), milliseconds(2)).confidence == Confidence::certain);
	CHECK(judged(microseconds(20), milliseconds(2)).kind == VerdictKind::unanswered_close);
}

TEST_CASE("unanswered_close needs a write") {
	Watched socket;
	(void)socket.open(start);
	CHECK(at_fin(socket, start + seconds(60)) == VerdictKind::idle_close);
	Watched quick;
	(void)quick.open(start);
	CHECK_FALSE(at_fin(quick, start + milliseconds(50)).has_value());
}

TEST_CASE("limit_close and idle_close meet at the idle threshold") {
	Watched socket;
	socket.turn(start, 100, 500, microseconds(0));
	SECTION("just below") {
		CHECK(at_fin(socket, start + idle_threshold - tick) == VerdictKind::limit_close);
	}
	SECTION("at it") {
		CHECK(at_fin(socket, start + idle_threshold) == VerdictKind::idle_close);
	}
}

TEST_CASE("what crossed the last request may be no answer to it, and limit_close says so") {
	Watched socket;
	socket.established(start);
	const Nanoseconds sent = start + milliseconds(350);
	socket.send(sent, 582);
	const auto acknowledge = [&] {
		socket.receive(sent + microseconds(32'473), 40);
		socket.read_all();
		socket.send_ack(sent + microseconds(32'659));
	};
	Confidence expected = Confidence::likely;
	SECTION("we acknowledged it before the peer acknowledged the request") {
		acknowledge();
		socket.acked(sent + microseconds(33'029));
	}
	SECTION("the peer acknowledged the request with it") {
		socket.acked(sent + microseconds(32'473));
		acknowledge();
		expected = Confidence::certain;
	}
	Nanoseconds fin = sent + microseconds(33'100);
	SECTION("it waits for our delayed ACK, and the peer's end acknowledges the request") {
		socket.receive(sent + microseconds(32'473), 40);
		socket.read_all();
		fin = sent + milliseconds(45);
		socket.acked(fin);
	}
	SECTION("it waits for our delayed ACK, and came with the acknowledgement of the request") {
		socket.acked(sent + microseconds(32'473));
		socket.receive(sent + microseconds(32'473), 40);
		socket.read_all();
		fin = sent + milliseconds(45);
		expected = Confidence::certain;
	}
	const auto finding = found_at_fin(socket, fin);
	REQUIRE(finding);
	CHECK(finding->kind == VerdictKind::limit_close);
	CHECK(finding->confidence == expected);
}

TEST_CASE("a write that only the peer's end acknowledges may have had no answer, and idle_close "
          "says so") {
	Watched socket;
	socket.turn(start, 100, 500, microseconds(0));
	const Nanoseconds sent = start + milliseconds(350);
	socket.send(sent, 582);
	const Nanoseconds fin = sent + milliseconds(233);
	Confidence expected = Confidence::likely;
	SECTION("what came meanwhile acknowledged none of it") {
		socket.receive(sent + milliseconds(64), 24);
		socket.read_all();
		socket.send_ack(sent + milliseconds(64));
		socket.acked(fin);
	}
	SECTION("what came acknowledged it") {
		socket.acked(sent + milliseconds(64));
		socket.receive(sent + milliseconds(64), 24);
		socket.read_all();
		expected = Confidence::certain;
	}
	const auto finding = found_at_fin(socket, fin);
	REQUIRE(finding);
	CHECK(finding->kind == VerdictKind::idle_close);
	CHECK(finding->confidence == expected);
	CHECK(finding->inferred ==
	      (expected == Confidence::certain ? "" : "that what came last was the answer"));
}

TEST_CASE("a slow response with the FIN is not an idle close") {
	Watched socket;
	socket.send(start, 100);
	socket.acked(start + seconds(5));
	socket.receive(start + seconds(5), 24);
	CHECK(at_fin(socket, start + seconds(5)) == VerdictKind::limit_close);
}

TEST_CASE("the time that an answer took is not idle") {
	const auto judged = [](Nanoseconds answered, Nanoseconds closed, std::uint32_t parting) {
		Watched socket;
		socket.turn(start, 100, 500);
		socket.send(start + seconds(1), 100);
		socket.acked(start + seconds(1) + answered);
		socket.receive(start + seconds(1) + answered, 500);
		socket.read_all();
		socket.send_ack(start + seconds(1) + answered + milliseconds(40));
		if (parting != 0) { // three seconds after the answer
			socket.receive(start + seconds(4) + answered, parting);
			socket.send_ack(start + seconds(4) + answered);
		}
		const Connection connection = watched();
		const Event event = socket.peer_fin(start + seconds(1) + answered + closed);
		return *judge_end({connection, &event, tick});
	};
	SECTION("of an idle close") {
		const Finding slow = judged(milliseconds(1600), seconds(2), 0);
		CHECK(slow.kind == VerdictKind::idle_close);
		CHECK(slow.evidence.idle == seconds(2));
		CHECK(slow.evidence.send_age == milliseconds(3600));
	}
	SECTION("but a quick answer's age is not as exact as the send's") {
		const Finding quick = judged(milliseconds(49), seconds(2), 0);
		CHECK(quick.evidence.idle == milliseconds(2049));
		CHECK_FALSE(quick.evidence.send_age);
		CHECK(judged(milliseconds(50), seconds(2), 0).evidence.idle == seconds(2));
	}
	SECTION("and the server that closes with it was not idle") {
		const Finding with_answer = judged(seconds(2), Nanoseconds::zero(), 0);
		CHECK(with_answer.kind == VerdictKind::limit_close);
		CHECK(with_answer.evidence.idle == Nanoseconds::zero());
		CHECK(with_answer.evidence.send_age == seconds(2));
	}
	SECTION("a close_notify long before the FIN ends the idle time") {
		for (const std::uint32_t close_notify : {24U, 31U, 40U}) {
			const Finding tls = judged(milliseconds(1), seconds(8), close_notify);
			CHECK(tls.kind == VerdictKind::idle_close);
			CHECK(tls.evidence.idle == seconds(3) + milliseconds(1));
		}
		CHECK(judged(milliseconds(1), seconds(8), 300).evidence.idle == seconds(5));
	}
}

TEST_CASE("an answer as long as a close_notify, read long before the FIN, is an answer") {
	Watched socket;
	socket.send(start, 4723);
	socket.acked(start + milliseconds(62));
	socket.receive(start + milliseconds(62), 24);
	socket.read_all();
	socket.send_ack(start + milliseconds(63));
	const Connection connection = watched();
	const Event event = socket.peer_fin(start + milliseconds(750));
	const Finding finding = *judge_end({connection, &event, tick});
	CHECK(finding.kind == VerdictKind::idle_close);
	CHECK(finding.evidence.idle == milliseconds(688));
	CHECK(finding.evidence.send_age == milliseconds(750));
}

namespace {

/// A second answer, after some time, then two seconds of silence, and a close_notify with the FIN.
Finding closed_with_notify(SocketModel& socket, const Connection& connection,
                           Nanoseconds answered) {
	socket.turn(start, 100, 500);
	socket.send(start + seconds(1), 100);
	socket.acked(start + seconds(1) + milliseconds(1)); // at once, without the answer
	socket.receive(start + seconds(1) + answered, 500);
	socket.read_all();
	socket.send_ack(start + seconds(1) + answered + milliseconds(40));
	socket.receive(start + seconds(3) + answered, 31); // close_notify with the FIN
	const Event event = socket.peer_fin(start + seconds(3) + answered);
	return *judge_end({connection, &event, tick});
}

} // namespace

TEST_CASE("behind parting words the record of the exchange tells when the answer had come") {
	for (const auto answered : {milliseconds(1600), milliseconds(160), milliseconds(4)}) {
		Watched socket;
		const Finding finding = closed_with_notify(socket, watched(), answered);
		CHECK(finding.kind == VerdictKind::idle_close);
		// A quick answer's age is not as exact as the send's.
		CHECK(finding.evidence.idle ==
		      seconds(2) + (answered < milliseconds(50) ? answered : milliseconds(0)));
		CHECK(finding.confidence == Confidence::likely);
		CHECK(finding.inferred == "that what came last was no answer");
		CHECK(finding.counts_when_agreed);
	}
}

TEST_CASE("behind parting words, without a record, our last ACK tells of a slow answer") {
	const auto idle = [](Nanoseconds answered) {
		SocketModel socket;
		Connection connection;
		connection.role = Role::active;
		const Finding finding = closed_with_notify(socket, connection, answered);
		CHECK(finding.kind == VerdictKind::idle_close);
		CHECK(finding.confidence == Confidence::likely);
		return finding.evidence.idle;
	};
	CHECK(idle(milliseconds(1600)) == milliseconds(1960));
	CHECK(idle(milliseconds(159)) == milliseconds(2159));
	CHECK(idle(milliseconds(160)) == milliseconds(1960));
}

TEST_CASE("last words that were read before the FIN, on a connection of one request, are known by "
          "their length") {
	const auto closed_after = [](std::uint32_t words) {
		Watched socket;
		socket.turn(start, 100, 500);
		socket.receive(start + seconds(2), words);
		socket.read_all();
		socket.send_ack(start + seconds(2));
		return *found_at_fin(socket, start + seconds(2) + milliseconds(1));
	};
	const Finding notified = closed_after(24);
	CHECK(notified.kind == VerdictKind::idle_close);
	CHECK(notified.confidence == Confidence::likely);
	CHECK(notified.evidence.idle == seconds(2) + milliseconds(1));
	CHECK(closed_after(300).kind ==
	      VerdictKind::limit_close); // the rest of an answer that came slowly
}

TEST_CASE("parting words with the FIN do not hide the idle time") {
	Watched socket;
	socket.turn(start, 100, 500);
	socket.receive(start + seconds(5), 24); // close_notify
	const Connection connection = watched();
	const Event event = socket.peer_fin(start + seconds(5));
	const auto finding = judge_end({connection, &event, tick});
	REQUIRE(finding.has_value());
	CHECK(finding->kind == VerdictKind::idle_close);
	CHECK(finding->evidence.idle == seconds(5));
	CHECK(finding->evidence.receive_age == Nanoseconds::zero());
}

TEST_CASE("what only the length of the last words tells is a guess, and says so") {
	const auto closed_after = [](std::uint32_t unread) {
		Watched socket;
		socket.turn(start, 100, 500);
		socket.receive(start + seconds(5), unread);
		socket.send_ack(start + seconds(5));
		const Connection connection = watched();
		const Event event = socket.peer_fin(start + seconds(5));
		return *judge_end({connection, &event, tick});
	};
	const Finding idle = closed_after(longest_parting_words);
	CHECK(idle.kind == VerdictKind::idle_close);
	CHECK(idle.confidence == Confidence::likely);
	CHECK(idle.inferred == "that what came last was no answer");
	CHECK_FALSE(idle.counts_when_agreed); // perhaps the only answer, in parts
	CHECK(closed_after(close_notify_sizes[0]).counts_when_agreed);
	const Finding limit = closed_after(longest_parting_words + 1);
	CHECK(limit.kind == VerdictKind::limit_close);
	CHECK(limit.confidence == Confidence::likely);
	CHECK(limit.inferred == "that what came last was the answer");
}

TEST_CASE("an RST without a FIN") {
	Watched socket;
	socket.turn(start, 100, 500);
	SECTION("on an idle connection") {
		const auto finding = at_reset(socket, start + seconds(2));
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::idle_close);
		CHECK(finding->evidence.rst_received == true);
	}
	SECTION("soon after a request, which was not acknowledged") {
		socket.send(start + seconds(2), 80);
		const auto finding = at_reset(socket, start + seconds(2) + race_window);
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::reuse_race);
		CHECK(finding->confidence == Confidence::likely); // it may have been read all the same
	}
	SECTION("soon after a request, which was acknowledged") {
		socket.send(start + seconds(2), 80);
		socket.acked(start + seconds(2) + milliseconds(1));
		const auto finding = at_reset(socket, start + seconds(2) + milliseconds(2));
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::reuse_race);
		CHECK(finding->confidence == Confidence::likely);
	}
	SECTION("long after a request") {
		socket.send(start + seconds(2), 80);
		const auto finding = at_reset(socket, start + seconds(2) + race_window + milliseconds(1));
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::unanswered_close);
		CHECK(finding->confidence == Confidence::likely);
	}
	SECTION("while an answer lies unread and we still send") {
		socket.send(start + seconds(2), 80000);
		socket.acked_in_part(start + seconds(2) + milliseconds(1), 10000);
		socket.receive(start + seconds(2) + milliseconds(2), 300);
		const auto finding = at_reset(socket, start + seconds(2) + milliseconds(8));
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::early_response);
		CHECK(finding->confidence == Confidence::certain);
	}
	SECTION("right after an answer") {
		socket.send(start + seconds(2), 20000);
		socket.acked(start + seconds(2) + milliseconds(1));
		socket.receive(start + seconds(2) + milliseconds(2), 300);
		const bool read = GENERATE(false, true);
		if (read) {
			socket.read_all();
		}
		const auto finding = at_reset(socket, start + seconds(2) + milliseconds(10));
		REQUIRE(finding.has_value());
		CHECK(finding->kind == (read ? VerdictKind::limit_close : VerdictKind::early_response));
		CHECK(finding->confidence == Confidence::likely);
		CHECK(finding->inferred == (read ? "that the close belongs to the answer before it"
		                                 : "that the request was still being sent"));
	}
	SECTION("a while after an answer") {
		socket.turn(start + seconds(2), 20000, 300);
		const auto finding = at_reset(socket, start + seconds(2) + idle_threshold);
		REQUIRE(finding.has_value());
		CHECK(finding->kind == VerdictKind::idle_close);
	}
}

namespace {

Connection with_late_write(PayloadHead head, std::uint32_t bytes, std::uint16_t record_length) {
	Connection connection;
	connection.role = Role::active;
	connection.fin = std::make_unique<FinFacts>();
	connection.fin->time = start;
	connection.fin->late = LateWrite{};
	connection.fin->late->time = start + seconds(1);
	connection.fin->late->head = head;
	connection.fin->late->bytes = bytes;
	connection.fin->late->record_length = record_length;
	connection.fin->late->unread = 1;
	connection.fin->rst_received = true;
	return connection;
}

VerdictKind late_kind(const Connection& connection) {
	return judge_late_write({connection, nullptr, tick})->kind;
}

} // namespace

TEST_CASE("farewell_write: what the first bytes are") {
	struct Row {
		PayloadHead head;
		std::uint32_t bytes;
		std::uint16_t record_length;
		VerdictKind kind;
	};
	const Row row = GENERATE(values<Row>({
		{PayloadHead::tls_alert, 31, 26, VerdictKind::farewell_write},
		{PayloadHead::tls_alert, longest_farewell + 1, 26, VerdictKind::stale_reuse},
		{PayloadHead::tls_data, 24, tls_alert_record, VerdictKind::farewell_write},
		{PayloadHead::tls_data, 45, tls_short_record, VerdictKind::farewell_write},
		{PayloadHead::tls_data, 46, tls_short_record + 1, VerdictKind::stale_reuse},
		{PayloadHead::tls_alert, 229, 224, VerdictKind::farewell_write},
		{PayloadHead::goodbye, longest_parting_line, 0, VerdictKind::farewell_write},
		{PayloadHead::goodbye, longest_parting_line + 1, 0, VerdictKind::stale_reuse},
		{PayloadHead::other, 5, 0, VerdictKind::stale_reuse},
		{PayloadHead::unknown, 24, 0, VerdictKind::stale_reuse},
	}));
	CHECK(late_kind(with_late_write(row.head, row.bytes, row.record_length)) == row.kind);
}

TEST_CASE("a goodbye in several writes is a short one") {
	Connection connection = with_late_write(PayloadHead::goodbye, longest_goodbye, 0);
	connection.fin->late->writes = 2;
	CHECK(late_kind(connection) == VerdictKind::farewell_write);
	connection.fin->late->bytes++;
	CHECK(late_kind(connection) == VerdictKind::stale_reuse);
}

TEST_CASE("an answer that was read with its end of file, by another thread, does not make the rest "
          "a reuse") {
	SocketModel socket;
	socket.send(start, 104);
	socket.acked(start + microseconds(200));
	socket.receive(start + microseconds(400), 155);
	socket.read_all();
	Connection connection;
	connection.role = Role::active;
	const auto kind_of = [&](Nanoseconds closed, Nanoseconds written, PayloadHead head,
	                         bool eof_read = true) {
		const Event fin = socket.peer_fin(closed);
		connection.fin = std::make_unique<FinFacts>();
		connection.fin->time = closed;
		connection.fin->view = *fin.view;
		connection.fin->eof_read = eof_read;
		LateWrite late;
		late.time = written;
		late.head = head;
		late.record_length = tls_short_record + 1;
		late.bytes = 100'000;
		late.copied_seq = fin.view->copied_seq + 1;
		connection.fin->late = late;
		return late_kind(connection);
	};
	const Nanoseconds soon = start + milliseconds(1);
	const Nanoseconds later = soon + early_window;
	for (const PayloadHead head : {PayloadHead::other, PayloadHead::tls_data}) {
		CHECK(kind_of(soon, later, head) == VerdictKind::early_response);
		CHECK(kind_of(soon, later + Nanoseconds(1), head) == VerdictKind::stale_reuse);
		CHECK(kind_of(start + early_window + milliseconds(1), later, head) ==
		      VerdictKind::stale_reuse);
		CHECK(kind_of(soon, later, head, false) == VerdictKind::stale_reuse);
	}
	CHECK(kind_of(soon, later, PayloadHead::http_request) == VerdictKind::stale_reuse);
}

TEST_CASE("a short TLS record is open until the application shows what it was") {
	Connection connection = with_late_write(PayloadHead::tls_data, 40, 35);
	CHECK(late_write_is_open({connection}));
	connection.fin->late->read_afterwards = true;
	CHECK_FALSE(late_write_is_open({connection}));
	CHECK(late_kind(connection) == VerdictKind::stale_reuse);
}

TEST_CASE("bytes that were not visible lower the confidence while they could be a farewell") {
	const auto confidence = [](std::uint32_t bytes) {
		const Connection connection = with_late_write(PayloadHead::unknown, bytes, 0);
		return judge_late_write({connection, nullptr, tick})->confidence;
	};
	CHECK(confidence(longest_farewell) == Confidence::likely);
	CHECK(confidence(longest_farewell + 1) == Confidence::certain);
}

TEST_CASE("a late write that only a scan found has no time") {
	Connection connection = with_late_write(PayloadHead::unknown, 200, 0);
	const auto delay = [&] {
		return judge_late_write({connection, nullptr, tick})->evidence.fin_to_write;
	};
	CHECK(delay() == seconds(1));
	connection.fin->late->time_known = false;
	CHECK_FALSE(delay().has_value());
}

TEST_CASE("where a write is hidden, the length of a close_notify is a farewell's") {
	const bool kernel_tls = GENERATE(true, false);
	const auto judged = [kernel_tls](std::uint32_t bytes) {
		Connection connection = with_late_write(PayloadHead::unknown, bytes, 0);
		connection.fin->late->begin_seen = kernel_tls;
		connection.fin->late->kernel_tls = kernel_tls;
		return *judge_late_write({connection, nullptr, tick});
	};
	for (const std::uint32_t close_notify : {24U, 31U}) {
		CHECK(judged(close_notify).kind == VerdictKind::farewell_write);
		CHECK(judged(close_notify).confidence == Confidence::likely);
		CHECK(judged(close_notify + 1).kind == VerdictKind::stale_reuse);
		CHECK(judged(close_notify + 1).confidence == Confidence::likely);
	}
}

TEST_CASE("frames of HTTP/2 that ask for nothing are no reuse, however many") {
	Connection connection = with_late_write(PayloadHead::http2_control, 4000, 0);
	const Finding finding = *judge_late_write({connection, nullptr, tick});
	CHECK(finding.kind == VerdictKind::farewell_write);
	CHECK(finding.confidence == Confidence::certain);
	CHECK(finding.evidence.late_head == "http2_control");
}

TEST_CASE("over TLS flow control is told by its length, and only amid an exchange") {
	const auto judged = [](Nanoseconds idle, Nanoseconds after, std::uint32_t unread) {
		Connection connection = with_late_write(PayloadHead::tls_data, 4000, 37);
		SocketModel socket;
		socket.send(start - idle - milliseconds(2), 200);
		socket.acked(start - idle);
		socket.receive(start - idle, 50000);
		connection.fin->view = socket.peer_fin(start).view;
		connection.fin->late->time = start + after;
		connection.fin->late->unread = unread;
		connection.fin->late->control_sized = true;
		return *judge_late_write({connection, nullptr, tick});
	};
	const Finding amid = judged(milliseconds(1), milliseconds(3), 1);
	CHECK(amid.kind == VerdictKind::farewell_write);
	CHECK(amid.confidence == Confidence::likely);
	CHECK(amid.inferred == "that TLS records of this length are flow control of HTTP/2");
	CHECK(amid.evidence.late_head == "http2_control");
	CHECK(judged(milliseconds(1), early_continuation, 1).kind == VerdictKind::farewell_write);
	CHECK(judged(milliseconds(1), early_continuation + milliseconds(1), 1).kind ==
	      VerdictKind::stale_reuse);
	CHECK(judged(milliseconds(1), seconds(30), longest_parting_record + 1).kind ==
	      VerdictKind::farewell_write); // an answer that is read slowly
	CHECK(judged(seconds(2), milliseconds(3), 1).kind == VerdictKind::stale_reuse);
}

TEST_CASE("a file of a close_notify's length is not hidden, and no farewell") {
	const Connection connection = with_late_write(PayloadHead::unknown, 31, 0);
	CHECK(late_kind(connection) == VerdictKind::stale_reuse);
}

TEST_CASE("where a write is hidden, an early response is a guess") {
	const bool kernel_tls = GENERATE(true, false);
	Connection connection = with_late_write(PayloadHead::unknown, 5000, 0);
	connection.fin->late->time = start + milliseconds(50);
	connection.fin->view = SocketView{};
	connection.fin->view->rcv_nxt = 301;
	connection.fin->view->bytes_received = 300;
	const auto judged = [&] { return *judge_late_write({connection, nullptr, tick}); };
	CHECK(judged().kind == VerdictKind::early_response);
	CHECK(judged().confidence == Confidence::certain);
	connection.fin->late->begin_seen = kernel_tls;
	connection.fin->late->kernel_tls = kernel_tls;
	CHECK(judged().kind == VerdictKind::early_response);
	CHECK(judged().confidence == Confidence::likely);
	connection.fin->late->copied_seq = 300; // read before the write, whose time is known
	CHECK(judged().kind == VerdictKind::stale_reuse);
}

TEST_CASE("a send that began before the FIN is not reuse") {
	Connection connection = with_late_write(PayloadHead::other, 5000, 0);
	CHECK(late_kind(connection) == VerdictKind::stale_reuse);
	connection.fin->late->continued = true;
	CHECK_FALSE(judge_late_write({connection, nullptr, tick}).has_value());
}

TEST_CASE("dirty_close needs unread bytes, our close, and no RST from the peer") {
	Connection connection;
	SocketModel socket;
	socket.receive(start, 1);
	Event event = socket.abort(start + milliseconds(1));
	CHECK(dirty_close({connection, &event, tick}).has_value());
	SECTION("nothing unread") {
		event.view->copied_seq = event.view->rcv_nxt;
	}
	SECTION("only the FIN unread") {
		event.view->copied_seq = event.view->rcv_nxt - 1;
		event.peer_fin_seen = true;
	}
	SECTION("a close_notify unread") {
		const std::uint32_t bytes = GENERATE(24U, 31U, padded_close_notify);
		event.view->rcv_nxt = event.view->copied_seq + bytes;
		event.view->bytes_received = least_of_handshake + bytes;
		event.view->bytes_sent = least_of_handshake;
		CHECK_FALSE(dirty_close({connection, &event, tick}).has_value());
		SECTION("or one byte more") {
			event.view->rcv_nxt++;
			event.view->bytes_received++;
		}
		SECTION("too little received for TLS") {
			event.view->bytes_received--;
		}
		SECTION("too little sent for TLS") {
			event.view->bytes_sent--;
		}
		CHECK(dirty_close({connection, &event, tick}).has_value());
		return;
	}
	SECTION("the FIN read too") {
		event.view->copied_seq = event.view->rcv_nxt;
		event.peer_fin_seen = true;
	}
	SECTION("an RST came in") {
		event.error = ECONNRESET;
	}
	SECTION("connect(AF_UNSPEC)") {
		event.shutdown = 0;
	}
	SECTION("softirq") {
		event.actor.reset();
	}
	CHECK_FALSE(dirty_close({connection, &event, tick}).has_value());
}

} // namespace stalesock::test
