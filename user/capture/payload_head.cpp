// SPDX-License-Identifier: Apache-2.0
#include "capture/payload_head.hpp"

#include "stalesock/heads.h"

#include <algorithm>
#include <array>

namespace stalesock {

namespace {

using Head = std::array<std::uint8_t, STALESOCK_HEAD_BYTES>;

/// The first bytes; zeros behind the last.
Head head_of(Octets bytes) {
	Head head{};
	std::copy_n(bytes.begin(), std::min(bytes.size(), head.size()), head.begin());
	return head;
}

/// What was written apart may share a segment: all of its messages are of a kind, and the last ends where the payload does.
/// `length_of` is that of a message by its head, and 0 for one of another kind.
template <typename LengthOf>
bool consists_of(Octets captured, std::uint32_t length, LengthOf length_of) {
	std::size_t next = 0;
	while (next + STALESOCK_TLS_HEADER <= captured.size()) {
		const std::size_t message = length_of(head_of(captured.subspan(next)));
		if (message == 0) {
			return false;
		}
		next += message;
		if (next >= captured.size()) {
			break;
		}
	}
	return next == length && next != 0;
}

std::size_t control_frame(const Head& head) {
	return stalesock_control_frame(head.data());
}

std::size_t record_of_control_size(const Head& head) {
	const stalesock_head seen = stalesock_classify_head(head.data(), STALESOCK_TLS_HEADER);
	const bool sized = head[0] == STALESOCK_TLS_DATA && seen.kind != STALESOCK_HEAD_OTHER &&
	                   stalesock_is_sized_like_control(seen.record_length) != 0;
	return sized ? STALESOCK_TLS_HEADER + std::size_t{seen.record_length} : 0;
}

HeadClass class_of(const stalesock_head& seen) {
	switch (seen.kind) {
	case STALESOCK_HEAD_TLS_ALERT: return {PayloadHead::tls_alert, seen.record_length};
	case STALESOCK_HEAD_TLS_DATA:
	case STALESOCK_HEAD_TLS_CONTROL: return {PayloadHead::tls_data, seen.record_length};
	case STALESOCK_HEAD_GOODBYE: return {PayloadHead::goodbye, 0};
	case STALESOCK_HEAD_CONTROL: return {PayloadHead::http2_control, 0};
	case STALESOCK_HEAD_HTTP:
		return {PayloadHead::http_request, 0, false, seen.announces_body != 0};
	default: return {PayloadHead::other, 0};
	}
}

} // namespace

HeadClass classify_head(Octets captured, std::uint32_t length) {
	if (length == 0 ||
	    captured.size() < std::min<std::size_t>(length, std::size_t{STALESOCK_TLS_HEADER})) {
		return {};
	}
	HeadClass result = class_of(stalesock_classify_head(head_of(captured).data(), length));
	if (result.head == PayloadHead::tls_data) {
		result.control_sized = consists_of(captured, length, record_of_control_size);
	} else if (consists_of(captured, length, control_frame)) {
		result.head = PayloadHead::http2_control;
	} else if (result.head == PayloadHead::http2_control && captured.size() >= length) {
		result.head = PayloadHead::other; // the first frame is one, the second is not
	}
	return result;
}

} // namespace stalesock
