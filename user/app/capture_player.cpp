// SPDX-License-Identifier: Apache-2.0
#include "app/capture_player.hpp"

#include "app/version.hpp"

#include <algorithm>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds tick_interval = 50ms; // as `watch`
constexpr Nanoseconds scan_interval = 10s;  // likewise
/// In a silence ticks become slower: what settles, settles within the first seconds.
constexpr Nanoseconds brisk_for = 5s;
constexpr Nanoseconds slow_interval = 1s;
/// Of a longer silence the rest passes at once.
constexpr Nanoseconds longest_silence = 1h;

EngineOptions engine_options(const CapturePlayer::Options& options) {
	EngineOptions chosen;
	chosen.max_connections = options.max_connections;
	chosen.tick = capture_tick;
	chosen.waiting = options.waiting;
	return chosen;
}

WallTime wall(Nanoseconds time) {
	return WallTime(time);
}

} // namespace

const std::vector<std::string>& capture_gaps() {
	static const std::vector<std::string> gaps{
		"who owns a socket is not in a packet capture",
		"what an application had read is not in a packet capture: no dirty_close, and what depends "
		"on it is "
		"inferred",
		"a write is seen when it leaves, not when it was made",
	};
	return gaps;
}

// The capture's clock is both the boot time and the wall time of what is in it.
CapturePlayer::CapturePlayer(const Options& options, Sink& sink)
	: sink_(sink),
	  pipeline_({engine_options(options), options.filter, options.events, {}, options.collapse},
                sink),
	  reconstruction_(options.max_connections, [this](const Event& event) {
		  events_seen_++;
		  pipeline_.apply(event);
	  }) {}

void CapturePlayer::begin(Nanoseconds time) {
	start_ = now_ = scanned_ = time;
	pipeline_.set_now({now_, wall(now_)});
	sink_.note(Started{std::string(version), {}, "capture", capture_gaps()}, wall(now_));
}

void CapturePlayer::advance(Nanoseconds time) {
	const Nanoseconds silent_since = now_;
	while (now_ + tick_interval < time && now_ - silent_since < longest_silence) {
		now_ += now_ - silent_since < brisk_for ? tick_interval : slow_interval;
		now_ = std::min(now_, time);
		tick();
	}
	now_ = std::max(now_, time);
	pipeline_.set_now({now_, wall(now_)});
}

void CapturePlayer::tick() {
	pipeline_.set_now({now_, wall(now_)});
	if (now_ - scanned_ >= scan_interval) {
		scanned_ = now_;
		reconstruction_.scan(now_);
	}
	pipeline_.tick();
}

void CapturePlayer::play(const CapturedFrame& frame, LinkType type) {
	if (!start_) {
		begin(frame.time);
	}
	advance(frame.time);
	reconstruction_.take(type, frame.bytes, frame.wire_length, frame.time);
}

void CapturePlayer::finish() {
	reconstruction_.finish();
	pipeline_.tick();
	pipeline_.finish();
}

} // namespace stalesock
