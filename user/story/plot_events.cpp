// SPDX-License-Identifier: Apache-2.0
// What events tell, in words.
#include "story/plotter.hpp"

#include "model/escape.hpp"
#include "verdict/message.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <utility>

namespace stalesock {

namespace {

constexpr std::uint8_t both_directions = 3; // RCV_SHUTDOWN | SEND_SHUTDOWN

std::string times(std::uint32_t count) {
	return count > 1 ? fmt::format(", {} times", count) : "";
}

} // namespace

bool ended_by_peer(const PastEvent& event) {
	return event.kind == EventKind::end && (event.error == ECONNRESET || event.error == EPIPE);
}

std::string Plotter::doer(const PastEvent& event) {
	return event.pid != 0 ? escape_untrusted(event.actor()) : "the application";
}

void Plotter::add_end(const PastEvent& event) {
	if (ended_by_peer(event)) {
		std::string text = "RST";
		const auto write = std::find_if(plot_.steps.begin(), plot_.steps.end(),
		                                [](const PlotStep& step) { return step.write; });
		if (write != plot_.steps.end() && write->time && *write->time <= event.time) {
			text += fmt::format(" {} later", duration_text(event.time - *write->time));
		}
		PlotStep& step = add(StepKind::inbound, event.time, std::move(text));
		step.closing = !is_about_write() && !fin_;
		step.step.subject = subject_ == Subject::peer_close && !fin_;
	} else if (event.error == ETIMEDOUT) {
		if (verdict_.kind != VerdictKind::peer_unresponsive || event.time != verdict_.time) {
			add(StepKind::local, event.time, "gives up: connection timed out");
		}
	} else if (event.error != 0) {
		add(StepKind::local, event.time, fmt::format("ends with error {}", event.error));
	} else if (event.old_state == TcpState::established ||
	           event.old_state == TcpState::close_wait) {
		if (subject_ != Subject::our_reset || event.time != verdict_.time) {
			add(StepKind::outbound, event.time,
			    fmt::format("{} aborts: RST ({} B unread)", doer(event), event.unread));
		}
	} else {
		add(StepKind::local, event.time, "the connection has ended");
	}
}

void Plotter::add_event(const PastEvent& event) {
	switch (event.kind) {
	case EventKind::eof_read:
		add(StepKind::local, event.time,
		    fmt::format("{} {} the end of file{}", doer(event), event.peek ? "peeks at" : "reads",
		                times(event.count)));
		break;
	case EventKind::close:
	case EventKind::released:
		add(StepKind::outbound, event.time,
		    fmt::format("{} {}: FIN", doer(event),
		                event.shutdown == both_directions ? "closes" : "shuts down its side"));
		break;
	case EventKind::keepalive_probe: {
		PlotStep& probe =
			add(StepKind::outbound, event.time, "keepalive probe" + times(event.count));
		probe.exchange = probe.probe = true;
		break;
	}
	case EventKind::retransmit:
		add(StepKind::outbound, event.time, "sent again, unanswered" + times(event.count));
		break;
	case EventKind::end: add_end(event); break;
	default: break;
	}
}

} // namespace stalesock
