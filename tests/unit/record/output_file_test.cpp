// SPDX-License-Identifier: Apache-2.0
#include "record/output_file.hpp"

#include "support/scratch.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace stalesock::test {

namespace {

using matchers::Contains;

mode_t mode_of(const std::string& path) {
	struct stat facts {};
	REQUIRE(stat(path.c_str(), &facts) == 0);
	return facts.st_mode & 07777U;
}

void write_text(const std::string& path, const char* text) {
	std::ofstream(path) << text;
}

} // namespace

TEST_CASE("a new file is its owner's alone, whatever the umask", "[record]") {
	const ScratchFolder folder;
	const mode_t before = umask(0);
	OutputFile file(folder / "new", false);
	umask(before);
	CHECK(mode_of(folder / "new") == 0600);
	CHECK(file.write(Bytes(10)) == 0);
	CHECK(file.write(Bytes(5)) == 0);
	CHECK(file.close() == 0);
	CHECK(std::filesystem::file_size(folder / "new") == 15);
}

TEST_CASE("an existing file is overwritten only when asked", "[record]") {
	const ScratchFolder folder;
	const std::string path = folder / "old";
	write_text(path, "precious");
	REQUIRE(chmod(path.c_str(), 0644) == 0);
	CHECK_THAT(OutputFile::objection(path, false), Contains("exists already"));
	CHECK_THROWS_WITH(OutputFile(path, false), Contains("File exists") && Contains(path));
	CHECK(std::filesystem::file_size(path) == 8);
	CHECK(OutputFile::objection(path, true).empty());
	const OutputFile file(path, true);
	CHECK(std::filesystem::file_size(path) == 0);
	CHECK(mode_of(path) == 0600);
}

TEST_CASE("a link is not followed to overwrite a file unasked", "[record]") {
	const ScratchFolder folder;
	REQUIRE(symlink("target", (folder / "link").c_str()) == 0);
	CHECK_THAT(OutputFile::objection(folder / "link", false), Contains("exists already"));
	CHECK_THROWS_AS(OutputFile(folder / "link", false), std::system_error);
}

TEST_CASE("folders are no files", "[record]") {
	const ScratchFolder folder;
	CHECK(OutputFile::objection(folder.path(), true) == "is a directory");
	CHECK_THROWS_AS(OutputFile(folder.path(), true), std::system_error);
	CHECK(OutputFile::objection(folder / "no/such", false).empty());
	CHECK_THROWS_WITH(OutputFile(folder / "no/such", false), Contains("No such file"));
}

TEST_CASE("a device is written to as it is", "[record]") {
	CHECK(OutputFile::objection("/dev/full", false).empty());
	OutputFile file("/dev/full", false);
	CHECK(file.write(Bytes(10)) == ENOSPC);
}

TEST_CASE("of a block that does not fit nothing stays", "[record]") {
	const ScratchFolder folder;
	const std::string path = folder / "full";
	rlimit before{};
	REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
	auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
	OutputFile file(path, false);
	const rlimit small{4096, before.rlim_max};
	REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
	const int first = file.write(Bytes(3000));
	const int second = file.write(Bytes(3000));
	setrlimit(RLIMIT_FSIZE, &before);
	std::signal(SIGXFSZ, handler);
	CHECK(first == 0);
	CHECK(second == EFBIG);
	CHECK(std::filesystem::file_size(path) == 3000);
}

} // namespace stalesock::test
