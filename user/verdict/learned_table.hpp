// SPDX-License-Identifier: Apache-2.0
// A bounded table of what is learned of endpoints. A full one evicts, and counts what it evicts.
#pragma once

#include "model/event.hpp"

#include <absl/container/flat_hash_map.h>
#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace stalesock {

/// An endpoint that is learned of. The network namespace tells loopback and link-local addresses apart, which mean
/// another host (or container) in each; it is 0 for all others, which are learned once for the whole host.
struct PeerKey {
	Endpoint endpoint;
	std::uint32_t netns = 0;

	auto operator<=>(const PeerKey&) const = default;

	template <typename H> friend H AbslHashValue(H state, const PeerKey& key) {
		return H::combine(std::move(state), key.endpoint.address.bytes, key.endpoint.port,
		                  key.netns);
	}
};

struct PeerCounters {
	std::uint64_t known = 0;   ///< endpoints in the table now
	std::uint64_t evicted = 0; ///< dropped because the table was full
};

/// `Entry` has a `key`, the boot time `last_seen`, and has_taught().
template <typename Entry> class LearnedTable {
  public:
	/// Entries kept at once; at least 1. A new one beyond that evicts the least useful of a small sample: one
	/// that has taught nothing before one that has, then the one not heard of for longest.
	explicit LearnedTable(std::size_t limit)
		: limit_(std::clamp<std::size_t>(limit, 1, std::numeric_limits<std::uint32_t>::max())) {}

	/// The entry, a new one where there was none. Good until the next call.
	Entry& entry_of(const PeerKey& key) {
		const auto found = index_.find(key);
		if (found != index_.end()) {
			return slots_[found->second];
		}
		if (index_.size() >= limit_) {
			evict_one();
		}
		if (!free_) {
			free_ = static_cast<std::uint32_t>(slots_.size());
			slots_.emplace_back();
		}
		Entry& entry = slots_[*free_];
		index_.emplace(key, *free_);
		free_.reset();
		entry.key = key;
		return entry;
	}

	[[nodiscard]] const Entry* find(const PeerKey& key) const {
		const auto found = index_.find(key);
		return found == index_.end() ? nullptr : &slots_[found->second];
	}

	template <typename Visitor> void for_each(Visitor visit) {
		for (const auto& [key, slot] : index_) {
			visit(slots_[slot]);
		}
	}

	/// By address, port and network namespace. Good until the table changes.
	[[nodiscard]] std::vector<const Entry*> sorted() const {
		std::vector<const Entry*> entries;
		entries.reserve(index_.size());
		for (const auto& [key, slot] : index_) {
			entries.push_back(&slots_[slot]);
		}
		std::sort(entries.begin(), entries.end(),
		          [](const Entry* left, const Entry* right) { return left->key < right->key; });
		return entries;
	}

	[[nodiscard]] PeerCounters counters() const { return {index_.size(), evicted_}; }

  private:
	/// A full table has no free slot, so every slot of the sample holds an entry.
	void evict_one() {
		constexpr std::size_t sample_size = 16;
		constexpr std::uint64_t stride =
			2'654'435'761; // Knuth's multiplier: spreads over the table
		std::optional<std::uint32_t> worst;
		const auto rank = [](const Entry& entry) {
			return std::tuple(entry.has_taught(), entry.last_seen);
		};
		for (std::size_t i = 0; i < std::min(sample_size, slots_.size()); i++) {
			const auto slot = static_cast<std::uint32_t>((sample_++ * stride) % slots_.size());
			if (!worst || rank(slots_[slot]) < rank(slots_[*worst])) {
				worst = slot;
			}
		}
		index_.erase(slots_[*worst].key);
		slots_[*worst] = Entry{};
		free_ = worst;
		evicted_++;
	}

	std::size_t limit_;
	std::deque<Entry> slots_; ///< grows up to the limit; an evicted one's slot is taken at once
	absl::flat_hash_map<PeerKey, std::uint32_t> index_;
	std::uint64_t evicted_ = 0;
	std::uint64_t sample_ = 0; ///< position of the next eviction sample; deterministic
	std::optional<std::uint32_t> free_;
};

} // namespace stalesock
