// SPDX-License-Identifier: Apache-2.0
#include "app/daemon.hpp"

#include "app/continuity.hpp"
#include "app/event_loop.hpp"
#include "app/exit_codes.hpp"
#include "app/exporter.hpp"
#include "app/outputs.hpp"
#include "app/report.hpp"
#include "app/service.hpp"
#include "app/state_file.hpp"
#include "app/state_saver.hpp"
#include "app/usage_error.hpp"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <numeric>
#include <system_error>

namespace stalesock {

namespace {

/// A crash loses what was learned meanwhile.
constexpr auto save_interval = std::chrono::minutes(1);
constexpr auto metrics_interval = std::chrono::seconds(1);

/// Empty: nothing is kept.
std::string state_file_of(const DaemonConfig& config) {
	const char* const folders = std::getenv("STATE_DIRECTORY"); // NOLINT(concurrency-mt-unsafe)
	if (!config.state_file.empty() || folders == nullptr || *folders == '\0') {
		return config.state_file;
	}
	const std::string_view first = folders;
	return fmt::format("{}/peers.json", first.substr(0, first.find(':')));
}

class Daemon {
  public:
	explicit Daemon(const DaemonCommand& command)
		: command_(command), config_(load_config(command.config)),
		  state_file_(state_file_of(config_)) {
		outputs_.configure(config_);
	}

	int run();

  private:
	void open_continuity();
	void start();
	void tell_resumed(const Moment& now);
	void after_drain();
	void arm();
	void reload();
	void tell(const Note& note);
	void update_status();
	void load();
	void save();
	void note_saved(const std::optional<std::string>& problem);
	void save_finally();
	void note_state(const std::string& problem);
	void export_metrics();
	void update_metrics();
	int finish();
	[[nodiscard]] std::uint64_t verdicts() const;
	/// Standard error would repeat in the journal what its sink says.
	[[nodiscard]] bool speaks() const { return !(stderr_is_journal_ && config_.journal.enabled); }

	const DaemonCommand& command_;
	DaemonConfig config_;
	const bool stderr_is_journal_ = journal_has_standard_error();
	Outputs outputs_;
	EventLoop loop_{SIGINT, SIGTERM};
	std::unique_ptr<Continuity> continuity_; ///< null where there is no room for it
	std::unique_ptr<Monitor> monitor_;
	Exporter exporter_{outputs_.metrics().collectable()};
	std::string exporter_problem_;
	WatchState watch_;
	Nanoseconds started_{};
	LastMinute last_minute_;
	const std::string state_file_;
	std::string state_problem_;
	std::uint64_t saved_events_ = 0;  ///< when the state was saved
	std::uint64_t saving_events_ = 0; ///< when the state was given to be saved
	std::optional<StateSaver> saver_; ///< nothing where no state is kept
};

int Daemon::run() {
	loop_.on_signal(SIGHUP, [this] { reload(); }); // before loading: it must not kill us
	open_continuity();
	MonitorOptions options = config_.monitor;
	options.store = continuity_.get();
	watch_.connections_limit = options.max_connections; // a reload does not change them
	watch_.peers_limit = options.max_peers;
	monitor_ = std::make_unique<Monitor>(options, outputs_);
	load();
	start();
	arm();
	export_metrics();
	notify_ready();
	update_status();
	loop_.run();
	return finish();
}

// Without it the daemon does its work all the same, but the next one begins with nothing.
void Daemon::open_continuity() {
	const char* folder = std::getenv("RUNTIME_DIRECTORY"); // NOLINT(concurrency-mt-unsafe)
	try {
		continuity_ = std::make_unique<Continuity>(folder == nullptr ? "/run/stalesock" : folder);
	} catch (const std::system_error& problem) {
		report(fmt::format("a restart will forget what is known now: {}", problem.what()));
	}
}

void Daemon::tell_resumed(const Moment& now) {
	if (!continuity_ || !continuity_->former()) {
		return;
	}
	const Continuity::Former& former = *continuity_->former();
	Resumed resumed;
	resumed.unwatched = now.boot - former.last_alive;
	resumed.stopped_cleanly = former.stopped_cleanly;
	resumed.resumed = monitor_->resumed();
	resumed.ended = monitor_->ended();
	resumed.undecided = former.undecided;
	resumed.undelivered = former.undelivered;
	resumed.forgotten = former.forgotten;
	tell(resumed);
}

void Daemon::after_drain() {
	outputs_.flush();
	if (continuity_) {
		continuity_->alive(read_clocks().boot, monitor_->pipeline().engine_counters().undecided,
		                   outputs_.waiting());
	}
}

void Daemon::start() {
	monitor_->on_losses([this](const Lost& lost) {
		if (speaks()) {
			report(note_text(lost));
		}
	});
	const Moment begin = read_clocks();
	const bool resumes = continuity_ && continuity_->former();
	const std::vector<std::string> gaps =
		resumes ? monitor_->start(continuity_->former()->connections) : monitor_->start();
	tell_resumed(begin);
	after_drain();
	if (speaks()) {
		for (const std::string& gap : gaps) {
			report(fmt::format("gap: {}", gap));
		}
		report(fmt::format("watching (hooks: {}, {} gaps; {} sockets existed)",
		                   monitor_->probe().hook_class(), gaps.size(),
		                   monitor_->pipeline().counters().inventoried));
	}
	started_ = read_clocks().boot;
}

void Daemon::arm() {
	monitor_->arm(loop_, [this] { after_drain(); });
	loop_.every(std::chrono::duration_cast<std::chrono::microseconds>(LastMinute::interval),
	            [this] {
					last_minute_.add(verdicts());
					export_metrics();
					update_status();
					if (saver_) {
						note_saved(saver_->take_result());
					}
				});
	loop_.every(metrics_interval, [this] { update_metrics(); });
	loop_.every(save_interval, [this] { save(); });
	loop_.feed_watchdog();
}

/// Told once, until it is another one.
void Daemon::note_state(const std::string& problem) {
	if (!problem.empty() && problem != state_problem_) {
		report(problem);
	}
	state_problem_ = problem;
}

/// Opens, closes or tries again, whatever is needed.
void Daemon::export_metrics() {
	update_metrics();
	exporter_.configure(config_.metrics_listen);
	exporter_.retry();
	if (!exporter_.problem().empty() && exporter_.problem() != exporter_problem_) {
		report(exporter_.problem());
	}
	exporter_problem_ = exporter_.problem();
}

void Daemon::update_metrics() {
	if (config_.metrics_listen.empty()) {
		return;
	}
	const ProbeCounters probe = monitor_->probe().counters();
	const EngineCounters engine = monitor_->pipeline().engine_counters();
	watch_.events = probe.events;
	watch_.dropped = probe.dropped;
	watch_.missed = probe.missed;
	watch_.inferred = engine.inferred;
	watch_.malformed = probe.malformed;
	watch_.connections = engine.tracked;
	watch_.connections_evicted = engine.evicted;
	watch_.peers = engine.peers;
	watch_.peers_evicted = engine.peers_evicted;
	watch_.waiting = outputs_.waiting();
	outputs_.metrics().set(watch_);
}

void Daemon::load() {
	if (!state_file_.empty()) {
		note_state(load_learned(state_file_, monitor_->pipeline().engine(), read_clocks()));
		saver_.emplace(state_file_);
	}
}

/// Without an event nothing was learned. While the disk still takes the last state, the next one waits for its turn.
void Daemon::save() {
	const std::uint64_t events = monitor_->probe().counters().events;
	if (!saver_ || saver_->busy() || events == saved_events_) {
		return;
	}
	note_saved(saver_->take_result());
	saving_events_ = events;
	saver_->begin(learned_text(monitor_->pipeline().engine(), read_clocks()));
}

void Daemon::note_saved(const std::optional<std::string>& problem) {
	if (!problem) {
		return;
	}
	note_state(*problem);
	if (problem->empty()) {
		saved_events_ = saving_events_;
	}
}

/// Nothing is watched any more.
void Daemon::save_finally() {
	if (saver_) {
		note_saved(saver_->wait_for_result());
		save();
		note_saved(saver_->wait_for_result());
	}
}

void Daemon::tell(const Note& note) {
	if (speaks()) {
		report(note_text(note));
	}
	outputs_.note(note, read_clocks().wall);
}

// Without SIGHUP's effect on the file logrotate could not work, so that comes in any case.
void Daemon::reload() {
	notify_reloading();
	save();
	outputs_.reopen();
	try {
		DaemonConfig wanted = load_config(command_.config);
		const std::vector<std::string> waiting = waiting_settings(config_, wanted);
		wanted.monitor.probe = config_.monitor.probe;
		outputs_.configure(wanted);
		monitor_->pipeline().set_filter(wanted.monitor.filter);
		monitor_->pipeline().set_collapse(wanted.monitor.collapse);
		for (const std::string& key :
		     waiting) { // they wait until a start, not until the next reload
			wanted.texts[key] = config_.texts[key];
		}
		config_ = std::move(wanted);
		export_metrics();
		tell(Reloaded{{}, waiting});
	} catch (const UsageError& problem) {
		tell(Reloaded{problem.what(), {}});
	}
	outputs_.flush();
	notify_ready();
	update_status();
}

std::uint64_t Daemon::verdicts() const {
	const auto& counts = monitor_->pipeline().counters().verdicts;
	return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void Daemon::update_status() {
	std::string line =
		fmt::format("{} hooks, {} connections, {} verdicts in the last minute, {} events lost",
	                monitor_->probe().hook_class(), monitor_->pipeline().engine_counters().tracked,
	                last_minute_.count(verdicts()), monitor_->losses().total());
	if (const std::string problem = outputs_.problem(); !problem.empty()) {
		line += fmt::format("; {}: {} records wait", problem, outputs_.waiting());
	}
	if (!exporter_.problem().empty()) {
		line += fmt::format("; {}", exporter_.problem());
	}
	notify_status(line);
}

int Daemon::finish() {
	notify_stopping();
	const Moment now = read_clocks();
	monitor_->settle(now);
	save_finally();
	after_drain();
	if (continuity_) {
		continuity_->stopped_cleanly();
	}
	const Pipeline& pipeline = monitor_->pipeline();
	const Summary summary{loop_.stop_signal(),          now.boot - started_,
	                      monitor_->probe().counters(), pipeline.engine_counters(),
	                      pipeline.counters(),          0};
	for (const std::string& line : summary_lines(summary)) {
		report(line);
	}
	if (outputs_.waiting() == 0) {
		return exit_done;
	}
	report(fmt::format("lost: {} records that no output took ({})", outputs_.waiting(),
	                   outputs_.problem()));
	return exit_failed;
}

} // namespace

int run_daemon(const DaemonCommand& command) {
	if (command.check) {
		static_cast<void>(load_config(command.config));
		return exit_done;
	}
	return Daemon{command}.run();
}

} // namespace stalesock
