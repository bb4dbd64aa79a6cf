// SPDX-License-Identifier: Apache-2.0
// What one process of the daemon leaves for the next: a mapped file in the runtime folder, which is memory that
// outlives SIGKILL and ends with the boot, like the socket cookies it is about. Bounded: 65,536 connections, 2 MiB.
#pragma once

#include "probe/descriptor.hpp"
#include "verdict/continuation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace stalesock {

class Continuity final : public ContinuationStore {
  public:
	/// What the former process left.
	struct Former {
		Nanoseconds last_alive{}; ///< boot time
		bool stopped_cleanly = false;
		std::uint64_t undecided = 0;
		std::uint64_t undelivered = 0;
		std::uint64_t forgotten = 0;
		std::vector<Continuation> connections;
	};

	/// Opens or makes the file. Throws std::system_error when it cannot be used, and std::runtime_error when another
	/// process uses it. A file of another boot or another layout is begun anew.
	explicit Continuity(const std::string& folder);
	~Continuity() override;
	Continuity(const Continuity&) = delete;
	Continuity& operator=(const Continuity&) = delete;

	/// Nothing when there was no former process in this boot.
	[[nodiscard]] const std::optional<Former>& former() const { return former_; }

	void keep(const Continuation& continuation) override;
	void drop(std::uint64_t cookie) override;

	/// Call it often: the time from the last call is not accounted for after a SIGKILL.
	void alive(Nanoseconds now, std::uint64_t undecided, std::uint64_t undelivered);
	void stopped_cleanly();

  private:
	struct File;

	void map(const std::string& path);
	void read_former();

	Descriptor descriptor_;
	File* file_ = nullptr;
	bool begun_ = false; ///< this process has watched
	std::optional<Former> former_;
};

} // namespace stalesock
