// SPDX-License-Identifier: Apache-2.0
#include "capture/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <pcap/pcap.h>
#include <string_view>

namespace stalesock {

namespace {

constexpr std::size_t magic_size = 4;
constexpr std::size_t stream_buffer = 1U << 18;

/// Later ones are no moments: differences of two below it cannot overflow.
constexpr std::int64_t latest_second = (std::int64_t{1} << 62) / 1'000'000'000;

std::string name_of(int link_type) {
	const char* const name = pcap_datalink_val_to_name(link_type);
	return name != nullptr ? std::string(name) : fmt::format("number {}", link_type);
}

} // namespace

bool is_capture(std::span<const std::byte> start) {
	constexpr std::array<std::uint32_t, 5> magics{0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1,
	                                              0x0a0d0d0a};
	if (start.size() < magic_size) {
		return false;
	}
	const Octets bytes(reinterpret_cast<const std::uint8_t*>(start.data()), magic_size);
	return std::find(magics.begin(), magics.end(), read_u32(bytes, 0)) != magics.end();
}

CaptureFile::CaptureFile(Input input) : source_(std::make_unique<Source>()) {
	source_->input = std::move(input);
	cookie_io_functions_t functions{};
	functions.read = [](void* cookie, char* to, std::size_t size) -> ssize_t {
		auto& source = *static_cast<Source*>(cookie);
		const ssize_t count =
			source.input({reinterpret_cast<std::byte*>(to), size}); // NOLINT: bytes are bytes
		if (count < 0) {
			source.error = static_cast<int>(-count);
			errno = source.error;
			return -1;
		}
		source.taken += static_cast<std::uint64_t>(count);
		return count;
	};
	functions.seek = [](void* cookie, off64_t* offset, int whence) -> int { // only to tell
		if (*offset != 0 || whence != SEEK_CUR) {
			return -1;
		}
		*offset = static_cast<off64_t>(static_cast<Source*>(cookie)->taken);
		return 0;
	};
	stream_ = fopencookie(source_.get(), "rb", functions);
	if (stream_ == nullptr) {
		throw std::bad_alloc();
	}
	std::setvbuf(stream_, nullptr, _IOFBF, stream_buffer);
	open();
}

CaptureFile::~CaptureFile() {
	if (handle_ != nullptr) {
		pcap_close(handle_);
	} else if (stream_ != nullptr) {
		std::fclose(stream_);
	}
}

/// A header that was cut off is damage, like everything after it.
void CaptureFile::open() {
	std::array<char, PCAP_ERRBUF_SIZE> error{};
	handle_ =
		pcap_fopen_offline_with_tstamp_precision(stream_, PCAP_TSTAMP_PRECISION_NANO, error.data());
	if (handle_ != nullptr) {
		link_type_ = static_cast<LinkType>(pcap_datalink(handle_));
		offset_ = position();
		if (!is_supported(link_type_)) {
			const std::string name = name_of(pcap_datalink(handle_));
			pcap_close(handle_);
			throw CaptureRefused(fmt::format("its link type is not supported: {}", name));
		}
		return;
	}
	if (std::feof(stream_) != 0 || source_->error != 0) {
		damage_ = error.data();
		return;
	}
	std::fclose(stream_);
	throw CaptureRefused(error.data());
}

std::uint64_t CaptureFile::position() const {
	const off64_t at = ftello64(stream_);
	return at < 0 ? source_->taken : static_cast<std::uint64_t>(at);
}

bool CaptureFile::next(CapturedFrame& frame) {
	if (damage_) {
		return false;
	}
	pcap_pkthdr* header = nullptr;
	const u_char* bytes = nullptr;
	const int result = pcap_next_ex(handle_, &header, &bytes);
	if (result != 1) {
		if (result != PCAP_ERROR_BREAK || source_->error != 0) {
			damage_ = source_->error != 0 ? std::strerror(source_->error) // NOLINT(*-mt-unsafe)
			                              : pcap_geterr(handle_);
		}
		return false;
	}
	// The precision is nanoseconds, whatever the field is called.
	const std::int64_t second = std::clamp<std::int64_t>(header->ts.tv_sec, 0, latest_second - 1);
	frame.time = std::chrono::seconds(second) + Nanoseconds(header->ts.tv_usec);
	frame.bytes = Octets(bytes, header->caplen);
	frame.wire_length = std::max(header->len, header->caplen);
	offset_ = position();
	return true;
}

} // namespace stalesock
