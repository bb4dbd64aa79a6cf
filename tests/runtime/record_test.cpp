// SPDX-License-Identifier: Apache-2.0
// A recording of real traffic, replayed by anybody, says what the watch said.
#include "support/catch.hpp"
#include "support/sight.hpp"
#include "support/watch.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

using namespace runtime;

namespace {

using matchers::Contains;
namespace fs = std::filesystem;

class Folder {
  public:
	Folder() {
		std::string pattern = fs::temp_directory_path() / "stalesock-record-XXXXXX";
		checked(mkdtemp(pattern.data()) == nullptr ? -1 : 0, "mkdtemp");
		path_ = pattern;
		fs::permissions(path_, fs::perms(0755));
	}
	~Folder() { fs::remove_all(path_); }
	Folder(const Folder&) = delete;
	Folder& operator=(const Folder&) = delete;

	[[nodiscard]] std::string operator/(const char* name) const { return path_ / name; }

  private:
	fs::path path_;
};

/// A running `stalesock record` in this network namespace.
class Recorder {
  public:
	explicit Recorder(const std::string& file, const Arguments& more = {})
		: process_(command_line(file, more)) {
		if (!eventually([&] {
				process_.read_available(milliseconds(50));
				return process_.errors().find("stalesock: recording") != std::string::npos;
			})) {
			throw std::runtime_error("stalesock does not record: " + process_.errors());
		}
	}

	ExitCode stop(int number = SIGINT) {
		process_.signal(number);
		return process_.finish();
	}
	[[nodiscard]] Process& process() { return process_; }

  private:
	static Arguments command_line(const std::string& file, const Arguments& more) {
		Arguments all{stalesock_path(),  "record", "--netns", "self", "-o", file,
		              "--scan-interval", "0.2"};
		all.insert(all.end(), more.begin(), more.end());
		return all;
	}

	Process process_;
};

/// By nobody, who may do nothing.
Result replay(const std::string& file, const Arguments& more = {}) {
	if (fs::exists(file)) {
		fs::permissions(file, fs::perms(0644));
	}
	Arguments all{"setpriv",
	              "--reuid=65534",
	              "--regid=65534",
	              "--clear-groups",
	              "--inh-caps=-all",
	              "--ambient-caps=-all",
	              "--bounding-set=-all",
	              stalesock_path(),
	              "replay",
	              "--json",
	              file};
	all.insert(all.end(), more.begin(), more.end());
	return run(all);
}

Verdicts parsed(const std::string& text) {
	Verdicts lines;
	std::size_t start = 0;
	for (std::size_t end = text.find('\n'); end != std::string::npos;
	     end = text.find('\n', start)) {
		lines.push_back(Json::parse(text.substr(start, end - start)));
		start = end + 1;
	}
	return lines;
}

Verdicts about(const Verdicts& verdicts, const Side& side) {
	Verdicts result;
	for (const Json& verdict : verdicts) {
		if (verdict.contains("verdict") && verdict["connection"]["local"] == side.local &&
		    verdict["connection"]["remote"] == side.remote) {
			result.push_back(verdict);
		}
	}
	return result;
}

Connection make_stale_reuse() {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	stay_idle(milliseconds(20));
	send_all(connection.active, request);
	return connection;
}

/// Two programs at one hook read the clock one after the other; their verdicts tell times in ms, and so
/// do their sentences. Where something comes between the two reads, nobody can say which is right.
constexpr double apart_ms = 2.0;
constexpr int rounds_for_times = 5;

/// What the watch may know better: it saw more connections, and processes that still lived.
bool may_differ(const std::string& name) {
	const Names allowed{"time", "id", "message", "advice", "peer", "unit", "other_end"};
	return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

/// Fails where anything but a time differs. False where a time does.
bool check_same(const Json& replayed, const Json& watched, const std::string& path) {
	INFO(path);
	REQUIRE(replayed.type() == watched.type());
	bool times_agree = true;
	if (watched.is_object()) {
		for (const auto& [name, value] : replayed.items()) {
			CHECK((may_differ(name) || watched.contains(name)));
		}
		for (const auto& [name, value] : watched.items()) {
			if (!may_differ(name)) {
				REQUIRE(replayed.contains(name));
				times_agree &= check_same(replayed.at(name), value, path + "." + name);
			}
		}
	} else if (path.ends_with("_ms")) {
		times_agree = std::abs(replayed.get<double>() - watched.get<double>()) <= apart_ms;
	} else {
		CHECK(replayed == watched);
	}
	return times_agree;
}

/// A stale reuse, recorded and watched at once, then replayed by nobody. True if their times agree.
bool replay_agrees() {
	const Folder folder;
	const std::string file = folder / "trace";
	const Connection before = open_used_connection(); // in the inventory
	Recorder recorder(file);
	CHECK((fs::status(file).permissions() & fs::perms::all) == fs::perms(0600));
	const Connection connection = make_stale_reuse();
	const Seen seen = watch().observe(connection);
	CHECK(recorder.stop() == 0);
	CHECK_THAT(recorder.process().errors(), Contains("(hooks: " + watch().hook_class()) &&
	                                            Contains("stopped after") && Contains("0 dropped"));

	const Result result = replay(file);
	CAPTURE(result.output, result.errors);
	CHECK(result.code == 0);
	const Verdicts replayed = about(parsed(result.output), connection.active_side);
	REQUIRE(names(replayed) == Names{"idle_close", "stale_reuse"});
	REQUIRE(names(seen.active) == names(replayed));
	bool times_agree = true;
	for (std::size_t i = 0; i < replayed.size(); i++) {
		times_agree &= check_same(replayed[i], seen.active[i], "verdict");
	}
	CHECK(about(parsed(result.output), connection.passive_side).empty());
	CHECK(replay(file).output == result.output);

	const std::string events = replay(file, {"--events"}).output;
	CHECK_THAT(events, Contains(R"("event":"inventory")") && Contains(before.active_side.remote) &&
	                       Contains(R"("record":"start")") && Contains(R"("event":"owner")"));
	return times_agree;
}

std::string content_of(const std::string& path) {
	std::ifstream file(path, std::ios::binary);
	return {std::istreambuf_iterator<char>{file}, {}};
}

/// 127.0.0.1 as a record has it, in 16 bytes. The four alone are found by chance too: in a time, in a checksum.
bool holds_loopback(const std::string& bytes) {
	std::string address("\x7f\x00\x00\x01", 4);
	address.resize(16);
	return bytes.find(address) != std::string::npos;
}

} // namespace

TEST_CASE("a replay without privileges says what the watch said", "[record]") {
	bool times_agree = replay_agrees();
	for (int round = 1; round < rounds_for_times && !times_agree; round++) {
		times_agree = replay_agrees();
	}
	CHECK(times_agree);
}

TEST_CASE("a recording that was killed is read up to the last flush", "[record]") {
	const Folder folder;
	const std::string file = folder / "trace";
	Recorder recorder(file);
	const Connection connection = make_stale_reuse();
	const auto recorded = [&] {
		return names(about(parsed(replay(file).output), connection.active_side)) ==
		       Names{"idle_close", "stale_reuse"};
	};
	REQUIRE(eventually(recorded)); // while it is being written
	CHECK(recorder.stop(SIGKILL) == -SIGKILL);
	CHECK(recorded());
	const Result result = replay(file);
	CHECK(result.code == 1);
	CHECK_THAT(result.errors, Contains("the recording was cut off"));
	CHECK_THAT(result.errors, Contains("at byte " + std::to_string(fs::file_size(file)) + ":"));
}

TEST_CASE("an anonymized recording has the verdicts and not the names", "[record]") {
	const Folder folder;
	const std::string file = folder / "trace";
	const std::string plain = folder / "plain";
	Recorder recorder(file, {"--anonymize"});
	Recorder plain_recorder(plain);
	const Connection connection = make_stale_reuse();
	watch().settle();
	CHECK(recorder.stop() == 0);
	CHECK(plain_recorder.stop() == 0);
	CHECK(holds_loopback(content_of(plain)));
	const std::string bytes = content_of(file);
	CHECK(bytes.find(own_command().substr(0, 15)) == std::string::npos);
	CHECK_FALSE(holds_loopback(bytes));
	const Result result = replay(file, {"--verdict", "stale_reuse"});
	CHECK(result.code == 0);
	CHECK_THAT(result.errors, Contains("anonymized"));
	Verdicts verdicts = parsed(result.output);
	REQUIRE(verdicts.size() > 1);
	verdicts.erase(verdicts.begin()); // the record of the start
	CHECK(about(verdicts, connection.active_side).empty());
	for (const Json& verdict : verdicts) {
		CHECK_THAT(verdict["connection"]["remote"].get<std::string>(),
		           matchers::StartsWith("127."));
		if (verdict["owner"].contains("command")) {
			CHECK_THAT(verdict["owner"]["command"].get<std::string>(),
			           matchers::StartsWith("cmd-"));
		}
	}
}

TEST_CASE("a recording is filtered in the kernel and ends by itself", "[record]") {
	const Folder folder;
	const std::string file = folder / "trace";
	const Listener listener;
	Recorder recorder(file, {"--port", std::to_string(listener.port()), "--duration", "1"});
	Connection wanted = listener.open();
	Connection other = open_used_connection();
	CHECK(recorder.process().finish() == 0);
	CHECK_THAT(recorder.process().errors(), Contains("--duration"));
	const Verdicts events = parsed(replay(file, {"--events"}).output);
	int opened = 0;
	for (const Json& event : events) {
		if (event.contains("event") && event["event"] == "open") {
			opened++;
			const std::string both = event.dump();
			CHECK_THAT(both, Contains(":" + std::to_string(listener.port()) + "\""));
		}
	}
	CHECK(opened == 2);
}

TEST_CASE("a file that exists is kept", "[record]") {
	const Folder folder;
	const std::string file = folder / "precious";
	std::ofstream(file) << "precious";
	const Result refused = run({stalesock_path(), "record", "-o", file});
	CHECK(refused.code == 2);
	CHECK_THAT(refused.errors, Contains("--force"));
	CHECK(content_of(file) == "precious");
	Recorder recorder(file, {"--force"});
	CHECK(recorder.stop() == 0);
	CHECK(replay(file).code == 0);
}

TEST_CASE("a recording that cannot be written ends with exit code 1", "[record]") {
	Process full({stalesock_path(), "record", "--netns", "self", "-o", "/dev/full"});
	CHECK(full.finish() == 1);
	CHECK_THAT(full.errors(), Contains("cannot write /dev/full: No space left on device"));
	Recorder piped("/dev/stdout");
	piped.process().close_output();
	const Connection connection = make_stale_reuse();
	CHECK(piped.process().finish() == 1);
	CHECK_THAT(piped.process().errors(), Contains("cannot write /dev/stdout: Broken pipe"));
}

TEST_CASE("recording needs privileges, and leaves no file without them", "[record]") {
	const Folder folder;
	const std::string file = folder / "trace";
	const Result result = run({"setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534",
	                           "--clear-groups", stalesock_path(), "record", "-o", file});
	CHECK(result.code == 3);
	CHECK_THAT(result.errors, Contains("CAP_BPF"));
	CHECK_FALSE(fs::exists(file));
}
