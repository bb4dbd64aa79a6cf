// SPDX-License-Identifier: Apache-2.0
// Behaviours in which nobody says anything: a path that forgets, and timers of the kernel that end or keep up a
// connection.
#include "behaviours.hpp"

namespace oracle {

namespace {

/// From `after` of silence on, nothing comes through any more.
void path_forgets(Draft& draft, Microseconds after, bool resets) {
	draft.relay();
	draft.plan.forgetting = {after, resets};
}

/// One end, mostly the client, does this; the other keeps its socket as long, and knows nothing.
Steps& speaker(Draft& draft) {
	return draft.chance(70) ? draft.plan.active : draft.plan.passive;
}

/// Both ends hold their sockets.
void hold(Draft& draft, Microseconds time) {
	draft.plan.active.push_back(pause(time));
	draft.plan.passive.push_back(pause(time));
}

/// Longer than the path remembers; mostly long enough to be blamed on it.
Microseconds silence(Draft& draft) {
	return draft.chance(80) ? draft.between(milliseconds(1300), milliseconds(2000))
	                        : draft.between(milliseconds(600), milliseconds(750));
}

/// A request, or what a server says unasked.
void speak(Draft& draft) {
	const Microseconds idle = silence(draft);
	hold(draft, idle);
	speaker(draft).push_back(send(draft.request_head(), draft.burst_size()));
}

} // namespace

void path_forgets_silently(Draft& draft) {
	path_forgets(draft, draft.between(milliseconds(300), milliseconds(450)), false);
	draft.turns(draft.between(1, 3));
	speak(draft);
	hold(draft, draft.between(milliseconds(2300), milliseconds(2600)));
}

void path_forgets_and_resets(Draft& draft) {
	path_forgets(draft, draft.between(milliseconds(300), milliseconds(450)), true);
	draft.turns(draft.between(1, 3));
	speak(draft);
	hold(draft, draft.between(milliseconds(200), milliseconds(400)));
}

/// Mostly sooner than a write is said to have vanished.
void user_timeout_passes(Draft& draft) {
	path_forgets(draft, draft.between(milliseconds(300), milliseconds(450)), false);
	draft.turns(draft.between(1, 3));
	hold(draft, silence(draft));
	Steps& steps = speaker(draft);
	steps.push_back(user_timeout(draft.chance(80)
	                                 ? draft.between(milliseconds(300), milliseconds(500))
	                                 : draft.between(milliseconds(1500), milliseconds(2000))));
	steps.push_back(send(draft.request_head(), draft.burst_size()));
	hold(draft, milliseconds(3800));
}

void probes_are_not_answered(Draft& draft) {
	path_forgets(draft, draft.between(milliseconds(400), milliseconds(700)), false);
	draft.turns(draft.between(0, 2));
	speaker(draft).push_back(keep_alive(static_cast<std::size_t>(draft.between(1, 2))));
	hold(draft, milliseconds(3800));
}

/// The server's idle timer does not care for them.
void probes_are_answered(Draft& draft) {
	draft.turns(draft.between(1, 3));
	draft.plan.active.push_back(keep_alive(3));
	draft.plan.passive.push_back(pause(draft.between(milliseconds(1200), milliseconds(2600))));
	draft.server_shuts();
	draft.plan.active.push_back(pause(milliseconds(1000)));
	draft.client_waits();
}

} // namespace oracle
