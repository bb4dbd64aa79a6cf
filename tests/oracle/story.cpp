// SPDX-License-Identifier: Apache-2.0
#include "story.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace oracle {

namespace {

struct Entry {
	Nanoseconds time{};
	std::string text;
};

std::string flags_text(std::uint8_t flags) {
	constexpr std::array<std::pair<std::uint8_t, char>, 5> letters{
		{{TH_SYN, 'S'}, {TH_FIN, 'F'}, {TH_RST, 'R'}, {TH_PUSH, 'P'}, {TH_ACK, '.'}}};
	std::string text;
	for (const auto& [flag, letter] : letters)
		text += (flags & flag) != 0 ? std::string(1, letter) : "";
	return text;
}

std::string head_text(const CapturedHead& head) {
	std::string text;
	const bool printable =
		std::all_of(head.bytes.begin(), head.bytes.begin() + head.length,
	                [](std::uint8_t byte) { return byte >= ' ' && byte < 0x7f; });
	for (std::size_t i = 0; i < head.length; ++i) {
		std::array<char, 8> hex{};
		std::snprintf(hex.data(), hex.size(), "%02x ", head.bytes[i]);
		text +=
			printable ? std::string(1, static_cast<char>(head.bytes[i])) : std::string(hex.data());
	}
	return text;
}

std::string segment_text(const Segment& segment) {
	std::array<char, 160> line{};
	std::snprintf(line.data(), line.size(), "%s %-3s seq %u:%u ack %u len %u %s%s",
	              segment.sent ? "->" : "<-", flags_text(segment.flags).c_str(), segment.sequence,
	              segment.end(), segment.acknowledgement, segment.payload,
	              head_text(segment.head).c_str(), segment.repeated ? " (retransmission)" : "");
	return line.data();
}

std::vector<Entry> timeline(const Ends& ends, const Socket& socket, const Transcript& transcript) {
	std::vector<Entry> entries;
	for (const Segment& segment : socket.view.segments)
		entries.push_back({segment.time, segment_text(segment)});
	for (const Report& report : socket.reported)
		entries.push_back({report.time, "## " + report.line});
	if (const auto events = transcript.events.find(ends); events != transcript.events.end()) {
		for (const Report& event : events->second)
			entries.push_back({event.time, "%% " + event.line});
	}
	std::stable_sort(entries.begin(), entries.end(),
	                 [](const Entry& one, const Entry& other) { return one.time < other.time; });
	return entries;
}

std::string truth_text(const Truth& truth) {
	std::string text;
	for (const Kind kind : truth.kinds)
		text += " " + std::string(to_string(kind));
	for (const auto& [kind, reason] : truth.unscored)
		text += " [" + std::string(to_string(kind)) + " unscored: " + reason + "]";
	return text.empty() ? " nothing" : text;
}

std::string title(const Mismatch& mismatch, const Socket& socket, const Finished& finished) {
	const Plan& plan = finished.plan;
	std::string text = "--- " + mismatch.what + mismatch.detail + ": " + mismatch.ends.local +
	                   " -> " + mismatch.ends.remote;
	text += socket.view.active ? " active" : " passive";
	text += ", connection " + std::to_string(socket.connection) + " \"" + plan.name + "\"";
	if (plan.path == Path::relayed)
		text += ", " + std::to_string(plan.delay.count()) + " us each way";
	return text + "\n    packets say:" + truth_text(socket.truth) + "\n";
}

} // namespace

std::string tell(const Mismatch& mismatch, const Socket& socket, const Finished& finished,
                 const Transcript& transcript) {
	std::string text = title(mismatch, socket, finished);
	const std::vector<Entry> entries = timeline(mismatch.ends, socket, transcript);
	for (const Entry& entry : entries) {
		std::array<char, 32> time{};
		const double ms =
			std::chrono::duration<double, std::milli>(entry.time - entries.front().time).count();
		std::snprintf(time.data(), time.size(), "%11.3f ", ms);
		text += time.data() + entry.text + "\n";
	}
	return text;
}

} // namespace oracle
