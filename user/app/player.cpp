// SPDX-License-Identifier: Apache-2.0
#include "app/player.hpp"

#include "probe/decode.hpp"

#include <algorithm>

namespace stalesock {

namespace {

constexpr Nanoseconds tick_interval = std::chrono::milliseconds(50); // as `watch`
/// Of a silence longer than an hour the rest passes at once.
constexpr int most_ticks = 72'000;

bool is_time(Nanoseconds time) {
	return time.count() >= 0 && static_cast<std::uint64_t>(time.count()) < latest_time_ns;
}

bool has_clocks(const SocketView& view) {
	constexpr std::uint64_t latest_us = latest_time_ns / 1000;
	return std::max({view.clock_us, view.first_tx_us, view.delivered_us, view.delivered_tx_us}) <
	           latest_us &&
	       view.last_tx_ns < latest_time_ns;
}

/// The rules subtract times; no difference of these overflows.
bool has_times(const Event& event) {
	return is_time(event.time) && (!event.view || has_clocks(*event.view)) &&
	       (!event.late ||
	        (is_time(event.late->time) && is_time(event.late->fin_time.value_or(event.time))));
}

// Units are not in the recording, and processes of now are not those of then: nothing is looked up.
Pipeline::Options pipeline_options(const Player::Options& options, Nanoseconds tick) {
	Pipeline::Options chosen;
	chosen.engine.max_connections = options.max_connections;
	chosen.engine.max_peers = options.max_peers;
	chosen.engine.tick = tick;
	chosen.engine.waiting = options.waiting;
	chosen.filter = options.filter;
	chosen.events = options.events;
	chosen.collapse = options.collapse;
	return chosen;
}

} // namespace

Player::Player(const RecordingHeader& header, const Options& options, Sink& sink)
	: sink_(sink), events_(options.events),
	  pipeline_(pipeline_options(options, header.tick), sink), start_{header.boot, header.wall},
	  now_(header.boot) {
	pipeline_.set_now(start_);
	sink_.note(Started{header.version, header.kernel, header.hook_class, header.gaps}, header.wall);
}

void Player::advance(Nanoseconds time) {
	for (int ticks = 0; ticks < most_ticks && now_ + tick_interval < time; ticks++) {
		now_ += tick_interval;
		pipeline_.set_now({now_, wall(now_)});
		pipeline_.tick();
	}
	now_ = std::max(now_, time);
	pipeline_.set_now({now_, wall(now_)});
}

void Player::play(const Block& block) {
	std::visit([this](const auto& content) { play(content); }, block.content);
	advance(block.time);
}

void Player::play(const Records& records) {
	for (const ByteView record : records) {
		play(record);
	}
}

void Player::play(ByteView record) {
	if (decode(record, event_) != DecodeStatus::ok || !has_times(event_)) {
		probe_.malformed++;
		return;
	}
	probe_.events++;
	advance(event_.time);
	pipeline_.apply(event_);
}

void Player::play(const InventoryMark& mark) {
	if (events_ || !mark.gaps.empty()) {
		sink_.note(Inventoried{counters().inventoried, mark.gaps}, wall(now_));
	}
}

void Player::play(const LossMark& mark) {
	probe_.dropped = mark.dropped;
	probe_.missed = mark.missed;
	sink_.note(Lost{mark.dropped, mark.missed, pipeline_.engine_counters().inferred}, wall(now_));
}

void Player::play(const EndMark& mark) {
	probe_.dropped = mark.dropped;
	probe_.missed = mark.missed;
	probe_.malformed += mark.malformed;
	probe_.mptcp_skipped = mark.mptcp_skipped;
}

void Player::finish() {
	pipeline_.tick();
	pipeline_.finish();
}

} // namespace stalesock
