// SPDX-License-Identifier: Apache-2.0
// Expected output in tests/golden/.
#pragma once

#include <string>
#include <vector>

namespace stalesock::test {

/// Compares lines with those of the file. With STALESOCK_UPDATE_GOLDEN=1 in the environment the file
/// is rewritten instead, and the test warns of it.
void check_golden(const std::string& file, const std::vector<std::string>& lines);

} // namespace stalesock::test
