// SPDX-License-Identifier: Apache-2.0
#include "probe/decode.hpp"

#include "stalesock/event.h"
#include "support/catch.hpp"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <vector>

namespace stalesock::test {

namespace {

stalesock_event_full full_record() {
	stalesock_event_full record{};
	record.head.kind = STALESOCK_PEER_FIN;
	record.head.size = sizeof(record);
	record.head.family = AF_INET;
	record.head.cookie = 42;
	record.head.time_ns = 1'000'000'007;
	record.head.local_port = 41230;
	record.head.remote_port = 8080;
	record.head.old_state = 1;
	record.head.new_state = 8;
	record.head.local[0] = 127;
	record.head.local[3] = 1;
	return record;
}

stalesock_event_late late_record() {
	stalesock_event_late record{};
	record.full = full_record();
	record.full.head.kind = STALESOCK_LATE_WRITE;
	record.full.head.size = sizeof(record);
	record.full.head.flags = STALESOCK_F_LATE;
	return record;
}

stalesock_event short_record() {
	stalesock_event record = full_record().head;
	record.kind = STALESOCK_OPEN;
	record.size = sizeof(record);
	return record;
}

template <typename Record>
std::vector<std::byte> bytes_of(const Record& record, std::size_t length) {
	std::vector<std::byte> bytes(length);
	const auto* const begin = reinterpret_cast<const std::byte*>(&record);
	std::copy_n(begin, std::min(length, sizeof(record)), bytes.begin());
	return bytes;
}

template <typename Record> DecodeStatus status_of(const Record& record, std::size_t length) {
	Event event;
	return decode(bytes_of(record, length), event);
}

} // namespace

TEST_CASE("a full record becomes an event with a view") {
	stalesock_event_full record = full_record();
	record.head.flags = STALESOCK_F_DONE | STALESOCK_F_PASSIVE | STALESOCK_F_EOF_READ;
	record.write_seq = 77;
	record.srtt_us = 1234;
	Event event;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK(event.kind == EventKind::peer_fin);
	CHECK(event.cookie == 42);
	CHECK(event.time == Nanoseconds(1'000'000'007));
	CHECK(event.old_state == TcpState::established);
	CHECK(event.new_state == TcpState::close_wait);
	CHECK(to_string(event.local) == "127.0.0.1:41230");
	CHECK(event.peer_fin_seen);
	CHECK(event.inherited_backlog);
	CHECK(event.eof_read);
	CHECK_FALSE(event.orphan);
	CHECK_FALSE(event.actor.has_value());
	CHECK_FALSE(event.late.has_value());
	REQUIRE(event.view.has_value());
	CHECK(event.view->write_seq == 77);
	CHECK(event.view->srtt_us == 1234);
}

TEST_CASE("what is not flagged is absent, whatever its bytes") {
	stalesock_event_full record = full_record();
	record.head.pid = 9;
	record.head.write_seq = 5;
	record.exchange.turns = 3;
	Event event;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK_FALSE(event.actor.has_value());
	CHECK_FALSE(event.late.has_value());
	CHECK_FALSE(event.write_seq.has_value());
	CHECK_FALSE(event.view->exchange.has_value());
	CHECK_FALSE(event.view->sends_seen);
	CHECK_FALSE(event.view->receives_seen);
}

TEST_CASE("an exchange is as the hooks saw it") {
	stalesock_event_full record = full_record();
	record.head.flags = STALESOCK_F_EXCHANGE | STALESOCK_F_SENDS_SEEN | STALESOCK_F_RECEIVES_SEEN;
	record.exchange = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
	Event event;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK(event.view->sends_seen);
	CHECK(event.view->receives_seen);
	REQUIRE(event.view->exchange.has_value());
	const Exchange& exchange = *event.view->exchange;
	CHECK(exchange.turn_write_seq == 1);
	CHECK(exchange.turn_rcv_nxt == 2);
	CHECK(exchange.turn_age_ticks == 3);
	CHECK(exchange.turn_pid == 4);
	CHECK(exchange.turns == 5);
	CHECK(exchange.send_rcv_nxt == 6);
	CHECK(exchange.send_copied_seq == 7);
	CHECK(exchange.read_seq == 8);
	CHECK(exchange.read_rcv_nxt == 9);
	CHECK(exchange.read_age_ticks == 10);
	CHECK(exchange.pauses == 11);
	CHECK(exchange.words_seq == 12);
	CHECK(exchange.words_pause_ticks == 13);
	CHECK(exchange.lone_sends == 14);
}

TEST_CASE("a release after the peer's FIN tells how far was written and read") {
	stalesock_event record = short_record();
	record.kind = STALESOCK_RELEASED;
	record.old_state = 8;
	record.new_state = 9;
	record.write_seq = 77;
	record.copied_seq = 78;
	Event event;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK(event.write_seq == 77);
	CHECK(event.copied_seq == 78);
	record.new_state = 7; // of any other release it is not known
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK_FALSE(event.write_seq.has_value());
}

TEST_CASE("a late write carries its head, its writer and the time of the FIN where known") {
	stalesock_event_late record = late_record();
	record.full.head.flags = STALESOCK_F_LATE | STALESOCK_F_LATE_READ | STALESOCK_F_LATE_BEGUN;
	record.full.late_head = STALESOCK_HEAD_TLS_DATA;
	record.late_record_length = 51;
	record.late_bytes = 56;
	record.late_bytes_high = 1;
	record.late_pid = 812;
	std::memset(record.late_command, 'x', sizeof(record.late_command)); // no terminating NUL
	Event event;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	REQUIRE(event.late.has_value());
	CHECK_FALSE(event.late->fin_time.has_value());
	CHECK(event.late->head == PayloadHead::tls_data);
	CHECK(event.late->record_length == 51);
	CHECK(event.late->bytes == (std::uint64_t{1} << 32U) + 56);
	CHECK(event.late->read_afterwards);
	CHECK(event.late->begin_seen);
	CHECK_FALSE(event.late->kernel_tls);
	REQUIRE(event.late->writer.has_value());
	CHECK(event.late->writer->pid == 812);
	CHECK(event.late->writer->command == std::string(16, 'x'));
}

TEST_CASE("a late write without a time has that of its discovery, and says so") {
	stalesock_event_late record = late_record();
	record.full.head.flags = STALESOCK_F_LATE | STALESOCK_F_ULP;
	record.full.head.time_ns = 9000;
	record.late_ns = 8000;
	Event event;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK(event.late->time_known);
	CHECK(event.late->kernel_tls);
	CHECK_FALSE(event.late->begin_seen);
	CHECK(event.late->time == Nanoseconds(8000));
	record.late_ns = 0;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	CHECK_FALSE(event.late->time_known);
	CHECK(event.late->time == Nanoseconds(9000));
}

TEST_CASE("nothing of an event decoded before remains") {
	Event event;
	stalesock_event_late record = late_record();
	record.full.head.flags |= STALESOCK_F_OWNED;
	REQUIRE(decode(bytes_of(record, sizeof(record)), event) == DecodeStatus::ok);
	REQUIRE(event.actor.has_value());
	REQUIRE(decode(bytes_of(short_record(), sizeof(stalesock_event)), event) == DecodeStatus::ok);
	CHECK_FALSE(event.actor.has_value());
	CHECK_FALSE(event.view.has_value());
	CHECK_FALSE(event.late.has_value());
}

TEST_CASE("records of the wrong length are refused before they are read") {
	CHECK(status_of(full_record(), 0) == DecodeStatus::short_record);
	CHECK(status_of(full_record(), sizeof(stalesock_event) - 1) == DecodeStatus::short_record);
	CHECK(status_of(full_record(), sizeof(stalesock_event)) == DecodeStatus::short_record);
	CHECK(status_of(full_record(), sizeof(stalesock_event_full) - 1) == DecodeStatus::short_record);
	CHECK(status_of(full_record(), sizeof(stalesock_event_full)) == DecodeStatus::ok);
	CHECK(status_of(full_record(), sizeof(stalesock_event_full) + 8) ==
	      DecodeStatus::oversized_record);
	CHECK(status_of(late_record(), sizeof(stalesock_event_late)) == DecodeStatus::ok);
	CHECK(status_of(late_record(), sizeof(stalesock_event_full)) == DecodeStatus::short_record);
	CHECK(status_of(short_record(), sizeof(stalesock_event)) == DecodeStatus::ok);
	CHECK(status_of(short_record(), sizeof(stalesock_event_full)) ==
	      DecodeStatus::oversized_record);
}

TEST_CASE("a record that lies about its size is refused") {
	stalesock_event_full record = full_record();
	record.head.size = sizeof(stalesock_event);
	CHECK(status_of(record, sizeof(record)) == DecodeStatus::short_record);
	record.head.size = sizeof(record) + 1;
	CHECK(status_of(record, sizeof(record)) == DecodeStatus::oversized_record);
}

TEST_CASE("unknown kinds, families and states are refused") {
	stalesock_event_full record = full_record();
	SECTION("kind 0") {
		record.head.kind = 0;
		CHECK(status_of(record, sizeof(record)) == DecodeStatus::unknown_kind);
	}
	SECTION("a kind of the future") {
		record.head.kind = STALESOCK_REFUSED_WRITE + 1;
		CHECK(status_of(record, sizeof(record)) == DecodeStatus::unknown_kind);
	}
	SECTION("AF_UNIX") {
		record.head.family = AF_UNIX;
		CHECK(status_of(record, sizeof(record)) == DecodeStatus::bad_field);
	}
	SECTION("a state TCP does not have") {
		record.head.new_state = 13;
		CHECK(status_of(record, sizeof(record)) == DecodeStatus::bad_field);
	}
}

} // namespace stalesock::test
