// SPDX-License-Identifier: Apache-2.0
#include "verdict/resume.hpp"

#include "track/tracker.hpp"

#include <algorithm>

namespace stalesock {

namespace {

/// write_seq has grown while nobody watched: the time and the writer stay unknown.
void find_unwatched_write(FinFacts& fin, const Continuation& former, const Event& event) {
	if (event.kind != EventKind::inventory || !event.view || !former.write_seq || fin.late_judged) {
		return;
	}
	const std::uint32_t grown = event.view->write_seq - *former.write_seq;
	if (grown == 0) {
		return;
	}
	LateWrite late;
	late.time = event.time;
	late.time_known = false;
	late.begin_seen = false;
	late.bytes = grown;
	late.copied_seq = event.view->copied_seq;
	late.writes = 1;
	fin.late = late;
}

} // namespace

bool needs_continuation(const Connection& connection) {
	return connection.fin != nullptr || connection.verdicts != 0;
}

Continuation continuation_of(const Connection& connection) {
	Continuation continuation;
	continuation.cookie = connection.cookie;
	continuation.verdicts = connection.verdicts;
	continuation.dirty_told = connection.dirty_told;
	continuation.silent_drop_told = connection.silent_drop_told;
	continuation.role = connection.role_inferred ? Role::unknown : connection.role;
	if (connection.fin) {
		const FinFacts& fin = *connection.fin;
		continuation.fin_time = fin.time;
		continuation.fin_time_inferred = fin.time_inferred;
		continuation.write_seq = fin.write_seq;
		continuation.history_known = fin.history_known;
		continuation.eof_read = fin.eof_read;
		continuation.eof_peeked = fin.eof_peeked;
		continuation.late_judged = fin.late_judged;
		continuation.leak_told = fin.leak_told;
	}
	return continuation;
}

/// An end of file that was read while nobody watched would have left the FIN read: copied_seq tells. One that was
/// peeked leaves nothing, but a history with a gap is none.
void resume(Connection& connection, const Continuation& former, const Event& event) {
	connection.verdicts = std::max(connection.verdicts, former.verdicts);
	connection.dirty_told |= former.dirty_told;
	connection.silent_drop_told |= former.silent_drop_told;
	if (former.role != Role::unknown) {
		connection.role = former.role;
		connection.role_inferred = false;
	}
	if (!former.fin_time || !connection.fin || event.kind == EventKind::peer_fin) {
		return;
	}
	FinFacts& fin = *connection.fin;
	fin.time = *former.fin_time;
	fin.time_inferred = former.fin_time_inferred;
	fin.eof_read |= former.eof_read;
	fin.eof_peeked |= former.eof_peeked;
	fin.late_judged |= former.late_judged;
	fin.leak_told |= former.leak_told;
	find_unwatched_write(fin, former, event);
	if (former.write_seq) {
		fin.write_seq = former.write_seq;
	}
	if (fin.late) {
		update_fate(fin, event);
	}
}

} // namespace stalesock
