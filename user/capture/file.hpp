// SPDX-License-Identifier: Apache-2.0
// A file of captured packets, pcap or pcapng: the only code that knows libpcap. Reads what it is told to, and
// nothing else.
#pragma once

#include "capture/octets.hpp"
#include "capture/packet.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/types.h>

struct pcap;

namespace stalesock {

/// Not a capture, or not one that can be read. what() says why.
class CaptureRefused : public std::runtime_error {
  public:
	using std::runtime_error::runtime_error;
};

/// By the first four bytes, in either byte order, with microseconds or nanoseconds, or pcapng.
[[nodiscard]] bool is_capture(std::span<const std::byte> start);

struct CapturedFrame {
	Octets bytes;
	std::uint32_t wire_length = 0; ///< before the capture cut it
	Nanoseconds time{};            ///< since the epoch
};

class CaptureFile {
  public:
	/// Fills from the start of what it is given: the number of bytes, 0 at the end, or -errno.
	using Input = std::function<ssize_t(std::span<std::byte>)>;

	/// Reads the header. Throws CaptureRefused, also for a link type that cannot be read.
	explicit CaptureFile(Input input);
	~CaptureFile();
	CaptureFile(const CaptureFile&) = delete;
	CaptureFile& operator=(const CaptureFile&) = delete;

	/// Good until the next call. False at the end and at damage.
	bool next(CapturedFrame& frame);

	[[nodiscard]] LinkType link_type() const { return link_type_; }
	/// After next() has returned false: what is wrong with the file.
	[[nodiscard]] const std::optional<std::string>& damage() const { return damage_; }
	/// Bytes understood so far: where the damage begins.
	[[nodiscard]] std::uint64_t offset() const { return offset_; }

  private:
	struct Source {
		Input input;
		std::uint64_t taken = 0;
		int error = 0; ///< errno of a failed read
	};

	void open();
	[[nodiscard]] std::uint64_t position() const;

	std::unique_ptr<Source> source_; ///< stays where it is: the stream points to it
	std::FILE* stream_ = nullptr;    ///< owned by handle_ once that exists
	pcap* handle_ = nullptr;
	LinkType link_type_ = LinkType::null;
	std::optional<std::string> damage_;
	std::uint64_t offset_ = 0;
};

} // namespace stalesock
