// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "verdict/path_limits.hpp"

namespace stalesock::test {

using std::chrono::seconds;

TEST_CASE("a path limit is named when the silence explains it, and not far beyond it") {
	CHECK_FALSE(known_path_limit(seconds(239)));
	CHECK(known_path_limit(seconds(240))->idle == seconds(240));
	CHECK(known_path_limit(seconds(349))->idle == seconds(240));
	CHECK(known_path_limit(seconds(350))->idle == seconds(350));
	CHECK(known_path_limit(seconds(899))->idle == seconds(600));
	CHECK(known_path_limit(seconds(900))->idle == seconds(900));
	CHECK(known_path_limit(seconds(1800))->idle == seconds(900));
	CHECK_FALSE(known_path_limit(seconds(1801)));
	CHECK(known_path_limit(seconds(3600))->idle == seconds(3600));
}

} // namespace stalesock::test
