// SPDX-License-Identifier: Apache-2.0
// Which step of a story a verdict is about.
#include "story/plotter.hpp"

#include "verdict/message.hpp"

#include <fmt/format.h>

namespace stalesock {

namespace {

std::string leak_text(const Evidence& evidence) {
	std::string text = "still not closed";
	if (evidence.unread_bytes.value_or(0) != 0) {
		text += fmt::format(", {} B unread", *evidence.unread_bytes);
	}
	if (evidence.eof_read) {
		text += *evidence.eof_read ? ", end of file read" : ", end of file not read";
	}
	return text;
}

std::string no_answer_text(const Evidence& evidence) {
	if (evidence.rst_received.value_or(false)) {
		return "";
	}
	return evidence.retransmits
	           ? fmt::format("no answer so far; {} sent again", *evidence.retransmits)
	           : "no answer so far";
}

std::string keepalive_text(const Evidence& evidence) {
	if (!evidence.keepalive_idle || !evidence.dropped_after) {
		return "keepalive begins too late";
	}
	return fmt::format("keepalive begins after {} idle, this path forgets after {}",
	                   duration_text(*evidence.keepalive_idle),
	                   duration_text(*evidence.dropped_after));
}

} // namespace

Subject subject_of(const Verdict& verdict) {
	if (verdict.evidence.bytes_after_fin) {
		return Subject::late_write;
	}
	switch (verdict.kind) {
	case VerdictKind::reuse_race:
	case VerdictKind::silent_drop:
	case VerdictKind::pool_mismatch: return Subject::last_send;
	case VerdictKind::dirty_close: return Subject::our_reset;
	case VerdictKind::dirty_idle:
	case VerdictKind::close_wait_leak:
	case VerdictKind::peer_unresponsive:
	case VerdictKind::keepalive_late: return Subject::state;
	default: return Subject::peer_close;
	}
}

std::string state_text(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	switch (verdict.kind) {
	case VerdictKind::dirty_idle:
		return fmt::format("{} B still unread", evidence.unread_bytes.value_or(0));
	case VerdictKind::close_wait_leak: return leak_text(evidence);
	case VerdictKind::silent_drop: return no_answer_text(evidence);
	case VerdictKind::peer_unresponsive:
		return fmt::format("gives up: {} timeout", evidence.timeout.value_or("connection"));
	case VerdictKind::keepalive_late: return keepalive_text(evidence);
	default: return {};
	}
}

} // namespace stalesock
