// SPDX-License-Identifier: Apache-2.0
// The documented contract of the JSON lines: packaging/schema/verdict.schema.json.
#pragma once

#include <string>
#include <vector>

namespace runtime {

/// What breaks the schema, one line for each fault; empty when every line is valid. One run of
/// Python for all lines. $STALESOCK_SOURCE is the source tree, by default the working directory.
std::string schema_faults(const std::vector<std::string>& lines);

} // namespace runtime
