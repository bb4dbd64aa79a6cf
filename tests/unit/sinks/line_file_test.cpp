// SPDX-License-Identifier: Apache-2.0
#include "sinks/line_file.hpp"

#include "sinks/json.hpp"
#include "sinks/samples.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>

namespace stalesock::test {

namespace {

using matchers::Contains;

void give(Sink& sink, const std::string& id) {
	Verdict verdict = minimal_verdict();
	verdict.id = id;
	sink.verdict(verdict, {});
	sink.flush();
}

std::string text_of(const std::string& path) {
	std::ifstream file(path);
	std::ostringstream text;
	text << file.rdbuf();
	return text.str();
}

/// The ids of its lines; a line that is no verdict is "?".
std::string ids_in(const std::string& path) {
	std::istringstream text(text_of(path));
	std::string ids;
	for (std::string line; std::getline(text, line);) {
		const std::size_t at = line.find("\"id\":\"");
		ids += at == std::string::npos || !line.ends_with('}') ? "?" : line.substr(at + 6, 1);
	}
	return ids;
}

std::uint64_t line_size() {
	Verdict verdict = minimal_verdict();
	verdict.id = "1";
	return json_line(verdict, {}).size() + 1;
}

/// A file system that is full beyond this many bytes of a file.
class FullDisk {
  public:
	explicit FullDisk(std::uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
		getrlimit(RLIMIT_FSIZE, &before_);
		rlimit limit = before_;
		limit.rlim_cur = bytes;
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	~FullDisk() {
		setrlimit(RLIMIT_FSIZE, &before_);
		std::signal(SIGXFSZ, handler_);
	}
	FullDisk(const FullDisk&) = delete;
	FullDisk& operator=(const FullDisk&) = delete;

  private:
	rlimit before_{};
	void (*handler_)(int);
};

} // namespace

TEST_CASE("a file is rotated when the next line would pass its limit", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string path = folder / "lines";
	LineFileSink sink({path, 2 * line_size(), 2});
	for (const char* id : {"1", "2"}) {
		give(sink, id);
	}
	CHECK(ids_in(path) == "12"); // exactly full
	CHECK_FALSE(std::filesystem::exists(path + ".1"));
	for (const char* id : {"3", "4", "5", "6", "7"}) {
		give(sink, id);
	}
	CHECK(ids_in(path) == "7");
	CHECK(ids_in(path + ".1") == "56");
	CHECK(ids_in(path + ".2") == "34");
	CHECK_FALSE(std::filesystem::exists(path + ".3")); // keep = 2: "12" has gone
	CHECK_FALSE(sink.take_gap().has_value());
}

TEST_CASE("a line longer than the limit gets a file of its own", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string path = folder / "lines";
	LineFileSink sink({path, 10, 3});
	give(sink, "1");
	give(sink, "2");
	CHECK(ids_in(path) == "2");
	CHECK(ids_in(path + ".1") == "1");
}

TEST_CASE("an existing file is continued, readable by its group only", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string path = folder / "lines";
	for (const char* id : {"1", "2"}) {
		LineFileSink sink({path, 0, 1});
		give(sink, id);
	}
	CHECK(ids_in(path) == "12");
	struct stat facts {};
	REQUIRE(stat(path.c_str(), &facts) == 0);
	CHECK((facts.st_mode & 07) == 0);
}

TEST_CASE("lines follow the path after a reopening, as logrotate needs it", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string path = folder / "lines";
	LineFileSink sink({path, 0, 1});
	give(sink, "1");
	std::filesystem::rename(path, path + ".moved");
	give(sink, "2");
	sink.reopen();
	give(sink, "3");
	CHECK(ids_in(path + ".moved") == "12");
	CHECK(ids_in(path) == "3");
}

TEST_CASE("a full disk leaves whole lines, and what waited is written later", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string path = folder / "lines";
	LineFileSink sink({path, 0, 1});
	{
		const FullDisk disk(line_size() + line_size() / 2); // half of the second line fits
		give(sink, "1");
		give(sink, "2");
		give(sink, "3");
		CHECK(ids_in(path) == "1");
		CHECK_THAT(sink.problem(), Contains("cannot be written: "));
		CHECK(sink.waiting() == 2);
	}
	sink.flush();
	CHECK(ids_in(path) == "123");
	const auto gap = sink.take_gap();
	REQUIRE(gap.has_value());
	CHECK(gap->output == path);
	CHECK(gap->delayed == 2);
	CHECK(gap->discarded == 0);
}

TEST_CASE("a place that cannot be written is tried again", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string path = folder.path() + "/missing/lines";
	LineFileSink sink({path, 0, 1});
	give(sink, "1");
	CHECK_THAT(sink.problem(), Contains("cannot be opened: No such file"));
	std::filesystem::create_directory(folder / "missing");
	give(sink, "2");
	CHECK(ids_in(path) == "12");
}

TEST_CASE("a FIFO or a folder is refused at once", "[sinks][file]") {
	const ScratchFolder folder;
	const std::string fifo = folder / "fifo";
	REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
	LineFileSink to_fifo({fifo, 0, 1});
	give(to_fifo, "1"); // would wait for a reader
	CHECK_THAT(to_fifo.problem(), Contains("cannot be opened"));
	LineFileSink to_folder({folder.path(), 0, 1});
	give(to_folder, "1");
	CHECK_THAT(to_folder.problem(), Contains("cannot be opened: Is a directory"));
}

} // namespace stalesock::test
