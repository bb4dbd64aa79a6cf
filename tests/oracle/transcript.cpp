// SPDX-License-Identifier: Apache-2.0
#include "transcript.hpp"

#include <nlohmann/json.hpp>

#include <ctime>
#include <stdexcept>
#include <utility>

namespace oracle {

namespace {

using nlohmann::json;

/// "2026-11-21T02:40:00.123456Z"
Nanoseconds parse_time(const std::string& text) {
	std::tm calendar{};
	const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &calendar);
	if (rest == nullptr)
		throw std::runtime_error("not a time: " + text);
	const double fraction =
		*rest == '.' ? std::stod("0" + std::string(rest, std::string_view(rest).find('Z'))) : 0;
	return std::chrono::seconds(::timegm(&calendar)) +
	       Nanoseconds(static_cast<std::int64_t>(fraction * 1e9));
}

Report report_of(const json& object, const json& ends, const char* name, std::string_view line) {
	Report report;
	report.ends = {ends.value("local", ""), ends.value("remote", "")};
	report.kind = object.at(name).get<std::string>();
	report.role = ends.value("role", "");
	report.confidence = object.value("confidence", "");
	report.time = parse_time(object.at("time").get<std::string>());
	report.line = line;
	return report;
}

void take_line(Transcript& transcript, std::string_view line) {
	const json object = json::parse(line);
	if (object.contains("verdict")) {
		transcript.verdicts.push_back(report_of(object, object.at("connection"), "verdict", line));
	} else if (object.contains("event")) {
		Report report = report_of(object, object, "event", line);
		const Ends ends = report.ends;
		transcript.events[ends].push_back(std::move(report));
	} else if (object.value("record", "") == "lost") {
		const json& lost = object.at("lost");
		if (lost.at("dropped") != 0)
			transcript.losses.emplace_back(line);
		transcript.skipped_runs = lost.at("missed").get<std::uint64_t>();
	}
}

} // namespace

Transcript parse_transcript(std::string_view output) {
	Transcript transcript;
	while (!output.empty()) {
		const std::size_t end = output.find('\n');
		if (end == std::string_view::npos)
			throw std::runtime_error("the last line has no end: " + std::string(output));
		take_line(transcript, output.substr(0, end));
		output.remove_prefix(end + 1);
	}
	return transcript;
}

} // namespace oracle
