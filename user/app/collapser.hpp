// SPDX-License-Identifier: Apache-2.0
// Of the same verdict again and again only the first few a minute are shown; the rest are counted.
#pragma once

#include "sinks/sink.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>

namespace stalesock {

/// How many of the same verdict the programs show in a minute, unless they are told otherwise.
inline constexpr std::uint32_t default_collapse = 5;

/// The same verdict: of one kind, on one remote endpoint, of one owner. Many processes of one command in one
/// unit are one owner. Who only accepts connections has as many remote ports as connections: then the remote
/// address counts, and the port that listens.
struct CollapseKey {
	VerdictKind kind = VerdictKind::stale_reuse;
	Endpoint remote;
	std::uint16_t listener = 0; ///< 0 for active openers
	std::string command;
	std::string unit;
	std::string container;

	bool operator==(const CollapseKey&) const = default;
	template <typename Hash> friend Hash AbslHashValue(Hash hash, const CollapseKey& key) {
		return Hash::combine(std::move(hash), key.kind, key.remote.address.bytes, key.remote.port,
		                     key.listener, key.command, key.unit, key.container);
	}
};

/// Pure: time is passed in. Every verdict is either shown or counted in exactly one Collapsed.
class Collapser {
  public:
	using Handler = std::function<void(const Collapsed&)>;

	static constexpr Nanoseconds window = std::chrono::minutes(1);
	/// Keys at once; beyond, the oldest is summed up early.
	static constexpr std::size_t most_keys = 4096;

	/// `first`: how many of each key are shown in a minute; 0: all, always.
	explicit Collapser(std::uint32_t first, std::size_t limit = most_keys);

	void set_first(std::uint32_t first) { first_ = first; }

	/// Whether it is to be shown; `time` is its own, `now` never goes back. Sums up the minutes that are over.
	[[nodiscard]] bool shows(const Verdict& verdict, WallTime time, Nanoseconds now,
	                         const Handler& handler);
	/// Sums up the minutes that are over.
	void expire(Nanoseconds now, const Handler& handler);
	/// For the end: sums up everything.
	void finish(const Handler& handler);

	[[nodiscard]] std::size_t size() const { return index_.size(); }

  private:
	struct Row {
		CollapseKey key;
		Nanoseconds begun{};
		Collapsed sum;
	};
	using Rows = std::list<Row>; ///< the oldest first

	void sum_up_oldest(const Handler& handler);
	Row& row_of(const Verdict& verdict, Nanoseconds now, const Handler& handler);

	std::uint32_t first_;
	std::size_t limit_;
	Rows rows_;
	absl::flat_hash_map<CollapseKey, Rows::iterator> index_;
};

} // namespace stalesock
