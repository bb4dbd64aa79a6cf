// SPDX-License-Identifier: Apache-2.0
// What `top` remembers of what it was told: recent verdicts, and of each connection what the kernel does not keep.
#pragma once

#include "model/row.hpp"
#include "sinks/sink.hpp"
#include "story/history.hpp"
#include "verdict/peers.hpp"

#include <absl/container/flat_hash_map.h>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stalesock {

class ConnectionLog final : public Sink, public Memory {
  public:
	/// Connections remembered at once; beyond, new ones are not. A connection takes about 50 B.
	static constexpr std::size_t most_connections = 262'144;
	/// Verdicts of which the text is kept, and those of the last minute that are counted.
	static constexpr std::size_t most_recent = 100;
	static constexpr std::size_t most_counted = 65'536;

	void verdict(const Verdict& verdict, WallTime time) override;
	void collapsed(const Collapsed& collapsed, WallTime time) override;
	void event(const Event& event, WallTime time) override;
	int flush() override { return 0; }

	/// Where learned timeouts come from. It must live as long as it is asked.
	void ask(const Peers* peers) { peers_ = peers; }

	[[nodiscard]] std::optional<ConnectionMemory> connection(std::uint64_t cookie) const override;
	[[nodiscard]] std::optional<PeerTimeout> peer(const Endpoint& remote,
	                                              std::uint32_t netns) const override;

	/// One line each, the newest first.
	[[nodiscard]] std::vector<std::string> recent() const;
	/// Of the minute before `now`, by name, the most frequent first.
	[[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> last_minute(WallTime now);
	/// The diagram of the last verdict on a connection; empty: there was none.
	[[nodiscard]] std::vector<std::string> story(std::uint64_t cookie, std::size_t columns) const;

  private:
	struct Remembered {
		Nanoseconds opened{}; ///< zero: not seen
		Nanoseconds peer_fin{};
		Role role = Role::unknown;
		std::optional<VerdictKind> gravest;
	};
	struct Told {
		WallTime time;
		std::optional<Verdict> verdict; ///< absent: several, as a count
		std::string line;
	};
	struct Counted {
		WallTime time;
		VerdictKind kind = VerdictKind::stale_reuse;
		std::uint64_t count = 1;
	};

	Remembered* remember(std::uint64_t cookie);
	void tell(Told told);
	void count(const Counted& counted);

	absl::flat_hash_map<std::uint64_t, Remembered> connections_;
	std::deque<Told> recent_; ///< the newest first
	std::deque<Counted> counted_;
	History history_;
	const Peers* peers_ = nullptr;
};

} // namespace stalesock
