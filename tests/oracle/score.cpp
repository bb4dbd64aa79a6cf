// SPDX-License-Identifier: Apache-2.0
#include "score.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

namespace oracle {

namespace {

void hand_out(Sockets& sockets, const Transcript& transcript, Score& score) {
	for (const Report& report : transcript.verdicts) {
		const auto socket = sockets.find(report.ends);
		if (socket == sockets.end())
			score.strays.push_back(report.line);
		else if (!parse_kind(report.kind))
			++score.other_kinds[report.kind];
		else
			socket->second.reported.push_back(report);
	}
}

std::string without_port(const std::string& end) {
	return end.substr(0, end.rfind(':'));
}

/// Leaks of one process to one remote endpoint (or, accepted ones, from one remote address) that the same scan finds are told
/// in one verdict, which counts them: those that it stands for are not missed.
void excuse_grouped_leaks(Sockets& sockets) {
	std::set<std::pair<bool, std::string>> counted;
	const auto group_of = [](const Ends& ends, const Socket& socket) {
		return std::pair(socket.view.active,
		                 socket.view.active ? ends.remote : without_port(ends.remote));
	};
	const auto is_leak = [](const Report& report) {
		return report.kind == to_string(Kind::close_wait_leak);
	};
	for (const auto& [ends, socket] : sockets) {
		const auto leak = std::find_if(socket.reported.begin(), socket.reported.end(), is_leak);
		if (leak != socket.reported.end() &&
		    leak->line.find(R"("leaked_connections":1,)") == std::string::npos)
			counted.insert(group_of(ends, socket));
	}
	for (auto& [ends, socket] : sockets) {
		if (socket.truth.kinds.contains(Kind::close_wait_leak) &&
		    std::none_of(socket.reported.begin(), socket.reported.end(), is_leak) &&
		    counted.contains(group_of(ends, socket))) {
			socket.truth.kinds.erase(Kind::close_wait_leak);
			socket.truth.unscored.emplace(Kind::close_wait_leak,
			                              "told with another leak of its group");
		}
	}
}

/// What a socket cannot always tell apart: the first may be reported where the second happened.
constexpr std::array<std::pair<Kind, Kind>, 4> mistakable{{
	{Kind::idle_close, Kind::limit_close},
	{Kind::limit_close, Kind::idle_close},
	{Kind::limit_close, Kind::unanswered_close},
	{Kind::idle_close, Kind::unanswered_close},
}};

unsigned reports_of(const Socket& socket, Kind kind) {
	return static_cast<unsigned>(
		std::count_if(socket.reported.begin(), socket.reported.end(),
	                  [&](const Report& report) { return report.kind == to_string(kind); }));
}

/// `reported` was taken for `happened`, once, and the verdict said that this was a guess.
bool is_admitted_guess(const Socket& socket, Kind reported, Kind happened) {
	const auto report =
		std::find_if(socket.reported.begin(), socket.reported.end(),
	                 [&](const Report& one) { return one.kind == to_string(reported); });
	return socket.truth.kinds.contains(happened) && !socket.truth.kinds.contains(reported) &&
	       reports_of(socket, reported) == 1 && reports_of(socket, happened) == 0 &&
	       report->confidence != "certain";
}

/// What depends on what was written, and when, after the FIN.
bool needs_sight_of_writes(Kind kind) {
	switch (kind) {
	case Kind::stale_reuse:
	case Kind::farewell_write:
	case Kind::abandoned_response:
	case Kind::half_close_response:
	case Kind::early_response:
	case Kind::limit_close: return true;
	default: return false;
	}
}

bool is_excused_as_weak(const Socket& socket, Kind kind) {
	return needs_sight_of_writes(kind) &&
	       std::any_of(socket.reported.begin(), socket.reported.end(),
	                   [](const Report& report) { return report.confidence != "certain"; });
}

bool rests_on_timer(Kind kind) {
	return kind == Kind::silent_drop || kind == Kind::peer_unresponsive ||
	       kind == Kind::keepalive_ineffective;
}

bool is_excused(const Socket& socket, Kind kind, bool weak) {
	if (weak && is_excused_as_weak(socket, kind))
		return true;
	return std::any_of(mistakable.begin(), mistakable.end(), [&](const auto& pair) {
		const auto [reported, happened] = pair;
		return (kind == reported || kind == happened) &&
		       is_admitted_guess(socket, reported, happened);
	});
}

void compare_kind(const Ends& ends, const Socket& socket, Kind kind, bool weak, Score& score) {
	Row& row = score.rows[kind];
	const bool is_true = socket.truth.kinds.contains(kind);
	const unsigned count = reports_of(socket, kind);
	if (socket.truth.unscored.contains(kind)) {
		++row.unscored;
		return;
	}
	const bool excused = is_excused(socket, kind, weak);
	const bool agrees = is_true ? count == 1 : count == 0;
	row.guessed += excused && !agrees ? 1 : 0;
	const auto note = [&](const char* how, bool says_nothing = false) {
		if (!excused)
			score.mismatches.push_back(
				{ends, std::string(to_string(kind)) + " " + how, kind, {}, says_nothing});
	};
	row.truths += is_true ? 1 : 0;
	row.reports += count;
	const unsigned agreed = is_true && count > 0 ? 1 : 0;
	row.agreed += agreed;
	row.wrong += count - agreed;
	if (count > agreed)
		note(is_true ? "reported twice" : "is wrong");
	if (is_true && count == 0) {
		++row.missed;
		if (rests_on_timer(kind))
			score.unseen.push_back({ends, std::string(to_string(kind)) + " missed", kind, {}});
		else
			note("missed", true);
	}
}

void compare_role(const Ends& ends, const Socket& socket, Score& score) {
	const std::string_view role = socket.view.active ? "active" : "passive";
	for (const Report& report : socket.reported) {
		if (report.role != role)
			score.mismatches.push_back(
				{ends, report.kind + " has the role '" + report.role + "'", {}, {}});
	}
}

/// Of nothing there is no share.
std::string percent(unsigned part, unsigned rest) {
	if (part + rest == 0)
		return "-";
	std::array<char, 16> text{};
	std::snprintf(text.data(), text.size(), "%.2f %%", 100.0 * part / (part + rest));
	return text.data();
}

std::string table_row(std::string_view name, const Row& row) {
	std::array<char, 160> line{};
	std::snprintf(line.data(), line.size(), "%-20s %7u %8u %6u %6u %6u %8u %9u %11s %11s\n",
	              std::string(name).c_str(), row.truths, row.reports, row.agreed, row.wrong,
	              row.missed, row.guessed, row.unscored, percent(row.agreed, row.wrong).c_str(),
	              percent(row.agreed, row.missed).c_str());
	return line.data();
}

} // namespace

Score score(Sockets& sockets, const Transcript& transcript, bool weak) {
	Score result;
	hand_out(sockets, transcript, result);
	excuse_grouped_leaks(sockets);
	for (const auto& [ends, socket] : sockets) {
		for (const Kind kind : all_kinds)
			compare_kind(ends, socket, kind, weak, result);
		compare_role(ends, socket, result);
	}
	return result;
}

std::string table(const Score& score) {
	std::string text =
		"verdict                truth reported     TP     FP     FN  guessed  unscored"
		"   precision      recall\n";
	for (const Kind kind : all_kinds)
		text += table_row(to_string(kind), score.rows.at(kind));
	return text;
}

} // namespace oracle
