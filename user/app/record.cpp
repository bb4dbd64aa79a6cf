// SPDX-License-Identifier: Apache-2.0
#include "app/record.hpp"

#include "app/clock.hpp"
#include "app/event_loop.hpp"
#include "app/exit_codes.hpp"
#include "app/options.hpp"
#include "app/report.hpp"
#include "model/escape.hpp"
#include "probe/kernel.hpp"
#include "record/output_file.hpp"
#include "record/writer.hpp"

#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <optional>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr auto consume_interval = 50ms;
constexpr auto flush_interval = 500ms;

RecordingHeader header_for(const Probe& probe, const Moment& now) {
	Started started = started_by(probe);
	RecordingHeader header;
	header.version = std::move(started.version);
	header.kernel = std::move(started.kernel);
	header.machine = kernel_name().machine;
	header.hook_class = std::move(started.hook_class);
	header.gaps = std::move(started.gaps);
	header.tick = probe.tick();
	header.boot = now.boot;
	header.wall = now.wall;
	return header;
}

std::optional<Anonymizer> anonymizer_for(const RecordConfig& config) {
	return config.anonymize ? std::optional<Anonymizer>(Anonymizer{}) : std::nullopt;
}

std::string describe(const ProbeFilter& filter) {
	std::vector<std::string> parts;
	if (filter.port != 0) {
		parts.push_back(fmt::format("port {}", filter.port));
	}
	if (filter.pid != 0) {
		parts.push_back(fmt::format("pid {}", filter.pid));
	}
	if (filter.netns != 0) {
		parts.push_back(fmt::format("network namespace {}", filter.netns));
	}
	return parts.empty() ? "every TCP connection" : fmt::format("{}", fmt::join(parts, ", "));
}

class Recording {
  public:
	explicit Recording(const RecordConfig& config)
		: config_(config), probe_(config.probe), file_(config.file, config.force),
		  started_(read_clocks()), writer_([this](ByteView bytes) { return file_.write(bytes); },
	                                       header_for(probe_, started_), anonymizer_for(config)) {}

	int run();

  private:
	void start();
	void announce(const std::vector<std::string>& unseen) const;
	void arm();
	void consume();
	void flush();
	int finish();
	[[nodiscard]] EndMark totals() const;

	const RecordConfig& config_;
	EventLoop loop_{SIGINT, SIGTERM};
	Probe probe_;
	OutputFile file_;
	Moment started_;
	RecordingWriter writer_;
	std::uint64_t existed_ = 0; ///< sockets the inventory found
	std::string stopped_by_;
};

int Recording::run() {
	start();
	arm();
	loop_.run();
	return finish();
}

void Recording::start() {
	const auto count = [this](const Event& event) {
		existed_ += event.kind == EventKind::inventory ? 1 : 0;
	};
	probe_.attach(count, [this](ByteView record) { writer_.record(record); });
	const std::vector<std::string> unseen = probe_.take_inventory();
	const Moment now = read_clocks();
	consume();
	writer_.inventory(now.boot, unseen);
	announce(unseen);
}

void Recording::announce(const std::vector<std::string>& unseen) const {
	std::vector<std::string> gaps = hook_gaps(probe_.hooks());
	gaps.insert(gaps.end(), unseen.begin(), unseen.end());
	for (const std::string& gap : gaps) {
		report(fmt::format("gap: {}", gap));
	}
	report(fmt::format("recording {} to {}{} (hooks: {}, {} gaps; {} sockets existed)",
	                   describe(config_.probe.filter), escape_untrusted(config_.file),
	                   config_.anonymize ? ", anonymized" : "", probe_.hook_class(), gaps.size(),
	                   existed_));
}

void Recording::arm() {
	loop_.on_readable(probe_.ring_fd(), [this] { consume(); });
	loop_.every(consume_interval, [this] { consume(); });
	loop_.every(flush_interval, [this] { flush(); });
	loop_.every(config_.scan_interval, [this] {
		probe_.scan_owners();
		probe_.scan_sockets();
	});
	if (config_.duration) {
		loop_.after(*config_.duration, [this] {
			stopped_by_ = "--duration";
			loop_.stop();
		});
	}
}

void Recording::consume() {
	probe_.consume();
	if (writer_.error() != 0) {
		loop_.stop();
	}
}

// The clock is read before the ring is drained: all that happened before that moment is in the file.
void Recording::flush() {
	const Moment now = read_clocks();
	const ProbeCounters counters = probe_.counters();
	consume();
	writer_.flush(now.boot);
	writer_.losses(now.boot, {counters.dropped, counters.missed});
	if (writer_.error() != 0) {
		loop_.stop();
	}
}

EndMark Recording::totals() const {
	const ProbeCounters counters = probe_.counters();
	return {counters.events, counters.dropped, counters.missed, counters.malformed,
	        counters.mptcp_skipped};
}

int Recording::finish() {
	const Moment now = read_clocks();
	if (writer_.error() == 0) {
		probe_.scan_sockets();
		probe_.consume();
		const EndMark end = totals();
		writer_.losses(now.boot, {end.dropped, end.missed});
		writer_.end(now.boot, end);
	}
	const int error = writer_.error() != 0 ? writer_.error() : file_.close();
	if (error != 0) {
		stopped_by_ = "the file cannot be written";
	} else if (!loop_.stop_signal().empty()) {
		stopped_by_ = loop_.stop_signal();
	}
	const double seconds = static_cast<double>((now.boot - started_.boot).count()) / 1e9;
	report(fmt::format("stopped after {:.1f} s ({})", seconds, stopped_by_));
	report(fmt::format("recorded: {} events, {} bytes in {}", writer_.records(), writer_.size(),
	                   escape_untrusted(config_.file)));
	report(event_line(probe_.counters(), {probe_.counters().dropped, probe_.counters().missed}));
	if (error != 0) {
		report(fmt::format("cannot write {}: {}", escape_untrusted(config_.file),
		                   std::strerror(error))); // NOLINT(concurrency-mt-unsafe)
	}
	return error == 0 ? exit_done : exit_failed;
}

} // namespace

int run_record(const RecordConfig& config) {
	const std::string objection = OutputFile::objection(config.file, config.force);
	if (!objection.empty()) {
		throw UsageError(fmt::format("{} {}", escape_untrusted(config.file), objection));
	}
	return Recording{config}.run();
}

} // namespace stalesock
