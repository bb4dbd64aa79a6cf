// SPDX-License-Identifier: Apache-2.0
#include "model/endpoint.hpp"

#include "support/catch.hpp"

using namespace stalesock;

namespace {

std::string round_trip(std::string_view text) {
	const auto endpoint = parse_endpoint(text);
	return endpoint ? to_string(*endpoint) : "refused";
}

} // namespace

TEST_CASE("an endpoint prints the way it is read", "[model]") {
	const auto* const text =
		GENERATE("127.0.0.1:80", "255.255.255.255:65535", "0.0.0.0:1", "[::1]:80", "[::]:443",
	             "[2001:db8::1:0:0:1]:8080", "[fe80::1]:22");
	CHECK(round_trip(text) == text);
}

TEST_CASE("IPv6 prints as RFC 5952 asks", "[model]") {
	CHECK(round_trip("[2001:DB8:0:0:0:0:0:1]:80") == "[2001:db8::1]:80");
	CHECK(round_trip("[2001:db8:0:1:1:1:1:1]:80") == "[2001:db8:0:1:1:1:1:1]:80");
	CHECK(round_trip("[2001:0:0:1:0:0:0:1]:80") == "[2001:0:0:1::1]:80");
	CHECK(round_trip("[2001:db8:0:0:1:0:0:1]:80") == "[2001:db8::1:0:0:1]:80");
}

TEST_CASE("an IPv4-mapped address is the IPv4 address", "[model]") {
	const auto mapped = parse_address("::ffff:10.0.0.7");
	const auto plain = parse_address("10.0.0.7");
	REQUIRE(mapped);
	REQUIRE(plain);
	CHECK(*mapped == *plain);
	CHECK(mapped->is_ipv4());
	CHECK(to_string(*mapped) == "10.0.0.7");
	CHECK(round_trip("[::ffff:10.0.0.7]:80") == "10.0.0.7:80");
}

TEST_CASE("kernel bytes become addresses", "[model]") {
	CHECK(to_string(address_from_ipv4({10, 0, 0, 7})) == "10.0.0.7");
	CHECK(to_string(address_from_ipv6(
			  {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})) == "2001:db8::1");
	CHECK(address_from_ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 7}) ==
	      address_from_ipv4({10, 0, 0, 7}));
}

TEST_CASE("an IPv4-compatible address is not IPv4", "[model]") {
	const auto address = parse_address("::10.0.0.7");
	REQUIRE(address);
	CHECK_FALSE(address->is_ipv4());
}

TEST_CASE("the unspecified address is recognised in both families", "[model]") {
	CHECK(parse_address("0.0.0.0")->is_unspecified());
	CHECK(parse_address("::")->is_unspecified());
	CHECK(Address{}.is_unspecified());
	CHECK_FALSE(parse_address("0.0.0.1")->is_unspecified());
	CHECK_FALSE(parse_address("::1")->is_unspecified());
	CHECK_FALSE(parse_address("100::")->is_unspecified());
}

TEST_CASE("an endpoint without a chosen port prints port 0", "[model]") {
	CHECK(to_string(Endpoint{*parse_address("127.0.0.1"), 0}) == "127.0.0.1:0");
	CHECK(to_string(Endpoint{}) == "[::]:0");
}

TEST_CASE("bad endpoints are refused", "[model]") {
	const auto* const text =
		GENERATE("", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
	             "127.0.0.1:80x", "127.0.0.1: 80", "127.0.0.1:+80", "127.0.0.1:-1", "127.0.0:80",
	             "127.0.0.256:80", "127.0.0.1.1:80", "localhost:80", "::1:80", "::1", "[::1]",
	             "[::1]:", "[::1]80", "[::1:80", "::1]:80", "[]:80", "[[::1]]:80", "[127.0.0.1]:80",
	             "[fe80::1%eth0]:80", "[::g]:80", " 127.0.0.1:80", "127.0.0.1 :80");
	CAPTURE(text);
	CHECK_FALSE(parse_endpoint(text));
}

TEST_CASE("an address is read with and without brackets", "[model]") {
	CHECK(parse_address("::1") == parse_address("[::1]"));
	CHECK(parse_address("::1"));
	CHECK(parse_address("10.0.0.7"));
	CHECK_FALSE(parse_address(""));
	CHECK_FALSE(parse_address("[]"));
	CHECK_FALSE(parse_address("[::1"));
	CHECK_FALSE(parse_address("10.0.0.7:80"));
	CHECK_FALSE(parse_address(std::string_view("10.0.0.7\0.evil", 14)));
}

TEST_CASE("endpoints order by address, then port", "[model]") {
	CHECK(*parse_endpoint("10.0.0.1:9") < *parse_endpoint("10.0.0.2:1"));
	CHECK(*parse_endpoint("10.0.0.1:1") < *parse_endpoint("10.0.0.1:9"));
	CHECK(*parse_endpoint("10.0.0.1:9") == *parse_endpoint("[::ffff:10.0.0.1]:9"));
}
