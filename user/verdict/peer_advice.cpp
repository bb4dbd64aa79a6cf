// SPDX-License-Identifier: Apache-2.0
#include "verdict/peer_advice.hpp"

#include "verdict/advice.hpp"
#include "verdict/message.hpp"
#include "verdict/settings.hpp"

#include <fmt/format.h>
#include <vector>

namespace stalesock {

namespace {

constexpr std::uint32_t enough = 3; ///< observations that agree, to advise on

std::string idle_advice(const Peer& peer) {
	const Nanoseconds timeout = peer.idle_timeout->lowest;
	const std::string_view command =
		peer.longest_reuse ? peer.longest_reuse->command_name() : std::string_view{};
	const bool near = peer.longest_reuse && is_near_miss(peer.longest_reuse->gap, timeout);
	return fmt::format("{}keep pooled connections for less than {} ({})",
	                   near ? fmt::format("connections are reused up to {} idle: ",
	                                      duration_text(peer.longest_reuse->gap))
	                        : "",
	                   limit_text(pool_limit(timeout)), pool_setting(command));
}

/// Requests that come at a steady rate do not tell one limit from the other.
std::string limits_of(const Peer& peer) {
	const std::string age =
		peer.lifetime ? fmt::format("at the age of {}", duration_text(peer.lifetime->lowest)) : "";
	const std::string request =
		peer.request_limit && peer.request_limit->lowest > 1
			? fmt::format("at their request {} (keepalive_requests in nginx, MaxKeepAliveRequests "
	                      "in Apache)",
	                      peer.request_limit->lowest)
			: "";
	if (!age.empty() && !request.empty()) {
		return fmt::format("connections end {}, or {}: both fit", request, age);
	}
	if (!age.empty()) {
		return fmt::format("connections end {}, busy or not", age);
	}
	return request.empty() ? "" : fmt::format("connections end {}", request);
}

} // namespace

std::string advice_for(const Peer& peer) {
	std::vector<std::string> sentences;
	if (peer.idle_timeout) {
		sentences.push_back(idle_advice(peer));
	}
	if (peer.silent_drop_limit) {
		sentences.push_back(fmt::format("the path forgets connections idle for {}: turn on TCP "
		                                "keepalive with TCP_KEEPIDLE well below that",
		                                limit_text(peer.silent_drop_limit->lowest)));
	}
	if (const std::string limits = limits_of(peer); !limits.empty()) {
		sentences.push_back(limits);
	}
	return fmt::format("{}", fmt::join(sentences, "; "));
}

std::string advice_for(const Listener& listener) {
	if (!listener.idle_timeout) {
		return {};
	}
	const Nanoseconds ours = listener.idle_timeout->lowest;
	const std::string_view setting = server_setting(listener.command.text());
	if (listener.client_timeout && ours < listener.client_timeout->highest) {
		return fmt::format(
			"clients keep idle connections for {}, this listener closes them after {}: "
			"raise {} above that, so that clients close first",
			duration_text(listener.client_timeout->highest), duration_text(ours), setting);
	}
	if (listener.near_misses >= enough && listener.longest_reuse) {
		return fmt::format("clients reuse connections up to {} idle, this listener closes them "
		                   "after {}: raise {}, so that clients close first",
		                   duration_text(listener.longest_reuse->gap), duration_text(ours),
		                   setting);
	}
	if (listener.client_idle_closes == 0) {
		return fmt::format("this listener ends idle connections, never a client, so a request can "
		                   "meet its FIN: raise {} above the time clients keep idle connections",
		                   setting);
	}
	return {};
}

} // namespace stalesock
