// SPDX-License-Identifier: Apache-2.0
#include "judgement.hpp"

#include "agreement.hpp"
#include "early_closes.hpp"
#include "story.hpp"
#include "truth_parts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

namespace oracle {

namespace {

constexpr std::size_t stories_printed = 10;
/// Of a full run of 2,400; fewer connections must show fewer.
constexpr double enough_truths = 100.0 / 2400;
/// Of any kind, open cases included: less, and the catalogue does not bring it about any more.
constexpr double enough_cases = 10.0 / 2400;
/// More than this share of admitted guesses gone wrong would make the other kinds of verdict useless too.
constexpr double most_guessed = 0.2;
/// A share of few is not measured well: of fewer truths than these, so many standard deviations more are chance.
constexpr unsigned few_truths = 50;
constexpr double deviations = 2;
constexpr std::size_t most_unseen = 2;
/// Of what a machine that stands still leaves open. With more, the run says nothing; so much is the machine's doing, and
/// no fault of the truth's.
constexpr double most_stalled = 0.5;
/// Of the truths that are needed, so many must have been decided in spite of it.
constexpr double least_decided = 0.5;

unsigned port_of(const std::string& end) {
	unsigned port = 0;
	std::from_chars(end.data() + end.rfind(':') + 1, end.data() + end.size(), port);
	return port;
}

/// A server that closes with bytes unread resets its client: where that is on this host too, what it means is told there.
void judge_told_clients(Sockets& sockets) {
	for (auto& [ends, socket] : sockets) {
		Truth& truth = socket.truth;
		const auto client = sockets.find({ends.remote, ends.local});
		if (socket.view.active || client == sockets.end() ||
		    !truth.kinds.contains(Kind::dirty_close))
			continue;
		const Truth& told = client->second.truth;
		if (!told.kinds.empty())
			truth.kinds.erase(Kind::dirty_close);
		else if (!told.unscored.empty() && truth.kinds.erase(Kind::dirty_close) != 0)
			truth.unscored.emplace(Kind::dirty_close, "whether its client was told is not known");
	}
}

Sockets sockets_of(Evidence& evidence) {
	Sockets sockets;
	for (auto& [ends, view] : evidence.views) {
		Socket socket;
		socket.connection = port_of(view.active ? ends.local : ends.remote) - first_client_port;
		const auto finished = evidence.finished.find(socket.connection);
		if (finished == evidence.finished.end())
			continue;
		const Outcome& outcome = finished->second.outcome;
		const Witness& own = view.active ? outcome.active : outcome.passive;
		const Witness& peer = view.active ? outcome.passive : outcome.active;
		const bool together = evidence.views.contains({ends.remote, ends.local});
		socket.truth = truth_of(view, {own, together ? &peer : nullptr}, evidence.stalls);
		socket.view = std::move(view);
		sockets.emplace(ends, std::move(socket));
	}
	judge_early_closes(sockets);
	judge_told_clients(sockets);
	return sockets;
}

std::string count(std::uint64_t number, const std::string& what) {
	return std::to_string(number) + " " + what;
}

/// Anything here makes the comparison worthless.
void complain_about_run(const Evidence& evidence, const Sockets& sockets,
                        std::vector<std::string>& complaints) {
	if (evidence.lost_packets != 0)
		complaints.push_back(
			count(evidence.lost_packets, "packets were lost by the capture or the relay"));
	for (const auto& [index, finished] : evidence.finished) {
		if (!finished.outcome.failure.empty())
			complaints.push_back("connection " + std::to_string(index) + " \"" +
			                     finished.plan.name +
			                     "\" was not made: " + finished.outcome.failure);
	}
	const auto incomplete = std::count_if(sockets.begin(), sockets.end(), [](const auto& entry) {
		return !entry.second.view.complete;
	});
	if (incomplete != 0)
		complaints.push_back(
			count(static_cast<std::uint64_t>(incomplete), "sockets without a whole handshake"));
	if (sockets.size() != 2 * evidence.finished.size())
		complaints.push_back(
			count(sockets.size(), "sockets were captured, not two for each connection"));
}

/// Sockets of which the kind is open because the machine stood still.
std::map<Kind, unsigned> count_stalled(const Sockets& sockets) {
	std::map<Kind, unsigned> stalled;
	for (const auto& [ends, socket] : sockets) {
		for (const auto& [kind, reason] : socket.truth.unscored)
			stalled[kind] += reason == machine_stalled ? 1 : 0;
	}
	return stalled;
}

void complain_about_truths(const Score& score, const Sockets& sockets, const Options& options,
                           std::vector<std::string>& complaints) {
	const auto needed = static_cast<unsigned>(std::floor(options.connections * enough_truths));
	std::map<Kind, unsigned> stalled = count_stalled(sockets);
	for (const Kind kind : {Kind::stale_reuse, Kind::reuse_race}) {
		const unsigned truths = score.rows.at(kind).truths;
		if (truths + stalled[kind] < needed || truths < least_decided * needed)
			complaints.push_back("only " + count(truths, "times ") + std::string(to_string(kind)) +
			                     ", not " + std::to_string(needed));
	}
	const auto needed_cases = static_cast<unsigned>(std::floor(options.connections * enough_cases));
	for (const auto& [kind, row] : score.rows) {
		if (row.truths + row.unscored < needed_cases)
			complaints.push_back("only " + count(row.truths + row.unscored, "cases of ") +
			                     std::string(to_string(kind)));
		const auto all = static_cast<double>(sockets.size());
		if (row.unscored - stalled[kind] > options.most_unscored / 100 * all)
			complaints.push_back(count(row.unscored, "sockets are unscored for ") +
			                     std::string(to_string(kind)));
		if (stalled[kind] > most_stalled * all)
			complaints.push_back(count(stalled[kind], "sockets are unscored for ") +
			                     std::string(to_string(kind)) + ", because " + machine_stalled);
	}
}

double most_guesses(unsigned truths) {
	const double chance = deviations * std::sqrt(most_guessed * (1 - most_guessed) * truths);
	return most_guessed * truths + (truths < few_truths ? chance : 0);
}

/// What no single connection answers for.
void complain_about_shares(const Score& score, bool weak, std::vector<std::string>& complaints) {
	if (score.unseen.size() > most_unseen)
		complaints.push_back(count(score.unseen.size(), "timers were not seen"));
	for (const auto& [kind, row] : score.rows) {
		if (!weak && row.guessed > most_guesses(row.truths))
			complaints.push_back(count(row.guessed, "wrong guesses about ") +
			                     std::string(to_string(kind)));
	}
}

void complain_about_product(const Score& score, const Transcript& transcript,
                            std::vector<std::string>& complaints) {
	for (const std::string& stray : score.strays)
		complaints.push_back("a verdict about a connection that does not exist: " + stray);
	for (const std::string& loss : transcript.losses)
		complaints.push_back("stalesock lost events: " + loss);
	if (transcript.exit_code != 0)
		complaints.push_back("stalesock ended with " + std::to_string(transcript.exit_code));
}

std::string footer(const Score& score, const Sockets& sockets, const Transcript& transcript) {
	std::map<std::string, unsigned> reasons;
	for (const auto& [ends, socket] : sockets) {
		for (const auto& [kind, reason] : socket.truth.unscored)
			++reasons[std::string(to_string(kind)) + ": " + reason];
	}
	std::string text;
	for (const auto& [reason, times] : reasons)
		text += "unscored " + std::to_string(times) + " x " + reason + "\n";
	for (const auto& [kind, times] : score.other_kinds)
		text += "also reported " + std::to_string(times) + " x " + kind + "\n";
	return text + transcript.errors;
}

/// Nothing about a machine that never stood still.
std::string describe(const machine::Stalls& stalls) {
	if (stalls.count() == 0)
		return {};
	const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(stalls.longest());
	return "the machine stood still " + count(stalls.count(), "times, at most ") +
	       count(static_cast<std::uint64_t>(longest.count()), "ms\n");
}

std::string cell_of(const Socket& socket, const Finished& finished) {
	std::string cell = finished.plan.name + (socket.view.active ? ", active:" : ", passive:");
	for (const Kind kind : socket.truth.kinds)
		cell += " " + std::string(to_string(kind));
	for (const auto& [kind, reason] : socket.truth.unscored)
		cell += " [" + std::string(to_string(kind)) + "]";
	return cell;
}

/// Which truths each behaviour led to: for the eyes of who changes the catalogue.
std::string cross_table(const Evidence& evidence, const Sockets& sockets) {
	std::map<std::string, unsigned> cells;
	for (const auto& [ends, socket] : sockets)
		++cells[cell_of(socket, evidence.finished.at(socket.connection))];
	std::string text;
	for (const auto& [cell, times] : cells)
		text += std::to_string(times) + "\t" + cell + "\n";
	return text;
}

void tell_stories(const Evidence& evidence, const Sockets& sockets, const Options& options,
                  Extent extent, Judgement& judgement) {
	std::size_t told = 0;
	const auto tell_one = [&](const Mismatch& mismatch) {
		const Socket& socket = sockets.at(mismatch.ends);
		const Finished& finished = evidence.finished.at(socket.connection);
		const std::string story = tell(mismatch, socket, finished, evidence.transcript);
		judgement.all_stories += story;
		if (told++ < stories_printed)
			judgement.first_stories += story;
	};
	for (const Disagreement& disagreement : judgement.disagreements)
		tell_one(disagreement.mismatch);
	for (const auto& [ends, socket] : sockets) {
		const std::string cell = cell_of(socket, evidence.finished.at(socket.connection));
		if (extent == Extent::repetition ||
		    (!options.tell.empty() && cell.find(options.tell) != std::string::npos))
			tell_one({ends, "asked for", {}, {}});
	}
}

/// The longest halt of the machine while any of these connections lived: from its first packet to its last.
std::chrono::milliseconds longest_halt(const std::vector<unsigned>& connections,
                                       const Sockets& sockets, const machine::Stalls& stalls) {
	Nanoseconds longest{};
	for (const auto& [ends, socket] : sockets) {
		const std::vector<Segment>& segments = socket.view.segments;
		if (std::count(connections.begin(), connections.end(), socket.connection) != 0)
			longest =
				std::max(longest, stalls.longest(segments.front().time, segments.back().time));
	}
	return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
}

void note_disagreements(const Evidence& evidence, const Sockets& sockets, const Options& options,
                        const std::vector<Mismatch>& mismatches, bool rests_on_timer,
                        Judgement& judgement) {
	for (const Mismatch& mismatch : mismatches) {
		const Socket& socket = sockets.at(mismatch.ends);
		Disagreement disagreement;
		disagreement.mismatch = mismatch;
		disagreement.connection = socket.connection;
		disagreement.active = socket.view.active;
		disagreement.plan = evidence.finished.at(socket.connection).plan.name;
		disagreement.rests_on_timer = rests_on_timer;
		disagreement.skip_admitted =
			options.skips && evidence.transcript.skipped_runs != 0 && mismatch.says_nothing;
		disagreement.stood_still = longest_halt(
			together_with(socket.connection, options.connections), sockets, evidence.stalls);
		judgement.disagreements.push_back(std::move(disagreement));
	}
}

} // namespace

std::vector<unsigned> together_with(unsigned index, unsigned connections) {
	if (!is_in_group(index))
		return {index};
	const unsigned first = index / group_size * group_size;
	std::vector<unsigned> group(std::min(group_size, std::max(connections, index + 1) - first));
	std::iota(group.begin(), group.end(), first);
	return group;
}

Judgement judge(Evidence evidence, const Options& options, Extent extent) {
	Sockets sockets = sockets_of(evidence);
	const Score result = score(sockets, evidence.transcript, options.weak);
	Judgement judgement;
	complain_about_run(evidence, sockets, judgement.complaints);
	if (extent == Extent::whole_run)
		complain_about_truths(result, sockets, options, judgement.complaints);
	if (options.with_product) {
		complain_about_product(result, evidence.transcript, judgement.complaints);
		note_disagreements(evidence, sockets, options, result.mismatches, false, judgement);
		note_disagreements(evidence, sockets, options, result.unseen, true, judgement);
		if (extent == Extent::whole_run)
			complain_about_shares(result, options.weak, judgement.complaints);
	}
	std::string agreed;
	if (options.with_product && !options.weak) { // a weak class sees less than the wire shows
		const Agreement agreement =
			compare_with_replay(options.program, evidence.captures, sockets);
		agreed = table(agreement);
		note_disagreements(evidence, sockets, options, agreement.faults, false, judgement);
		if (extent == Extent::whole_run)
			judgement.complaints.insert(judgement.complaints.end(), agreement.complaints.begin(),
			                            agreement.complaints.end());
	}
	tell_stories(evidence, sockets, options, extent, judgement);
	judgement.cross_table = cross_table(evidence, sockets);
	judgement.table = table(result) + footer(result, sockets, evidence.transcript) +
	                  describe(evidence.stalls) + agreed;
	judgement.sockets = std::move(sockets);
	return judgement;
}

} // namespace oracle
