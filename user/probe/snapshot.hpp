// SPDX-License-Identifier: Apache-2.0
// Every socket of the host and its owner, now: by BPF iterators, or by NETLINK_SOCK_DIAG where BPF is refused.
#pragma once

#include "model/helper.hpp"
#include "model/socket.hpp"
#include "probe/probe.hpp"

#include <memory>
#include <span>

struct stalesock_holder;
struct stalesock_socket;

namespace stalesock {

struct NamespaceFacts;

/// Sees what the iterators wrote, as they wrote it: for recordings.
class SnapshotTap {
  public:
	SnapshotTap() = default;
	virtual ~SnapshotTap() = default;
	SnapshotTap(const SnapshotTap&) = delete;
	SnapshotTap& operator=(const SnapshotTap&) = delete;

	virtual void sockets(std::span<const stalesock_socket> records, const NamespaceFacts& place,
	                     Nanoseconds tick) = 0;
	/// By another thread, at the same time.
	virtual void holders(std::span<const stalesock_holder> records) = 0;
};

struct SnapshotOptions {
	std::uint32_t netns = 0;    ///< inode number of a network namespace; 0: all that have processes
	bool holders = true;        ///< look for the processes as well
	SnapshotTap* tap = nullptr; ///< must outlive the probe; null: nobody
};

/// Owns the programs of snapshots. They are attached to nothing: between two calls of take() they cost
/// nothing.
class SnapshotProbe {
  public:
	/// Loads. Throws KernelRefusal. The helper must outlive it.
	SnapshotProbe(const SnapshotOptions& options, Helper& helper);
	~SnapshotProbe();
	SnapshotProbe(const SnapshotProbe&) = delete;
	SnapshotProbe& operator=(const SnapshotProbe&) = delete;

	/// Fills the table anew, and keeps what memory it has. What could not be seen is in its `gaps`.
	void take(SocketTable& table);

  private:
	struct State;
	std::unique_ptr<State> state_;
};

/// The same by NETLINK_SOCK_DIAG, without BPF and without privileges. What it cannot tell is in `gaps`: owners,
/// the peer's FIN time, whether keepalive is on, and, without CAP_SYS_ADMIN, other network namespaces. Throws
/// std::system_error when the kernel has no sock_diag.
void take_by_sock_diag(const SnapshotOptions& options, SocketTable& table);

} // namespace stalesock
