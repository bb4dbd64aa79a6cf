// SPDX-License-Identifier: Apache-2.0
// Little-endian numbers and short texts to and from bytes. Reading past the end is remembered, not done.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

template <std::unsigned_integral Number> void store(std::byte* to, Number value) {
	for (std::size_t i = 0; i < sizeof(Number); i++) {
		to[i] = static_cast<std::byte>(value >> (8 * i));
	}
}

template <std::unsigned_integral Number> void append(Bytes& bytes, Number value) {
	const std::size_t end = bytes.size();
	bytes.resize(end + sizeof(Number));
	store(bytes.data() + end, value);
}

void append(Bytes& bytes, ByteView more);
/// Its length, then itself; cut after 65,535 bytes.
void append_text(Bytes& bytes, std::string_view text);

class ByteReader {
  public:
	explicit ByteReader(ByteView bytes) : rest_(bytes), size_(bytes.size()) {}

	/// 0 where there are not enough bytes.
	template <std::unsigned_integral Number> Number number() {
		Number value = 0;
		const ByteView bytes = take(sizeof(Number));
		for (std::size_t i = 0; i < bytes.size(); i++) {
			value = static_cast<Number>(value | std::to_integer<Number>(bytes[i]) << (8 * i));
		}
		return value;
	}
	/// Empty where there are not enough.
	ByteView take(std::size_t count);
	std::string text();

	[[nodiscard]] bool empty() const { return rest_.empty(); }
	/// Something was asked for that was not there.
	[[nodiscard]] bool failed() const { return failed_; }
	/// Where the next byte is read, or where one was missing.
	[[nodiscard]] std::size_t position() const { return size_ - rest_.size(); }

  private:
	ByteView rest_;
	std::size_t size_;
	bool failed_ = false;
};

} // namespace stalesock
