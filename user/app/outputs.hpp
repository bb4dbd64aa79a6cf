// SPDX-License-Identifier: Apache-2.0
// The daemon's outputs as one sink: each gets what is severe enough for it, and all are told when one of them was
// away.
#pragma once

#include "app/daemon_config.hpp"
#include "sinks/journal.hpp"
#include "sinks/line_file.hpp"
#include "sinks/metrics.hpp"

#include <memory>

namespace stalesock {

class Outputs final : public Sink {
  public:
	/// Opens, closes and keeps outputs as is asked for. What still waits for one that goes is lost, and told.
	void configure(const DaemonConfig& config);

	void verdict(const Verdict& verdict, WallTime time) override;
	void collapsed(const Collapsed& collapsed, WallTime time) override;
	void count(const Verdict& verdict) override { metrics_.count(verdict); }
	void note(const Note& note, WallTime time) override;
	/// Also reports on standard error that an output has begun to fail. Always 0.
	int flush() override;

	[[nodiscard]] Metrics& metrics() { return metrics_; }

	/// For logrotate.
	void reopen();

	[[nodiscard]] std::uint64_t waiting() const; ///< records that no output has taken yet
	/// An output that takes nothing now, and why, in plain words; empty when all is well.
	[[nodiscard]] std::string problem() const;

  private:
	struct Output {
		std::unique_ptr<QueuedSink> sink;
		Severity min_severity = Severity::info;
		bool problem_told = false;
	};

	template <typename Action> void each(Action action) {
		for (Output* output : {&journal_, &file_}) {
			if (output->sink) {
				action(*output);
			}
		}
	}
	void tell(const OutputGap& gap);
	void drop(Output& output);

	Metrics metrics_;
	Output journal_;
	Output file_;
	LineFileOptions file_options_;
	std::size_t journal_queue_ = 0;
};

} // namespace stalesock
