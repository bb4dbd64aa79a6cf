// SPDX-License-Identifier: Apache-2.0
#include "capture/reconstruction.hpp"

#include <absl/hash/hash.h>
#include <algorithm>

namespace stalesock {

namespace {

/// Later segments of a closed connection are its own for this long: TIME_WAIT on Linux.
constexpr Nanoseconds time_wait = std::chrono::seconds(60);
constexpr std::size_t most_listeners = 16'384;
/// From one device of a host to the next.
constexpr Nanoseconds translation = std::chrono::seconds(1);

} // namespace

std::size_t Reconstruction::EndpointHash::operator()(const Endpoint& endpoint) const {
	return absl::HashOf(endpoint.address.bytes, endpoint.port);
}

Reconstruction::Reconstruction(std::size_t max_connections, EventHandler handler)
	: limit_(std::max<std::size_t>(max_connections, 1)), handler_(std::move(handler)) {}

Reconstruction::Key Reconstruction::key_of(const Endpoint& one, const Endpoint& other) {
	return one < other ? Key{one, other} : Key{other, one};
}

void Reconstruction::take(LinkType type, Octets frame, std::uint32_t wire_length,
                          Nanoseconds time) {
	counters_.packets++;
	switch (parse_packet(type, frame, wire_length, segment_)) {
	case PacketStatus::other: counters_.other++; return;
	case PacketStatus::fragment: counters_.fragments++; return;
	case PacketStatus::truncated: counters_.truncated++; return;
	case PacketStatus::malformed: counters_.malformed++; return;
	case PacketStatus::segment: break;
	}
	segment_.time = time;
	several_devices_ = type == LinkType::linux_sll || type == LinkType::linux_sll2;
	take(segment_);
}

void Reconstruction::take(const Segment& segment) {
	settle(segment.time);
	const Key key = key_of(segment.source, segment.destination);
	const auto found = index_.find(key);
	auto entry = found == index_.end() ? open_.end() : found->second;
	if (entry != open_.end() && entry->conversation.is_succeeded_by(segment)) {
		drop(entry);
		entry = open_.end();
	}
	if (segment.has(tcp_syn) && segment.has(tcp_ack)) {
		note_listener(segment);
	}
	if (entry == open_.end()) {
		entry = begin(key, segment);
	}
	if (entry == open_.end()) {
		counters_.stray++;
		return;
	}
	if (several_devices_ && segment.has(tcp_syn) && is_translated(key, segment)) {
		counters_.translated += entry->conversation.mute(segment.source) ? 1 : 0;
	}
	take(key, segment, entry);
	drop_closed(segment.time);
}

void Reconstruction::take(const Key& key, const Segment& segment, Conversations::iterator entry) {
	const bool was_due = entry->conversation.due().has_value();
	if (!entry->conversation.take(segment, handler_)) {
		counters_.copies++;
		return;
	}
	counters_.segments++;
	refresh(entry);
	if (const auto due = entry->conversation.due(); due && !was_due) {
		due_.emplace_back(*due, key);
	}
}

/// The first sight is the one nearest to the sender. Initial sequence numbers are random (RFC 6528): two that are equal within a
/// second are one.
bool Reconstruction::is_translated(const Key& key, const Segment& segment) {
	while (!ageing_.empty() &&
	       (segment.time - ageing_.front().first > translation || ageing_.size() >= limit_)) {
		const auto old = beginnings_.find(ageing_.front().second);
		if (old != beginnings_.end() && old->second.time == ageing_.front().first) {
			beginnings_.erase(old);
		}
		ageing_.pop_front();
	}
	const auto [found, is_new] =
		beginnings_.try_emplace(segment.sequence, Beginning{key, segment.time, segment.timestamps});
	if (is_new) {
		ageing_.emplace_back(segment.time, segment.sequence);
		return false;
	}
	const Beginning& first = found->second;
	const bool same = !first.timestamps || !segment.timestamps ||
	                  first.timestamps->value == segment.timestamps->value;
	return same && first.key != key;
}

/// It was heard of last.
void Reconstruction::refresh(Conversations::iterator entry) {
	Conversations& from = entry->parked ? closed_ : open_;
	entry->parked |= entry->conversation.closed();
	Conversations& to = entry->parked ? closed_ : open_;
	to.splice(to.end(), from, entry);
}

/// Dues are not quite in order: what comes a little late does so in every run.
void Reconstruction::settle(Nanoseconds now) {
	while (!due_.empty() && due_.front().first < now) {
		if (const auto found = index_.find(due_.front().second); found != index_.end()) {
			found->second->conversation.settle(now, handler_);
			refresh(found->second);
		}
		due_.pop_front();
	}
}

/// A reset begins no connection, and a segment without an acknowledgement is none of an open one.
Reconstruction::Conversations::iterator Reconstruction::begin(const Key& key,
                                                              const Segment& segment) {
	const bool amid = !segment.has(tcp_syn);
	if (amid && (segment.has(tcp_rst) || !segment.has(tcp_ack))) {
		return open_.end();
	}
	if (index_.size() >= limit_) {
		make_room();
	}
	constexpr std::uint64_t ends = 2;
	open_.emplace_back(segment, next_cookie_);
	next_cookie_ += ends;
	const auto entry = std::prev(open_.end());
	index_.emplace(key, entry);
	counters_.connections++;
	if (amid) {
		counters_.begun_before++;
		entry->conversation.begin_amid(segment, source_is_passive(segment), handler_);
	}
	return entry;
}

void Reconstruction::drop(Conversations::iterator entry) {
	Conversation& conversation = entry->conversation;
	conversation.forget(handler_);
	count(conversation);
	index_.erase(key_of(conversation.first(), conversation.second()));
	(entry->parked ? closed_ : open_).erase(entry);
}

void Reconstruction::make_room() {
	if (!closed_.empty()) {
		drop(closed_.begin());
		return;
	}
	drop(open_.begin());
	counters_.evicted++;
}

void Reconstruction::drop_closed(Nanoseconds now) {
	while (!closed_.empty() && now - closed_.front().conversation.last_time() > time_wait) {
		drop(closed_.begin());
	}
}

void Reconstruction::count(const Conversation& conversation) {
	counters_.vantages.at(static_cast<std::size_t>(conversation.vantage()))++;
	counters_.lost += conversation.lost();
}

void Reconstruction::scan(Nanoseconds now) {
	for (const Entry& entry : open_) {
		entry.conversation.scan(now, handler_);
	}
}

void Reconstruction::finish() {
	for (Conversations* list : {&closed_, &open_}) {
		for (Entry& entry : *list) {
			entry.conversation.finish(handler_);
			count(entry.conversation);
		}
		list->clear();
	}
	index_.clear();
}

void Reconstruction::note_listener(const Segment& segment) {
	if (listeners_.size() < most_listeners) {
		listeners_.insert(segment.source);
	}
}

/// Of a connection whose handshake was not captured. Whoever sends an HTTP request opened it; a port that
/// accepted another connection listens; a port that the kernel chooses is a client's. Where both are such, or neither is,
/// the end that speaks first is the client. Where nobody speaks, servers have the lower ports.
bool Reconstruction::source_is_passive(const Segment& segment) const {
	if (segment.head == PayloadHead::http_request) {
		return false;
	}
	const bool source_listens = listeners_.contains(segment.source);
	if (source_listens != listeners_.contains(segment.destination)) {
		return source_listens;
	}
	constexpr std::uint16_t first_chosen = 32'768; // net.ipv4.ip_local_port_range
	const bool alike =
		(segment.source.port < first_chosen) == (segment.destination.port < first_chosen);
	if (alike && segment.payload != 0) {
		return false;
	}
	return segment.source.port < segment.destination.port;
}

} // namespace stalesock
