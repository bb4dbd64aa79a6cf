// SPDX-License-Identifier: Apache-2.0
// Catch2, version 2 (Debian 12) or 3 (Debian 13). Every test includes it from here.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
#include <string>

namespace matchers {

using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

#if CATCH_VERSION_MAJOR >= 3
/// Version 3's own Contains asks for an element, not for a part of the text.
inline auto Contains(const std::string& part) {
	return Catch::Matchers::ContainsSubstring(part);
}
#else
using Catch::Matchers::Contains;
#endif

} // namespace matchers

#if CATCH_VERSION_MAJOR >= 3
using CatchListener = Catch::EventListenerBase;
#elif defined(CATCH_CONFIG_RUNNER) // where main() is: version 2 has it only there
using CatchListener = Catch::TestEventListenerBase;
#endif
