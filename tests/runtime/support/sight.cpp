// SPDX-License-Identifier: Apache-2.0
#include "support/sight.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace runtime {

namespace {

/// No farewell is longer: see longest_farewell in the rules.
constexpr std::size_t longest_farewell = 128;

std::map<std::string, std::string>& skipped() {
	static std::map<std::string, std::string> reasons; // by test case
	return reasons;
}

bool is_about_late_write(const Json& verdict) {
	return verdict.at("evidence").contains("bytes_after_fin");
}

/// Something that the verdict rests on cannot be seen.
bool is_inferred(const Json& verdict) {
	if (!is_about_late_write(verdict)) {
		return false;
	}
	const bool head_matters = verdict.at("verdict") == "early_response" ||
	                          verdict.at("evidence").at("bytes_after_fin") <= longest_farewell;
	return !sees(Sight::time) || (head_matters && !sees(Sight::head));
}

} // namespace

void check_confidence(const Json& verdict, const std::string& with_best_hooks) {
	const bool weaker = with_best_hooks == "certain" && is_inferred(verdict);
	CHECK(verdict.at("confidence") == (weaker ? "likely" : with_best_hooks));
	CHECK(verdict.contains("inferred") == (verdict.at("confidence") != "certain"));
}

void check_writer(const Json& verdict, pid_t pid, const std::string& command) {
	const Json& owner = verdict.at("owner");
	if (!sees(Sight::writer)) {
		CHECK(owner.at("source") != "write");
		CHECK_THAT(verdict.at("message").get<std::string>(),
		           matchers::StartsWith("an unknown process"));
		return;
	}
	CHECK(owner.at("pid") == pid);
	CHECK(owner.at("command") == command);
	CHECK(owner.at("source") == "write");
}

std::string overclaim(const Json& verdict) {
	if (!is_about_late_write(verdict)) {
		return {};
	}
	const Json& evidence = verdict.at("evidence");
	const auto claims = [&](Sight sight, const char* field) {
		return !sees(sight) && evidence.contains(field);
	};
	if (!sees(Sight::writer) && verdict.at("owner").at("source") == "write") {
		return "who wrote";
	}
	if (is_inferred(verdict) && verdict.at("confidence") == "certain") {
		return "certainty";
	}
	if (claims(Sight::time, "fin_to_write_ms") || claims(Sight::time, "unread_bytes")) {
		return "the time of the write";
	}
	if (claims(Sight::eof, "eof_read") || claims(Sight::eof, "peeked")) {
		return "what was read";
	}
	return claims(Sight::head, "late_head") ? "the head of the message" : "";
}

void skip(std::string_view reason) {
	skipped().emplace(Catch::getResultCapture().getCurrentTestName(), reason);
}

std::string skip_report() {
	std::string report;
	for (const auto& [name, reason] : skipped()) {
		report += "skipped: " + name + ": " + reason + "\n";
	}
	return report + std::to_string(skipped().size()) + " skipped\n";
}

bool all_skips_are_expected() {
	const char* expected = std::getenv("STALESOCK_EXPECTED_SKIPS");
	const std::string list = ";" + std::string(expected == nullptr ? "" : expected) + ";";
	const auto is_expected = [&list](const auto& skip) {
		return list.find(";" + skip.second + ";") != std::string::npos;
	};
	return expected == nullptr || std::all_of(skipped().begin(), skipped().end(), is_expected);
}

} // namespace runtime
