// SPDX-License-Identifier: Apache-2.0
// What watches the workload: nobody, stalesock or one of bcc's tools, in a process on the other CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

namespace bench {

inline constexpr int workload_cpu = 0;
inline constexpr int tracer_cpu = 1;

struct Losses {
	std::uint64_t events = 0; ///< seen by user space; 0 where the tool does not tell
	std::uint64_t lost = 0;
};

class Tracer {
  public:
	Tracer() = default;
	virtual ~Tracer() = default;
	Tracer(const Tracer&) = delete;
	Tracer& operator=(const Tracer&) = delete;

	[[nodiscard]] virtual pid_t pid() const = 0;
	/// Waits until everything has been consumed, then ends it.
	virtual Losses finish() = 0;
};

/// Probe and Engine, driven like `stalesock watch` drives them. Attached when it returns.
[[nodiscard]] std::unique_ptr<Tracer> trace_with_stalesock();

/// The same of another build of this program, for a comparison side by side.
[[nodiscard]] std::unique_ptr<Tracer> trace_with_build(const std::string& path);
/// What the other build then runs: answers on standard output, stops at the end of standard input.
void run_tracer_for_another_build();

/// Empty programs on the hooks of stalesock.
[[nodiscard]] std::unique_ptr<Tracer> trace_with_empty_programs();

/// A bcc tool ("tcpstates-bpfcc"), its output thrown away. Throws std::runtime_error, saying why,
/// when it does not start.
[[nodiscard]] std::unique_ptr<Tracer> trace_with_bcc(const std::string& tool);

} // namespace bench
