// SPDX-License-Identifier: Apache-2.0
#include "probe/requirements.hpp"

#include "support/catch.hpp"
#include <algorithm>
#include <vector>

namespace stalesock::test {

namespace {

using matchers::Contains;

/// What a kernel of this version lacks, if it was given nothing of a later one.
std::vector<Requirement> missing_from(LinuxVersion version) {
	std::vector<Requirement> missing;
	std::copy_if(requirements().begin(), requirements().end(), std::back_inserter(missing),
	             [version](const Requirement& each) { return version < each.since; });
	return missing;
}

} // namespace

TEST_CASE("a kernel that is too old is told once, with what came last", "[probe]") {
	CHECK(name_too_old(missing_from({5, 10})) ==
	      "this kernel is too old: stalesock needs Linux 5.17 or later; here BPF programs that the "
	      "kernel itself relocates (CO-RE) are missing, which came with Linux 5.17");
	CHECK(name_too_old(missing_from({5, 17})).empty());
}

TEST_CASE("what was ported back to an old kernel is not missing", "[probe]") {
	std::vector<Requirement> missing = missing_from({5, 10});
	missing.erase(std::remove_if(missing.begin(), missing.end(),
	                             [](const Requirement& each) {
									 return each.since > LinuxVersion{5, 12};
								 }),
	              missing.end());
	std::reverse(missing.begin(), missing.end());
	const std::string line = name_too_old(missing);
	CHECK_THAT(line,
	           Contains("needs Linux 5.17 or later") &&
	               Contains("calls of bpf_get_socket_cookie() by tracing programs are missing, "
	                        "which came with Linux 5.12"));
	CHECK(line.find('\n') == std::string::npos);
}

// With privileges or without: what is forbidden is not missing.
TEST_CASE("the kernel that the tests run on is not too old", "[probe]") {
	CHECK(find_too_old().empty());
	CHECK(has_programs_on_demand());
}

TEST_CASE("versions of Linux are compared by number", "[probe]") {
	CHECK(LinuxVersion{5, 9} < LinuxVersion{5, 11});
	CHECK(LinuxVersion{5, 17} < LinuxVersion{6, 1});
}

} // namespace stalesock::test
