// SPDX-License-Identifier: Apache-2.0
// The catalogue of behaviours, each with its share of the run.
#include "behaviours.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace oracle {

namespace {

struct Behaviour {
	const char* name;
	int share;
	void (*write)(Draft&);
};

constexpr std::array behaviours{
	Behaviour{"client closes first", 6, client_closes_first},
	Behaviour{"idle, then late write", 18, idle_then_late_write},
	Behaviour{"idle, then noticed", 7, idle_then_noticed},
	Behaviour{"idle, then farewell", 8, idle_then_farewell},
	Behaviour{"request crosses FIN", 14, request_crosses_fin},
	Behaviour{"reuse at the edge", 10, reuse_at_the_edge},
	Behaviour{"reuse in time", 4, reuse_in_time},
	Behaviour{"server resets while idle", 5, server_resets_while_idle},
	Behaviour{"server resets at request", 5, server_resets_at_request},
	Behaviour{"server hangs up unanswered", 7, server_hangs_up_unanswered},
	Behaviour{"server answers and closes", 10, server_answers_and_closes},
	Behaviour{"limit close crosses request", 5, limit_close_crosses_request},
	Behaviour{"slow answer, then close", 4, slow_answer_then_close},
	Behaviour{"streamed answer, then close", 4, streamed_answer_then_close},
	Behaviour{"client leaves answer unread", 6, client_leaves_answer_unread},
	Behaviour{"half-closed client", 6, half_closed_client},
	Behaviour{"client gone", 6, client_gone},
	Behaviour{"early answer", 6, early_answer},
	Behaviour{"early answer, then reset", 3, early_answer_then_reset},
	Behaviour{"server says farewell last", 5, server_says_farewell_last},
	Behaviour{"closes cross", 2, closes_cross},
	Behaviour{"path forgets silently", 2, path_forgets_silently},
	Behaviour{"path forgets and resets", 2, path_forgets_and_resets},
	Behaviour{"user timeout passes", 2, user_timeout_passes},
	Behaviour{"probes are not answered", 1, probes_are_not_answered},
	Behaviour{"probes are answered", 2, probes_are_answered},
	Behaviour{"client forgets to close", 2, client_forgets_to_close},
	Behaviour{"server forgets to close", 1, server_forgets_to_close},
	Behaviour{"client forgets to read", 2, client_forgets_to_read},
};

const Behaviour& pick(Draft& draft) {
	const auto add = [](int sum, const Behaviour& behaviour) { return sum + behaviour.share; };
	const int total = std::accumulate(behaviours.begin(), behaviours.end(), 0, add);
	int ticket = draft.between(1, total);
	const auto drawn = [&ticket](const Behaviour& behaviour) {
		return (ticket -= behaviour.share) <= 0;
	};
	return *std::find_if(behaviours.begin(), behaviours.end(), drawn);
}

} // namespace

bool is_in_group(unsigned index) {
	constexpr unsigned one_group_of = 20;
	return index / group_size % one_group_of == 1;
}

Plan make_plan(std::uint64_t seed, unsigned index) {
	constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15U;
	Draft draft(seed + golden_ratio * (index + 1));
	if (is_in_group(index)) {
		const unsigned group = index / group_size;
		const Draft common(seed - golden_ratio * group);
		draft.plan.family = common.plan.family;
		draft.plan.path = common.plan.path;
		draft.plan.delay = common.plan.delay;
		draft.plan.group = group;
		draft.plan.name = "server with an idle timer";
		member_of_pool(draft, index % group_size);
		return std::move(draft.plan);
	}
	const Behaviour& behaviour = pick(draft);
	draft.plan.name = behaviour.name;
	behaviour.write(draft);
	return std::move(draft.plan);
}

} // namespace oracle
