// SPDX-License-Identifier: Apache-2.0
// What a kernel once said of its sockets: tests/golden/snapshots.
#pragma once

#include "model/socket.hpp"
#include "sinks/sink.hpp"

#include <string>

namespace stalesock::test {

struct RecordedSnapshot {
	SocketTable table;
	Nanoseconds boot{}; ///< both clocks when it was taken
	WallTime wall;
};

/// Throws std::runtime_error when the file is not a whole recording with records of today's layout.
[[nodiscard]] RecordedSnapshot read_recorded_snapshot(const std::string& name);

} // namespace stalesock::test
