// SPDX-License-Identifier: Apache-2.0
#include "story/story.hpp"

#include "model/escape.hpp"
#include "story/plot.hpp"
#include "verdict/message.hpp"
#include "verdict/message_parts.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace stalesock {

namespace {

/// Shorter silences are not drawn.
constexpr Nanoseconds shortest_gap = std::chrono::milliseconds(100);

std::string owner_text(const Owner& owner) {
	if (!owner.pid) {
		return {};
	}
	const std::string place = place_of(owner);
	return fmt::format("{} (pid {}{}{})", escape_untrusted(owner.command.value_or("?")), *owner.pid,
	                   place.empty() ? "" : ", ", place);
}

std::string confidence_text(const Verdict& verdict) {
	const std::string confidence{to_string(verdict.confidence)};
	return verdict.inferred.empty() ? confidence
	                                : confidence + ": " + escape_untrusted(verdict.inferred);
}

/// "that server closes connections idle for 2.00 s (41 of 43 seen)".
std::string learned_text(const std::optional<PeerFacts>& peer) {
	constexpr std::string_view joint = "; ";
	const std::string clause = peer_clause(peer);
	return clause.starts_with(joint) ? clause.substr(joint.size()) : clause;
}

/// Whether nothing was sent or received between two moments in the story.
bool was_idle(const Plot& plot, const PlotStep& from, const PlotStep& to) {
	return from.exchange &&
	       (to.closing || to.probe || (to.exchange && plot.silence_before_last_send));
}

Step gap_between(const Plot& plot, const PlotStep& from, const PlotStep& to) {
	Step gap;
	const std::string length = duration_text(*to.time - *from.time);
	gap.at = *from.time - plot.origin;
	if (was_idle(plot, from, to)) {
		gap.kind = StepKind::idle;
		gap.text = fmt::format("idle for {}", length);
	} else {
		gap.kind = StepKind::wait;
		gap.text = length;
		if (from.open && to.exchange) {
			gap.text += "; what was exchanged meanwhile is not known";
		} else if (from.fin && to.write && plot.eof_unread) {
			gap.text += "; the application does not read the end of file";
		}
	}
	gap.inferred = from.step.inferred || to.step.inferred;
	return gap;
}

std::vector<Step> with_gaps(Plot& plot) {
	std::vector<Step> steps;
	const PlotStep* before = nullptr;
	for (PlotStep& next : plot.steps) {
		if (next.time) {
			if (before != nullptr && *next.time - *before->time >= shortest_gap) {
				steps.push_back(gap_between(plot, *before, next));
			}
			next.step.at = *next.time - plot.origin;
			before = &next;
		}
		steps.push_back(next.step);
	}
	return steps;
}

} // namespace

Story tell(const Verdict& verdict, const ConnectionHistory* history) {
	Plot plot = plot_of(verdict, history);
	Story story;
	story.id = escape_untrusted(verdict.id);
	story.verdict = to_string(verdict.kind);
	story.severity = severity_of(verdict.kind);
	story.confidence = confidence_text(verdict);
	story.owner = owner_text(verdict.owner);
	story.local = to_string(verdict.connection.local);
	story.remote = to_string(verdict.connection.remote);
	story.origin = plot.origin_name;
	story.steps = with_gaps(plot);
	story.message = escape_untrusted(verdict.message);
	story.learned = learned_text(verdict.peer);
	story.advice = escape_untrusted(verdict.advice);
	return story;
}

std::string headline_of(const Story& story) {
	return fmt::format("{} ({}), {}{}{}", story.verdict, to_string(story.severity), story.id,
	                   story.when.empty() ? "" : ", ", story.when);
}

std::string legend_of(const Story& story) {
	const bool guessed = std::any_of(story.steps.begin(), story.steps.end(),
	                                 [](const Step& step) { return step.inferred; });
	return fmt::format("Times count from {}.{}", story.origin,
	                   guessed ? " ~ and a broken line: told by the evidence, not by an event."
	                           : "");
}

} // namespace stalesock
