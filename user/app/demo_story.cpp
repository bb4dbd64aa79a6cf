// SPDX-License-Identifier: Apache-2.0
#include "app/demo_story.hpp"

#include "model/escape.hpp"
#include "sinks/time_text.hpp"

#include <cerrno>
#include <fmt/format.h>

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

std::string tell_late_write(const LateWrite& late, const std::optional<Actor>& actor) {
	const std::string delay = late.fin_time ? fmt::format("{:.0f} ms after the peer's FIN",
	                                                      coarse_ms(late.time - *late.fin_time))
	                                        : std::string{"after the peer's FIN"};
	return fmt::format("{} writes {} B, {}; the kernel accepts them",
	                   who(late.writer ? late.writer : actor, "the application"), late.bytes,
	                   delay);
}

/// Empty for events that say nothing of their own here.
std::string tell(const Event& event) {
	switch (event.kind) {
	case EventKind::open:
		return fmt::format("{} opens a connection to {}", who(event.actor, "somebody"),
		                   to_string(event.remote));
	case EventKind::inventory: return "the connection existed already";
	case EventKind::peer_fin: return "the peer's FIN arrives: it will not answer any more";
	case EventKind::late_write:
		return event.late ? tell_late_write(*event.late, event.actor) : std::string{};
	case EventKind::eof_read:
		return fmt::format("{} {} the end of file", who(event.actor, "the application"),
		                   event.peek ? "peeks at" : "reads");
	case EventKind::close: return fmt::format("{} closes", who(event.actor, "the application"));
	case EventKind::end: return event.destroyed ? std::string{} : tell_end(event);
	case EventKind::keepalive_probe: return "a TCP keepalive probe is sent";
	case EventKind::retransmit: return "unanswered data is sent again";
	case EventKind::owner:
	case EventKind::released: return {};
	}
	return {};
}

struct Line {
	Nanoseconds time{};
	std::string text;
};

// The last exchange before the FIN left no event of its own: the socket remembers when it was.
std::vector<Line> tell_exchange(const Event& fin, Nanoseconds tick) {
	if (!fin.view) {
		return {};
	}
	const Nanoseconds sent = fin.time - tick * fin.view->send_age_ticks;
	const Nanoseconds received = fin.time - tick * fin.view->receive_age_ticks;
	return {{sent, fmt::format("last request sent ({} B in all), {} B received; then silence",
	                           fin.view->bytes_sent, fin.view->bytes_received)},
	        {received, {}}};
}

} // namespace

std::vector<std::string> tell_story(const std::vector<Event>& events, Nanoseconds tick) {
	std::vector<Line> lines;
	for (const Event& event : events) {
		if (event.kind == EventKind::peer_fin) {
			for (Line& line : tell_exchange(event, tick)) {
				lines.push_back(std::move(line));
			}
		}
		lines.push_back({event.time, tell(event)});
	}
	std::vector<std::string> story;
	for (const Line& line : lines) {
		if (!line.text.empty()) {
			story.push_back(fmt::format("{:>9.1f} ms  {}",
			                            coarse_ms(line.time - events.front().time), line.text));
		}
	}
	return story;
}

} // namespace stalesock
