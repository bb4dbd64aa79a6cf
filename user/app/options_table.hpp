// SPDX-License-Identifier: Apache-2.0
// The options of `list` and `top`.
#pragma once

#include "app/config.hpp"

namespace CLI {
class App;
}

namespace stalesock {

CLI::App* add_list(CLI::App& app, ListConfig& config);
CLI::App* add_top(CLI::App& app, TopConfig& config);

} // namespace stalesock
