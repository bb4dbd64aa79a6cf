// SPDX-License-Identifier: Apache-2.0
#include "sinks/text.hpp"

#include "model/escape.hpp"
#include "sinks/time_text.hpp"
#include "verdict/message_parts.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

namespace stalesock {

namespace {

constexpr std::string_view reset = "\x1b[0m";
constexpr std::string_view dim = "\x1b[2m";

std::string_view colour_of(Severity severity) {
	switch (severity) {
	case Severity::error: return "\x1b[1;31m";
	case Severity::warning: return "\x1b[33m";
	case Severity::notice: return "\x1b[36m";
	case Severity::info: return dim;
	}
	return dim;
}

std::string painted(std::string_view text, std::string_view code, bool colour) {
	return colour ? fmt::format("{}{}{}", code, text, reset) : std::string{text};
}

// Only what the message does not say already: it names the command and the remote endpoint.
std::string closing_remark(const Verdict& verdict) {
	std::string remark;
	if (const std::string place = place_of(verdict.owner); !place.empty()) {
		remark += fmt::format(" [{}]", place);
	}
	if (verdict.confidence != Confidence::certain) {
		remark +=
			fmt::format(" ({}{}{})", to_string(verdict.confidence),
		                verdict.inferred.empty() ? "" : ": ", escape_untrusted(verdict.inferred));
	}
	return remark;
}

/// "nginx [nginx.service]"
std::string owner_name(const Owner& owner) {
	std::string name = owner.command ? escape_untrusted(*owner.command) : "an unknown process";
	if (owner.pid) {
		name += fmt::format(" (pid {})", *owner.pid);
	}
	const std::string place = place_of(owner);
	return place.empty() ? name : fmt::format("{} [{}]", name, place);
}

std::string transition(const Event& event) {
	if (event.old_state == event.new_state) {
		return std::string{to_string(event.new_state)};
	}
	return fmt::format("{}->{}", to_string(event.old_state), to_string(event.new_state));
}

} // namespace

std::string text_line(const Verdict& verdict, WallTime time, bool colour) {
	const Severity severity = severity_of(verdict.kind);
	const std::string label =
		fmt::format("{:<7}  {:<21}", to_string(severity), to_string(verdict.kind));
	std::string line =
		fmt::format("{}  {}  {}{}", local_text(time), painted(label, colour_of(severity), colour),
	                escape_untrusted(verdict.message), closing_remark(verdict));
	if (!verdict.advice.empty()) {
		line += fmt::format("\n{:>12}  {:<7}  {}", "", "",
		                    painted(escape_untrusted(verdict.advice), dim, colour));
	}
	return line;
}

std::string collapsed_text(const Collapsed& collapsed) {
	const std::string remote = collapsed.role == Role::passive ? to_string(collapsed.remote.address)
	                                                           : to_string(collapsed.remote);
	return fmt::format("{} more of {} with {}, after the {} shown, since {}", collapsed.count,
	                   owner_name(collapsed.owner), remote, collapsed.shown,
	                   local_text(collapsed.since));
}

std::string text_line(const Collapsed& collapsed, WallTime time, bool colour) {
	const Severity severity = severity_of(collapsed.kind);
	const std::string label =
		fmt::format("{:<7}  {:<21}", to_string(severity), to_string(collapsed.kind));
	return fmt::format("{}  {}  {}", local_text(time), painted(label, colour_of(severity), colour),
	                   collapsed_text(collapsed));
}

std::string text_line(const Event& event, WallTime time, bool colour) {
	std::string line = fmt::format("{}  {:<7}  {:<21}  {} -> {}  {}", local_text(time), "event",
	                               to_string(event.kind), to_string(event.local),
	                               to_string(event.remote), transition(event));
	if (event.actor) {
		line += fmt::format("  {}[{}]", escape_untrusted(event.actor->command), event.actor->pid);
	}
	if (event.late) {
		line += fmt::format("  {} B after the peer's FIN", event.late->bytes);
	}
	if (event.error != 0) {
		line += fmt::format("  error {}", event.error);
	}
	return painted(line, dim, colour);
}

bool wants_colour(int descriptor) {
	const char* refused = std::getenv("NO_COLOR");
	const char* terminal = std::getenv("TERM");
	const bool dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
	return (refused == nullptr || *refused == '\0') && !dumb && isatty(descriptor) == 1;
}

} // namespace stalesock
