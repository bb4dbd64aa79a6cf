// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

#include <algorithm>
#include <string_view>

#include <algorithm>
#include <string_view>

namespace oracle {

using namespace std::string_view_literals;

namespace {

constexpr char filler = '.';
constexpr std::uint8_t tls_alert_type = 0x15;
constexpr std::uint8_t tls_data_type = 0x17;
constexpr std::size_t tls_record_header = 5;
constexpr std::size_t largest_tls_record = 16'384;
/// The shortest that was seen of a real client.
constexpr std::size_t smallest_tls_request = 56;
/// A TLS 1.3 record has 17 bytes of its own: below this no request fits, only an alert.
constexpr unsigned smallest_request_record = 32;

struct HeadBytes {
	std::string_view first;
	std::size_t size; ///< of the whole write; 0 when the caller chooses
};

HeadBytes head_bytes(Head head) {
	switch (head) {
	case Head::request: return {"GET /"sv, 0};
	case Head::response: return {"HTTP/"sv, 0};
	case Head::more: return {""sv, 0};
	case Head::tls_request: return {"\x17\x03\x03"sv, 0};
	case Head::tls_notify: return {"\x17\x03\x03\x00\x13"sv, 24};
	case Head::tls_alert: return {"\x15\x03\x03\x00\x1a"sv, 31};
	case Head::goodbye: return {"QUIT\r\n"sv, 6};
	}
	return {""sv, 0};
}

} // namespace

std::size_t size_of(Head head, std::size_t size) {
	if (head == Head::tls_request)
		return std::max(size, smallest_tls_request);
	const std::size_t own = head_bytes(head).size;
	return own != 0 ? own : size;
}

std::string bytes_of(Head head, std::size_t size) {
	const std::size_t total = size_of(head, size);
	std::string bytes(head_bytes(head).first.substr(0, total));
	if (head == Head::tls_request) {
		const std::size_t length = std::min(total - tls_record_header, largest_tls_record);
		bytes += static_cast<char>(length >> 8);
		bytes += static_cast<char>(length & 0xff);
	}
	bytes.resize(total, filler);
	return bytes;
}

Speech speech_of(const CapturedHead& head) {
	if (head.length == 0 || head.bytes[0] == static_cast<std::uint8_t>(filler))
		return Speech::continuation;
	if (head.bytes[0] == static_cast<std::uint8_t>('Q'))
		return Speech::farewell;
	const bool is_tls_record = head.length == 5 && head.bytes[1] == 3;
	if (is_tls_record && head.bytes[0] == tls_alert_type)
		return Speech::farewell;
	if (is_tls_record && head.bytes[0] == tls_data_type) {
		const unsigned length = static_cast<unsigned>(head.bytes[3]) << 8 | head.bytes[4];
		return length < smallest_request_record ? Speech::farewell : Speech::message;
	}
	return Speech::message;
}

bool names_a_method(const CapturedHead& head) {
	constexpr std::string_view method = "GET ";
	return head.length >= method.size() &&
	       std::equal(method.begin(), method.end(), head.bytes.begin(),
	                  [](char letter, std::uint8_t byte) {
						  return static_cast<std::uint8_t>(letter) == byte;
					  });
}

} // namespace oracle
