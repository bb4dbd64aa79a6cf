// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace stalesock::test {

/// A folder of its own, removed at the end.
class ScratchFolder {
  public:
	ScratchFolder() {
		std::string pattern = std::filesystem::temp_directory_path() / "stalesock-XXXXXX";
		REQUIRE(mkdtemp(pattern.data()) != nullptr);
		path_ = pattern;
	}
	~ScratchFolder() { std::filesystem::remove_all(path_); }
	ScratchFolder(const ScratchFolder&) = delete;
	ScratchFolder& operator=(const ScratchFolder&) = delete;

	[[nodiscard]] std::string operator/(const char* name) const { return path_ / name; }
	[[nodiscard]] std::string path() const { return path_; }

  private:
	std::filesystem::path path_;
};

} // namespace stalesock::test
