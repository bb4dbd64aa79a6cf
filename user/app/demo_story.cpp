// SPDX-License-Identifier: Apache-2.0
#include "app/demo_story.hpp"

#include "model/escape.hpp"
#include "sinks/time_text.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <utility>

namespace stalesock {

namespace {

std::string who(const std::optional<Actor>& actor, std::string_view otherwise) {
	return actor ? fmt::format("{} (pid {})", escape_untrusted(actor->command), actor->pid)
	             : std::string{otherwise};
}

std::string tell_end(const Event& event) {
	if (event.error == ECONNRESET || event.error == EPIPE) {
		return "the peer answers with a reset: the connection is gone";
	}
	return event.error == 0 ? "the connection ends"
	                        : fmt::format("the connection ends with error {}", event.error);
}

std::string tell_late_write(const Event& event) {
	const std::optional<Actor>& writer = event.late->writer ? event.late->writer : event.actor;
	return fmt::format("{} writes {} B after the peer's FIN; the kernel accepts them",
	                   who(writer, "the application"), event.late->bytes);
}

/// Empty for events that say nothing of their own here.
std::string tell(const Event& event) {
	switch (event.kind) {
	case EventKind::open:
		return fmt::format("{} opens a connection to {}", who(event.actor, "somebody"),
		                   to_string(event.remote));
	case EventKind::inventory: return "the connection existed already";
	case EventKind::peer_fin: return "the peer's FIN arrives: it will not answer any more";
	case EventKind::late_write: return event.late ? tell_late_write(event) : std::string{};
	case EventKind::eof_read:
		return fmt::format("{} {} the end of file", who(event.actor, "the application"),
		                   event.peek ? "peeks at" : "reads");
	case EventKind::close: return fmt::format("{} closes", who(event.actor, "the application"));
	case EventKind::end: return event.destroyed ? std::string{} : tell_end(event);
	case EventKind::keepalive_probe: return "a TCP keepalive probe is sent";
	case EventKind::retransmit: return "unanswered data is sent again";
	case EventKind::reuse:
		return fmt::format("{} writes again", who(event.actor, "the application"));
	case EventKind::refused_write:
		return fmt::format("{} writes, and gets an error", who(event.actor, "the application"));
	case EventKind::owner:
	case EventKind::scan:
	case EventKind::released: return {};
	}
	return {};
}

struct Line {
	Nanoseconds time{};
	std::string text;
};

// The last exchange before the FIN left no event of its own: the socket remembers when it was, in
// jiffies.
Line last_exchange(const Event& fin, Nanoseconds opened, Nanoseconds tick) {
	const Nanoseconds sent = fin.time - tick * fin.view->send_age_ticks;
	return {std::max(sent, opened),
	        fmt::format("the last send; {} B sent and {} B received so far, then silence",
	                    fin.view->bytes_sent, fin.view->bytes_received)};
}

// On loopback the answer to a write is processed before the write returns and is reported.
Nanoseconds moment_of(const Event& event) {
	return event.kind == EventKind::late_write && event.late ? event.late->time : event.time;
}

} // namespace

std::vector<std::string> tell_story(const std::vector<Event>& events, Nanoseconds tick) {
	std::vector<Line> lines;
	for (const Event& event : events) {
		if (event.kind == EventKind::peer_fin && event.view) {
			lines.push_back(last_exchange(event, events.front().time, tick));
		}
		if (std::string text = tell(event); !text.empty()) {
			lines.push_back({moment_of(event), std::move(text)});
		}
	}
	std::stable_sort(lines.begin(), lines.end(),
	                 [](const Line& left, const Line& right) { return left.time < right.time; });
	std::vector<std::string> story;
	for (const Line& line : lines) {
		const double offset = coarse_ms(line.time - lines.front().time);
		story.push_back(fmt::format("{:>9.1f} ms  {}", offset, line.text));
	}
	return story;
}

} // namespace stalesock
