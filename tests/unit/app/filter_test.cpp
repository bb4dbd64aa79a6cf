// SPDX-License-Identifier: Apache-2.0
#include "app/filter.hpp"

#include "support/catch.hpp"

namespace stalesock::test {

namespace {

constexpr auto port = [](std::uint16_t number) {
	VerdictFilter filter;
	filter.port = number;
	return filter;
};

VerdictFilter remote(std::string_view text) {
	VerdictFilter filter;
	filter.remote = parse_endpoint(text).value();
	return filter;
}

Verdict verdict_of_pid(std::optional<std::int32_t> pid) {
	Verdict verdict;
	verdict.kind = VerdictKind::abandoned_response; // a notice
	verdict.connection.local = parse_endpoint("10.0.0.1:41230").value();
	verdict.connection.remote = parse_endpoint("10.0.0.7:8080").value();
	verdict.owner.pid = pid;
	return verdict;
}

Event event() {
	Event event;
	event.local = parse_endpoint("10.0.0.1:41230").value();
	event.remote = parse_endpoint("[::ffff:10.0.0.7]:8080").value();
	return event;
}

} // namespace

TEST_CASE("no filter lets everything through", "[app]") {
	CHECK(matches(VerdictFilter{}, verdict_of_pid(std::nullopt)));
	CHECK(matches(VerdictFilter{}, Verdict{}));
	CHECK(matches(VerdictFilter{}, Event{}));
	CHECK(matches_unit(VerdictFilter{}, Owner{}));
}

TEST_CASE("by kind: any of those named", "[app]") {
	VerdictFilter filter;
	filter.kinds = {VerdictKind::stale_reuse, VerdictKind::abandoned_response};
	CHECK(matches(filter, verdict_of_pid(1)));
	filter.kinds = {VerdictKind::stale_reuse};
	CHECK_FALSE(matches(filter, verdict_of_pid(1)));
}

TEST_CASE("by severity: this one and above", "[app]") {
	VerdictFilter filter;
	filter.min_severity = Severity::notice;
	CHECK(matches(filter, verdict_of_pid(1)));
	filter.min_severity = Severity::warning;
	CHECK_FALSE(matches(filter, verdict_of_pid(1)));
}

TEST_CASE("by process: an unknown one is not the one", "[app]") {
	VerdictFilter filter;
	filter.pid = 812;
	CHECK(matches(filter, verdict_of_pid(812)));
	CHECK_FALSE(matches(filter, verdict_of_pid(813)));
	CHECK_FALSE(matches(filter, verdict_of_pid(std::nullopt)));
}

TEST_CASE("by remote endpoint: address and port", "[app]") {
	CHECK(matches(remote("10.0.0.7:8080"), verdict_of_pid(1)));
	CHECK(matches(remote("[::ffff:10.0.0.7]:8080"), verdict_of_pid(1)));
	CHECK_FALSE(matches(remote("10.0.0.7:8081"), verdict_of_pid(1)));
	CHECK_FALSE(matches(remote("10.0.0.8:8080"), verdict_of_pid(1)));
	CHECK_FALSE(matches(remote("10.0.0.1:41230"), verdict_of_pid(1))); // that is the local one
	CHECK(matches(remote("10.0.0.7:8080"), event()));
	CHECK_FALSE(matches(remote("10.0.0.1:41230"), event()));
}

TEST_CASE("by port: on either side", "[app]") {
	CHECK(matches(port(8080), verdict_of_pid(1)));
	CHECK(matches(port(41230), verdict_of_pid(1)));
	CHECK_FALSE(matches(port(80), verdict_of_pid(1)));
	CHECK(matches(port(41230), event()));
	CHECK_FALSE(matches(port(80), event()));
}

TEST_CASE("by unit: an unknown one is not the one", "[app]") {
	VerdictFilter filter;
	filter.unit = "nginx.service";
	CHECK(matches_unit(filter, {OwnerSource::write, 1, "nginx", "nginx.service"}));
	CHECK_FALSE(matches_unit(filter, {OwnerSource::write, 1, "nginx", "nginx2.service"}));
	CHECK_FALSE(matches_unit(filter, {OwnerSource::write, 1, "nginx", std::nullopt}));
}

TEST_CASE("every filter must let a verdict through", "[app]") {
	VerdictFilter filter = remote("10.0.0.7:8080");
	filter.port = 41230;
	filter.pid = 812;
	filter.kinds = {VerdictKind::abandoned_response};
	filter.min_severity = Severity::notice;
	CHECK(matches(filter, verdict_of_pid(812)));
	filter.port = 80;
	CHECK_FALSE(matches(filter, verdict_of_pid(812)));
}

TEST_CASE("events are filtered by endpoint only", "[app]") {
	VerdictFilter filter = remote("10.0.0.7:8080");
	filter.pid = 812;
	filter.unit = "nginx.service";
	filter.kinds = {VerdictKind::stale_reuse};
	filter.min_severity = Severity::error;
	CHECK(matches(filter, event()));
}

TEST_CASE("a filter in words", "[app]") {
	CHECK(describe(VerdictFilter{}).empty());
	VerdictFilter filter = remote("[2001:db8::7]:8080");
	filter.kinds = {VerdictKind::stale_reuse, VerdictKind::idle_close};
	filter.min_severity = Severity::warning;
	filter.port = 443;
	filter.pid = 812;
	filter.unit = "a\x1b.service";
	CHECK(describe(filter) ==
	      "verdict stale_reuse, verdict idle_close, severity warning and above, "
	      "remote [2001:db8::7]:8080, port 443, pid 812, unit a\\x1b.service");
}

} // namespace stalesock::test
