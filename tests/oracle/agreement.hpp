// SPDX-License-Identifier: Apache-2.0
// `stalesock replay` of the captured packets against `stalesock watch` of the sockets, verdict by verdict on
// (connection, kind). This test's own truth is no party to it, but says what nobody can decide.
#pragma once

#include "score.hpp"

#include <map>
#include <string>
#include <vector>

namespace oracle {

/// Shared by all who look at packets: all kinds but dirty_close and dirty_idle, which are about bytes that an
/// application leaves unread (SO_LINGER looks like the former), and close_wait_leak, for which a scan looks.
[[nodiscard]] bool is_on_the_wire(Kind kind);

/// Whether the other end of the path sees it too: not, when it is about what never arrived, nor
/// when only what is certain teaches.
[[nodiscard]] bool is_seen_from_afar(Kind kind);

struct Tally {
	unsigned both = 0;
	unsigned live_only = 0;
	unsigned wire_only = 0;
};

struct Agreement {
	std::map<Kind, Tally> here; ///< captured at the socket's own end
	std::map<Kind, Tally> away; ///< the same sockets, captured at the other end of the relayed
								///< path: measured, not judged
	std::vector<std::string> differences; ///< one line each, of those captured at their own end
	std::vector<Mismatch> faults;         ///< those among them that there may be none of
	std::vector<std::string> complaints;  ///< about kinds of which some may differ, but not so many
};

/// Runs the program on each file. `sockets` as scored: with truths, and what `watch` reported. Throws
/// std::runtime_error when the program fails.
[[nodiscard]] Agreement compare_with_replay(const std::string& program,
                                            const std::vector<std::string>& files,
                                            const Sockets& sockets);

[[nodiscard]] std::string table(const Agreement& agreement);

} // namespace oracle
