// SPDX-License-Identifier: Apache-2.0
#include "app/replay_capture.hpp"

#include "app/capture_player.hpp"
#include "app/exit_codes.hpp"
#include "app/options.hpp"
#include "app/replay_output.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "model/escape.hpp"

#include <array>
#include <fmt/format.h>
#include <string_view>

namespace stalesock {

namespace {

/// Packets between two looks at the output and the progress.
constexpr std::uint64_t batch = 1024;

constexpr std::array<std::string_view, vantage_count> vantage_names{
	"unknown", "at both ends", "at the active opener", "at the passive opener", "between the ends"};

std::string joined(const std::vector<std::string>& parts) {
	return fmt::format("{}", fmt::join(parts, ", "));
}

/// "packets: 1200 read, 1100 of TCP; skipped: 12 fragments of IP".
std::string packet_line(const CaptureCounters& counters) {
	std::vector<std::string> skipped;
	const auto add = [&skipped](std::uint64_t count, std::string_view what) {
		if (count != 0) {
			skipped.push_back(fmt::format("{} {}", count, what));
		}
	};
	add(counters.other, "not TCP");
	add(counters.fragments, "fragments of IP");
	add(counters.truncated, "cut off within their headers");
	add(counters.malformed, "malformed");
	add(counters.copies, "captured twice");
	add(counters.stray, "of no connection");
	const std::string rest = skipped.empty() ? "" : "; skipped: " + joined(skipped);
	const std::string lost =
		counters.lost == 0 ? ""
						   : fmt::format(", {} gaps where the capture lost some", counters.lost);
	return fmt::format("packets: {} read, {} of TCP{}{}", counters.packets, counters.segments, lost,
	                   rest);
}

std::string connection_line(const CaptureCounters& counters) {
	std::vector<std::string> taken;
	for (std::size_t i = 0; i < vantage_count; i++) {
		if (counters.vantages.at(i) != 0) {
			taken.push_back(fmt::format("{} {}", counters.vantages.at(i), vantage_names.at(i)));
		}
	}
	const std::string where = taken.empty() ? "" : "; seems captured: " + joined(taken);
	const std::string translated =
		counters.translated == 0
			? ""
			: fmt::format(", {} ends seen under another address before", counters.translated);
	return fmt::format("connections: {} seen, {} of them open before the capture, {} evicted{}{}",
	                   counters.connections, counters.begun_before, counters.evicted, translated,
	                   where);
}

class CaptureReplay {
  public:
	CaptureReplay(const ReplayConfig& config, ReplayInput& input)
		: config_(config), file_([&input](std::span<std::byte> to) { return input.read(to); }),
		  output_(config),
		  player_({config.max_connections, config.filter, config.events || config.explain,
	               config.collapse, config.waiting},
	              output_.sink()),
		  progress_(fmt::format("replaying {}", escape_untrusted(config.file)), input.size()) {}

	int run();

  private:
	int play();
	void summarize();

	const ReplayConfig& config_;
	CaptureFile file_;
	ReplayOutput output_;
	CapturePlayer player_;
	Progress progress_;
};

int CaptureReplay::run() {
	for (const std::string& gap : capture_gaps()) {
		report(fmt::format("gap: {}", gap));
	}
	report(fmt::format("replaying {} (a packet capture)", escape_untrusted(config_.file)));
	const int error = play();
	summarize();
	const int code = exit_code_for_output(error);
	if (error != 0 || !file_.damage()) {
		return code;
	}
	report(fmt::format("{} is damaged at byte {}: {}; nothing after that was replayed",
	                   escape_untrusted(config_.file), file_.offset(),
	                   escape_untrusted(*file_.damage())));
	return exit_failed;
}

int CaptureReplay::play() {
	CapturedFrame frame;
	int error = 0;
	for (std::uint64_t count = 1; error == 0 && file_.next(frame); count++) {
		player_.play(frame, file_.link_type());
		if (count % batch == 0) {
			error = output_.push(progress_);
			progress_.update(file_.offset());
		}
	}
	if (error == 0) {
		player_.finish();
		error = output_.push(progress_);
	}
	progress_.hide();
	return error;
}

void CaptureReplay::summarize() {
	Summary summary;
	summary.stopped_by = file_.damage() ? "damage" : "end of the capture";
	summary.duration = player_.duration();
	summary.probe.events = player_.events();
	summary.engine = player_.engine_counters();
	summary.pipeline = player_.counters();
	summary.lines_discarded = output_.discarded();
	for (const std::string& line : summary_lines(summary)) {
		report(line);
	}
	report(packet_line(player_.capture_counters()));
	report(connection_line(player_.capture_counters()));
}

} // namespace

int replay_capture(const ReplayConfig& config, ReplayInput& input) {
	try {
		return CaptureReplay(config, input).run();
	} catch (const CaptureRefused& refusal) {
		throw UsageError(
			fmt::format("{}: {}", escape_untrusted(config.file), escape_untrusted(refusal.what())));
	}
}

} // namespace stalesock
