// SPDX-License-Identifier: Apache-2.0
#include "record/bytes.hpp"

#include <algorithm>
#include <limits>

namespace stalesock {

void append(Bytes& bytes, ByteView more) {
	bytes.insert(bytes.end(), more.begin(), more.end());
}

void append_text(Bytes& bytes, std::string_view text) {
	const std::size_t most = std::numeric_limits<std::uint16_t>::max();
	const std::string_view kept = text.substr(0, std::min(text.size(), most));
	append(bytes, static_cast<std::uint16_t>(kept.size()));
	append(bytes, std::as_bytes(std::span(kept)));
}

ByteView ByteReader::take(std::size_t count) {
	if (failed_ || rest_.size() < count) {
		failed_ = true;
		return {};
	}
	const ByteView taken = rest_.first(count);
	rest_ = rest_.subspan(count);
	return taken;
}

std::string ByteReader::text() {
	const ByteView bytes = take(number<std::uint16_t>());
	std::string text(bytes.size(), '\0');
	std::transform(bytes.begin(), bytes.end(), text.begin(),
	               [](std::byte byte) { return std::to_integer<char>(byte); });
	return text;
}

} // namespace stalesock
