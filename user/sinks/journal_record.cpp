// SPDX-License-Identifier: Apache-2.0
#include "sinks/journal_record.hpp"

#include "model/escape.hpp"
#include "sinks/json_field.hpp"
#include "sinks/message_id.hpp"
#include "sinks/text.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <iterator>
#include <syslog.h>

namespace stalesock {

namespace {

using json::Object;

constexpr std::string_view pid_field = "OBJECT_PID=";
constexpr std::string_view unit_field = "OBJECT_SYSTEMD_UNIT=";

int priority_of(Severity severity) {
	switch (severity) {
	case Severity::error: return LOG_ERR;
	case Severity::warning: return LOG_WARNING;
	case Severity::notice: return LOG_NOTICE;
	case Severity::info: return LOG_INFO;
	}
	return LOG_INFO;
}

std::string upper_case(std::string_view text) {
	std::string upper;
	std::transform(text.begin(), text.end(), std::back_inserter(upper),
	               [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
	return upper;
}

std::string value_text(const Object& value) {
	return value.is_string() ? value.get<std::string>()
	                         : value.dump(-1, ' ', false, Object::error_handler_t::replace);
}

// Command names may hold anything. The journal would keep it, and show "[11B blob data]".
void put_fields(JournalRecord& record, const std::string& prefix, const Object& value) {
	if (value.is_object()) {
		for (const auto& [name, inner] : value.items()) {
			put_fields(record, fmt::format("{}_{}", prefix, upper_case(name)), inner);
		}
	} else if (value.is_array()) {
		for (const Object& inner : value) {
			put_fields(record, prefix, inner);
		}
	} else {
		record.push_back(fmt::format("{}={}", prefix, escape_untrusted(value_text(value))));
	}
}

JournalRecord begin(std::string_view message, int priority, std::string_view kind) {
	return {fmt::format("MESSAGE={}", escape_untrusted(message)),
	        fmt::format("PRIORITY={}", priority), fmt::format("MESSAGE_ID={}", message_id(kind))};
}

/// Whom the record is about.
void put_object(JournalRecord& record, const Owner& owner) {
	if (owner.pid) {
		record.push_back(fmt::format("{}{}", pid_field, *owner.pid));
	}
	if (owner.unit) {
		record.push_back(fmt::format("{}{}", unit_field, escape_untrusted(*owner.unit)));
	}
}

std::string gaps_text(const std::vector<std::string>& gaps) {
	return gaps.empty() ? std::string{} : fmt::format("; not seen: {}", fmt::join(gaps, "; "));
}

std::string text_of(const Started& started) {
	return fmt::format("stalesock {} watches (kernel {}, hooks: {}){}", started.version,
	                   started.kernel, started.hook_class, gaps_text(started.gaps));
}

std::string text_of(const Inventoried& inventory) {
	return fmt::format("{} sockets existed{}", inventory.sockets, gaps_text(inventory.gaps));
}

std::string text_of(const Lost& lost) {
	return fmt::format("events lost so far: {} dropped, {} missed, {} inferred from later ones",
	                   lost.dropped, lost.missed, lost.inferred);
}

std::string text_of(const Resumed& resumed) {
	return fmt::format(
		"nobody watched for {:.1f} s after the former process {}: {} connections closed by their "
		"peer "
		"are watched on, {} ended meanwhile; lost: {} undecided verdicts, {} undelivered records",
		static_cast<double>(resumed.unwatched.count()) / 1e9,
		resumed.stopped_cleanly ? "was stopped" : "was killed", resumed.resumed,
		resumed.ended ? std::to_string(*resumed.ended) : "an unknown number", resumed.undecided,
		resumed.undelivered);
}

std::string text_of(const Reloaded& reloaded) {
	if (!reloaded.problem.empty()) {
		return fmt::format("the configuration stays as it was: {}", reloaded.problem);
	}
	std::string text = "the new configuration is in use";
	if (!reloaded.waiting.empty()) {
		text += fmt::format("; at the next start only: {}", fmt::join(reloaded.waiting, ", "));
	}
	return text;
}

std::string text_of(const OutputGap& gap) {
	return fmt::format("{} is back after \"{}\": {} records came late, {} were discarded",
	                   gap.output, gap.problem, gap.delayed, gap.discarded);
}

int priority_of(const Note& note) {
	if (std::holds_alternative<Lost>(note) || std::holds_alternative<OutputGap>(note)) {
		return LOG_WARNING;
	}
	if (const auto* resumed = std::get_if<Resumed>(&note)) {
		return resumed->stopped_cleanly ? LOG_NOTICE : LOG_WARNING;
	}
	if (const auto* reloaded = std::get_if<Reloaded>(&note)) {
		return reloaded->problem.empty() ? LOG_INFO : LOG_ERR;
	}
	return LOG_INFO;
}

} // namespace

std::string note_text(const Note& note) {
	return std::visit([](const auto& value) { return text_of(value); }, note);
}

JournalRecord journal_record(const Verdict& verdict, WallTime time) {
	JournalRecord record =
		begin(verdict.message, priority_of(severity_of(verdict.kind)), to_string(verdict.kind));
	put_object(record, verdict.owner);
	put_fields(record, "STALESOCK", json::object_of(verdict, time));
	return record;
}

JournalRecord journal_record(const Collapsed& collapsed, WallTime time) {
	JournalRecord record =
		begin(fmt::format("{}: {}", to_string(collapsed.kind), collapsed_text(collapsed)),
	          priority_of(severity_of(collapsed.kind)), "collapsed");
	put_object(record, collapsed.owner);
	put_fields(record, "STALESOCK", json::object_of(collapsed, time));
	return record;
}

JournalRecord journal_record(const Note& note, WallTime time) {
	const Object object = json::object_of(note, time);
	JournalRecord record =
		begin(note_text(note), priority_of(note), object.at("record").get<std::string>());
	put_fields(record, "STALESOCK", object);
	return record;
}

JournalRecord for_delivery(const JournalRecord& record, bool owner_runs) {
	JournalRecord chosen;
	const std::string_view unwanted = owner_runs ? unit_field : pid_field;
	std::copy_if(record.begin(), record.end(), std::back_inserter(chosen),
	             [&](const std::string& field) { return !field.starts_with(unwanted); });
	return chosen;
}

} // namespace stalesock
