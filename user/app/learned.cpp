// SPDX-License-Identifier: Apache-2.0
#include "app/learned.hpp"

#include "app/state_file.hpp"
#include "app/usage_error.hpp"
#include "verdict/engine.hpp"

#include <fmt/format.h>
#include <system_error>

namespace stalesock {

namespace {

/// Empty: nothing is wrong.
std::string merge_file(const std::string& file, bool named, const Moment& now, Peers& peers,
                       Listeners& listeners) {
	try {
		merge_state(read_state_file(file), place_here(now), peers, listeners);
	} catch (const StateRefused& refused) {
		return refused.what();
	} catch (const std::system_error& error) {
		if (named || error.code() != std::errc::no_such_file_or_directory) {
			return error.what();
		}
	}
	return {};
}

} // namespace

std::string borrow_learned(const std::optional<std::string>& file, const Moment& now, Peers& peers,
                           Listeners& listeners) {
	const std::string problem =
		merge_file(file.value_or(default_state_file), file.has_value(), now, peers, listeners);
	if (file && !problem.empty()) {
		throw UsageError(problem);
	}
	return problem.empty() ? problem
	                       : fmt::format("what the daemon has learned is not known: {}", problem);
}

std::optional<PeerTimeout> timeout_of(const Peers& peers, const Endpoint& remote,
                                      std::uint32_t netns) {
	ConnectionFacts facts;
	facts.remote = remote;
	facts.netns = netns;
	facts.role = Role::active;
	const auto learned = peers.facts(facts);
	if (!learned) {
		return std::nullopt;
	}
	return PeerTimeout{learned->idle_timeout, learned->spread, learned->observations};
}

LearnedTimeouts::LearnedTimeouts(const std::optional<std::string>& file, const Moment& now)
	: peers_(EngineOptions{}.max_peers) {
	Listeners listeners;
	problem_ = borrow_learned(file, now, peers_, listeners);
}

} // namespace stalesock
