// SPDX-License-Identifier: Apache-2.0
#include "support/firewall.hpp"

#include "support/process.hpp"

#include <stdexcept>

namespace runtime {

namespace {

constexpr const char* table = "inet stalesock_tests";

void nft(const std::string& command) {
	const Result result = run({"nft", command});
	if (result.code != 0) {
		throw std::runtime_error("nft " + command + ": " + result.errors);
	}
}

std::string port_of(const std::string& endpoint) {
	return endpoint.substr(endpoint.rfind(':') + 1);
}

} // namespace

Firewall::Firewall() {
	nft(std::string("add table ") + table);
	nft(std::string("add chain ") + table + " path { type filter hook input priority 0; }");
}

Firewall::~Firewall() {
	run({"nft", std::string("delete table ") + table});
}

void Firewall::refuse(const Side& side, const std::string& how) {
	nft(std::string("add rule ") + table + " path tcp sport " + port_of(side.local) +
	    " tcp dport " + port_of(side.remote) + " " + how);
}

void Firewall::drop(const Side& side) {
	refuse(side, "drop");
}

void Firewall::reset(const Side& side) {
	refuse(side, "reject with tcp reset");
}

void Firewall::lift() {
	nft(std::string("flush chain ") + table + " path");
}

} // namespace runtime
