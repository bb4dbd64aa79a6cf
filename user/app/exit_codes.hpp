// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace stalesock {

/// What the program returns to its caller; part of the command-line contract.
enum ExitCode : int {
	exit_done = 0,
	exit_failed = 1,  ///< failed while running
	exit_usage = 2,   ///< wrong usage or configuration
	exit_refused = 3, ///< the kernel or the privileges do not allow it
};

} // namespace stalesock
