// SPDX-License-Identifier: Apache-2.0
#include "support/golden.hpp"

#include "support/catch.hpp"

#include <cstdlib>
#include <fstream>

namespace stalesock::test {

namespace {

bool update_wanted() {
	const char* wanted = std::getenv("STALESOCK_UPDATE_GOLDEN");
	return wanted != nullptr && std::string(wanted) == "1";
}

void rewrite(const std::string& path, const std::vector<std::string>& lines) {
	std::ofstream file(path);
	for (const std::string& line : lines) {
		file << line << '\n';
	}
	REQUIRE(file.flush().good());
	WARN("rewritten: " << path);
}

std::vector<std::string> lines_of(const std::string& path) {
	std::ifstream file(path);
	REQUIRE(file.is_open());
	std::vector<std::string> lines;
	for (std::string line; std::getline(file, line);) {
		lines.push_back(line);
	}
	return lines;
}

} // namespace

void check_golden(const std::string& file, const std::vector<std::string>& lines) {
	const std::string path = std::string(STALESOCK_TEST_FILES) + "/golden/" + file;
	if (update_wanted()) {
		rewrite(path, lines);
		return;
	}
	INFO("see tests/golden/README.md: " << path);
	const std::vector<std::string> expected = lines_of(path);
	REQUIRE(lines.size() == expected.size());
	for (std::size_t i = 0; i < lines.size(); i++) {
		CAPTURE(i);
		CHECK(lines[i] == expected[i]);
	}
}

} // namespace stalesock::test
