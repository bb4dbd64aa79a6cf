// SPDX-License-Identifier: Apache-2.0
// How connections of a pool live and end. Each function writes one plan.
#pragma once

#include "draft.hpp"

namespace oracle {

// behaviours_pool.cpp
void client_closes_first(Draft& draft);
void idle_then_late_write(Draft& draft);
void idle_then_noticed(Draft& draft);
void idle_then_farewell(Draft& draft);
void request_crosses_fin(Draft& draft);
void reuse_at_the_edge(Draft& draft);
void reuse_in_time(Draft& draft);
void server_resets_while_idle(Draft& draft);
void server_resets_at_request(Draft& draft);
void closes_cross(Draft& draft);
/// The server closes what is idle for long enough, and some of the last connections much sooner.
void member_of_pool(Draft& draft, unsigned number);

// behaviours_answer.cpp
void server_hangs_up_unanswered(Draft& draft);
void server_answers_and_closes(Draft& draft);
void limit_close_crosses_request(Draft& draft);
void slow_answer_then_close(Draft& draft);
void streamed_answer_then_close(Draft& draft);
void client_leaves_answer_unread(Draft& draft);
void half_closed_client(Draft& draft);
void client_gone(Draft& draft);
void early_answer(Draft& draft);
void early_answer_then_reset(Draft& draft);
void server_says_farewell_last(Draft& draft);

// behaviours_silence.cpp
void path_forgets_silently(Draft& draft);
void path_forgets_and_resets(Draft& draft);
void user_timeout_passes(Draft& draft);
void probes_are_not_answered(Draft& draft);
void probes_are_answered(Draft& draft);

// behaviours_waiting.cpp
void client_forgets_to_close(Draft& draft);
void server_forgets_to_close(Draft& draft);
void client_forgets_to_read(Draft& draft);

} // namespace oracle
