// SPDX-License-Identifier: Apache-2.0
#include "app/report.hpp"

#include "support/catch.hpp"

namespace stalesock::test {

namespace {

using Lines = std::vector<std::string>;

HookReport hook(Need need, const char* name, bool chosen) {
	HookReport report;
	report.need = need;
	report.hook = name;
	report.available = report.chosen = chosen;
	if (!chosen) {
		report.detail = "this kernel does not have it";
		report.consequence = std::string("no ") + name;
	}
	return report;
}

} // namespace

TEST_CASE("a quiet watch has four lines of summary", "[app]") {
	CHECK(summary_lines({"SIGINT", std::chrono::milliseconds(1250), {}, {}, {}, 0}) ==
	      Lines{"stopped after 1.2 s (SIGINT)", "verdicts: 0",
	            "events: 0 seen, 0 lost (0 dropped, 0 missed, 0 inferred), 0 malformed",
	            "connections: 0 tracked, 0 evicted"});
}

TEST_CASE("everything that was lost or left out is in the summary", "[app]") {
	Summary summary;
	summary.stopped_by = "--duration";
	summary.duration = std::chrono::hours(1);
	summary.probe = {.events = 1000, .dropped = 3, .missed = 4, .malformed = 5, .mptcp_skipped = 6};
	summary.engine = {
		.tracked = 7, .opened = 80, .evicted = 9, .peers = 13, .peers_evicted = 14, .inferred = 2};
	summary.pipeline.verdicts[static_cast<std::size_t>(VerdictKind::stale_reuse)] = 2;
	summary.pipeline.verdicts[static_cast<std::size_t>(VerdictKind::limit_close)] = 10;
	summary.pipeline.filtered = 11;
	summary.lines_discarded = 12;
	CHECK(
		summary_lines(summary) ==
		Lines{
			"stopped after 3600.0 s (--duration)",
			"verdicts: 12 (stale_reuse 2, limit_close 10), 11 more filtered out",
			"events: 1000 seen, 7 lost (3 dropped, 4 missed, 2 inferred), 5 malformed, 6 of MPTCP "
			"left out",
			"connections: 80 tracked, 9 evicted", "servers: 13 known, 14 evicted",
			"output: 12 lines discarded, the reader was too slow"});
}

TEST_CASE("what later events show was lost, whether or not the kernel says so", "[app]") {
	Summary summary;
	summary.engine.inferred = 8;
	CHECK(summary_lines(summary)[2] ==
	      "events: 0 seen, 8 lost (0 dropped, 0 missed, 8 inferred), 0 malformed");
}

TEST_CASE("a need that no hook serves is a gap, once it has a consequence", "[app]") {
	CHECK(hook_gaps({}).empty());
	CHECK(hook_gaps({hook(Need::late_write, "a", true)}).empty());
	CHECK(hook_gaps({hook(Need::late_write, "a", false), hook(Need::destroy, "b", true)}) ==
	      Lines{"no a (a: this kernel does not have it)"});
}

TEST_CASE("a need that another hook serves is no gap", "[app]") {
	CHECK(
		hook_gaps({hook(Need::late_write, "a", false), hook(Need::late_write, "b", true)}).empty());
	CHECK(
		hook_gaps({hook(Need::late_write, "b", true), hook(Need::late_write, "a", false)}).empty());
}

TEST_CASE("a need that only a weaker hook serves is a gap, told once", "[app]") {
	HookReport scan = hook(Need::late_write, "c", true);
	scan.consequence = "seen late";
	CHECK(hook_gaps({hook(Need::late_write, "a", false), hook(Need::late_write, "b", false),
	                 scan}) == Lines{"seen late (c)"});
	CHECK(hook_gaps({hook(Need::late_write, "a", false), hook(Need::late_write, "b", false)}) ==
	      Lines{"no a (a: this kernel does not have it)"});
}

} // namespace stalesock::test
