// SPDX-License-Identifier: Apache-2.0
#include "app/replay.hpp"

#include "app/exit_codes.hpp"
#include "app/player.hpp"
#include "app/progress.hpp"
#include "app/recording_input.hpp"
#include "app/replay_capture.hpp"
#include "app/replay_input.hpp"
#include "app/replay_output.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "capture/file.hpp"
#include "model/escape.hpp"

#include <fmt/format.h>
#include <utility>

namespace stalesock {

namespace {

class Replay {
  public:
	Replay(const ReplayConfig& config, ReplayInput input)
		: config_(config), recording_(std::move(input), config.file), reader_(recording_.reader()),
		  output_(config) {}

	int run();

  private:
	void announce() const;
	/// Returns the errno that ended the output, or 0.
	int play();
	void summarize(const Player& player) const;

	const ReplayConfig& config_;
	RecordingInput recording_;
	RecordingReader& reader_;
	ReplayOutput output_;
};

int Replay::run() {
	int output_error = 0;
	if (!reader_.damage()) {
		announce();
		output_error = play();
	}
	const int code = exit_code_for_output(output_error);
	if (output_error != 0 || !reader_.damage()) {
		return code;
	}
	report(fmt::format("{} is damaged at byte {}: {}; nothing after that was replayed",
	                   escape_untrusted(config_.file), reader_.damage()->offset,
	                   reader_.damage()->what));
	return exit_failed;
}

void Replay::announce() const {
	const RecordingHeader& header = reader_.header();
	for (const std::string& gap : header.gaps) {
		report(fmt::format("gap: {}", escape_untrusted(gap)));
	}
	report(fmt::format("replaying {} (stalesock {} on Linux {} {}{}; hooks: {}, {} gaps)",
	                   escape_untrusted(config_.file), escape_untrusted(header.version),
	                   escape_untrusted(header.kernel), escape_untrusted(header.machine),
	                   header.anonymized ? ", anonymized" : "", escape_untrusted(header.hook_class),
	                   header.gaps.size()));
}

int Replay::play() {
	Player player(reader_.header(),
	              {config_.max_connections, config_.filter, config_.events || config_.explain,
	               config_.collapse, config_.waiting, config_.max_peers},
	              output_.sink());
	Progress progress(fmt::format("replaying {}", escape_untrusted(config_.file)),
	                  recording_.size());
	int error = 0;
	while (const Block* block = error == 0 ? reader_.next() : nullptr) {
		player.play(*block);
		error = output_.push(progress);
		progress.update(reader_.offset());
	}
	if (error == 0) {
		player.finish();
		error = output_.push(progress);
	}
	summarize(player);
	return error;
}

void Replay::summarize(const Player& player) const {
	const ProbeCounters counters = player.probe_counters();
	const Summary summary{reader_.damage() ? "damage" : "end of the recording",
	                      player.duration(),
	                      counters,
	                      player.engine_counters(),
	                      player.counters(),
	                      output_.discarded()};
	for (const std::string& line : summary_lines(summary)) {
		report(line);
	}
}

} // namespace

int run_replay(const ReplayConfig& config) {
	ReplayInput input(config.file);
	if (is_capture(input.start())) {
		return replay_capture(config, input);
	}
	return Replay{config, std::move(input)}.run();
}

} // namespace stalesock
