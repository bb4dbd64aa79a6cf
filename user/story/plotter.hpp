// SPDX-License-Identifier: Apache-2.0
// Makes a plot from a verdict and a history; only for plot.cpp and its neighbours.
#pragma once

#include "story/plot.hpp"

#include <string>

namespace stalesock {

/// What a verdict is about. A state is found by looking: nothing happens at its time.
enum class Subject : std::uint8_t { late_write, last_send, peer_close, our_reset, state };

[[nodiscard]] Subject subject_of(const Verdict& verdict);

/// What was found of a state, in words; empty when the rest of the story tells it.
[[nodiscard]] std::string state_text(const Verdict& verdict);

class Plotter {
  public:
	Plotter(const Verdict& verdict, const ConnectionHistory* history)
		: verdict_(verdict), evidence_(verdict.evidence), history_(history),
		  subject_(subject_of(verdict)) {}

	Plot plot();

  private:
	void find_closing();
	void find_fin();
	void add_open();
	void add_exchange();
	void add_close_by_peer();
	void add_write();
	void add_our_reset();
	void add_reset_by_peer();
	void add_eof_by_evidence();
	void add_state();
	void add_events();
	void add_event(const PastEvent& event);
	void add_end(const PastEvent& event);
	void add_left_out();
	void order();
	void insist_on_subject();

	PlotStep& add(StepKind kind, std::optional<Nanoseconds> time, std::string text,
	              bool inferred = false);
	[[nodiscard]] const PastEvent* first(EventKind kind) const;
	[[nodiscard]] const PastEvent* reset() const;
	[[nodiscard]] static std::string doer(const PastEvent& event);
	[[nodiscard]] std::string writer() const;
	[[nodiscard]] bool is_about_write() const { return subject_ == Subject::late_write; }
	/// The verdict has no time of a FIN: the peer ended it by an RST, or did not end it.
	[[nodiscard]] bool is_without_fin() const;

	const Verdict& verdict_;
	const Evidence& evidence_;
	const ConnectionHistory* history_;
	Subject subject_;
	Plot plot_;
	std::optional<Nanoseconds> fin_;     ///< when the peer's FIN came
	bool fin_seen_ = false;              ///< by an event
	std::optional<Nanoseconds> closing_; ///< the ages of the evidence count up to here
};

/// By an RST; sk_err is EPIPE for one that comes in CLOSE_WAIT (tcp_reset).
[[nodiscard]] bool ended_by_peer(const PastEvent& event);

} // namespace stalesock
