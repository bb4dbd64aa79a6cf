// SPDX-License-Identifier: Apache-2.0
// What the hooks in use can see of a late write, and what that leaves of an expectation. Expectations are written
// for the best hooks; what weaker ones cannot see must be absent and lower the confidence.
#pragma once

#include "support/catch.hpp"
#include "support/watch.hpp"

#include <string>
#include <string_view>

namespace runtime {

/// By the hooks of the watch that serves most tests.
inline bool sees(Sight sight) {
	return watch().sees(sight);
}

/// The field has this value; it is absent where it cannot be seen.
template <typename Value>
void check_field(const Json& object, const char* name, const Value& value, Sight sight) {
	INFO("field " << name);
	if (!sees(sight)) {
		CHECK_FALSE(object.contains(name));
		return;
	}
	REQUIRE(object.contains(name));
	CHECK(object.at(name) == value);
}

/// The confidence of a verdict, given what it is with the best hooks.
void check_confidence(const Json& verdict, const std::string& with_best_hooks);

/// This process wrote; where that cannot be seen nobody is said to have.
void check_writer(const Json& verdict, pid_t pid, const std::string& command);

/// In what a verdict claims more than the hooks in use can see; empty when in nothing.
std::string overclaim(const Json& verdict);

/// The case, or the rest of it, has no meaning here: `return skip(why)`.
void skip(std::string_view reason);
/// Every case that was skipped, with its reason, and how many.
std::string skip_report();
/// STALESOCK_EXPECTED_SKIPS has the reasons that are expected, separated by ';'. Without it all are.
bool all_skips_are_expected();

} // namespace runtime
