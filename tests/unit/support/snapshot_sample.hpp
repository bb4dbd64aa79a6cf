// SPDX-License-Identifier: Apache-2.0
// A snapshot of a small host: a proxy with pooled connections, a leaking client, hostile names.
#pragma once

#include "model/row.hpp"

#include <map>

namespace stalesock::test {

/// Boot time of the sample.
inline constexpr Nanoseconds sample_moment = std::chrono::hours(1);

[[nodiscard]] SocketTable snapshot_sample();
/// A full, used, idle connection that we opened; 1 s since each of its ages.
[[nodiscard]] SocketEntry connected(std::uint64_t cookie, const char* local, const char* remote,
                                    TcpState state = TcpState::established);

/// What an engine might know of the sample.
class SampleMemory final : public Memory {
  public:
	std::map<std::uint64_t, ConnectionMemory> connections;
	std::map<Endpoint, PeerTimeout> peers;

	[[nodiscard]] std::optional<ConnectionMemory> connection(std::uint64_t cookie) const override {
		const auto found = connections.find(cookie);
		return found == connections.end() ? std::nullopt : std::optional(found->second);
	}
	[[nodiscard]] std::optional<PeerTimeout> peer(const Endpoint& remote,
	                                              std::uint32_t /*netns*/) const override {
		const auto found = peers.find(remote);
		return found == peers.end() ? std::nullopt : std::optional(found->second);
	}
};

} // namespace stalesock::test
