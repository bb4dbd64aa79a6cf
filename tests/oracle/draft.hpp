// SPDX-License-Identifier: Apache-2.0
// A plan being written: random numbers, and the phrases that behaviours are made of.
#pragma once

#include "plan.hpp"

#include <random>

namespace oracle {

using std::chrono::milliseconds;

class Draft {
	std::mt19937_64 random_; // the first member: the others are drawn

  public:
	explicit Draft(std::uint64_t seed);

	Plan plan;

	// Randomness.
	[[nodiscard]] int between(int low, int high); ///< both included
	[[nodiscard]] Microseconds between(Microseconds low, Microseconds high);
	[[nodiscard]] bool chance(int percent);
	[[nodiscard]] std::size_t any_size();     ///< 1 to 20,000, small ones often
	[[nodiscard]] std::size_t segment_size(); ///< 1 to 12,000: one round trip on any path
	/// 5 to 2,800: a capture knows a request by its first five bytes; and two segments on any path, which the
	/// kernel's pacing lets go together. A longer message may still be leaving when a FIN comes, and the capture
	/// would not tell when it was written.
	[[nodiscard]] std::size_t burst_size() { return static_cast<std::size_t>(between(5, 2800)); }
	[[nodiscard]] std::size_t page_size(); ///< 100 to 12,000: no HTTP answer is shorter
	[[nodiscard]] Head request_head() const;
	[[nodiscard]] Head farewell_head();

	/// Packets of this connection are delayed on their way.
	void relay();
	[[nodiscard]] Microseconds round_trip() const { return 2 * plan.delay; }

	// Phrases.
	void turns(int count); ///< requests and prompt answers
	void exchange();       ///< one of them
	/// The server keeps still for the returned time after the last answer (or the open), which is
	/// well above every threshold; then the caller says how it leaves.
	[[nodiscard]] Microseconds server_idles();
	/// When a FIN sent after such an idle time arrives, counted from the client's last receive.
	[[nodiscard]] Microseconds arrival(Microseconds idle) const;
	void last_words();      ///< why it leaves, or a TLS close_notify
	void server_drains();   ///< shutdown(SHUT_WR), then reads until the client closes
	void server_shuts();    ///< close, or shut and drain
	void server_leaves();   ///< the same, with or without last words
	void late_writes();     ///< one or several requests on what may be a stale connection
	void client_gives_up(); ///< reads what is there, mostly, and closes
	void client_waits();    ///< reads to the end, and closes

	/// Decides what late writes, last words and farewells look like; turns need not.
	bool tls;
	int turns_made = 0;
};

// Steps, by name.
[[nodiscard]] Step send(Head head, std::size_t size = 0);
[[nodiscard]] Step receive(std::size_t size);
[[nodiscard]] Step pause(Microseconds time);
[[nodiscard]] Step serve(Microseconds idle, std::size_t request, std::size_t response);
[[nodiscard]] Step keep_alive(std::size_t probes);
[[nodiscard]] Step user_timeout(Microseconds time);
[[nodiscard]] Step step(Action action);

} // namespace oracle
