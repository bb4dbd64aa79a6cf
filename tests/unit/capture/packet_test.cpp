// SPDX-License-Identifier: Apache-2.0
#include "capture/packet.hpp"

#include "capture/payload_head.hpp"
#include "support/catch.hpp"
#include "support/packets.hpp"

#include <string>

namespace stalesock::test {

namespace {

struct Parsed {
	PacketStatus status = PacketStatus::other;
	Segment segment;
};

Parsed parse(LinkType type, const Frame& frame, std::size_t wire_length = 0) {
	Parsed parsed;
	const std::size_t length = wire_length == 0 ? frame.size() : wire_length;
	parsed.status = parse_packet(type, frame, static_cast<std::uint32_t>(length), parsed.segment);
	return parsed;
}

TcpPacket request() {
	TcpPacket packet;
	packet.payload = "GET / HTTP/1.1\r\n\r\n";
	return packet;
}

void check_request(const Parsed& parsed) {
	REQUIRE(parsed.status == PacketStatus::segment);
	const Segment& segment = parsed.segment;
	CHECK(segment.source.port == 40000);
	CHECK(segment.destination.port == 8080);
	CHECK(segment.sequence == 1000);
	CHECK(segment.acknowledgement == 5000);
	CHECK(segment.payload == request().payload.size());
	CHECK(segment.head == PayloadHead::http_request);
}

Frame linux_sll(const Frame& packet) {
	Frame frame{0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00};
	put(frame, packet);
	return frame;
}

Frame linux_sll2(const Frame& packet) {
	Frame frame{0x08, 0x00, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0};
	put(frame, packet);
	return frame;
}

HeadClass head_of(const std::string& payload, std::size_t length = 0) {
	const Octets bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
	return classify_head(bytes, static_cast<std::uint32_t>(length == 0 ? payload.size() : length));
}

} // namespace

TEST_CASE("every link type leads to the same segment", "[capture]") {
	const Frame packet = ipv4_bytes(request());
	Frame null{2, 0, 0, 0};
	put(null, packet);
	check_request(parse(LinkType::ethernet, ethernet_bytes(packet)));
	check_request(parse(LinkType::raw, packet));
	check_request(parse(LinkType::ipv4, packet));
	check_request(parse(LinkType::null, null));
	check_request(parse(LinkType::loop, null));
	check_request(parse(LinkType::linux_sll, linux_sll(packet)));
	check_request(parse(LinkType::linux_sll2, linux_sll2(packet)));
	check_request(parse(LinkType::ipv6, ipv6_bytes(request())));
	check_request(parse(LinkType::ethernet, ethernet_bytes(ipv6_bytes(request()))));
}

TEST_CASE("VLAN tags are passed, however many", "[capture]") {
	const Frame packet = ipv4_bytes(request());
	check_request(parse(LinkType::ethernet, ethernet_bytes(packet, {0x81, 0x00, 0, 5})));
	check_request(
		parse(LinkType::ethernet, ethernet_bytes(packet, {0x88, 0xa8, 0, 9, 0x81, 0x00, 0, 5})));
	Frame cut = ethernet_bytes(packet, {0x81, 0x00, 0, 5});
	cut.resize(15);
	CHECK(parse(LinkType::ethernet, cut).status == PacketStatus::truncated);
}

TEST_CASE("IPv4: addresses, options, fragments and other protocols", "[capture]") {
	const Parsed plain = parse(LinkType::raw, ipv4_bytes(request()));
	CHECK(to_string(plain.segment.source) == "10.0.0.1:40000");
	CHECK(to_string(plain.segment.destination) == "10.0.0.7:8080");
	CHECK(plain.segment.identification == 1);

	Ipv4 ip;
	ip.options = {7, 7, 4, 0, 0, 0, 0, 1};
	check_request(parse(LinkType::raw, ipv4_bytes(request(), ip)));

	ip = {};
	ip.fragment = 0x2000; // more follow
	CHECK(parse(LinkType::raw, ipv4_bytes(request(), ip)).status == PacketStatus::fragment);
	ip.fragment = 0x0001; // not the first
	CHECK(parse(LinkType::raw, ipv4_bytes(request(), ip)).status == PacketStatus::fragment);
	ip = {};
	ip.protocol = 17;
	CHECK(parse(LinkType::raw, ipv4_bytes(request(), ip)).status == PacketStatus::other);
}

TEST_CASE("IPv6: extension headers are passed, fragments are not", "[capture]") {
	const Frame hop_by_hop_and_routing{0, 43, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0};
	check_request(parse(LinkType::raw, ipv6_bytes(request(), hop_by_hop_and_routing)));
	const Frame authentication{51, 6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2};
	check_request(parse(LinkType::raw, ipv6_bytes(request(), authentication)));
	const Frame atomic_fragment{44, 6, 0, 0, 0, 0, 0, 0, 9};
	check_request(parse(LinkType::raw, ipv6_bytes(request(), atomic_fragment)));
	const Frame first_fragment{44, 6, 0, 0, 1, 0, 0, 0, 9};
	CHECK(parse(LinkType::raw, ipv6_bytes(request(), first_fragment)).status ==
	      PacketStatus::fragment);
	const Frame udp{17};
	CHECK(parse(LinkType::raw, ipv6_bytes(request(), udp)).status == PacketStatus::other);
}

TEST_CASE("an IPv4-mapped address equals the IPv4 one", "[capture]") {
	Frame mapped = ipv6_bytes(request());
	const Frame address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
	std::copy(address.begin(), address.end(), mapped.begin() + 8);
	CHECK(parse(LinkType::raw, mapped).segment.source ==
	      parse(LinkType::raw, ipv4_bytes(request())).segment.source);
}

TEST_CASE("lengths come from the IP header, not from what was captured", "[capture]") {
	TcpPacket cut = request();
	cut.length = 1400; // the capture kept 18 bytes of it
	CHECK(parse(LinkType::raw, ipv4_bytes(cut)).segment.payload == 1400);

	TcpPacket headers_only;
	headers_only.length = 1400;
	const Parsed parsed = parse(LinkType::raw, ipv4_bytes(headers_only));
	CHECK(parsed.segment.payload == 1400);
	CHECK(parsed.segment.head == PayloadHead::unknown);

	Frame padded = ethernet_bytes(ipv4_bytes(TcpPacket{}));
	padded.resize(60, 0); // the shortest frame of Ethernet
	CHECK(parse(LinkType::ethernet, padded).segment.payload == 0);

	Ipv4 offloaded;
	offloaded.length_left_out = true;
	const Frame large = ipv4_bytes(request(), offloaded);
	CHECK(parse(LinkType::raw, large, 40 + 65'000).segment.payload == 65'000);
}

TEST_CASE("TCP options", "[capture]") {
	TcpPacket packet;
	packet.options = {1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9};
	const Parsed stamped = parse(LinkType::raw, ipv4_bytes(packet));
	CHECK(stamped.segment.timestamps == TcpTimestamps{7, 9});

	const auto with_block = [](std::uint32_t left, std::uint32_t right) {
		TcpPacket sack;
		sack.options = {5, 10};
		put_u32(sack.options, left);
		put_u32(sack.options, right);
		return parse(LinkType::raw, ipv4_bytes(sack)).segment;
	};
	CHECK(with_block(5100, 5200).selective_ack);
	CHECK_FALSE(with_block(4900, 5000).selective_ack); // reports a duplicate
	CHECK_FALSE(with_block(5100, 5200).timestamps);    // nothing is left of the packet before

	for (const Frame& broken : {Frame{8}, Frame{8, 0}, Frame{8, 1}, Frame{8, 40, 0, 0}}) {
		packet.options = broken;
		CHECK(parse(LinkType::raw, ipv4_bytes(packet)).status == PacketStatus::segment);
	}
}

TEST_CASE("lengths that contradict each other are malformed", "[capture]") {
	Frame short_header = ipv4_bytes(request());
	short_header[0] = 0x44;
	CHECK(parse(LinkType::raw, short_header).status == PacketStatus::malformed);
	Frame short_total = ipv4_bytes(request());
	short_total[2] = 0;
	short_total[3] = 30;
	CHECK(parse(LinkType::raw, short_total).status == PacketStatus::malformed);
	Frame short_tcp = ipv4_bytes(request());
	short_tcp[20 + 12] = 0x40;
	CHECK(parse(LinkType::raw, short_tcp).status == PacketStatus::malformed);
	Frame long_tcp = ipv4_bytes(TcpPacket{});
	long_tcp[20 + 12] = 0xf0;
	CHECK(parse(LinkType::raw, long_tcp).status == PacketStatus::malformed);
	Ipv4 offloaded;
	offloaded.length_left_out = true;
	CHECK(parse(LinkType::raw, ipv4_bytes(request(), offloaded), 4'000'000'000).status ==
	      PacketStatus::malformed);
}

TEST_CASE("a frame cut anywhere is a segment only with a whole TCP header", "[capture]") {
	for (const Frame& packet : {ipv4_bytes(request()), ipv6_bytes(request())}) {
		const Frame whole = ethernet_bytes(packet);
		const std::size_t headers = whole.size() - request().payload.size();
		for (std::size_t size = 0; size < whole.size(); size++) {
			const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
			const Parsed parsed = parse(LinkType::ethernet, cut, whole.size());
			CHECK((parsed.status == PacketStatus::segment) == (size >= headers));
			CHECK((parsed.status == PacketStatus::truncated) == (size < headers));
		}
	}
}

TEST_CASE("frames of HTTP/2 that ask for nothing are known, alone and joined", "[capture]") {
	const std::string window_update("\0\0\4\x08\0\0\0\0\1more", 13);
	const std::string reset_stream("\0\0\4\3\0\0\0\0\1code", 13);
	const std::string pong("\0\0\x08\6\1\0\0\0\0streamno", 17);
	const std::string settings_taken("\0\0\0\4\1\0\0\0\0", 9);
	const std::string headers("\0\0\4\1\5\0\0\0\1four", 13);
	for (const std::string& frames :
	     {window_update, reset_stream, pong, settings_taken, window_update + window_update,
	      settings_taken + pong + reset_stream}) {
		CHECK(head_of(frames).head == PayloadHead::http2_control);
		CHECK(head_of(frames + headers).head == PayloadHead::other);
		CHECK(head_of(frames, frames.size() + 1).head == PayloadHead::other);
		CHECK(head_of(frames.substr(0, frames.size() - 1)).head == PayloadHead::other);
	}
	CHECK(head_of(headers).head == PayloadHead::other);
}

TEST_CASE("TLS records as long as frames of HTTP/2 that ask for nothing are noted", "[capture]") {
	const auto record = [](std::size_t length) {
		return std::string("\x17\3\3\0", 4) + static_cast<char>(length) + std::string(length, 'x');
	};
	for (const std::size_t length : {25, 26, 33, 29, 30, 37, 42, 43, 50}) {
		INFO(length);
		CHECK(head_of(record(length)).head == PayloadHead::tls_data);
		CHECK(head_of(record(length)).control_sized);
		CHECK(head_of(record(length) + record(30)).control_sized);
		CHECK_FALSE(head_of(record(length) + record(39)).control_sized);
		CHECK_FALSE(head_of(record(length), static_cast<std::uint32_t>(length + 6)).control_sized);
	}
	for (const std::size_t length : {19, 24, 27, 31, 39, 41, 51}) {
		CHECK_FALSE(head_of(record(length)).control_sized);
	}
	CHECK_FALSE(head_of("\x15\3\3\0\x1a" + std::string(26, 'x')).control_sized); // an alert
}

TEST_CASE("the first bytes are classified as the kernel side does", "[capture]") {
	CHECK(head_of(std::string("\x15\x03\x03\x00\x1a", 5) + std::string(26, 'x')).head ==
	      PayloadHead::tls_alert);
	const HeadClass notify = head_of(std::string("\x17\x03\x03\x00\x13", 5) + std::string(19, 'x'));
	CHECK(notify.head == PayloadHead::tls_data);
	CHECK(notify.record_length == 19);
	CHECK(head_of(std::string("\x17\x05\x03\x00\x13", 5)).head == PayloadHead::other);
	for (const char* text : {"QUIT", "quit\r\n", "QUIT\r\n"}) {
		CHECK(head_of(text).head == PayloadHead::goodbye);
	}
	CHECK(head_of("QUITTING").head == PayloadHead::goodbye);
	CHECK(head_of("QUITTING!").head == PayloadHead::other);
	CHECK(head_of(std::string("X\0\0\0\4", 5)).head == PayloadHead::goodbye);
	CHECK(head_of(std::string("\1\0\0\0\1", 5)).head == PayloadHead::goodbye);
	CHECK(head_of(std::string("\x88\x82mask12", 8)).head == PayloadHead::goodbye); // WebSocket
	CHECK(head_of(std::string("\x88\x82mask123", 9)).head == PayloadHead::other);
	CHECK(head_of(std::string("\x88\x02"
	                          "12",
	                          4))
	          .head == PayloadHead::goodbye); // a server's is not masked
	const std::string goaway("\0\0\x08\7\0\0\0\0\0streamno", 17);
	CHECK(head_of(goaway).head == PayloadHead::goodbye);
	CHECK(head_of(goaway + "x").head == PayloadHead::other);
	CHECK(head_of(std::string("\0\0\x08\6\0\0\0\0\0streamno", 17)).head ==
	      PayloadHead::other);                                             // PING
	CHECK(head_of(std::string("\xe0\0", 2)).head == PayloadHead::goodbye); // MQTT
	CHECK(head_of(std::string("\xe0\2\0\0", 4)).head == PayloadHead::goodbye);
	CHECK(head_of(std::string("\xe0\1", 2)).head == PayloadHead::other);
	CHECK(head_of(std::string("\xc0\0", 2)).head == PayloadHead::other); // its ping
	for (const char* text : {"GET /", "PUT /", "PRI *", "POST /", "HEAD /", "PATCH /", "DELETE /",
	                         "TRACE /", "OPTIONS *", "CONNECT a:1"}) {
		CHECK(head_of(text).head == PayloadHead::http_request);
	}
	CHECK(head_of("POSTS").head == PayloadHead::other);
	CHECK(head_of("ping").head == PayloadHead::other);
	CHECK(head_of("GET ", 100).head == PayloadHead::unknown); // the capture kept too little
	CHECK(head_of("").head == PayloadHead::unknown);
}

} // namespace stalesock::test
