// SPDX-License-Identifier: Apache-2.0
#include "sinks/json.hpp"

#include "sinks/json_field.hpp"
#include "sinks/time_text.hpp"

namespace stalesock {

namespace {

using json::Object;
using json::put;
using json::put_coarse_ms;
using json::put_fine_ms;

Object connection_object(const ConnectionFacts& connection) {
	Object object;
	object["cookie"] = connection.cookie;
	object["family"] = connection.ipv6 ? "ipv6" : "ipv4";
	json::put_endpoint(object, "local", connection.local);
	json::put_endpoint(object, "remote", connection.remote);
	if (connection.role != Role::unknown) {
		object["role"] = to_string(connection.role);
	}
	if (connection.state != TcpState::unknown) {
		object["state"] = to_string(connection.state);
	}
	json::put_nonzero(object, "netns", connection.netns);
	put_coarse_ms(object, "age_ms", connection.age);
	return object;
}

void put_names(Object& object, const Owner& owner) {
	put(object, "pid", owner.pid);
	put(object, "command", owner.command);
	put(object, "unit", owner.unit);
	put(object, "container", owner.container);
	put(object, "container_runtime", owner.container_runtime);
	put(object, "pod", owner.pod);
}

Object owner_object(const Owner& owner) {
	Object object;
	put_names(object, owner);
	object["source"] = to_string(owner.source);
	return object;
}

Object evidence_object(const Evidence& evidence) {
	Object object = Object::object();
	put_coarse_ms(object, "idle_ms", evidence.idle);
	put_coarse_ms(object, "send_age_ms", evidence.send_age);
	put_coarse_ms(object, "receive_age_ms", evidence.receive_age);
	put_coarse_ms(object, "gap_ms", evidence.gap);
	put_fine_ms(object, "fin_to_write_ms", evidence.fin_to_write);
	put_fine_ms(object, "rst_to_write_ms", evidence.rst_to_write);
	put(object, "bytes_after_fin", evidence.bytes_after_fin);
	put(object, "unread_bytes", evidence.unread_bytes);
	put(object, "eof_read", evidence.eof_read);
	put(object, "peeked", evidence.peeked);
	put(object, "rst_received", evidence.rst_received);
	put(object, "rst_sent", evidence.rst_sent);
	put(object, "unacked_at_fin", evidence.unacked_at_fin);
	put(object, "bytes_sent", evidence.bytes_sent);
	put(object, "bytes_received", evidence.bytes_received);
	put(object, "turns", evidence.turns);
	put(object, "late_head", evidence.late_head);
	put(object, "keepalive_probes", evidence.keepalive_probes);
	put(object, "retransmits", evidence.retransmits);
	put_fine_ms(object, "round_trip_ms", evidence.round_trip);
	put_coarse_ms(object, "close_wait_ms", evidence.close_wait);
	put(object, "leaked_connections", evidence.leaked);
	put_coarse_ms(object, "leaking_ms", evidence.leaking);
	put(object, "accepted", evidence.accepted);
	put(object, "timeout", evidence.timeout);
	put_coarse_ms(object, "keepalive_idle_ms", evidence.keepalive_idle);
	put(object, "near_misses", evidence.near_misses);
	put_coarse_ms(object, "dropped_after_ms", evidence.dropped_after);
	return object;
}

Object peer_object(const PeerFacts& peer) {
	Object object;
	put_coarse_ms(object, "idle_timeout_ms", peer.idle_timeout);
	put_coarse_ms(object, "spread_ms", peer.spread);
	object["observations"] = peer.observations;
	return object;
}

Object other_end_object(const OtherEnd& other) {
	Object object = owner_object(other.owner);
	object["cookie"] = other.cookie;
	put_fine_ms(object, "fin_age_ms", other.fin_age);
	put_fine_ms(object, "close_age_ms", other.close_age);
	return object;
}

Object sum_object(const Collapsed& collapsed) {
	Object sum;
	sum["verdict"] = to_string(collapsed.kind);
	sum["severity"] = to_string(severity_of(collapsed.kind));
	if (collapsed.role == Role::passive) {
		sum["local_port"] = collapsed.local.port;
		sum["remote_address"] = to_string(collapsed.remote.address);
	} else {
		json::put_endpoint(sum, "remote", collapsed.remote);
	}
	Object owner;
	put_names(owner, collapsed.owner);
	if (!owner.empty()) {
		sum["owner"] = owner;
	}
	sum["count"] = collapsed.count;
	sum["shown"] = collapsed.shown;
	sum["since"] = utc_text(collapsed.since);
	sum["until"] = utc_text(collapsed.until);
	sum["last_id"] = collapsed.last_id;
	return sum;
}

Object note_object(const Started& started, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "start";
	object["version"] = started.version;
	if (!started.kernel.empty()) {
		object["kernel"] = started.kernel;
	}
	object["hook_class"] = started.hook_class;
	object["gaps"] = started.gaps;
	return object;
}

Object note_object(const Inventoried& inventory, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "inventory";
	object["existing_sockets"] = inventory.sockets;
	object["gaps"] = inventory.gaps;
	return object;
}

Object note_object(const Lost& lost, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "lost";
	object["lost"]["dropped"] = lost.dropped;
	object["lost"]["missed"] = lost.missed;
	object["lost"]["inferred"] = lost.inferred;
	return object;
}

Object note_object(const Resumed& resumed, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "resume";
	object["unwatched_ms"] = coarse_ms(resumed.unwatched);
	object["stopped_cleanly"] = resumed.stopped_cleanly;
	object["resumed"] = resumed.resumed;
	json::put(object, "ended", resumed.ended);
	object["undecided"] = resumed.undecided;
	object["undelivered"] = resumed.undelivered;
	json::put_nonzero(object, "forgotten", resumed.forgotten);
	return object;
}

Object note_object(const Reloaded& reloaded, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "reload";
	object["in_use"] = reloaded.problem.empty() ? "new" : "old";
	if (!reloaded.problem.empty()) {
		object["problem"] = reloaded.problem;
	}
	if (!reloaded.waiting.empty()) {
		object["waiting"] = reloaded.waiting;
	}
	return object;
}

Object note_object(const OutputGap& gap, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "output";
	object["output"] = gap.output;
	object["problem"] = gap.problem;
	object["delayed"] = gap.delayed;
	object["discarded"] = gap.discarded;
	return object;
}

} // namespace

Object json::object_of(const Verdict& verdict, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["verdict"] = to_string(verdict.kind);
	object["severity"] = to_string(severity_of(verdict.kind));
	object["confidence"] = to_string(verdict.confidence);
	if (!verdict.inferred.empty()) {
		object["inferred"] = verdict.inferred;
	}
	object["id"] = verdict.id;
	object["connection"] = connection_object(verdict.connection);
	object["owner"] = owner_object(verdict.owner);
	object["evidence"] = evidence_object(verdict.evidence);
	if (verdict.peer) {
		object["peer"] = peer_object(*verdict.peer);
	}
	if (verdict.other_end) {
		object["other_end"] = other_end_object(*verdict.other_end);
	}
	object["message"] = verdict.message;
	if (!verdict.advice.empty()) {
		object["advice"] = verdict.advice;
	}
	return object;
}

Object json::object_of(const Collapsed& collapsed, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["collapsed"] = sum_object(collapsed);
	return object;
}

Object json::object_of(const Note& note, WallTime time) {
	return std::visit([&](const auto& value) { return note_object(value, time); }, note);
}

std::string json_line(const Verdict& verdict, WallTime time) {
	return json::line(json::object_of(verdict, time));
}

std::string json_line(const Collapsed& collapsed, WallTime time) {
	return json::line(json::object_of(collapsed, time));
}

std::string json_line(const Note& note, WallTime time) {
	return json::line(json::object_of(note, time));
}

} // namespace stalesock
