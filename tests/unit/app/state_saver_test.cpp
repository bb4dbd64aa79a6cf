// SPDX-License-Identifier: Apache-2.0
#include "app/state_saver.hpp"

#include "support/catch.hpp"

#include <cerrno>
#include <chrono>
#include <future>
#include <string>
#include <system_error>
#include <thread>

namespace stalesock::test {

TEST_CASE("whoever saves does not wait for a disk that hangs", "[app]") {
	std::promise<void> disk;
	std::promise<std::string> begun;
	StateSaver saver("state", [&](const std::string& path, const std::string& text) {
		begun.set_value(path + ": " + text);
		disk.get_future().wait();
	});
	CHECK_FALSE(saver.busy());
	CHECK_FALSE(saver.take_result());
	saver.begin("what is known");
	CHECK(begun.get_future().get() == "state: what is known"); // by another thread
	CHECK(saver.busy());
	CHECK_FALSE(saver.take_result());
	disk.set_value();
	CHECK(saver.wait_for_result() == "");
	CHECK_FALSE(saver.busy());
	CHECK_FALSE(saver.take_result()); // told once
}

TEST_CASE("a state that could not be saved is told with its reason, and the next one is saved",
          "[app]") {
	int saved = 0;
	StateSaver saver("state", [&](const std::string&, const std::string& text) {
		if (text.empty()) {
			throw std::system_error(ENOSPC, std::generic_category(), "cannot save");
		}
		saved++;
	});
	saver.begin("");
	CHECK(saver.wait_for_result() == "cannot save: No space left on device");
	saver.begin("text");
	CHECK(saver.wait_for_result() == "");
	CHECK(saved == 1);
}

} // namespace stalesock::test
