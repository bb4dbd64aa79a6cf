// SPDX-License-Identifier: Apache-2.0
// What one process must tell the next, so that it goes on where the former stopped.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <optional>

namespace stalesock {

/// What the kernel does not keep of a connection whose peer has closed, or that had a verdict.
struct Continuation {
	std::uint64_t cookie = 0;            ///< good for this boot only
	std::optional<Nanoseconds> fin_time; ///< boot time; absent: the peer has not closed
	bool fin_time_inferred = false;
	std::optional<std::uint32_t> write_seq; ///< at the FIN
	bool history_known = false;             ///< watched since the FIN: no EOF read means none
	bool eof_read = false;
	bool eof_peeked = false;
	bool late_judged = false;
	bool leak_told = false;
	bool dirty_told = false;
	bool silent_drop_told = false;
	Role role = Role::unknown;  ///< only as far as it was seen
	std::uint32_t verdicts = 0; ///< given so far

	friend bool operator==(const Continuation&, const Continuation&) = default;
};

/// Where the engine leaves them. Called for each event of such a connection: must not be slow, cannot fail.
class ContinuationStore {
  public:
	ContinuationStore() = default;
	virtual ~ContinuationStore() = default;
	ContinuationStore(const ContinuationStore&) = delete;
	ContinuationStore& operator=(const ContinuationStore&) = delete;

	/// Replaces what was kept of this cookie.
	virtual void keep(const Continuation& continuation) = 0;
	virtual void drop(std::uint64_t cookie) = 0;
};

} // namespace stalesock
