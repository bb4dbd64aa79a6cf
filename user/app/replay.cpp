// SPDX-License-Identifier: Apache-2.0
#include "app/replay.hpp"

#include "app/descriptor.hpp"
#include "app/exit_codes.hpp"
#include "app/options.hpp"
#include "app/player.hpp"
#include "app/progress.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "model/escape.hpp"
#include "record/reader.hpp"
#include "sinks/json.hpp"
#include "sinks/text.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stalesock {

namespace {

/// What one block can become: some ten thousand lines.
constexpr std::size_t output_limit = 256U << 20;
/// Every line counts, so a slow reader is waited for.
constexpr auto forever = std::chrono::hours(24);

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
	throw UsageError(fmt::format("{}: {}", escape_untrusted(path), why));
}

Descriptor open_recording(const std::string& path) {
	Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
	struct stat facts {};
	if (!file.valid() || fstat(file.get(), &facts) != 0) {
		refuse(path, std::strerror(errno)); // NOLINT(concurrency-mt-unsafe)
	}
	if (S_ISDIR(facts.st_mode)) {
		refuse(path, "is a directory");
	}
	return file;
}

ssize_t read_some(int descriptor, std::span<std::byte> to) {
	ssize_t count = 0;
	do {
		count = read(descriptor, to.data(), to.size());
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

RecordingReader read_header(const Descriptor& file, const std::string& path) {
	try {
		return RecordingReader{
			[&file](std::span<std::byte> to) { return read_some(file.get(), to); }};
	} catch (const RecordingRefused& refusal) {
		refuse(path, refusal.what());
	}
}

/// 0: not known.
std::uint64_t size_of(const Descriptor& file) {
	struct stat facts {};
	const bool known = fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode);
	return known ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

std::unique_ptr<Sink> make_sink(const ReplayConfig& config, LineOutput& output) {
	if (config.json) {
		return std::make_unique<JsonSink>(output);
	}
	return std::make_unique<TextSink>(output, config.colour && wants_colour(STDOUT_FILENO));
}

class Replay {
  public:
	explicit Replay(const ReplayConfig& config)
		: config_(config), file_(open_recording(config.file)),
		  reader_(read_header(file_, config.file)), sink_(make_sink(config, output_)) {}

	int run();

  private:
	void announce() const;
	/// Returns the errno that ended the output, or 0.
	int play();
	void summarize(const Player& player) const;

	const ReplayConfig& config_;
	Descriptor file_;
	RecordingReader reader_;
	LineOutput output_{STDOUT_FILENO, output_limit};
	std::unique_ptr<Sink> sink_;
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
	Player player(reader_.header(), {config_.max_connections, config_.filter, config_.events},
	              *sink_);
	Progress progress(fmt::format("replaying {}", escape_untrusted(config_.file)), size_of(file_));
	const auto push = [&] {
		progress.hide();
		return output_.drain(forever);
	};
	int error = 0;
	while (const Block* block = error == 0 ? reader_.next() : nullptr) {
		player.play(*block);
		error = push();
		progress.update(reader_.offset());
	}
	if (error == 0) {
		player.finish();
		error = push();
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
	return Replay{config}.run();
}

} // namespace stalesock
