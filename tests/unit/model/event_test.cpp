// SPDX-License-Identifier: Apache-2.0
#include "model/event.hpp"

#include "support/catch.hpp"

#include <netinet/tcp.h>
#include <set>

using namespace stalesock;

namespace {

/// The names of the first COUNT values, so that a value added without a name is noticed.
template <typename Enumeration> std::set<std::string_view> names(unsigned count) {
	std::set<std::string_view> result;
	for (unsigned value = 0; value < count; ++value) {
		result.insert(to_string(static_cast<Enumeration>(value)));
	}
	return result;
}

} // namespace

TEST_CASE("states have the kernel's values and names", "[model]") {
	CHECK(static_cast<int>(TcpState::established) == TCP_ESTABLISHED);
	CHECK(static_cast<int>(TcpState::close_wait) == TCP_CLOSE_WAIT);
	CHECK(static_cast<int>(TcpState::closing) == TCP_CLOSING);
	CHECK(to_string(TcpState::established) == "ESTABLISHED");
	CHECK(to_string(TcpState::close_wait) == "CLOSE_WAIT");
	CHECK(to_string(TcpState::fin_wait1) == "FIN_WAIT1");
	CHECK(to_string(TcpState::unknown) == "UNKNOWN");
}

TEST_CASE("every value has a name of its own", "[model]") {
	CHECK(names<TcpState>(13).size() == 13);
	CHECK(names<Role>(3).size() == 3);
	CHECK(names<EventKind>(11).size() == 11);
	CHECK(names<OwnerSource>(5).size() == 5);
	CHECK(names<PayloadHead>(6).size() == 6);
}

TEST_CASE("a value from outside the enumeration is unknown", "[model]") {
	CHECK(to_string(static_cast<TcpState>(200)) == "UNKNOWN");
	CHECK(to_string(static_cast<EventKind>(200)) == "unknown");
	CHECK(to_string(static_cast<PayloadHead>(200)) == "unknown");
}

TEST_CASE("names are those of the documented output", "[model]") {
	CHECK(to_string(EventKind::peer_fin) == "peer_fin");
	CHECK(to_string(EventKind::keepalive_probe) == "keepalive_probe");
	CHECK(to_string(Role::active) == "active");
	CHECK(to_string(OwnerSource::connect) == "connect");
	CHECK(to_string(PayloadHead::tls_alert) == "tls_alert");
}
