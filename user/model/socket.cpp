// SPDX-License-Identifier: Apache-2.0
#include "model/socket.hpp"

namespace stalesock {

std::string_view to_string(TimerKind kind) {
	switch (kind) {
	case TimerKind::none: return {};
	case TimerKind::retransmit: return "on";
	case TimerKind::keepalive: return "keepalive";
	case TimerKind::time_wait: return "timewait";
	case TimerKind::persist: return "persist";
	}
	return {};
}

std::string_view to_string(SnapshotSource source) {
	switch (source) {
	case SnapshotSource::iterators: return "iter/tcp";
	case SnapshotSource::sock_diag: return "sock_diag";
	}
	return {};
}

} // namespace stalesock
