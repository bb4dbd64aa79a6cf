// SPDX-License-Identifier: Apache-2.0
// Exit codes, error lines and the ways to end.
#include "support/catch.hpp"
#include "support/sight.hpp"
#include "support/watch.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <sys/utsname.h>

using namespace runtime;

namespace {

using matchers::Contains;

/// Runs a program as nobody, with these capabilities only.
Arguments as_nobody(const std::string& capabilities = {}) {
	const std::string set = capabilities.empty() ? "-all" : "-all," + capabilities;
	return {"setpriv",           "--reuid=65534",         "--regid=65534",        "--clear-groups",
	        "--inh-caps=" + set, "--ambient-caps=" + set, "--bounding-set=" + set};
}

Result stalesock(const Arguments& arguments, const Arguments& launcher = {}) {
	Arguments all = launcher;
	all.push_back(stalesock_path());
	all.insert(all.end(), arguments.begin(), arguments.end());
	return run(all);
}

/// One clear line on standard error, nothing on standard output.
void check_refusal(const Result& result, ExitCode code) {
	CAPTURE(result.output, result.errors);
	CHECK(result.code == code);
	CHECK(result.output.empty());
	CHECK_THAT(result.errors, matchers::StartsWith("stalesock: "));
	CHECK(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
}

Connection make_stale_reuse() {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	send_all(connection.active, request);
	return connection;
}

} // namespace

TEST_CASE("without privileges: exit code 3 and the missing capabilities", "[command]") {
	const Result result = stalesock({"watch"}, as_nobody());
	check_refusal(result, 3);
	CHECK_THAT(result.errors, Contains("CAP_BPF") && Contains("CAP_PERFMON"));
}

TEST_CASE("CAP_BPF alone is not enough", "[command]") {
	const Result result = stalesock({"watch"}, as_nobody("+bpf"));
	check_refusal(result, 3);
	CHECK_THAT(result.errors, Contains("CAP_PERFMON is missing"));
}

TEST_CASE("CAP_PERFMON alone is not enough", "[command]") {
	const Result result = stalesock({"watch"}, as_nobody("+perfmon"));
	check_refusal(result, 3);
	CHECK_THAT(result.errors, Contains("CAP_BPF is missing"));
}

TEST_CASE("CAP_BPF and CAP_PERFMON are enough for anybody", "[command]") {
	Watch unprivileged({}, as_nobody("+bpf,+perfmon"));
	Connection connection = make_stale_reuse();
	const Seen seen = unprivileged.observe(connection);
	CHECK(names(seen.passive) == Names{});
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	check_confidence(seen.active[1], "certain");
	check_writer(seen.active[1], getpid(), own_command());
	CHECK(unprivileged.stop() == 0);
}

TEST_CASE("wrong usage: exit code 2", "[command]") {
	const std::vector<Arguments> wrong = {
		{"watch", "--no-such-option"},
		{"no-such-command"},
		{"watch", "--verdict", "no_such_verdict"},
		{"watch", "--min-severity", "dreadful"},
		{"watch", "--remote", "nowhere:99999"},
		{"watch", "--pid", "-4"},
		{"watch", "--duration", "soon"},
		{"watch", "--netns", "/nowhere"},
		{"watch", "--ring-size", "4096"},
		{"watch", "--ring-size", "100000"},
		{"watch", "surplus"},
		{},
	};
	for (const Arguments& arguments : wrong) {
		std::string line;
		for (const std::string& argument : arguments) {
			line += " " + argument;
		}
		INFO("stalesock" << line);
		const Result result = stalesock(arguments);
		CHECK(result.code == 2);
		CHECK(result.output.empty());
		CHECK_FALSE(result.errors.empty());
	}
}

TEST_CASE("a ring that is too small is named with its limit", "[command]") {
	const Result result = stalesock({"watch", "--ring-size", "4096"});
	check_refusal(result, 2);
	CHECK_THAT(result.errors, Contains("ring"));
}

TEST_CASE("a signal ends the watch with a summary", "[command]") {
	for (const int number : {SIGINT, SIGTERM}) {
		INFO("signal " << number);
		Watch one;
		Connection connection = make_stale_reuse();
		one.wait_for(connection.active_side, "stale_reuse");
		CHECK(one.stop(number) == 0);
		CAPTURE(one.errors());
		CHECK_THAT(one.errors(), Contains("stale_reuse") && Contains("events") && Contains("lost"));
	}
}

TEST_CASE("ending the watch settles what was waiting", "[command]") {
	Watch one;
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	send_all(connection.active, request);
	CHECK(one.stop() == 0);
	CHECK(names(one.about(connection).active) == Names{"idle_close", "stale_reuse"});
}

TEST_CASE("--duration ends the watch by itself", "[command]") {
	const auto start = Clock::now();
	const Result result = stalesock({"watch", "--json", "--netns", "self", "--duration", "1"});
	CHECK(result.code == 0);
	CHECK(std::count(result.output.begin(), result.output.end(), '\n') ==
	      1); // the record of the start
	CHECK(elapsed_ms(start, Clock::now()) >= 1000.0);
	CHECK_THAT(result.errors, Contains("stopped after 1.") && Contains("--duration"));
}

TEST_CASE("the output begins with the class of hooks and what they do not see", "[command]") {
	Watch one({"--min-severity", "error"});
	CHECK(one.stop() == 0);
	REQUIRE_FALSE(one.notes().empty());
	const std::string& first = one.notes().front();
	CHECK(one.process().output().compare(0, first.size(), first) == 0);
	const Json start = Json::parse(first);
	CHECK(start.at("record") == "start");
	CHECK(start.at("hook_class") == one.hook_class());
	utsname system{};
	REQUIRE(uname(&system) == 0);
	CHECK(start.at("kernel") == system.release);
	for (const Json& gap : start.at("gaps")) {
		CHECK_THAT(one.errors(), Contains("gap: " + gap.get<std::string>()));
	}
	CHECK_THAT(one.errors(), Contains(std::to_string(start.at("gaps").size()) + " gaps"));
}

TEST_CASE("nobody reads the output any more: a clean end", "[command]") {
	Watch one;
	one.process().close_output();
	Connection connection = make_stale_reuse();
	CHECK(one.process().finish() == 0);
}

TEST_CASE("the output cannot be written: exit code 1", "[command]") {
	Process full({stalesock_path(), "watch", "--json", "--netns", "self"}, "/dev/full");
	REQUIRE(eventually([&] {
		full.read_available(milliseconds(50));
		return full.errors().find("stalesock: watching") != std::string::npos;
	}));
	Connection connection = make_stale_reuse();
	CHECK(full.finish() == 1);
	CHECK_THAT(full.errors(), Contains("No space left on device"));
}

TEST_CASE("filters leave out the rest and nothing else", "[command][filter]") {
	Connection connection = make_stale_reuse();
	Watch by_verdict({"--verdict", "stale_reuse", "--verdict", "limit_close"});
	Watch by_severity({"--min-severity", "error"});
	connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	send_all(connection.active, request);
	CHECK(names(by_verdict.observe(connection).active) == Names{"stale_reuse"});
	by_severity.wait_for(connection.active_side, "stale_reuse");
	CHECK(by_severity.stop() == 0);
	CHECK(names(by_severity.about(connection).active) == Names{"stale_reuse"});
	CHECK(by_verdict.stop() == 0);
}

TEST_CASE("--remote and --pid choose connections", "[command][filter]") {
	const Listener listener;
	Connection connection = listener.open();
	const std::string remote = connection.active_side.remote;
	Watch by_remote({"--remote", remote});
	Watch by_pid({"--pid", std::to_string(getpid())});
	Watch by_other_pid({"--pid", "1"});
	exchange(connection);
	stay_idle();
	close_passive(connection);
	send_all(connection.active, request);
	Connection other = make_stale_reuse();
	by_remote.wait_for(connection.active_side, "stale_reuse");
	by_pid.wait_for(connection.active_side, "stale_reuse");
	by_pid.wait_for(other.active_side, "stale_reuse");
	CHECK(by_remote.stop() == 0);
	CHECK(by_pid.stop() == 0);
	CHECK(by_other_pid.stop() == 0);
	CHECK(names(by_remote.about(connection).active) == Names{"idle_close", "stale_reuse"});
	CHECK(names(by_remote.about(other).active) == Names{});
	CHECK(by_other_pid.verdicts().empty());
}

TEST_CASE("--version and --help", "[command]") {
	CHECK(stalesock({"--version"}).code == 0);
	const Result help = stalesock({"--help"});
	CHECK(help.code == 0);
	CHECK_THAT(help.output, Contains("watch") && Contains("demo") && Contains("doctor"));
}

TEST_CASE("demo makes a real stale reuse and explains it", "[command][demo]") {
	const Result result = stalesock({"demo"});
	CAPTURE(result.output, result.errors);
	CHECK(result.code == 0);
	CHECK_THAT(result.output, Contains("FIN"));
}

TEST_CASE("doctor says what this kernel allows", "[command][doctor]") {
	const Result result = stalesock({"doctor", "--json"});
	CHECK(result.code == 0);
	const Json report = Json::parse(result.output);
	CHECK(report.is_object());
	CHECK(stalesock({"doctor"}).code == 0);
	CHECK(stalesock({"doctor"}, as_nobody()).code == 3);
}

TEST_CASE("what this kernel allows is used", "[command][doctor]") {
	if (std::getenv("STALESOCK_HOOKS") != nullptr) {
		CHECK(watch().hook_class() == std::getenv("STALESOCK_HOOKS"));
		return skip("the class of hooks is forced");
	}
	const Json report = Json::parse(stalesock({"doctor", "--json"}).output);
	CHECK(watch().hook_class() == report.at("hook_class").get<std::string>());
	const std::map<std::string, Sight> sights = {{"write after FIN", Sight::writer},
	                                             {"payload head", Sight::head},
	                                             {"EOF read", Sight::eof}};
	for (const Json& hook : report.at("hooks")) {
		const auto found = sights.find(hook.at("need"));
		if (found != sights.end() && hook.at("available") == true &&
		    hook.at("hook") != "iter/tcp") {
			INFO(hook.at("hook"));
			CHECK(sees(found->second));
		}
	}
}
