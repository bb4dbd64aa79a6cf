// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

namespace stalesock::test {

/// Sets an environment variable (or removes it) for as long as it lives.
class EnvironmentVariable {
  public:
	EnvironmentVariable(const char* name, const char* value) : name_(name) {
		if (const char* before = std::getenv(name)) {
			before_ = before;
		}
		set(value);
	}
	~EnvironmentVariable() { set(before_ ? before_->c_str() : nullptr); }
	EnvironmentVariable(const EnvironmentVariable&) = delete;
	EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

  private:
	void set(const char* value) {
		if (value != nullptr) {
			setenv(name_, value, 1);
		} else {
			unsetenv(name_);
		}
		tzset(); // for TZ
	}

	const char* name_;
	std::optional<std::string> before_;
};

} // namespace stalesock::test
