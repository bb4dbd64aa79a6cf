// SPDX-License-Identifier: Apache-2.0
#include "model/event.hpp"

namespace stalesock {

std::string_view to_string(TcpState state) {
	switch (state) {
	case TcpState::unknown: break;
	case TcpState::established: return "ESTABLISHED";
	case TcpState::syn_sent: return "SYN_SENT";
	case TcpState::syn_recv: return "SYN_RECV";
	case TcpState::fin_wait1: return "FIN_WAIT1";
	case TcpState::fin_wait2: return "FIN_WAIT2";
	case TcpState::time_wait: return "TIME_WAIT";
	case TcpState::close: return "CLOSE";
	case TcpState::close_wait: return "CLOSE_WAIT";
	case TcpState::last_ack: return "LAST_ACK";
	case TcpState::listen: return "LISTEN";
	case TcpState::closing: return "CLOSING";
	case TcpState::new_syn_recv: return "NEW_SYN_RECV";
	}
	return "UNKNOWN";
}

std::string_view to_string(Role role) {
	switch (role) {
	case Role::unknown: break;
	case Role::active: return "active";
	case Role::passive: return "passive";
	}
	return "unknown";
}

std::string_view to_string(EventKind kind) {
	switch (kind) {
	case EventKind::open: return "open";
	case EventKind::peer_fin: return "peer_fin";
	case EventKind::late_write: return "late_write";
	case EventKind::eof_read: return "eof_read";
	case EventKind::close: return "close";
	case EventKind::end: return "end";
	case EventKind::keepalive_probe: return "keepalive_probe";
	case EventKind::retransmit: return "retransmit";
	case EventKind::inventory: return "inventory";
	case EventKind::owner: return "owner";
	case EventKind::released: return "released";
	case EventKind::reuse: return "reuse";
	case EventKind::scan: return "scan";
	case EventKind::refused_write: return "refused_write";
	}
	return "unknown";
}

std::string_view to_string(OwnerSource source) {
	switch (source) {
	case OwnerSource::unknown: break;
	case OwnerSource::connect: return "connect";
	case OwnerSource::write: return "write";
	case OwnerSource::close: return "close";
	case OwnerSource::scan: return "scan";
	}
	return "unknown";
}

std::string_view to_string(PayloadHead head) {
	switch (head) {
	case PayloadHead::unknown: break;
	case PayloadHead::tls_alert: return "tls_alert";
	case PayloadHead::tls_data: return "tls_data";
	case PayloadHead::goodbye: return "goodbye";
	case PayloadHead::other: return "other";
	case PayloadHead::http_request: return "http_request";
	case PayloadHead::http2_control: return "http2_control";
	}
	return "unknown";
}

} // namespace stalesock
