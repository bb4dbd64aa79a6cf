// SPDX-License-Identifier: Apache-2.0
#include "repetition.hpp"

#include "decision.hpp"
#include "stage.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <utility>

namespace oracle {

namespace {

/// The first of the connections that are made together.
using Cases = std::map<unsigned, std::vector<Disagreement>>;

struct Repetition {
	Judgement judgement;
	std::string spoiled; ///< why it says nothing; empty where it does
};

/// All at the same time, as they were; a connection that needs no other is alone.
Repetition repeat(const Options& options, const std::vector<unsigned>& indices,
                  const std::string& folder) {
	Repetition repetition;
	std::filesystem::create_directories(folder);
	try {
		repetition.judgement =
			judge(collect(options, indices, static_cast<unsigned>(indices.size()), folder), options,
		          Extent::repetition);
		save(repetition.judgement, folder);
		if (!repetition.judgement.complaints.empty())
			repetition.spoiled = repetition.judgement.complaints.front();
	} catch (const std::exception& exception) {
		repetition.spoiled = exception.what();
	}
	return repetition;
}

bool is_same(const Disagreement& one, const Disagreement& other) {
	return one.connection == other.connection && one.active == other.active &&
	       one.mismatch.what == other.mismatch.what;
}

bool is_undecided(const Disagreement& disagreement, const Sockets& sockets) {
	return disagreement.mismatch.kind &&
	       std::any_of(sockets.begin(), sockets.end(), [&](const auto& entry) {
			   const Socket& socket = entry.second;
			   return socket.connection == disagreement.connection &&
		              socket.view.active == disagreement.active &&
		              socket.truth.unscored.contains(*disagreement.mismatch.kind);
		   });
}

Again outcome_for(const Disagreement& disagreement, const Repetition& repetition) {
	if (!repetition.spoiled.empty())
		return Again::spoiled;
	const std::vector<Disagreement>& found = repetition.judgement.disagreements;
	if (std::any_of(found.begin(), found.end(),
	                [&](const Disagreement& one) { return is_same(one, disagreement); }))
		return Again::came_back;
	const bool unexplained = std::any_of(found.begin(), found.end(), [](const Disagreement& one) {
		return one.stood_still.count() == 0;
	});
	if (!found.empty())
		return unexplained ? Again::changed : Again::disturbed;
	return is_undecided(disagreement, repetition.judgement.sockets) ? Again::undecided
	                                                                : Again::agreed;
}

std::string name_of(const Disagreement& disagreement) {
	return "connection " + std::to_string(disagreement.connection) + " \"" + disagreement.plan +
	       "\", " + (disagreement.active ? "active" : "passive") + ": " +
	       disagreement.mismatch.what;
}

std::string halt_of(const Disagreement& disagreement) {
	if (disagreement.stood_still.count() == 0)
		return "the machine did not stand still";
	return "the machine stood still for " + std::to_string(disagreement.stood_still.count()) +
	       " ms";
}

void conclude(const Disagreement& disagreement, const std::vector<Again>& times, Trial& trial) {
	const Decision decision = decide(
		times, {disagreement.stood_still, disagreement.rests_on_timer, disagreement.skip_admitted});
	trial.summary += "tried again: " + name_of(disagreement) +
	                 "\n  then: " + halt_of(disagreement) + "\n  again:";
	const char* separator = " ";
	for (const Again again : times)
		trial.summary += std::exchange(separator, ", ") + to_string(again);
	trial.summary += std::string("\n  ") + (decision.fails ? "fails: " : "does not fail: ") +
	                 decision.reason + "\n";
	if (decision.fails)
		trial.complaints.push_back(name_of(disagreement) + ": " + decision.reason);
}

void try_case(const Options& options, unsigned first,
              const std::vector<Disagreement>& disagreements, const std::string& folder,
              Trial& trial) {
	std::vector<std::vector<Again>> times(disagreements.size());
	std::string spoiled;
	std::printf("trying connection %u again, %u times, with what it depends on\n", first,
	            times_tried);
	std::fflush(stdout);
	for (unsigned time = 1; time <= times_tried; ++time) {
		const Repetition repetition =
			repeat(options, together_with(first, options.connections),
		           folder + "/" + std::to_string(first) + "-" + std::to_string(time));
		for (std::size_t i = 0; i < disagreements.size(); ++i)
			times[i].push_back(outcome_for(disagreements[i], repetition));
		if (!repetition.spoiled.empty())
			spoiled +=
				"  time " + std::to_string(time) + " was spoiled: " + repetition.spoiled + "\n";
	}
	for (std::size_t i = 0; i < disagreements.size(); ++i)
		conclude(disagreements[i], times[i], trial);
	trial.summary += spoiled;
}

} // namespace

Trial try_again(const Options& options, const std::vector<Disagreement>& disagreements,
                const std::string& folder) {
	Trial trial;
	Cases cases;
	std::set<unsigned> connections;
	for (const Disagreement& disagreement : disagreements) {
		connections.insert(disagreement.connection);
		cases[together_with(disagreement.connection, options.connections).front()].push_back(
			disagreement);
	}
	if (connections.size() > most_tried) {
		trial.complaints.push_back(
			std::to_string(connections.size()) +
			" connections disagree: too many for chance, none is tried again");
		return trial;
	}
	for (const auto& [first, concerned] : cases)
		try_case(options, first, concerned, folder, trial);
	if (!cases.empty())
		std::ofstream(folder + "/summary.txt") << trial.summary;
	return trial;
}

unsigned make_only(const Options& options, const std::string& folder) {
	unsigned disagreed = 0;
	for (unsigned time = 1; time <= options.times; ++time) {
		const Repetition repetition =
			repeat(options, together_with(*options.only, options.connections),
		           folder + "/" + std::to_string(*options.only) + "-" + std::to_string(time));
		std::printf("%stime %u: ", repetition.judgement.all_stories.c_str(), time);
		const std::vector<Disagreement>& found = repetition.judgement.disagreements;
		if (!repetition.spoiled.empty())
			std::printf("spoiled: %s\n", repetition.spoiled.c_str());
		else
			std::printf("%zu disagreements\n", found.size());
		for (const Disagreement& disagreement : found)
			std::printf("  %s; %s\n", name_of(disagreement).c_str(), halt_of(disagreement).c_str());
		std::fflush(stdout);
		disagreed += found.empty() && repetition.spoiled.empty() ? 0 : 1;
	}
	return disagreed;
}

} // namespace oracle
