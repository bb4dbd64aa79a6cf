// SPDX-License-Identifier: Apache-2.0
#include "capture/file.hpp"

#include "support/catch.hpp"
#include "support/packets.hpp"

#include <algorithm>
#include <cerrno>

namespace stalesock::test {

namespace {

using matchers::Contains;
using namespace std::chrono_literals;

void put_swapped(Frame& frame, std::uint32_t value, bool little) {
	Frame bytes;
	put_u32(bytes, value);
	if (little) {
		std::reverse(bytes.begin(), bytes.end());
	}
	put(frame, bytes);
}

struct PcapForm {
	bool little = true;
	bool nanoseconds = false;
	std::uint32_t link_type = 101; // raw IP
};

/// One packet at 1,700,000,000.000005 s.
Frame pcap_bytes(const Frame& packet, const PcapForm& form = {}) {
	Frame file;
	put_swapped(file, form.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, form.little);
	put_swapped(file, form.little ? 0x00040002 : 0x00020004, form.little);
	for (const std::uint32_t value : {0U, 0U, 65535U, form.link_type}) {
		put_swapped(file, value, form.little);
	}
	if (!packet.empty()) {
		const auto size = static_cast<std::uint32_t>(packet.size());
		for (const std::uint32_t value :
		     {1'700'000'000U, form.nanoseconds ? 5000U : 5U, size, size + 1000}) {
			put_swapped(file, value, form.little);
		}
		put(file, packet);
	}
	return file;
}

Frame pcapng_bytes(Frame packet) {
	Frame file;
	const auto put_block = [&file](std::uint32_t type, const Frame& body) {
		const auto length = static_cast<std::uint32_t>(body.size() + 12);
		put_swapped(file, type, true);
		put_swapped(file, length, true);
		put(file, body);
		put_swapped(file, length, true);
	};
	put_block(0x0a0d0d0a,
	          {0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
	put_block(1, {101, 0, 0, 0, 0, 0, 1, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0}); // nanoseconds
	const std::uint64_t time = 1'700'000'000'000'005'000;
	const auto size = static_cast<std::uint32_t>(packet.size());
	Frame body;
	for (const std::uint32_t value : {0U, static_cast<std::uint32_t>(time >> 32U),
	                                  static_cast<std::uint32_t>(time), size, size + 1000}) {
		put_swapped(body, value, true);
	}
	packet.resize((packet.size() + 3) / 4 * 4);
	put(body, packet);
	put_block(6, body);
	return file;
}

/// In pieces, as from a pipe; after them an error, or the end.
CaptureFile::Input input_of(Frame bytes, int error = 0) {
	return [bytes = std::move(bytes), error,
	        at = std::size_t{0}](std::span<std::byte> to) mutable -> ssize_t {
		const std::size_t count = std::min({std::size_t{7}, to.size(), bytes.size() - at});
		std::transform(bytes.begin() + static_cast<std::ptrdiff_t>(at),
		               bytes.begin() + static_cast<std::ptrdiff_t>(at + count), to.begin(),
		               [](std::uint8_t byte) { return std::byte{byte}; });
		at += count;
		return count == 0 ? -error : static_cast<ssize_t>(count);
	};
}

bool looks_like_capture(const Frame& file) {
	return is_capture(std::as_bytes(std::span(file)));
}

std::string refusal(const Frame& file) {
	try {
		const CaptureFile capture(input_of(file));
		return {};
	} catch (const CaptureRefused& refused) {
		return refused.what();
	}
}

} // namespace

TEST_CASE("pcap and pcapng, in every form", "[capture]") {
	const Frame packet = ipv4_bytes(TcpPacket{});
	for (const Frame& file :
	     {pcap_bytes(packet), pcap_bytes(packet, {false}), pcap_bytes(packet, {true, true}),
	      pcap_bytes(packet, {false, true}), pcapng_bytes(packet)}) {
		CHECK(looks_like_capture(file));
		CaptureFile capture(input_of(file));
		CHECK(capture.link_type() == LinkType::raw);
		CapturedFrame frame;
		REQUIRE(capture.next(frame));
		CHECK(Frame(frame.bytes.begin(), frame.bytes.end()) == packet);
		CHECK(frame.wire_length == packet.size() + 1000);
		CHECK(frame.time == 1'700'000'000s + 5us);
		CHECK(capture.offset() == file.size());
		CHECK_FALSE(capture.next(frame));
		CHECK_FALSE(capture.damage());
	}
}

TEST_CASE("a capture without packets is whole", "[capture]") {
	CaptureFile capture(input_of(pcap_bytes({})));
	CapturedFrame frame;
	CHECK_FALSE(capture.next(frame));
	CHECK_FALSE(capture.damage());
}

TEST_CASE("a capture cut anywhere is damaged where it was cut", "[capture]") {
	const Frame file = pcap_bytes(ipv4_bytes(TcpPacket{}));
	constexpr std::size_t header = 24;
	for (std::size_t size = 4; size < file.size(); size++) {
		CaptureFile capture(
			input_of(Frame(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))));
		CapturedFrame frame;
		CHECK_FALSE(capture.next(frame));
		CHECK(capture.damage().has_value() == (size != header));
		if (size > header) {
			CHECK(capture.offset() == header);
		}
	}
}

TEST_CASE("a capture that cannot be read to its end says why", "[capture]") {
	CaptureFile capture(input_of(pcap_bytes(ipv4_bytes(TcpPacket{})), EIO));
	CapturedFrame frame;
	REQUIRE(capture.next(frame));
	CHECK_FALSE(capture.next(frame));
	REQUIRE(capture.damage());
	CHECK_THAT(*capture.damage(), Contains("Input/output error"));
}

TEST_CASE("what is no capture is refused", "[capture]") {
	CHECK_FALSE(looks_like_capture({}));
	CHECK_FALSE(looks_like_capture({0xa1, 0xb2, 0xc3}));
	CHECK_FALSE(looks_like_capture({'#', '!', '/', 'b'}));
	CHECK_THAT(refusal(pcap_bytes({}, {true, false, 105})),
	           Contains("link type") && Contains("IEEE802_11"));
	CHECK_THAT(refusal(pcap_bytes({}, {true, false, 147})), Contains("number 147"));
	Frame newer = pcap_bytes({});
	newer[4] = 9;
	CHECK_FALSE(refusal(newer).empty());
}

} // namespace stalesock::test
