// SPDX-License-Identifier: Apache-2.0
#include "record/anonymizer.hpp"

#include "probe/decode.hpp"
#include "support/catch.hpp"
#include "support/raw_record.hpp"
#include "support/recording.hpp"

#include <cstring>
#include <set>

namespace stalesock::test {

namespace {

using matchers::StartsWith;

constexpr SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

Event hidden(const Event& event, const Anonymizer& anonymizer = Anonymizer(key)) {
	Bytes record = raw_record(event);
	anonymizer.apply(record);
	Event result;
	REQUIRE(decode(record, result) == DecodeStatus::ok);
	return result;
}

Event sample() {
	SocketModel socket;
	static_cast<void>(socket.open(recorded_at));
	static_cast<void>(socket.peer_fin(recorded_at + seconds(1)));
	static_cast<void>(socket.late_write(recorded_at + seconds(2), 163));
	Event event = socket.close(recorded_at + seconds(3));
	event.local.address = parse_address("192.0.2.33").value();
	event.cgroup_id = 0x1122334455;
	event.actor = Actor{812, "secret-program"};
	event.late->writer = Actor{813, "secret-thread"};
	return event;
}

bool contains(const Bytes& bytes, std::string_view text) {
	const ByteView wanted = std::as_bytes(std::span(text));
	return std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) != bytes.end();
}

Event with_remote(const char* address, bool ipv6_socket = false) {
	Event event = sample();
	event.ipv6_socket = ipv6_socket;
	event.remote.address = parse_address(address).value();
	return event;
}

} // namespace

TEST_CASE("SipHash-2-4 gives what its authors say", "[record]") {
	Bytes input;
	CHECK(siphash(key, input) == 0x726fdb47dd0e0e31);
	for (unsigned i = 0; i < 15; i++) {
		input.push_back(static_cast<std::byte>(i));
	}
	CHECK(siphash(key, input) == 0xa129ca6149be45e5);
	input.resize(8);
	CHECK(siphash(key, input) == 0x93f5f5799a932462);
}

TEST_CASE("what names hosts and programs is replaced, the rest stays", "[record]") {
	const Event event = sample();
	const Event result = hidden(event);
	CHECK(result.local.address != event.local.address);
	CHECK(result.remote.address != event.remote.address);
	CHECK(result.local.port != event.local.port);
	CHECK(result.remote.port != event.remote.port);
	CHECK(result.local.port > 1024);
	CHECK(result.cgroup_id != event.cgroup_id);
	CHECK(result.cgroup_id != 0);
	CHECK_THAT(result.actor->command, StartsWith("cmd-"));
	CHECK_THAT(result.late->writer->command, StartsWith("cmd-"));
	CHECK(result.actor->command != result.late->writer->command);
	CHECK(result.actor->pid == 812);
	CHECK(result.late->writer->pid == 813);
	CHECK(result.time == event.time);
	CHECK(result.cookie == event.cookie);
	CHECK(result.netns == event.netns);
	CHECK(result.kind == event.kind);
	CHECK(result.view->write_seq == event.view->write_seq);
	CHECK(result.late->bytes == event.late->bytes);
}

TEST_CASE("the same becomes the same, in another recording something else", "[record]") {
	const Event once = hidden(sample());
	const Event again = hidden(sample());
	CHECK(once.local == again.local);
	CHECK(once.remote == again.remote);
	CHECK(once.actor->command == again.actor->command);
	CHECK(once.cgroup_id == again.cgroup_id);
	const Event elsewhere = hidden(sample(), Anonymizer());
	CHECK(elsewhere.remote.address != once.remote.address);
	CHECK(elsewhere.actor->command != once.actor->command);
	CHECK(hidden(sample(), Anonymizer()).remote.address != elsewhere.remote.address);
}

TEST_CASE("kinds of address are kept", "[record]") {
	CHECK(hidden(with_remote("127.0.0.1")).remote.address.bytes[12] == 127);
	CHECK(hidden(with_remote("127.0.0.1")).remote.address != parse_address("127.0.0.1"));
	CHECK(hidden(with_remote("0.0.0.0")).remote.address.bytes[15] == 0);
	CHECK(hidden(with_remote("::1")).remote.address == parse_address("::1"));
	CHECK(hidden(with_remote("::")).remote.address == parse_address("::"));
	const Address ipv6 = hidden(with_remote("2001:db8::7")).remote.address;
	CHECK_FALSE(ipv6.is_ipv4());
	CHECK(ipv6.bytes[0] == 0xfd);
	CHECK(ipv6 != hidden(with_remote("2001:db8::8")).remote.address);
	CHECK(hidden(with_remote("10.0.0.7", true)).remote.address ==
	      hidden(with_remote("10.0.0.7", false)).remote.address);
}

TEST_CASE("ports up to 1024 stay, the others are one to one", "[record]") {
	const Anonymizer anonymizer(key);
	std::set<std::uint16_t> seen;
	int moved = 0;
	for (std::uint32_t port = 0; port <= 65535; port++) {
		const std::uint16_t result = anonymizer.port(static_cast<std::uint16_t>(port));
		seen.insert(result);
		moved += result != port ? 1 : 0;
		if (port <= 1024) {
			REQUIRE(result == port);
		}
	}
	CHECK(seen.size() == 65536);
	CHECK(moved > 64'000);
}

TEST_CASE("IPv4 addresses are one to one, and loopback stays loopback", "[record]") {
	const Anonymizer anonymizer(key);
	std::set<std::uint32_t> seen;
	for (std::uint32_t i = 0; i < 20'000; i++) {
		const std::uint32_t loopback = anonymizer.ipv4(0x7f000000 + i);
		const std::uint32_t other = anonymizer.ipv4(0x0a000000 + i * 4099);
		REQUIRE(loopback >> 24U == 127);
		REQUIRE(other >> 24U != 127);
		REQUIRE(other != 0);
		seen.insert(loopback);
		seen.insert(other);
	}
	CHECK(seen.size() == 40'000);
	CHECK(anonymizer.ipv4(0) == 0);
}

TEST_CASE("nothing of the original is left in the file", "[record]") {
	Tape tape(sample_header(), Anonymizer());
	Event ipv6 = sample();
	ipv6.local.address = ipv6.remote.address = parse_address("2001:db8:1234:5678::9abc").value();
	for (const Event& event : {sample(), ipv6}) {
		tape.writer.record(raw_record(event));
	}
	// Commands that were cut short, to nothing too, over longer ones.
	for (const std::size_t length : {std::size_t{0}, std::size_t{2}}) {
		Bytes leftover = raw_record(sample());
		for (std::size_t i = 0; i + 6 <= leftover.size(); i++) {
			if (std::memcmp(leftover.data() + i, "secret", 6) == 0) {
				leftover[i + length] = std::byte{0};
			}
		}
		tape.writer.record(leftover);
	}
	tape.writer.end(recorded_at, {});
	const Bytes plain = raw_record(sample());
	REQUIRE(contains(plain, "secret"));
	REQUIRE(contains(plain, {"\xc0\x00\x02\x21", 4}));
	for (const std::string_view text :
	     {std::string_view("secret"), std::string_view("cret-program"), std::string_view("program"),
	      std::string_view("thread"), std::string_view("\xc0\x00\x02\x21", 4),
	      std::string_view("\x0a\x00\x00\x07", 4), std::string_view("\x20\x01\x0d\xb8", 4),
	      std::string_view("\x12\x34\x56\x78", 4), std::string_view("\x55\x44\x33\x22\x11", 5)}) {
		CAPTURE(text);
		CHECK_FALSE(contains(tape.bytes, text));
	}
	const RecordingReader reader(input_of(tape.bytes));
	CHECK(reader.header().anonymized);
	CHECK(content_of(tape.bytes).records.size() == 4);
}

} // namespace stalesock::test
