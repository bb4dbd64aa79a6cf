// SPDX-License-Identifier: Apache-2.0
// Ring records of a busy host, made up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bench {

/// Records one after the other, as they lie in the ring.
struct Records {
	std::vector<std::byte> bytes;
	std::vector<std::uint32_t> sizes;
};

/// At least this many records of connections that overlap: of 1,000, 970 are opened, used and closed
/// in order at both ends, 20 are closed by the peer while idle, 10 are written to after that.
[[nodiscard]] Records make_records(std::uint32_t count);

/// One open event each of this many connections.
[[nodiscard]] Records make_opens(std::uint32_t count);

} // namespace bench
