// SPDX-License-Identifier: Apache-2.0
#include "support/watch.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace runtime {

namespace {

std::unique_ptr<Watch>& shared_watch() {
	static std::unique_ptr<Watch> instance;
	return instance;
}

/// Seconds. Where no hook sees a late write, a verdict waits for the next scan.
constexpr const char* scan_interval = "0.2";

Arguments command_line(const Arguments& filters, const Arguments& launcher) {
	Arguments arguments = launcher;
	const Arguments options = {"watch", "--json",          "--collapse",
	                           "0",     "--scan-interval", scan_interval};
	arguments.push_back(stalesock_path());
	arguments.insert(arguments.end(), options.begin(), options.end());
	if (std::find(filters.begin(), filters.end(), "--netns") == filters.end()) {
		arguments.insert(arguments.end(), {"--netns", "self"});
	}
	arguments.insert(arguments.end(), filters.begin(), filters.end());
	return arguments;
}

/// The beginning of what a watch says when it cannot see this.
std::string gap_of(Sight sight) {
	switch (sight) {
	case Sight::time:
	case Sight::writer: return "gap: a late write is seen by a scan";
	case Sight::head: return "gap: a TLS farewell and a request look the same";
	case Sight::eof: return "gap: whether the application had read the end of file";
	}
	throw std::logic_error("sight");
}

/// The passive end answers and says goodbye at once: a verdict on that follows without delay.
Connection answered_and_closed() {
	Connection connection = open_used_connection();
	half_close_passive(connection);
	return connection;
}

} // namespace

Watch::Watch(const Arguments& filters, const Arguments& launcher)
	: process_(command_line(filters, launcher)) {
	wait_until_watching();
}

void Watch::wait_until_watching() {
	const auto deadline = Clock::now() + patience;
	while (process_.errors().find("stalesock: watching") == std::string::npos) {
		if (Clock::now() >= deadline) {
			throw std::runtime_error("stalesock did not start watching: " + process_.errors());
		}
		process_.read_available(milliseconds(50));
	}
}

void Watch::parse_new_lines() {
	const std::string& text = process_.output();
	for (std::size_t end = text.find('\n', parsed_); end != std::string::npos;
	     end = text.find('\n', parsed_)) {
		const std::string line = text.substr(parsed_, end - parsed_);
		const Json object = Json::parse(line);
		if (object.contains("verdict")) {
			lines_.push_back(line);
			verdicts_.push_back(object);
		} else {
			notes_.push_back(line);
		}
		parsed_ = end + 1;
	}
}

/// A late write without an RST is settled when nothing has followed it for a while. Once a
/// sentinel's is, so is everything before it; a second sentinel, known at once, comes after
/// whatever was settled together with the first.
void Watch::settle() {
	Connection slow = answered_and_closed();
	send_all(slow.active, request);
	wait_for(slow.active_side, "stale_reuse");
	Connection quick = answered_and_closed();
	wait_for(quick.active_side,
	         Names{"limit_close", "idle_close"}); // idle: the machine stood still meanwhile
	close_both(slow);
	close_both(quick);
}

bool Watch::wait_until(const std::function<bool()>& is_enough) {
	const auto deadline = Clock::now() + patience;
	for (;;) {
		parse_new_lines();
		if (is_enough()) {
			return true;
		}
		if (Clock::now() >= deadline) {
			return false;
		}
		process_.read_available(milliseconds(50));
	}
}

void Watch::wait_for(const Side& side, const Names& verdicts) {
	const bool came = wait_until([&] {
		const Names seen = names(about(side));
		return std::find_first_of(seen.begin(), seen.end(), verdicts.begin(), verdicts.end()) !=
		       seen.end();
	});
	if (!came) {
		throw std::runtime_error("no " + verdicts.front() + " about " + side.local + " -> " +
		                         side.remote);
	}
}

Verdicts Watch::about(const Side& side) const {
	Verdicts result;
	for (const Json& verdict : verdicts_) {
		const Json& connection = verdict.at("connection");
		if (connection.at("local") == side.local && connection.at("remote") == side.remote) {
			result.push_back(verdict);
		}
	}
	return result;
}

Seen Watch::about(const Connection& connection) const {
	return {about(connection.active_side), about(connection.passive_side)};
}

Seen Watch::observe(const Connection& connection) {
	settle();
	return about(connection);
}

bool Watch::sees(Sight sight) const {
	return errors().find(gap_of(sight)) == std::string::npos;
}

std::string Watch::hook_class() const {
	const std::string before = "(hooks: ";
	const std::size_t start = errors().find(before) + before.size();
	return errors().substr(start, errors().find(',', start) - start);
}

ExitCode Watch::stop(int signal_number) {
	process_.signal(signal_number);
	const ExitCode code = process_.finish();
	parse_new_lines();
	return code;
}

Watch& watch() {
	if (!shared_watch()) {
		shared_watch() = std::make_unique<Watch>();
	}
	return *shared_watch();
}

bool watch_is_running() {
	return shared_watch() != nullptr;
}

Names names(const Verdicts& verdicts) {
	Names result;
	for (const Json& verdict : verdicts) {
		result.push_back(verdict.at("verdict"));
	}
	return result;
}

} // namespace runtime
