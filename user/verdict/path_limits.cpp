// SPDX-License-Identifier: Apache-2.0
#include "verdict/path_limits.hpp"

#include <array>

namespace stalesock {

namespace {

using std::chrono::seconds;

// Defaults by the vendors' documentation (IPVS: ip_vs_proto_tcp.c), in ascending order.
constexpr std::array<PathLimit, 5> limits{{
	{seconds(240), "Azure's load balancers, NAT gateways and firewalls"},
	{seconds(350), "AWS network load balancers and NAT gateways"},
	{seconds(600), "Google Cloud's connection tracking"},
	{seconds(900), "IPVS, as in kube-proxy"},
	{seconds(3600), "many firewalls"},
}};

constexpr int too_far = 2;

} // namespace

std::optional<PathLimit> known_path_limit(Nanoseconds dropped_after) {
	std::optional<PathLimit> best;
	for (const PathLimit& limit : limits) {
		if (limit.idle <= dropped_after && dropped_after <= too_far * limit.idle) {
			best = limit;
		}
	}
	return best;
}

} // namespace stalesock
