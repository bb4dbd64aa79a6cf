// SPDX-License-Identifier: Apache-2.0
#include "capture/payload_head.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace stalesock {

namespace {

constexpr std::size_t head_length = 5;
constexpr std::uint8_t tls_record_alert = 21; // RFC 8446, 5.1
constexpr std::uint8_t tls_record_data = 23;
constexpr std::uint8_t tls_major_version = 3;
constexpr std::uint8_t last_tls_minor_version = 4;

/// The first five characters of RFC 9110's methods, of PATCH (RFC 5789) and of the preface of HTTP/2; shorter
/// ones include the space that ends them.
constexpr std::array<std::string_view, 10> methods{"GET ",  "PUT ",  "PRI ",  "POST ", "HEAD ",
                                                   "PATCH", "DELET", "TRACE", "OPTIO", "CONNE"};

std::string_view text_of(Octets bytes) {
	return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A masked close frame (RFC 6455, 5.5.1), all of what is sent; DISCONNECT of MQTT; GOAWAY (RFC 9113, 6.8).
bool is_closing_frame(Octets head, std::uint32_t length) {
	constexpr std::uint8_t close_frame = 0x88;
	constexpr std::uint8_t masked = 0x80;
	constexpr std::uint32_t least_of_frame = 6; // its header and mask
	constexpr std::uint8_t disconnect = 0xe0;
	constexpr std::uint32_t longest_disconnect = 4;
	constexpr std::uint8_t goaway = 7;
	constexpr std::uint32_t frame_header = 9;
	constexpr std::uint32_t least_of_goaway = 8;
	if (length >= frame_header && head[0] == 0 && head[1] == 0 && head[3] == goaway &&
	    head[4] == 0) {
		return head[2] >= least_of_goaway && length == frame_header + head[2];
	}
	if (head[0] == close_frame) {
		return head[1] >= masked && length == least_of_frame + head[1] - masked;
	}
	return head[0] == disconnect && length <= longest_disconnect && length == 2U + head[1];
}

/// "QUIT" of SMTP, FTP, POP3 and Redis in either case; the Terminate message of PostgreSQL; COM_QUIT of
/// MySQL with its packet header.
bool is_goodbye(Octets head, std::uint32_t length) {
	constexpr std::uint32_t longest_quit = 8;
	constexpr std::uint32_t upper_case = 0xdfdfdfdf;
	constexpr std::uint32_t quit = 0x51554954; // "QUIT"
	constexpr std::uint32_t terminate = 0x58000000;
	constexpr std::uint32_t com_quit = 0x01000000;
	const std::uint32_t word = read_u32(head, 0);
	if ((word & upper_case) == quit) {
		return length <= longest_quit;
	}
	return length == head_length &&
	       ((word == terminate && head[4] == 4) || (word == com_quit && head[4] == 1));
}

/// WINDOW_UPDATE (RFC 9113, 6.9) and RST_STREAM (6.4), the answers to PING (6.7) and SETTINGS (6.5).
bool asks_for_nothing(Octets frame) {
	constexpr std::uint8_t ack = 1;
	struct Header {
		std::uint8_t length;
		std::uint8_t type;
		std::uint8_t flags;
	};
	constexpr std::array<Header, 4> headers{{{4, 8, 0}, {4, 3, 0}, {8, 6, ack}, {0, 4, ack}}};
	return frame[0] == 0 && frame[1] == 0 &&
	       std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
			   return frame[2] == header.length && frame[3] == header.type &&
		              frame[4] == header.flags;
		   });
}

/// The answer to SETTINGS, or one or two of WINDOW_UPDATE and RST_STREAM, in TLS 1.2 with ChaCha20, in TLS 1.3, in TLS 1.2
/// with AES-GCM. (A PING is as long as a request of eight indexed fields.)
bool is_sized_like_control(Octets record) {
	constexpr std::array<std::uint16_t, 9> sizes{25, 26, 33, 29, 30, 37, 42, 43, 50};
	return record[0] == tls_record_data && record[1] == tls_major_version &&
	       std::find(sizes.begin(), sizes.end(), read_u16(record, 3)) != sizes.end();
}

/// What was written apart may share a segment: `wanted` holds for the first message and for all others, which end where
/// the payload ends. `size` says how long one is, from its first five bytes.
template <typename Wanted, typename Size>
bool consists_of(Octets captured, std::uint32_t length, Wanted wanted, Size size) {
	std::size_t next = 0;
	while (next + head_length <= captured.size() && wanted(captured.subspan(next))) {
		next += size(captured.subspan(next));
	}
	return next == length;
}

bool is_http2_control(Octets captured, std::uint32_t length) {
	constexpr std::size_t frame_header = 9;
	return consists_of(captured, length, asks_for_nothing,
	                   [](Octets frame) { return frame_header + frame[2]; });
}

bool is_tls_of_control_size(Octets captured, std::uint32_t length) {
	return consists_of(captured, length, is_sized_like_control,
	                   [](Octets record) { return head_length + read_u16(record, 3); });
}

bool is_http_method(Octets head) {
	return std::any_of(methods.begin(), methods.end(),
	                   [&](std::string_view method) { return text_of(head).starts_with(method); });
}

} // namespace

HeadClass classify_head(Octets captured, std::uint32_t length) {
	if (length == 0 || captured.size() < std::min<std::size_t>(length, head_length)) {
		return {};
	}
	if (length >= 2 && is_closing_frame(captured, length)) {
		return {PayloadHead::goodbye, 0};
	}
	if (length < head_length) {
		return {PayloadHead::other, 0};
	}
	const Octets head = captured.first(head_length);
	if (head[1] == tls_major_version && head[2] <= last_tls_minor_version) {
		if (head[0] == tls_record_alert) {
			return {PayloadHead::tls_alert, read_u16(head, 3)};
		}
		if (head[0] == tls_record_data) {
			return {PayloadHead::tls_data, read_u16(head, 3),
			        is_tls_of_control_size(captured, length)};
		}
	}
	if (is_goodbye(head, length)) {
		return {PayloadHead::goodbye, 0};
	}
	if (is_http2_control(captured, length)) {
		return {PayloadHead::http2_control, 0};
	}
	return {is_http_method(head) ? PayloadHead::http_request : PayloadHead::other, 0};
}

} // namespace stalesock
