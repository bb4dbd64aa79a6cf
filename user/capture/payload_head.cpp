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
			return {PayloadHead::tls_data, read_u16(head, 3)};
		}
	}
	if (is_goodbye(head, length)) {
		return {PayloadHead::goodbye, 0};
	}
	return {is_http_method(head) ? PayloadHead::http_request : PayloadHead::other, 0};
}

} // namespace stalesock
