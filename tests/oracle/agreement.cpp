// SPDX-License-Identifier: Apache-2.0
#include "agreement.hpp"

#include "network.hpp"
#include "transcript.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

namespace oracle {

namespace {

/// Of the verdicts of either, the share that the other may lack, and at least two.
constexpr double most_lacking = 0.02;

/// What replay printed, by kind.
using Found = std::map<Ends, std::map<std::string, std::string>>;

/// Everything the program prints about one file.
std::string replay(const std::string& program, const std::string& file) {
	const std::string command = "'" + program + "' replay --json --collapse 0 '" + file + "'";
	const auto close = [](std::FILE* pipe) { ::pclose(pipe); };
	// NOLINTNEXTLINE(cert-env33-c): both names are this test's own
	std::unique_ptr<std::FILE, decltype(close)> pipe(::popen(command.c_str(), "re"), close);
	if (!pipe)
		throw SystemFailure("popen");
	std::string output;
	std::array<char, 65'536> buffer{};
	while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
		output.append(buffer.data(), size);
	if (::pclose(pipe.release()) != 0)
		throw std::runtime_error(command + " failed");
	return output;
}

std::string replace(std::string text, const std::string& from, const std::string& to) {
	if (const std::size_t at = text.find(from); at != std::string::npos)
		text.replace(at, from.size(), to);
	return text;
}

/// The real end of what the relay shows as .2.
std::string real_name(const std::string& end) {
	const std::string ipv4 = replace(end, std::string(relayed_address_ipv4) + ":",
	                                 std::string(tunnel_address_ipv4) + ":");
	return replace(ipv4, "[" + std::string(relayed_address_ipv6) + "]",
	               "[" + std::string(tunnel_address_ipv6) + "]");
}

std::string relayed_name(const std::string& end) {
	const std::string ipv4 = replace(end, std::string(tunnel_address_ipv4) + ":",
	                                 std::string(relayed_address_ipv4) + ":");
	return replace(ipv4, "[" + std::string(tunnel_address_ipv6) + "]",
	               "[" + std::string(relayed_address_ipv6) + "]");
}

/// What became of a request that the peer did not wait for: where one is open, all are.
bool is_about_last_request(Kind kind) {
	return kind == Kind::reuse_race || kind == Kind::unanswered_close ||
	       kind == Kind::early_response;
}

/// Nobody can tell, or this test cannot.
bool is_undecided(const Socket& socket, Kind kind) {
	return std::any_of(
		socket.truth.unscored.begin(), socket.truth.unscored.end(), [kind](const auto& open) {
			return open.first == kind ||
		           (is_about_last_request(kind) && is_about_last_request(open.first));
		});
}

bool is_guess(std::string_view kind, std::string_view line) {
	const bool is_twin =
		kind == to_string(Kind::idle_close) || kind == to_string(Kind::limit_close);
	return is_twin && line.find(R"("confidence":"certain")") == std::string_view::npos;
}

/// Idle, or closed with an answer: one of the two admits that it guesses.
bool is_admitted_guess(const Socket& socket, const Found& verdicts, const Ends& ends, Kind kind) {
	if (kind != Kind::idle_close && kind != Kind::limit_close)
		return false;
	const auto replayed = verdicts.find(ends);
	return std::any_of(socket.reported.begin(), socket.reported.end(),
	                   [](const Report& report) { return is_guess(report.kind, report.line); }) ||
	       (replayed != verdicts.end() &&
	        std::any_of(replayed->second.begin(), replayed->second.end(),
	                    [](const auto& entry) { return is_guess(entry.first, entry.second); }));
}

/// A timer of the kernel that sends nothing when it gives up.
bool ended_in_silence(const Socket& socket, Kind kind) {
	const std::vector<Segment>& segments = socket.view.segments;
	return kind == Kind::peer_unresponsive && socket.truth.kinds.contains(kind) &&
	       std::none_of(segments.begin(), segments.end(),
	                    [](const Segment& segment) { return segment.sent && segment.has(TH_RST); });
}

/// One of our CPUs delivered later than another what had been sent sooner (loopback only): a capture has no socket's order then.
bool captured_in_disorder(const Socket& socket) {
	std::uint32_t next = 0;
	return std::any_of(socket.view.segments.begin(), socket.view.segments.end(),
	                   [&](const Segment& segment) {
						   if (!segment.sent || segment.repeated)
							   return false;
						   const bool late = segment.payload != 0 && segment.sequence < next;
						   next = std::max(next, segment.end());
						   return late;
					   });
}

void count(Tally& tally, bool live, bool wire) {
	tally.both += live && wire ? 1 : 0;
	tally.live_only += live && !wire ? 1 : 0;
	tally.wire_only += wire && !live ? 1 : 0;
}

bool reported(const Socket& socket, Kind kind) {
	return std::any_of(socket.reported.begin(), socket.reported.end(),
	                   [&](const Report& report) { return report.kind == to_string(kind); });
}

bool found(const Found& verdicts, const Ends& ends, Kind kind) {
	const auto at = verdicts.find(ends);
	return at != verdicts.end() && at->second.contains(std::string(to_string(kind)));
}

double agreed(const Tally& tally) {
	const unsigned all = tally.both + tally.live_only + tally.wire_only;
	return all == 0 ? 100.0 : 100.0 * tally.both / all;
}

/// The ACK number decides these: each difference is a fault.
bool must_agree(Kind kind) {
	return kind == Kind::stale_reuse || kind == Kind::reuse_race;
}

unsigned most_differences(const Tally& tally) {
	return std::max(2U, static_cast<unsigned>(most_lacking * tally.both));
}

void complain(Agreement& agreement) {
	for (const auto& [kind, tally] : agreement.here) {
		const unsigned differences = tally.live_only + tally.wire_only;
		if (!must_agree(kind) && differences > most_differences(tally))
			agreement.complaints.push_back("replay and watch differ " +
			                               std::to_string(differences) + " times on " +
			                               std::string(to_string(kind)));
	}
}

void note_difference(Agreement& agreement, const Ends& ends, Kind kind, bool live,
                     const Found& verdicts) {
	const std::string what =
		std::string(to_string(kind)) + " only " + (live ? "live" : "on the wire");
	agreement.differences.push_back(what + ": " + ends.local + " -> " + ends.remote);
	if (!must_agree(kind))
		return;
	std::string detail;
	if (const auto found = verdicts.find(ends); found != verdicts.end()) {
		for (const auto& [name, line] : found->second)
			detail += ", replay says " + line;
	}
	agreement.faults.push_back({ends, what, kind, detail, !live});
}

std::string row(std::string_view name, const Tally& tally) {
	std::array<char, 120> line{};
	std::snprintf(line.data(), line.size(), "%-28s %6u %9u %9u %10.2f %%\n",
	              std::string(name).c_str(), tally.both, tally.live_only, tally.wire_only,
	              agreed(tally));
	return line.data();
}

} // namespace

bool is_on_the_wire(Kind kind) {
	return kind != Kind::dirty_close && kind != Kind::dirty_idle && kind != Kind::close_wait_leak;
}

bool is_seen_from_afar(Kind kind) {
	return kind != Kind::silent_drop && kind != Kind::peer_unresponsive &&
	       kind != Kind::early_idle_close;
}

Agreement compare_with_replay(const std::string& program, const std::vector<std::string>& files,
                              const Sockets& sockets) {
	Found verdicts;
	for (const std::string& file : files) {
		for (const Report& report : parse_transcript(replay(program, file)).verdicts)
			verdicts[report.ends].emplace(report.kind, report.line);
	}
	Agreement agreement;
	for (const auto& [ends, socket] : sockets) {
		if (captured_in_disorder(socket))
			continue;
		const Ends away{relayed_name(ends.local), real_name(ends.remote)};
		for (const Kind kind : all_kinds) {
			if (!is_on_the_wire(kind) || socket.truth.not_on_wire.contains(kind) ||
			    is_undecided(socket, kind) || ended_in_silence(socket, kind))
				continue;
			const bool live = reported(socket, kind);
			const bool wire = found(verdicts, ends, kind);
			const bool guessed = live != wire && is_admitted_guess(socket, verdicts, ends, kind);
			if (!guessed)
				count(agreement.here[kind], live, wire);
			if (live != wire && !guessed)
				note_difference(agreement, ends, kind, live, verdicts);
			if (away.local != ends.local && is_seen_from_afar(kind))
				count(agreement.away[kind], live, found(verdicts, away, kind));
		}
	}
	complain(agreement);
	return agreement;
}

std::string table(const Agreement& agreement) {
	std::string text = "replay against watch           both live only wire only   agreement\n";
	for (const auto& [kind, tally] : agreement.here)
		text += row(to_string(kind), tally);
	for (const auto& [kind, tally] : agreement.away)
		text += row(std::string(to_string(kind)) + ", away", tally);
	for (const std::string& difference : agreement.differences)
		text += difference + "\n";
	return text;
}

} // namespace oracle
