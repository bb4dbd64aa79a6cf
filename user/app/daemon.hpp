// SPDX-License-Identifier: Apache-2.0
// `stalesock daemon`: what the unit runs.
#pragma once

#include "app/config.hpp"

namespace stalesock {

int run_daemon(const DaemonCommand& command);

} // namespace stalesock
