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

Object owner_object(const Owner& owner) {
	Object object;
	put(object, "pid", owner.pid);
	put(object, "command", owner.command);
	put(object, "unit", owner.unit);
	object["source"] = to_string(owner.source);
	return object;
}

Object evidence_object(const Evidence& evidence) {
	Object object = Object::object();
	put_coarse_ms(object, "idle_ms", evidence.idle);
	put_coarse_ms(object, "receive_age_ms", evidence.receive_age);
	put_coarse_ms(object, "gap_ms", evidence.gap);
	put_fine_ms(object, "fin_to_write_ms", evidence.fin_to_write);
	put(object, "bytes_after_fin", evidence.bytes_after_fin);
	put(object, "unread_bytes", evidence.unread_bytes);
	put(object, "eof_read", evidence.eof_read);
	put(object, "peeked", evidence.peeked);
	put(object, "rst_received", evidence.rst_received);
	put(object, "rst_sent", evidence.rst_sent);
	put(object, "unacked_at_fin", evidence.unacked_at_fin);
	put(object, "bytes_sent", evidence.bytes_sent);
	put(object, "bytes_received", evidence.bytes_received);
	put(object, "late_head", evidence.late_head);
	put(object, "keepalive_probes", evidence.keepalive_probes);
	put(object, "retransmits", evidence.retransmits);
	put_fine_ms(object, "round_trip_ms", evidence.round_trip);
	return object;
}

Object peer_object(const PeerFacts& peer) {
	Object object;
	put_coarse_ms(object, "idle_timeout_ms", peer.idle_timeout);
	put_coarse_ms(object, "spread_ms", peer.spread);
	object["observations"] = peer.observations;
	return object;
}

Object note_object(const Started& started, WallTime time) {
	Object object;
	object["time"] = utc_text(time);
	object["record"] = "start";
	object["version"] = started.version;
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
	return object;
}

} // namespace

std::string json_line(const Verdict& verdict, WallTime time) {
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
	object["message"] = verdict.message;
	if (!verdict.advice.empty()) {
		object["advice"] = verdict.advice;
	}
	return json::line(object);
}

std::string json_line(const Note& note, WallTime time) {
	return std::visit([&](const auto& value) { return json::line(note_object(value, time)); },
	                  note);
}

} // namespace stalesock
