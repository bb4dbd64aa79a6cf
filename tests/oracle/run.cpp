// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <atomic>
#include <thread>

namespace oracle {

std::vector<Finished> run_connections(Relay& relay, std::uint64_t seed, unsigned count,
                                      unsigned jobs) {
	std::vector<Finished> finished(count);
	std::atomic<unsigned> next = 0;
	Listeners listeners;
	const auto work = [&] {
		for (unsigned index = next++; index < count; index = next++) {
			Finished& mine = finished[index];
			const auto port = static_cast<std::uint16_t>(first_client_port + index);
			mine.plan = make_plan(seed, index);
			relay.set_path(port, mine.plan.delay, mine.plan.forgetting);
			mine.outcome = perform(mine.plan, port, listeners);
		}
	};
	std::vector<std::jthread> workers;
	for (unsigned job = 0; job < jobs; ++job)
		workers.emplace_back(work);
	workers.clear();
	return finished;
}

} // namespace oracle
