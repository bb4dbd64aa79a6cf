// SPDX-License-Identifier: Apache-2.0
// The file survives what happens to files.
#include "app/state_file.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>

namespace stalesock::test {

namespace {

using matchers::Contains;

const Endpoint server = parse_endpoint("10.0.0.7:8080").value();

std::string content(const std::string& path) {
	std::ifstream file(path);
	return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const std::string& text) {
	std::ofstream(path) << text;
}

std::size_t files_in(const ScratchFolder& folder) {
	std::size_t count = 0;
	for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
		count++;
	}
	return count;
}

std::string some_state(const Place& now) {
	Peers peers(10);
	peers.note_reuse(server, 0, std::chrono::seconds(3), "client", now.boot_time);
	return state_text(peers, Listeners{}, now);
}

/// A full disk: no file may grow beyond this.
class FileSizeLimit {
  public:
	explicit FileSizeLimit(rlim_t bytes) {
		getrlimit(RLIMIT_FSIZE, &before_);
		std::signal(SIGXFSZ, SIG_IGN); // write fails with EFBIG instead
		const rlimit limit{bytes, before_.rlim_max};
		REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	}
	~FileSizeLimit() {
		setrlimit(RLIMIT_FSIZE, &before_);
		std::signal(SIGXFSZ, SIG_DFL);
	}
	FileSizeLimit(const FileSizeLimit&) = delete;
	FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
	rlimit before_{};
};

} // namespace

TEST_CASE("a state is written and read again", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const Place now = place_here(read_clocks());
	CHECK_FALSE(now.boot.empty());
	CHECK(now.netns != 0);
	write_state_file(path, "old");
	write_state_file(path, some_state(now));
	struct stat facts {};
	REQUIRE(stat(path.c_str(), &facts) == 0);
	CHECK((facts.st_mode & 0777U) == 0640);
	CHECK(files_in(folder) == 1);
	Peers peers(10);
	Listeners listeners;
	const StateRecovery recovery = recover_state(path, now, peers, listeners);
	CHECK(recovery.problem.empty());
	CHECK(recovery.merged.endpoints == 1);
	REQUIRE(peers.find(server, 0) != nullptr);
	CHECK(peers.find(server, 0)->longest_reuse->command_name() == "client");
}

TEST_CASE("what one engine has learned the next one knows", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const Moment now = read_clocks();
	Engine first({});
	CHECK(load_learned(path, first, now).empty());
	first.peers().note_reuse(server, 0, std::chrono::seconds(3), "client", now.boot);
	write_state_file(path, learned_text(first, now));
	Engine next({});
	CHECK(load_learned(path, next, now).empty());
	CHECK(next.peers().find(server, 0) != nullptr);
	CHECK_THROWS_WITH(write_state_file(folder / "no/peers.json", learned_text(next, now)),
	                  Contains("no/peers.json"));
	put(path, "{");
	CHECK_THAT(load_learned(path, next, now), Contains("cut off") && Contains(".refused"));
}

TEST_CASE("a full disk leaves the old state as it was, and says so", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	write_state_file(path, "old");
	std::string what;
	{
		const FileSizeLimit limit(100);
		try {
			write_state_file(path, std::string(1000, 'x'));
		} catch (const std::system_error& error) {
			what = error.what();
		}
	}
	CHECK_THAT(what, Contains("cannot save what was learned to " + path));
	CHECK(content(path) == "old");
	CHECK(files_in(folder) == 1);
}

TEST_CASE("a folder that is not there is named", "[app][state]") {
	const ScratchFolder folder;
	CHECK_THROWS_WITH(write_state_file(folder / "no/peers.json", "x"), Contains("no/peers.json"));
}

TEST_CASE("what an interrupted save left behind does no harm", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	put(path + ".new", std::string(1000, 'x'));
	write_state_file(path, "short");
	CHECK(content(path) == "short");
	CHECK(files_in(folder) == 1);
}

TEST_CASE("a link is not written through", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const std::string elsewhere = folder / "elsewhere";
	put(elsewhere, "precious");
	std::filesystem::create_symlink(elsewhere, path + ".new");
	CHECK_THROWS_AS(write_state_file(path, "x"), std::system_error);
	CHECK(content(elsewhere) == "precious");
}

TEST_CASE("a state that cannot be used is kept aside, each under its own name", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const Place now = place_here(read_clocks());
	const auto& [text, expected] = GENERATE_COPY(table<std::string, std::string>({
		{"{\"stalesock_peers\":99}", "newer stalesock: version 99"},
		{some_state(now).substr(0, 60), "cut off at byte 60"},
		{"", "cut off at byte 0"},
	}));
	Peers peers(10);
	Listeners listeners;
	for (const char* const name : {"peers.json.refused", "peers.json.refused.1"}) {
		put(path, text);
		const StateRecovery recovery = recover_state(path, now, peers, listeners);
		CHECK_THAT(recovery.problem, Contains(path) && Contains(expected) && Contains(name));
		CHECK(content(folder / name) == text);
		CHECK_FALSE(std::filesystem::exists(path));
	}
	CHECK(peers.counters().known == 0);
}

TEST_CASE("no state yet is no problem; one that cannot be read is, and stays", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const Place now = place_here(read_clocks());
	Peers peers(10);
	Listeners listeners;
	CHECK(recover_state(path, now, peers, listeners).problem.empty());
	std::filesystem::create_directory(path);
	CHECK_THAT(recover_state(path, now, peers, listeners).problem, Contains("is not a file"));
}

TEST_CASE("a FIFO is refused without waiting for a writer", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	REQUIRE(mkfifo(path.c_str(), 0600) == 0);
	CHECK_THROWS_WITH(read_state_file(path), Contains("is not a file"));
}

} // namespace stalesock::test
