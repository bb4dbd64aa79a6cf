// SPDX-License-Identifier: Apache-2.0
// The kernel side as user space sees it: open, load, attach, take an inventory, consume.
#pragma once

#include "model/event.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace stalesock {

/// The kernel or the privileges do not allow it: exit code 3. what() names what is missing and what
/// to do about it.
class KernelRefusal : public std::runtime_error {
  public:
	using std::runtime_error::runtime_error;
};

/// What a hook is for. Exactly one program is loaded for each need.
enum class Need : std::uint8_t {
	peer_state_change, ///< by segments and timers; required
	own_state_change,  ///< by processes; required
	late_write,        ///< writes after the peer's FIN
	late_pages,        ///< the same by sendfile and splice, on kernels where those go another way
	late_write_detail, ///< the head of the first late write
	late_pages_begin,  ///< what is known before a late page is queued
	eof_read,
	eof_splice, ///< EOF read by splice()
	keepalive_probe,
	retransmit,
	destroy,
	inventory,
	waiting_scan, ///< sockets that wait for their application
	owner_scan,
};
[[nodiscard]] std::string_view to_string(Need need);

struct HookReport {
	Need need = Need::peer_state_change;
	std::string hook; ///< "tp_btf/inet_sock_set_state"
	bool required = false;
	bool available = false;
	bool chosen = false; ///< serves its need in the class in use
	std::string detail;  ///< why not, in plain words; empty when available
	std::string
		consequence; ///< what is not known without it, or with no better one than it; may be empty
	std::string log; ///< what libbpf and the verifier said to a refusal
};

/// Which programs may serve the needs that more than one can: sends and receives.
enum class HookChoice : std::uint8_t {
	automatic,  ///< the best this kernel has
	tracepoint, ///< no trampolines
	trampoline, ///< fentry and fexit rather than tracepoints
	none,       ///< neither: state changes, timers and iterators only
};
[[nodiscard]] std::string_view to_string(HookChoice choice);

/// Restricts what leaves the kernel. Zero means no restriction.
struct ProbeFilter {
	std::uint32_t netns = 0; ///< inode number of a network namespace
	std::int32_t pid = 0;    ///< thread group id; applies where the actor is known
	std::uint16_t port = 0;  ///< local or remote, host byte order
};

struct ProbeOptions {
	ProbeFilter filter;
	/// Bytes; a power of two and a multiple of the page size, at least 64 KiB, at most 1 GiB.
	std::uint32_t ring_size = 4U << 20;
	HookChoice hooks = HookChoice::automatic;
	/// An active opener's unread bytes are scanned when they have lain on a silent connection for this long.
	Nanoseconds dirty_idle = std::chrono::seconds(10);
};

/// Smallest and largest ring the probe accepts, in bytes.
inline constexpr std::uint32_t smallest_ring = 64U << 10;
inline constexpr std::uint32_t largest_ring = 1U << 30;

struct ProbeCounters {
	std::uint64_t events = 0;        ///< records decoded
	std::uint64_t dropped = 0;       ///< ring full: records the kernel could not write
	std::uint64_t missed = 0;        ///< a program did not run: it was running on that CPU already
	std::uint64_t all_missed = 0;    ///< those too whose transition another program took
	std::uint64_t malformed = 0;     ///< records decode refused
	std::uint64_t mptcp_skipped = 0; ///< transitions of MPTCP master sockets, left out
};

/// Owns every BPF object. Construct (open, set read-only data, load), attach, take the inventory,
/// then consume from an event loop. Destroying it detaches everything.
class Probe {
  public:
	using Handler = std::function<void(const Event&)>;
	/// An event as the kernel wrote it; good until it returns.
	using RawHandler = std::function<void(std::span<const std::byte>)>;

	/// Opens and loads. Throws KernelRefusal when the kernel or the privileges do not allow it, and
	/// std::invalid_argument when an option is out of its range.
	explicit Probe(const ProbeOptions& options);
	~Probe();
	Probe(const Probe&) = delete;
	Probe& operator=(const Probe&) = delete;

	/// Sets the receiver of events, then attaches every chosen hook. Throws KernelRefusal. The raw
	/// receiver, if any, gets each record that was decoded, before its event.
	void attach(Handler handler, RawHandler raw = {});

	/// Reports sockets that existed before us and their owners, through the same ring, in order with
	/// everything that happens meanwhile. Returns what could not be seen (for example namespaces
	/// that setns refused), one sentence each; empty when the inventory is complete.
	std::vector<std::string> take_inventory();

	/// Reports, through the ring, which process holds each socket now. False where no program can look.
	bool scan_owners();

	/// Reports, through the ring, sockets that wait for their application (in CLOSE_WAIT, or with bytes unread),
	/// and, where no hook sees any, late writes.
	void scan_sockets();

	/// Readable when the ring asks to be drained. Under load it asks at a backlog; when quiet the
	/// caller consumes on a timer (at most every 100 ms).
	[[nodiscard]] int ring_fd() const;

	/// Drains the ring without waiting; returns the number of records handled. An exception thrown by the
	/// handler passes through after the ring is left consistent.
	std::size_t consume();

	[[nodiscard]] ProbeCounters counters() const;
	/// Which hook serves each need, and the gaps.
	[[nodiscard]] const std::vector<HookReport>& hooks() const;
	/// "tracepoint", "trampoline", "none": see ARCHITECTURE.md.
	[[nodiscard]] std::string hook_class() const;
	/// Length of one jiffy, measured.
	[[nodiscard]] Nanoseconds tick() const;

  private:
	struct State;
	std::unique_ptr<State> state_;
};

/// What this kernel and these privileges allow; for `doctor`. Tries every hook one by one.
struct KernelReport {
	std::string release; ///< uname -r
	std::string machine;
	bool btf = false;           ///< /sys/kernel/btf/vmlinux is readable
	std::string lockdown;       ///< "none", "integrity", ...; empty: cannot be read
	bool cap_bpf = false;       ///< effective CAP_BPF or CAP_SYS_ADMIN
	bool cap_perfmon = false;   ///< effective CAP_PERFMON or CAP_SYS_ADMIN
	bool cap_sys_admin = false; ///< needed only to enter other network namespaces
	bool jit = false;           ///< net.core.bpf_jit_enable
	std::string hook_class;     ///< as Probe::hook_class; empty when nothing can be attached
	std::vector<HookReport> hooks;
	std::vector<std::string> problems; ///< what stops us altogether, one sentence each
};
[[nodiscard]] KernelReport examine_kernel(HookChoice choice);

/// Boot-time clock, ns, as BPF programs read it.
[[nodiscard]] Nanoseconds boot_time_now();

} // namespace stalesock
