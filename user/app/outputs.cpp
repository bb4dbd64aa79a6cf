// SPDX-License-Identifier: Apache-2.0
#include "app/outputs.hpp"

#include "app/clock.hpp"
#include "app/report.hpp"
#include "model/escape.hpp"

#include <fmt/format.h>

namespace stalesock {

void Outputs::drop(Output& output) {
	output.sink->flush();
	const std::uint64_t lost = output.sink->waiting() + output.sink->discarded();
	const OutputGap gap{output.sink->name(), output.sink->problem(), 0, lost};
	output = {};
	if (lost != 0) {
		tell(gap);
	}
}

void Outputs::configure(const DaemonConfig& config) {
	const bool queue_changed = journal_queue_ != config.journal.queue;
	if (journal_.sink && (!config.journal.enabled || queue_changed)) {
		drop(journal_);
	}
	if (file_.sink && !(file_options_ == config.file.options)) {
		drop(file_);
	}
	if (!journal_.sink && config.journal.enabled) {
		journal_.sink = std::make_unique<JournalSink>(config.journal.queue);
	}
	if (!file_.sink && !config.file.options.path.empty()) {
		file_.sink = std::make_unique<LineFileSink>(config.file.options);
	}
	journal_queue_ = config.journal.queue;
	file_options_ = config.file.options;
	journal_.min_severity = config.journal.min_severity;
	file_.min_severity = config.file.min_severity;
}

void Outputs::verdict(const Verdict& verdict, WallTime time) {
	each([&](Output& output) {
		if (severity_of(verdict.kind) >= output.min_severity) {
			output.sink->verdict(verdict, time);
		}
	});
}

void Outputs::collapsed(const Collapsed& collapsed, WallTime time) {
	each([&](Output& output) {
		if (severity_of(collapsed.kind) >= output.min_severity) {
			output.sink->collapsed(collapsed, time);
		}
	});
}

void Outputs::note(const Note& note, WallTime time) {
	if (const auto* started = std::get_if<Started>(&note)) {
		metrics_.describe(*started);
	}
	each([&](Output& output) { output.sink->note(note, time); });
}

void Outputs::tell(const OutputGap& gap) {
	report(note_text(gap));
	note(gap, read_clocks().wall);
}

int Outputs::flush() {
	each([&](Output& output) {
		output.sink->flush();
		const std::string& problem = output.sink->problem();
		if (!problem.empty() && !output.problem_told) {
			report(fmt::format("{}: {}; what is said meanwhile waits",
			                   escape_untrusted(output.sink->name()), problem));
		}
		output.problem_told = !problem.empty();
		if (const auto gap = output.sink->take_gap()) {
			tell(*gap);
		}
	});
	return 0;
}

void Outputs::reopen() { // NOLINT(readability-make-member-function-const): it changes the file
	if (file_.sink) {
		static_cast<LineFileSink&>(*file_.sink).reopen(); // NOLINT: made as one in configure()
	}
}

std::uint64_t Outputs::waiting() const {
	std::uint64_t count = 0;
	for (const Output* output : {&journal_, &file_}) {
		count += output->sink ? output->sink->waiting() + output->sink->discarded() : 0;
	}
	return count;
}

std::string Outputs::problem() const {
	for (const Output* output : {&journal_, &file_}) {
		if (output->sink && !output->sink->problem().empty()) {
			return fmt::format("{}: {}", escape_untrusted(output->sink->name()),
			                   output->sink->problem());
		}
	}
	return {};
}

} // namespace stalesock
