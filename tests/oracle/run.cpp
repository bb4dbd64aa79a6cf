// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <atomic>
#include <thread>

namespace oracle {

AllFinished run_connections(Relay& relay, std::uint64_t seed, const std::vector<unsigned>& indices,
                            unsigned jobs) {
	AllFinished finished;
	for (const unsigned index : indices)
		finished.try_emplace(index); // no worker changes the map
	std::atomic<std::size_t> next = 0;
	Listeners listeners;
	const auto work = [&] {
		for (std::size_t turn = next++; turn < indices.size(); turn = next++) {
			const unsigned index = indices[turn];
			Finished& mine = finished.at(index);
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
