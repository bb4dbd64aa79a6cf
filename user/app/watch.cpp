// SPDX-License-Identifier: Apache-2.0
#include "app/watch.hpp"

#include "app/event_loop.hpp"
#include "app/exit_codes.hpp"
#include "app/pipeline.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "app/unit.hpp"
#include "app/version.hpp"
#include "sinks/json.hpp"
#include "sinks/text.hpp"

#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 50ms;
constexpr Nanoseconds lost_interval = 1s;
constexpr auto patience_at_end = 1000ms;

std::unique_ptr<Sink> make_sink(const WatchConfig& config, LineOutput& output) {
	if (config.json) {
		return std::make_unique<JsonSink>(output);
	}
	return std::make_unique<TextSink>(output, config.colour && wants_colour(STDOUT_FILENO));
}

class Watch {
  public:
	explicit Watch(const WatchConfig& config)
		: config_(config), sink_(make_sink(config, output_)), probe_(config.probe),
		  pipeline_({{config.max_connections, probe_.tick()},
	                 config.filter,
	                 config.events,
	                 unit_of_process},
	                *sink_) {}

	int run();

  private:
	void start();
	void announce(const std::vector<std::string>& gaps) const;
	void arm();
	void consume();
	void tick();
	void flush();
	void note_losses();
	void settle(const Moment& now);
	int finish();

	const WatchConfig& config_;
	LineOutput output_{STDOUT_FILENO};
	std::unique_ptr<Sink> sink_;
	EventLoop loop_{SIGINT, SIGTERM};
	Probe probe_;
	Pipeline pipeline_;
	std::string stopped_by_;
	Nanoseconds started_{};
	Nanoseconds losses_noted_{};
	Lost lost_;
	int output_error_ = 0;
};

int Watch::run() {
	start();
	arm();
	loop_.run();
	return finish();
}

void Watch::start() {
	pipeline_.set_now(read_clocks());
	probe_.attach([this](const Event& event) { pipeline_.apply(event); });
	std::vector<std::string> gaps = hook_gaps(probe_.hooks());
	const Moment now = read_clocks();
	if (config_.events) {
		sink_->note(Started{std::string{version}, probe_.hook_class(), gaps}, now.wall);
	}
	pipeline_.set_now(now);
	const std::vector<std::string> unseen = probe_.take_inventory();
	consume();
	if (config_.events) {
		sink_->note(Inventoried{pipeline_.counters().inventoried, unseen}, read_clocks().wall);
	}
	gaps.insert(gaps.end(), unseen.begin(), unseen.end());
	announce(gaps);
	started_ = read_clocks().boot;
}

void Watch::announce(const std::vector<std::string>& gaps) const {
	for (const std::string& gap : gaps) {
		report(fmt::format("gap: {}", gap));
	}
	std::string what = describe(config_.filter);
	if (config_.probe.filter.netns != 0) {
		what += fmt::format("{}network namespace {}", what.empty() ? "" : ", ",
		                    config_.probe.filter.netns);
	}
	report(fmt::format("watching {} (hooks: {}, {} gaps; {} sockets existed)",
	                   what.empty() ? "every TCP connection" : what, probe_.hook_class(),
	                   gaps.size(), pipeline_.counters().inventoried));
}

void Watch::arm() {
	loop_.on_readable(probe_.ring_fd(), [this] { consume(); });
	loop_.every(tick_interval, [this] { tick(); });
	loop_.every(config_.scan_interval, [this] {
		probe_.scan_owners();
		probe_.scan_late_writes();
	});
	loop_.on_hang_up(STDOUT_FILENO, [this] {
		output_error_ = EPIPE;
		loop_.stop();
	});
	if (config_.duration) {
		loop_.after(*config_.duration, [this] {
			stopped_by_ = "--duration";
			loop_.stop();
		});
	}
}

void Watch::consume() {
	pipeline_.set_now(read_clocks());
	probe_.consume();
	flush();
}

// The clock is read before the ring is drained: all that happened before that moment is known.
void Watch::tick() {
	pipeline_.set_now(read_clocks());
	probe_.consume();
	pipeline_.tick();
	note_losses();
	flush();
}

void Watch::flush() {
	output_error_ = sink_->flush();
	if (output_error_ != 0) {
		loop_.stop();
	}
}

void Watch::note_losses() {
	const ProbeCounters counters = probe_.counters();
	const Moment now = read_clocks();
	if (counters.dropped + counters.missed == lost_.dropped + lost_.missed ||
	    now.boot - losses_noted_ < lost_interval) {
		return;
	}
	lost_ = {counters.dropped, counters.missed};
	losses_noted_ = now.boot;
	sink_->note(lost_, now.wall);
	if (!config_.json) {
		report(fmt::format(
			"events lost so far: {} dropped, {} missed (a larger --ring-size helps against drops)",
			lost_.dropped, lost_.missed));
	}
}

// What has happened up to now still counts; nobody reads it when the output has failed.
void Watch::settle(const Moment& now) {
	pipeline_.set_now(now);
	if (output_error_ == 0) {
		probe_.scan_late_writes();
		probe_.consume();
		pipeline_.finish();
		losses_noted_ = {};
		note_losses();
		output_error_ = output_.drain(patience_at_end);
	}
}

int Watch::finish() {
	const Moment now = read_clocks();
	settle(now);
	if (output_error_ != 0) {
		stopped_by_ =
			output_error_ == EPIPE ? "standard output was closed" : "standard output failed";
	} else if (!loop_.stop_signal().empty()) {
		stopped_by_ = loop_.stop_signal();
	}
	const Summary summary{stopped_by_,          now.boot - started_,
	                      probe_.counters(),    pipeline_.engine_counters(),
	                      pipeline_.counters(), output_.discarded()};
	for (const std::string& line : summary_lines(summary)) {
		report(line);
	}
	return exit_code_for_output(output_error_);
}

} // namespace

int run_watch(const WatchConfig& config) {
	return Watch{config}.run();
}

} // namespace stalesock
