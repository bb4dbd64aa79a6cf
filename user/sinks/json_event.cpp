// SPDX-License-Identifier: Apache-2.0
// The raw stream: what the kernel said, in its own terms.
#include "sinks/json.hpp"

#include "sinks/json_field.hpp"
#include "sinks/time_text.hpp"

namespace stalesock {

namespace {

using json::Object;

Object actor_object(const Actor& actor) {
	Object object;
	object["pid"] = actor.pid;
	object["command"] = actor.command;
	return object;
}

void put_state(Object& object, const char* name, TcpState state) {
	if (state != TcpState::unknown) {
		object[name] = to_string(state);
	}
}

void put_flags(Object& object, const Event& event) {
	json::put_if(object, "peer_fin_seen", event.peer_fin_seen);
	json::put_if(object, "orphan", event.orphan);
	json::put_if(object, "keepalive", event.keepalive);
	json::put_if(object, "inherited_backlog", event.inherited_backlog);
	json::put_if(object, "upper_layer", event.upper_layer);
	json::put_if(object, "peek", event.peek);
	json::put_if(object, "eof_read", event.eof_read);
	json::put_if(object, "eof_peeked", event.eof_peeked);
	json::put_if(object, "destroyed", event.destroyed);
	json::put_if(object, "bare_rst", event.bare_rst);
	json::put_if(object, "unanswered", event.unanswered);
	json::put_if(object, "farewell", event.farewell);
}

Object view_object(const SocketView& view) {
	Object object;
	object["clock_us"] = view.clock_us;
	json::put_nonzero(object, "first_tx_us", view.first_tx_us);
	json::put_nonzero(object, "delivered_us", view.delivered_us);
	json::put_nonzero(object, "delivered_tx_us", view.delivered_tx_us);
	json::put_nonzero(object, "last_tx_ns", view.last_tx_ns);
	object["bytes_sent"] = view.bytes_sent;
	object["bytes_received"] = view.bytes_received;
	object["write_seq"] = view.write_seq;
	object["snd_una"] = view.snd_una;
	object["rcv_nxt"] = view.rcv_nxt;
	object["copied_seq"] = view.copied_seq;
	object["rcv_wup"] = view.rcv_wup;
	object["send_age_ticks"] = view.send_age_ticks;
	object["receive_age_ticks"] = view.receive_age_ticks;
	object["ack_age_ticks"] = view.ack_age_ticks;
	json::put_nonzero(object, "srtt_us", view.srtt_us);
	object["retransmits"] = view.retransmits;
	json::put_nonzero(object, "keepalive_time_ticks", view.keepalive_time_ticks);
	json::put_nonzero(object, "keepalive_interval_ticks", view.keepalive_interval_ticks);
	json::put_nonzero(object, "keepalive_probes", unsigned{view.keepalive_probes});
	json::put_nonzero(object, "user_timeout_ms", view.user_timeout_ms);
	json::put_nonzero(object, "echoed_ms", view.echoed_ms);
	object["probes_out"] = unsigned{view.probes_out};
	return object;
}

Object late_object(const LateWrite& late) {
	Object object;
	if (late.fin_time && late.time_known) {
		object["fin_to_write_ms"] = fine_ms(late.time - *late.fin_time);
	}
	object["bytes"] = late.bytes;
	object["writes"] = late.writes;
	object["unread"] = late.unread;
	object["copied_seq"] = late.copied_seq;
	object["head"] = to_string(late.head);
	if (late.head == PayloadHead::tls_data) {
		object["record_length"] = late.record_length;
	}
	object["read_afterwards"] = late.read_afterwards;
	object["continued"] = late.continued;
	if (late.writer) {
		object["writer"] = actor_object(*late.writer);
	}
	return object;
}

} // namespace

std::string json_line(const Event& event, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["event"] = to_string(event.kind);
	object["boot_ns"] = event.time.count();
	object["cookie"] = event.cookie;
	json::put_endpoint(object, "local", event.local);
	json::put_endpoint(object, "remote", event.remote);
	object["ipv6_socket"] = event.ipv6_socket;
	json::put_nonzero(object, "netns", event.netns);
	put_state(object, "old_state", event.old_state);
	put_state(object, "new_state", event.new_state);
	object["shutdown"] = unsigned{event.shutdown};
	json::put_nonzero(object, "error", event.error);
	put_flags(object, event);
	if (event.actor) {
		object["actor"] = actor_object(*event.actor);
	}
	json::put_nonzero(object, "cgroup_id", event.cgroup_id);
	if (event.view) {
		object["socket"] = view_object(*event.view);
	}
	if (event.late) {
		object["late_write"] = late_object(*event.late);
	}
	return json::line(object);
}

} // namespace stalesock
