// SPDX-License-Identifier: Apache-2.0
#include "app/line_reader.hpp"

#include <utility>

namespace stalesock {

namespace {

constexpr std::size_t chunk = 64U << 10;

} // namespace

/// Whether there is more than before.
bool LineReader::fill() {
	if (ended_) {
		return false;
	}
	buffer_.erase(0, at_);
	at_ = 0;
	const std::size_t before = buffer_.size();
	buffer_.resize(before + chunk);
	const ssize_t count = input_(std::as_writable_bytes(std::span(buffer_.data() + before, chunk)));
	buffer_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
	if (count <= 0) {
		error_ = static_cast<int>(-count);
		ended_ = true;
		return false;
	}
	offset_ += static_cast<std::uint64_t>(count);
	return true;
}

void LineReader::drop_line() {
	if (!dropping_) {
		dropping_ = true;
		if (too_long_++ == 0) {
			first_too_long_ = number_ + 1;
		}
	}
	at_ = buffer_.size();
}

std::optional<std::string_view> LineReader::next() {
	for (;;) {
		const std::size_t end = buffer_.find('\n', at_);
		if (end != std::string::npos) {
			const std::string_view line = std::string_view{buffer_}.substr(at_, end - at_);
			at_ = end + 1;
			number_++;
			if (!std::exchange(dropping_, false)) {
				return line;
			}
			continue;
		}
		if (buffer_.size() - at_ > longest_line) {
			drop_line();
		}
		if (!fill()) {
			break;
		}
	}
	if (at_ == buffer_.size() || dropping_) {
		return std::nullopt;
	}
	const std::string_view rest = std::string_view{buffer_}.substr(at_);
	at_ = buffer_.size();
	number_++;
	return rest;
}

} // namespace stalesock
