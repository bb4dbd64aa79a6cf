// SPDX-License-Identifier: Apache-2.0
#include "probe/candidates.hpp"

#include <array>

namespace stalesock {

namespace {

constexpr std::string_view seen_late =
	"a late write is seen by a scan (--scan-interval) or at the end, without its writer and time";

// For each need in order of preference.
constexpr std::array table{
	Candidate{Need::peer_state_change, Mechanism::tracepoint, "state_change_by_segment",
              "tp_btf/inet_sock_set_state", "inet_sock_set_state"},
	Candidate{Need::own_state_change, Mechanism::tracepoint, "state_change_by_process",
              "tp_btf/inet_sock_set_state", "inet_sock_set_state"},
	Candidate{Need::late_write_detail, Mechanism::tracepoint, "send_begin",
              "tp_btf/tcp_sendmsg_locked", "tcp_sendmsg_locked"},
	Candidate{Need::late_write_detail, Mechanism::trampoline, "send_begin_fentry",
              "fentry/tcp_sendmsg_locked", "tcp_sendmsg_locked"},
	Candidate{Need::late_write, Mechanism::tracepoint, "send_end", "tp_btf/sock_send_length",
              "sock_send_length"},
	Candidate{Need::late_write, Mechanism::trampoline, "send_end_fexit", "fexit/tcp_sendmsg_locked",
              "tcp_sendmsg_locked", 3},
	Candidate{Need::late_write, Mechanism::iterator, "late_scan", "iter/tcp", "", 0, seen_late},
	Candidate{Need::late_pages_begin, Mechanism::trampoline, "send_pages_begin_fentry",
              "fentry/do_tcp_sendpages", "do_tcp_sendpages"},
	Candidate{Need::late_pages, Mechanism::trampoline, "send_pages_end_fexit",
              "fexit/do_tcp_sendpages", "do_tcp_sendpages", 5},
	Candidate{Need::eof_read, Mechanism::tracepoint, "receive_end", "tp_btf/sock_recv_length",
              "sock_recv_length"},
	Candidate{Need::eof_read, Mechanism::trampoline, "receive_end_fexit", "fexit/tcp_recvmsg",
              "tcp_recvmsg", 5},
	Candidate{Need::eof_read, Mechanism::trampoline, "receive_end_fexit_short", "fexit/tcp_recvmsg",
              "tcp_recvmsg", 4},
	Candidate{Need::eof_splice, Mechanism::trampoline, "splice_end_fexit", "fexit/tcp_splice_read",
              "tcp_splice_read", 5},
	Candidate{Need::keepalive_probe, Mechanism::tracepoint, "timer_expiry",
              "tp_btf/timer_expire_entry", "timer_expire_entry"},
	Candidate{Need::retransmit, Mechanism::tracepoint, "retransmit", "tp_btf/tcp_retransmit_skb",
              "tcp_retransmit_skb"},
	Candidate{Need::destroy, Mechanism::tracepoint, "destroy", "tp_btf/tcp_destroy_sock",
              "tcp_destroy_sock"},
	Candidate{Need::inventory, Mechanism::iterator, "inventory", "iter/tcp", ""},
	Candidate{Need::waiting_scan, Mechanism::iterator, "waiting_scan", "iter/tcp", ""},
	Candidate{Need::owner_scan, Mechanism::iterator, "owner_scan", "iter/task_file", ""},
};

} // namespace

std::span<const Candidate> candidates() {
	return table;
}

bool is_required(Need need) {
	return need == Need::peer_state_change || need == Need::own_state_change;
}

std::string_view consequence_of(Need need) {
	switch (need) {
	case Need::peer_state_change:
	case Need::own_state_change: return "nothing can be said without it";
	case Need::late_write: return seen_late;
	case Need::late_pages:
		return "a late write by sendfile or splice is reported when the connection ends, without "
			   "its "
			   "writer and time";
	case Need::late_write_detail:
		return "a TLS farewell and a request look the same; a pool that reuses connections too "
			   "late is not noticed before it fails; what was answered is known from counters, and "
			   "every FIN costs a storage";
	case Need::late_pages_begin: return ""; // late_pages says it
	case Need::eof_read:
		return "whether the application had read the end of file is only known from counters";
	case Need::eof_splice: return "an end of file read by splice() is not noticed";
	case Need::keepalive_probe: return "keepalive probes are not counted";
	case Need::retransmit: return "unanswered retransmissions are only known from counters";
	case Need::destroy:
		return "a short late write that was reset is judged without what the application did next";
	case Need::inventory:
		return "connections opened before stalesock are unknown until something happens to them";
	case Need::waiting_scan:
		return "connections that the application never closes or reads are not noticed";
	case Need::owner_scan:
		return "the owner of accepted and of older connections is unknown until it writes or "
			   "closes";
	}
	return "";
}

bool is_moot_without_target(Need need) {
	return need == Need::late_pages || need == Need::late_pages_begin;
}

bool is_about_traffic(Need need) {
	switch (need) {
	case Need::late_write:
	case Need::late_pages:
	case Need::late_write_detail:
	case Need::late_pages_begin:
	case Need::eof_read:
	case Need::eof_splice: return true;
	default: return false;
	}
}

std::string_view to_string(HookChoice choice) {
	switch (choice) {
	case HookChoice::automatic: return "automatic";
	case HookChoice::tracepoint: return "tracepoint";
	case HookChoice::trampoline: return "trampoline";
	case HookChoice::none: return "none";
	}
	return "unknown";
}

std::string_view to_string(Need need) {
	switch (need) {
	case Need::peer_state_change: return "state changes by the peer";
	case Need::own_state_change: return "state changes by processes";
	case Need::late_write: return "write after FIN";
	case Need::late_pages: return "pages written after FIN";
	case Need::late_write_detail: return "payload head";
	case Need::late_pages_begin: return "pages about to be written";
	case Need::eof_read: return "EOF read";
	case Need::eof_splice: return "EOF read by splice";
	case Need::keepalive_probe: return "keepalive probe";
	case Need::retransmit: return "retransmission";
	case Need::destroy: return "end of socket";
	case Need::inventory: return "inventory";
	case Need::waiting_scan: return "waiting sockets";
	case Need::owner_scan: return "owners";
	}
	return "unknown";
}

} // namespace stalesock
