// SPDX-License-Identifier: Apache-2.0
// Each rule, on both sides of its boundary.
#include "support/socket_model.hpp"
#include "track/reading.hpp"
#include "verdict/rules.hpp"

#include <catch2/catch.hpp>

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

std::optional<VerdictKind> at_fin(SocketModel& socket, Nanoseconds now) {
	Connection connection;
	connection.role = Role::active;
	const Event event = socket.peer_fin(now);
	const auto finding = first_finding(rules_at_peer_fin(), {connection, &event, tick});
	return finding ? std::optional(finding->kind) : std::nullopt;
}

std::optional<Finding> at_reset(SocketModel& socket, Nanoseconds now) {
	Connection connection;
	connection.role = Role::active;
	const Event event = socket.reset(now);
	return first_finding(rules_at_reset(), {connection, &event, tick});
}

} // namespace

TEST_CASE("reuse_race: nothing of the request acknowledged, nothing answered") {
	SocketModel socket;
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
		CHECK_FALSE(at_fin(socket, start + milliseconds(1016)).has_value());
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
		SocketModel socket;
		socket.turn(start, 100, 500);
		socket.send(start + gap, 27);
		Connection connection;
		connection.role = Role::active;
		const Event event = socket.peer_fin(start + gap + milliseconds(16));
		const auto finding = first_finding(rules_at_peer_fin(), {connection, &event, tick});
		CHECK(finding->kind == VerdictKind::reuse_race);
		return finding->confidence;
	};
	CHECK(confidence(same_request - microseconds(1)) == Confidence::likely);
	CHECK(confidence(same_request) == Confidence::certain);
}

TEST_CASE("a first request that crosses the FIN is a race only after a gap") {
	SocketModel socket;
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

TEST_CASE("unanswered_close within one tick of the answer before") {
	SocketModel socket;
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

TEST_CASE("unanswered_close needs a write") {
	SocketModel socket;
	(void)socket.open(start);
	CHECK(at_fin(socket, start + seconds(60)) == VerdictKind::idle_close);
	SocketModel quick;
	(void)quick.open(start);
	CHECK_FALSE(at_fin(quick, start + milliseconds(50)).has_value());
}

TEST_CASE("limit_close and idle_close meet at the idle threshold") {
	SocketModel socket;
	socket.turn(start, 100, 500, microseconds(0));
	SECTION("just below") {
		CHECK(at_fin(socket, start + idle_threshold - tick) == VerdictKind::limit_close);
	}
	SECTION("at it") {
		CHECK(at_fin(socket, start + idle_threshold) == VerdictKind::idle_close);
	}
}

TEST_CASE("a slow response with the FIN is not an idle close") {
	SocketModel socket;
	socket.send(start, 100);
	socket.acked(start + seconds(5));
	socket.receive(start + seconds(5), 24);
	CHECK(at_fin(socket, start + seconds(5)) == VerdictKind::limit_close);
}

TEST_CASE("parting words with the FIN do not hide the idle time") {
	SocketModel socket;
	socket.turn(start, 100, 500);
	socket.receive(start + seconds(5), 24); // close_notify
	Connection connection;
	connection.role = Role::active;
	const Event event = socket.peer_fin(start + seconds(5));
	const auto finding = first_finding(rules_at_peer_fin(), {connection, &event, tick});
	REQUIRE(finding.has_value());
	CHECK(finding->kind == VerdictKind::idle_close);
	CHECK(finding->evidence.idle == seconds(5));
	CHECK(finding->evidence.receive_age == Nanoseconds::zero());
}

TEST_CASE("what only the length of the last words tells is a guess, and says so") {
	const auto closed_after = [](std::uint32_t unread) {
		SocketModel socket;
		socket.turn(start, 100, 500);
		socket.receive(start + seconds(5), unread);
		socket.send_ack(start + seconds(5));
		Connection connection;
		connection.role = Role::active;
		const Event event = socket.peer_fin(start + seconds(5));
		return *first_finding(rules_at_peer_fin(), {connection, &event, tick});
	};
	const Finding idle = closed_after(longest_parting_record);
	CHECK(idle.kind == VerdictKind::idle_close);
	CHECK(idle.confidence == Confidence::likely);
	CHECK(idle.inferred == "that what came last was no answer");
	const Finding limit = closed_after(longest_parting_record + 1);
	CHECK(limit.kind == VerdictKind::limit_close);
	CHECK(limit.confidence == Confidence::likely);
	CHECK(limit.inferred == "that what came last was the answer");
}

TEST_CASE("an RST without a FIN") {
	SocketModel socket;
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
		CHECK(finding->confidence == Confidence::certain);
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
	return connection;
}

VerdictKind late_kind(const Connection& connection) {
	return first_finding(rules_at_late_write(), {connection, nullptr, tick})->kind;
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
		{PayloadHead::goodbye, longest_goodbye, 0, VerdictKind::farewell_write},
		{PayloadHead::goodbye, longest_goodbye + 1, 0, VerdictKind::stale_reuse},
		{PayloadHead::other, 5, 0, VerdictKind::stale_reuse},
		{PayloadHead::unknown, 24, 0, VerdictKind::stale_reuse},
	}));
	CHECK(late_kind(with_late_write(row.head, row.bytes, row.record_length)) == row.kind);
}

TEST_CASE("a short TLS record is open until the application shows what it was") {
	Connection connection = with_late_write(PayloadHead::tls_data, 40, 35);
	CHECK(farewell_is_open(connection));
	connection.fin->late->read_afterwards = true;
	CHECK_FALSE(farewell_is_open(connection));
	CHECK(late_kind(connection) == VerdictKind::stale_reuse);
}

TEST_CASE("bytes that were not visible lower the confidence while they could be a farewell") {
	const auto confidence = [](std::uint32_t bytes) {
		const Connection connection = with_late_write(PayloadHead::unknown, bytes, 0);
		return first_finding(rules_at_late_write(), {connection, nullptr, tick})->confidence;
	};
	CHECK(confidence(longest_farewell) == Confidence::likely);
	CHECK(confidence(longest_farewell + 1) == Confidence::certain);
}

TEST_CASE("a late write that only a scan found has no time") {
	Connection connection = with_late_write(PayloadHead::unknown, 200, 0);
	const auto delay = [&] {
		return first_finding(rules_at_late_write(), {connection, nullptr, tick})
		    ->evidence.fin_to_write;
	};
	CHECK(delay() == seconds(1));
	connection.fin->late->time_known = false;
	CHECK_FALSE(delay().has_value());
}

TEST_CASE("where no hook sees a write begin, the length of a close_notify is a farewell's") {
	const auto judged = [](std::uint32_t bytes) {
		Connection connection = with_late_write(PayloadHead::unknown, bytes, 0);
		connection.fin->late->begin_seen = false;
		return *first_finding(rules_at_late_write(), {connection, nullptr, tick});
	};
	for (const std::uint32_t close_notify : {24U, 31U}) {
		CHECK(judged(close_notify).kind == VerdictKind::farewell_write);
		CHECK(judged(close_notify).confidence == Confidence::likely);
		CHECK(judged(close_notify + 1).kind == VerdictKind::stale_reuse);
		CHECK(judged(close_notify + 1).confidence == Confidence::likely);
	}
}

TEST_CASE("where no hook sees a write begin, an early response is a guess") {
	Connection connection = with_late_write(PayloadHead::unknown, 5000, 0);
	connection.fin->late->time = start + milliseconds(50);
	connection.fin->view = SocketView{};
	connection.fin->view->rcv_nxt = 301;
	connection.fin->view->bytes_received = 300;
	const auto judged = [&] {
		return *first_finding(rules_at_late_write(), {connection, nullptr, tick});
	};
	CHECK(judged().kind == VerdictKind::early_response);
	CHECK(judged().confidence == Confidence::certain);
	connection.fin->late->begin_seen = false;
	CHECK(judged().kind == VerdictKind::early_response);
	CHECK(judged().confidence == Confidence::likely);
	connection.fin->late->copied_seq = 300; // read before the write, whose time is known
	CHECK(judged().kind == VerdictKind::stale_reuse);
}

TEST_CASE("a send that began before the FIN is not reuse") {
	Connection connection = with_late_write(PayloadHead::other, 5000, 0);
	CHECK(late_kind(connection) == VerdictKind::stale_reuse);
	connection.fin->late->continued = true;
	CHECK_FALSE(first_finding(rules_at_late_write(), {connection, nullptr, tick}).has_value());
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
