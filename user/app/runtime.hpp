// SPDX-License-Identifier: Apache-2.0
// What a process's program is made of, where its command name does not tell.
#pragma once

#include "verdict/settings.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

namespace stalesock {

/// By the sections of the ELF file: a Go program has ".go.buildinfo", stripped or not (Go 1.13 and later).
[[nodiscard]] Runtime runtime_of_file(const std::string& path);

/// Looks into each program file once, for the last 256 of them.
class RuntimeLookup {
  public:
	/// unknown also when the process has ended.
	[[nodiscard]] Runtime operator()(std::int32_t pid);

  private:
	/// device, inode, changed (s, ns)
	using Program = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t>;

	std::map<Program, Runtime> known_;
};

} // namespace stalesock
