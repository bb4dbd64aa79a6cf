// SPDX-License-Identifier: Apache-2.0
#include "app/values.hpp"

#include "probe/namespaces.hpp"
#include "support/catch.hpp"

#include <stdexcept>

namespace stalesock::test {

namespace {

using matchers::Contains;
using std::chrono::microseconds;
using std::chrono::seconds;

/// The complaint about a text; empty when it is accepted.
template <typename Read> std::string complaint(Read read, std::string_view text) {
	try {
		static_cast<void>(read(text));
		return {};
	} catch (const std::invalid_argument& problem) {
		return problem.what();
	}
}

template <typename Read> void check_refused(Read read, std::string_view text) {
	INFO("\"" << text << "\"");
	CHECK_THAT(complaint(read, text), Contains(std::string(text)) && Contains("is not"));
}

} // namespace

TEST_CASE("durations are seconds, with a fraction where wanted", "[app]") {
	CHECK(read_duration("1") == seconds(1));
	CHECK(read_duration("2.5") == microseconds(2'500'000));
	CHECK(read_duration("1e3") == seconds(1000));
	CHECK(read_duration("0.000001") == microseconds(1));
	CHECK(read_duration("0.0000001") == microseconds(1)); // never none at all
	CHECK(read_duration("1000000000") == seconds(1'000'000'000));
	for (const char* text : {"", "0", "0.0", "-1", "-0.5", "+1", " 1", "1 ", "1s", "0x10", "1,5",
	                         "inf", "-inf", "nan", "1e400", "1000000001"}) {
		check_refused(read_duration, text);
	}
}

TEST_CASE("scans are a tenth of a second to an hour apart", "[app]") {
	CHECK(read_scan_interval("0.1") == microseconds(100'000));
	CHECK(read_scan_interval("10") == seconds(10));
	CHECK(read_scan_interval("3600") == seconds(3600));
	for (const char* text : {"", "0", "0.09", "3601", "-1", "10s", "inf", "nan"}) {
		check_refused(read_scan_interval, text);
	}
}

TEST_CASE("ring sizes are powers of two within the probe's bounds", "[app]") {
	CHECK(read_ring_size("64K") == 64U << 10);
	CHECK(read_ring_size("64k") == 64U << 10);
	CHECK(read_ring_size("65536") == 65536);
	CHECK(read_ring_size("4M") == 4U << 20);
	CHECK(read_ring_size("1024M") == 1U << 30);
	CHECK(read_ring_size("1G") == 1U << 30);
	CHECK(read_ring_size("1g") == 1U << 30);
	for (const char* text : {"", "K", "0", "0K", "32K", "32768", "65535", "65537", "96K", "2G",
	                         "4194304G", // 2^52
	                         "4294967296", "-4M", "4MB", "4KK", "4 M", "4T", "1.5M"}) {
		check_refused(read_ring_size, text);
	}
}

TEST_CASE("numbers are whole, decimal and within their bounds", "[app]") {
	CHECK(read_port("1") == 1);
	CHECK(read_port("65535") == 65535);
	CHECK(read_pid("1") == 1);
	CHECK(read_pid("4194304") == 4'194'304);
	CHECK(read_connection_limit("1") == 1);
	CHECK(read_connection_limit("67108864") == 67'108'864);
	for (const char* text : {"", "0", "65536", "-1", "80 ", "+80", "0x50", "http", "80.0"}) {
		check_refused(read_port, text);
	}
	for (const char* text : {"", "0", "4194305", "-1", "self", "99999999999999999999"}) {
		check_refused(read_pid, text);
	}
	for (const char* text : {"", "0", "67108865", "-1", "1K"}) {
		check_refused(read_connection_limit, text);
	}
	CHECK_THAT(complaint(read_port, "0"), Contains("a port (1 to 65535)"));
}

TEST_CASE("remote endpoints need address and port", "[app]") {
	CHECK(to_string(read_remote("10.0.0.7:8080")) == "10.0.0.7:8080");
	CHECK(to_string(read_remote("[2001:db8::7]:8080")) == "[2001:db8::7]:8080");
	CHECK(to_string(read_remote("[::ffff:10.0.0.7]:8080")) == "10.0.0.7:8080");
	for (const char* text : {"", ":", "10.0.0.7", "10.0.0.7:", "10.0.0.7:0", "10.0.0.7:65536",
	                         ":8080", "::1:8080", "[::1]", "localhost:8080", "10.0.0.256:1"}) {
		check_refused(read_remote, text);
	}
}

TEST_CASE("names of verdicts and severities are exact", "[app]") {
	for (std::size_t i = 0; i < verdict_kind_count; i++) {
		const auto kind = static_cast<VerdictKind>(i);
		CHECK(read_verdict_kind(to_string(kind)) == kind);
		CHECK_THAT(complaint(read_verdict_kind, "nope"), Contains(std::string(to_string(kind))));
	}
	for (const Severity severity :
	     {Severity::info, Severity::notice, Severity::warning, Severity::error}) {
		CHECK(read_severity(to_string(severity)) == severity);
		CHECK_THAT(complaint(read_severity, "nope"), Contains(std::string(to_string(severity))));
	}
	for (const HookChoice choice : {HookChoice::automatic, HookChoice::tracepoint,
	                                HookChoice::trampoline, HookChoice::none}) {
		CHECK(read_hook_choice(to_string(choice)) == choice);
	}
	check_refused(read_hook_choice, "None");
	for (const char* text : {"", "STALE_REUSE", "stale_reuse ", "stale"}) {
		check_refused(read_verdict_kind, text);
	}
	for (const char* text : {"", "Error", "err", "warn"}) {
		check_refused(read_severity, text);
	}
}

TEST_CASE("a unit without a type is a service", "[app]") {
	CHECK(read_unit("nginx") == "nginx.service");
	CHECK(read_unit("nginx.service") == "nginx.service");
	CHECK(read_unit("session-3.scope") == "session-3.scope");
	CHECK(read_unit("getty@tty1") == "getty@tty1.service");
	CHECK(read_unit("php8.2-fpm") == "php8.2-fpm.service");
	check_refused(read_unit, "");
	check_refused(read_unit, "system.slice/nginx.service");
}

TEST_CASE("network namespaces: self, a path, or an inode number", "[app]") {
	const std::uint32_t own = own_network_namespace();
	CHECK(own > 0);
	CHECK(read_network_namespace("self") == own);
	CHECK(read_network_namespace("/proc/self/ns/net") == own);
	CHECK(read_network_namespace("1") == 1);
	CHECK(read_network_namespace("4294967295") == 4'294'967'295);
	for (const char* text : {"", "0", "4294967296", "-1", "blue"}) {
		check_refused(read_network_namespace, text);
	}
	check_refused(read_network_namespace, "/proc/self/ns/uts");
	check_refused(read_network_namespace, "/dev/null");
	CHECK_THAT(complaint(read_network_namespace, "/nowhere/at/all"),
	           Contains("\"/nowhere/at/all\" cannot be opened: No such file"));
}

TEST_CASE("what is refused is quoted so that it cannot drive a terminal", "[app]") {
	CHECK_THAT(complaint(read_port, "\x1b[31m"), Contains("\"\\x1b[31m\" is not"));
	CHECK_THAT(complaint(read_network_namespace, "/\x1b[31m"), Contains("\"/\\x1b[31m\""));
}

} // namespace stalesock::test
