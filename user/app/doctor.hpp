// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

#include <string>

namespace stalesock {

/// exit_done when `watch` would work here, exit_refused when not.
[[nodiscard]] int run_doctor(const DoctorConfig& config);

[[nodiscard]] bool watch_would_work(const KernelReport& kernel);
[[nodiscard]] std::string doctor_text(const KernelReport& kernel);
/// One object with what the text says; unknown values are absent.
[[nodiscard]] std::string doctor_json(const KernelReport& kernel);

} // namespace stalesock
