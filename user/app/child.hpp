// SPDX-License-Identifier: Apache-2.0
// A child process that never outlives its owner.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

namespace stalesock {

class Child {
  public:
	/// Forks; the child takes this command name, runs the function and exits with its result.
	Child(const std::string& command, const std::function<int()>& body);
	/// Kills and reaps.
	~Child();
	Child(const Child&) = delete;
	Child& operator=(const Child&) = delete;

	[[nodiscard]] pid_t pid() const { return pid_; }
	/// Reaps without waiting.
	[[nodiscard]] bool has_ended();

  private:
	pid_t pid_ = -1;
	bool reaped_ = false;
};

} // namespace stalesock
