// SPDX-License-Identifier: Apache-2.0
#include "app/demo.hpp"

#include "app/child.hpp"
#include "app/demo_peers.hpp"
#include "app/demo_story.hpp"
#include "app/event_loop.hpp"
#include "app/exit_codes.hpp"
#include "app/network_namespace.hpp"
#include "app/pipeline.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "probe/namespaces.hpp"
#include "sinks/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr auto give_up_after = 7s;
constexpr auto tick_interval = 50ms;

/// Keeps what it is told for the story at the end.
class Recorder final : public Sink {
  public:
	struct Told {
		Verdict verdict;
		WallTime time;
	};

	void verdict(const Verdict& verdict, WallTime time) override {
		verdicts.push_back({verdict, time});
	}
	void collapsed(const Collapsed& /*collapsed*/, WallTime /*time*/) override {}
	void event(const Event& event, WallTime /*time*/) override { events.push_back(event); }
	int flush() override { return 0; }

	std::vector<Told> verdicts;
	std::vector<Event> events;
};

/// Both children wait until its writing end is closed.
struct StartSignal {
	Descriptor waiting;
	Descriptor given;
};

StartSignal make_start_signal() {
	std::array<int, 2> ends{};
	if (pipe2(ends.data(), O_CLOEXEC) != 0) {
		throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
	}
	return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

/// Forked before anything of BPF is open.
class Actors {
  public:
	Actors()
		: server_("demo-server",
	              [this] {
					  start_.given.reset();
					  return serve_one_connection(listener_.get(), start_.waiting.get());
				  }),
		  client_("demo-client", [this] {
			  start_.given.reset();
			  listener_.reset();
			  return reuse_a_connection(start_.waiting.get());
		  }) {
		listener_.reset();
	}

	void start() { start_.given.reset(); }
	[[nodiscard]] bool have_ended() {
		const bool server_ended = server_.has_ended();
		return client_.has_ended() && server_ended;
	}
	[[nodiscard]] pid_t client() const { return client_.pid(); }

  private:
	StartSignal start_ = make_start_signal();
	Descriptor listener_ = listen_for_demo();
	Child server_;
	Child client_;
};

class Demo {
  public:
	explicit Demo(const DemoConfig& config)
		: colour_(config.colour && wants_colour(STDOUT_FILENO)),
		  probe_({.filter = {.netns = own_network_namespace()}}),
		  pipeline_({{.tick = probe_.tick()}, {}, true, {}}, recorder_) {}

	int run();

  private:
	void observe();
	void tick();
	int tell();
	void tell_story_of(const Recorder::Told& told);
	void tell_failure();
	[[nodiscard]] const Recorder::Told* find_stale_reuse() const;

	bool colour_;
	EventLoop loop_{SIGINT, SIGTERM};
	Actors actors_;
	Probe probe_;
	Recorder recorder_;
	Pipeline pipeline_;
	LineOutput output_{STDOUT_FILENO};
};

int Demo::run() {
	observe();
	if (!loop_.stop_signal().empty()) {
		report(fmt::format("stopped by {}", loop_.stop_signal()));
		return exit_failed;
	}
	const int result = tell();
	const int printed = exit_code_for_output(output_.drain(1s));
	return printed == exit_done ? result : printed;
}

void Demo::observe() {
	output_.line(fmt::format(
		"A server on 127.0.0.1:{} closes connections idle for {} ms; a client reuses its pooled "
		"connection after {} ms.\nBoth are real processes in a private network namespace. Watching "
		"...",
		demo_port, demo_server_idle.count(), demo_client_idle.count()));
	output_.flush();
	pipeline_.set_now(read_clocks());
	probe_.attach([this](const Event& event) { pipeline_.apply(event); });
	loop_.on_readable(probe_.ring_fd(), [this] { probe_.consume(); });
	loop_.every(tick_interval, [this] { tick(); });
	loop_.after(give_up_after, [this] { loop_.stop(); });
	actors_.start();
	loop_.run();
	pipeline_.set_now(read_clocks());
	probe_.consume();
	pipeline_.finish();
}

// The end of the children is looked at before the ring: what they did is in it then.
void Demo::tick() {
	const bool over = actors_.have_ended();
	pipeline_.set_now(read_clocks());
	probe_.consume();
	pipeline_.tick();
	if (over) {
		loop_.stop();
	}
}

const Recorder::Told* Demo::find_stale_reuse() const {
	const auto found = std::find_if(recorder_.verdicts.begin(), recorder_.verdicts.end(),
	                                [this](const auto& told) {
										const Verdict& verdict = told.verdict;
										return verdict.kind == VerdictKind::stale_reuse &&
		                                       verdict.connection.remote.port == demo_port &&
		                                       verdict.owner.pid == actors_.client();
									});
	return found == recorder_.verdicts.end() ? nullptr : &*found;
}

int Demo::tell() {
	if (const Recorder::Told* told = find_stale_reuse()) {
		tell_story_of(*told);
		return exit_done;
	}
	tell_failure();
	return exit_failed;
}

void Demo::tell_story_of(const Recorder::Told& told) {
	std::vector<Event> events;
	std::copy_if(
		recorder_.events.begin(), recorder_.events.end(), std::back_inserter(events),
		[&](const Event& event) { return event.cookie == told.verdict.connection.cookie; });
	output_.line("\nVerdict:\n" + text_line(told.verdict, told.time, colour_));
	output_.line(fmt::format("\nThe connection {} -> {}, as the kernel told it:",
	                         to_string(told.verdict.connection.local),
	                         to_string(told.verdict.connection.remote)));
	for (const std::string& line : tell_story(events, probe_.tick())) {
		output_.line(line);
	}
}

void Demo::tell_failure() {
	const ProbeCounters counters = probe_.counters();
	report(fmt::format(
		"no stale_reuse was reported ({} events, {} lost, {} malformed); what was seen:",
		counters.events, counters.dropped + counters.missed, counters.malformed));
	for (const Recorder::Told& told : recorder_.verdicts) {
		output_.line(text_line(told.verdict, told.time, colour_));
	}
	const Moment now = read_clocks();
	for (const Event& event : recorder_.events) {
		output_.line(text_line(event, wall_time(event.time, now), colour_));
	}
}

} // namespace

int run_demo(const DemoConfig& config) {
	enter_private_network_namespace();
	return Demo{config}.run();
}

} // namespace stalesock
