// SPDX-License-Identifier: Apache-2.0
#include "sinks/samples.hpp"

#include <cerrno>

namespace stalesock::test {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Evidence full_evidence() {
	Evidence evidence;
	evidence.idle = microseconds(2'002'149);
	evidence.send_age = milliseconds(3600);
	evidence.receive_age = milliseconds(2001);
	evidence.gap = microseconds(1'500'050);
	evidence.fin_to_write = Nanoseconds(498'123'499);
	evidence.rst_to_write = microseconds(400'123);
	evidence.bytes_after_fin = 163;
	evidence.unread_bytes = 31;
	evidence.eof_read = false;
	evidence.peeked = true;
	evidence.rst_received = true;
	evidence.rst_sent = false;
	evidence.unacked_at_fin = 0;
	evidence.bytes_sent = 4711;
	evidence.bytes_received = 8'589'934'592;
	evidence.late_head = "http_request";
	evidence.keepalive_probes = 3;
	evidence.retransmits = 2;
	evidence.round_trip = microseconds(251);
	evidence.close_wait = milliseconds(60'001);
	evidence.leaked = 12;
	evidence.accepted = false;
	evidence.leaking = milliseconds(180'000);
	evidence.timeout = "keepalive";
	evidence.keepalive_idle = milliseconds(7'200'000);
	evidence.near_misses = 4;
	evidence.dropped_after = milliseconds(400'000);
	return evidence;
}

SocketView full_view() {
	SocketView view;
	view.clock_us = 5'000'001;
	view.first_tx_us = 5'000'002;
	view.delivered_us = 5'000'003;
	view.delivered_tx_us = 5'000'004;
	view.last_tx_ns = 5'000'005'000;
	view.bytes_sent = 11;
	view.bytes_received = 12;
	view.write_seq = 4'294'967'295;
	view.snd_una = 14;
	view.rcv_nxt = 15;
	view.copied_seq = 16;
	view.rcv_wup = 17;
	view.send_age_ticks = 18;
	view.receive_age_ticks = 19;
	view.ack_age_ticks = 20;
	view.srtt_us = 21;
	view.retransmits = 22;
	view.keepalive_time_ticks = 23;
	view.keepalive_interval_ticks = 24;
	view.user_timeout_ms = 25;
	view.echoed_ms = 26;
	view.keepalive_probes = 27;
	view.probes_out = 28;
	return view;
}

LateWrite full_late_write() {
	LateWrite late;
	late.fin_time = milliseconds(7000);
	late.time = microseconds(7'498'000) + Nanoseconds(501);
	late.bytes = 56;
	late.unread = 32;
	late.copied_seq = 30;
	late.writes = 2;
	late.head = PayloadHead::tls_data;
	late.record_length = 51;
	late.read_afterwards = true;
	late.continued = true;
	late.writer = Actor{813, "worker"};
	return late;
}

void set_every_flag(Event& event) {
	event.ipv6_socket = true;
	event.peer_fin_seen = true;
	event.orphan = true;
	event.keepalive = true;
	event.inherited_backlog = true;
	event.upper_layer = true;
	event.peek = true;
	event.eof_read = true;
	event.eof_peeked = true;
	event.destroyed = true;
	event.bare_rst = true;
	event.unanswered = true;
	event.farewell = true;
}

} // namespace

Endpoint endpoint(std::string_view text) {
	return parse_endpoint(text).value();
}

Verdict full_verdict() {
	Verdict verdict;
	verdict.kind = VerdictKind::stale_reuse;
	verdict.confidence = Confidence::likely;
	verdict.inferred = "the time of the FIN";
	verdict.time = milliseconds(7498);
	verdict.id = "2a-1";
	verdict.connection = {42,
	                      false,
	                      endpoint("127.0.0.1:41230"),
	                      endpoint("10.0.0.7:8080"),
	                      Role::active,
	                      TcpState::close_wait,
	                      4026531840,
	                      microseconds(2'503'950)};
	verdict.owner = {OwnerSource::write, 812, "nginx", "nginx.service"};
	verdict.owner.container = std::string(64, 'c');
	verdict.owner.container_runtime = "docker";
	verdict.owner.pod = "0123456789abcdef0123456789abcdef";
	verdict.evidence = full_evidence();
	verdict.peer = {microseconds(2'000'400), microseconds(1'150), 28, 30};
	verdict.message = "nginx (pid 812) wrote 163 B";
	verdict.advice = "keep pooled connections for less time";
	verdict.other_end = OtherEnd{43, verdict.owner, milliseconds(500), microseconds(498'001)};
	return verdict;
}

Verdict minimal_verdict() {
	Verdict verdict;
	verdict.kind = VerdictKind::idle_close;
	verdict.id = "7-1";
	verdict.connection.cookie = 7;
	verdict.message = "closed";
	return verdict;
}

Collapsed full_sum() {
	Collapsed sum;
	sum.kind = VerdictKind::stale_reuse;
	sum.role = Role::active;
	sum.local = endpoint("127.0.0.1:41230");
	sum.remote = endpoint("10.0.0.7:8080");
	sum.owner = {OwnerSource::write, 812, "nginx", "nginx.service"};
	sum.owner.container = std::string(64, 'c');
	sum.owner.container_runtime = "docker";
	sum.owner.pod = "0123456789abcdef0123456789abcdef";
	sum.count = 37;
	sum.shown = 5;
	sum.since = sample_time - std::chrono::seconds(58);
	sum.until = sample_time - std::chrono::seconds(1);
	sum.last_id = "2a-1";
	return sum;
}

Collapsed minimal_sum() {
	Collapsed sum;
	sum.kind = VerdictKind::abandoned_response;
	sum.role = Role::passive;
	sum.local = endpoint("[2001:db8::1]:80");
	sum.remote = endpoint("[2001:db8::9]:40001");
	sum.count = sum.shown = 1;
	sum.since = sum.until = sample_time;
	sum.last_id = "7-1";
	return sum;
}

Event full_event() {
	Event event;
	event.time = milliseconds(7499);
	event.cookie = 42;
	event.cgroup_id = 4242;
	event.netns = 4026531840;
	event.error = EPIPE;
	event.kind = EventKind::late_write;
	event.old_state = TcpState::established;
	event.new_state = TcpState::close_wait;
	event.shutdown = 1;
	set_every_flag(event);
	event.local = endpoint("[2001:db8::1]:41230");
	event.remote = endpoint("[::1]:8080");
	event.actor = Actor{812, "nginx"};
	event.view = full_view();
	event.late = full_late_write();
	return event;
}

Event minimal_event() {
	Event event;
	event.kind = EventKind::released;
	event.cookie = 7;
	return event;
}

std::string hostile_command() {
	return "\x1b[31m\n\x7f\u009b\u202e\xff\xc0\xaf"
		   "x";
}

} // namespace stalesock::test
