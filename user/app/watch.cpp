// SPDX-License-Identifier: Apache-2.0
#include "app/watch.hpp"

#include "app/diagram_style.hpp"
#include "app/event_loop.hpp"
#include "app/exit_codes.hpp"
#include "app/learned.hpp"
#include "app/monitor.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "sinks/json.hpp"
#include "sinks/story.hpp"
#include "sinks/text.hpp"

#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr auto patience_at_end = 1000ms;

std::unique_ptr<Sink> make_sink(const WatchConfig& config, LineOutput& output) {
	if (config.json) {
		return std::make_unique<JsonSink>(output);
	}
	const DiagramStyle style = diagram_style({config.ascii, config.colour, 0});
	if (config.explain) {
		return std::make_unique<StorySink>(output,
		                                   StorySink::Options{style.colour, config.events, style});
	}
	return std::make_unique<TextSink>(output, style.colour);
}

// The raw stream comes with what happened at its start; a story needs the stream itself.
MonitorOptions options_for(const WatchConfig& config) {
	MonitorOptions options = config; // NOLINT(cppcoreguidelines-slicing): the part for the monitor
	options.announce = config.events;
	options.events = config.events || config.explain;
	return options;
}

class Watch {
  public:
	explicit Watch(const WatchConfig& config)
		: config_(config), sink_(make_sink(config, output_)),
		  monitor_(options_for(config), *sink_) {}

	int run();

  private:
	void start();
	void announce(const std::vector<std::string>& gaps) const;
	void arm();
	void flush();
	void settle(const Moment& now);
	int finish();

	const WatchConfig& config_;
	LineOutput output_{STDOUT_FILENO};
	std::unique_ptr<Sink> sink_;
	EventLoop loop_{SIGINT, SIGTERM};
	Monitor monitor_;
	std::string stopped_by_;
	Nanoseconds started_{};
	int output_error_ = 0;
};

int Watch::run() {
	start();
	arm();
	loop_.run();
	return finish();
}

void Watch::start() {
	if (!config_.json) {
		monitor_.on_losses([](const Lost& lost) {
			report(fmt::format(
				"events lost so far: {} dropped, {} missed, {} inferred from later ones (a "
				"larger --ring-size helps against drops)",
				lost.dropped, lost.missed, lost.inferred));
		});
	}
	Engine& engine = monitor_.pipeline().engine();
	const std::string problem =
		borrow_learned(config_.peers_file, read_clocks(), engine.peers(), engine.listeners());
	if (!problem.empty()) {
		report(problem);
	}
	const std::vector<std::string> gaps = monitor_.start();
	flush();
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
	                   what.empty() ? "every TCP connection" : what, monitor_.probe().hook_class(),
	                   gaps.size(), monitor_.pipeline().counters().inventoried));
}

void Watch::arm() {
	monitor_.arm(loop_, [this] { flush(); });
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

void Watch::flush() {
	output_error_ = sink_->flush();
	if (output_error_ != 0) {
		loop_.stop();
	}
}

// What has happened up to now still counts; nobody reads it when the output has failed.
void Watch::settle(const Moment& now) {
	if (output_error_ == 0) {
		monitor_.settle(now);
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
	const Pipeline& pipeline = monitor_.pipeline();
	const Summary summary{stopped_by_,
	                      now.boot - started_,
	                      monitor_.probe().counters(),
	                      pipeline.engine_counters(),
	                      pipeline.counters(),
	                      output_.discarded()};
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
