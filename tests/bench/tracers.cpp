// SPDX-License-Identifier: Apache-2.0
#include "tracers.hpp"

#include "child.hpp"
#include "empty.skel.h"
#include "probe/probe.hpp"
#include "verdict/engine.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bench {

namespace {

using namespace std::chrono_literals;
using stalesock::Engine;
using stalesock::Event;
using stalesock::Probe;
using stalesock::Verdict;

constexpr int tick_ms = 50; // as `watch`

/// Until the stop pipe ends: drain when the ring asks, and on a timer.
void consume_like_watch(Probe& probe, Engine& engine, int stop) {
	const Engine::Handler ignore = [](const Verdict&) {};
	auto next_tick = std::chrono::steady_clock::now() + std::chrono::milliseconds(tick_ms);
	pollfd sources[] = {{.fd = probe.ring_fd(), .events = POLLIN, .revents = 0},
	                    {.fd = stop, .events = POLLIN, .revents = 0}};
	while (true) {
		const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(
			next_tick - std::chrono::steady_clock::now());
		poll(sources, std::size(sources),
		     static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
		const stalesock::Nanoseconds now = stalesock::boot_time_now();
		probe.consume();
		if (std::chrono::steady_clock::now() >= next_tick) {
			engine.on_tick(now, ignore);
			(void)probe.counters();
			next_tick += std::chrono::milliseconds(tick_ms);
		}
		if (sources[1].revents != 0) {
			return;
		}
	}
}

void run_stalesock(const stalesock::ProbeOptions& options, int answers, int stop) {
	pin_to(tracer_cpu);
	Probe probe(options);
	Engine engine({.max_connections = 262'144, .tick = probe.tick()});
	const Engine::Handler ignore = [](const Verdict&) {};
	probe.attach([&](const Event& event) { engine.apply(event, ignore); });
	probe.take_inventory();
	probe.consume();
	send(answers, char{});
	consume_like_watch(probe, engine, stop);
	const stalesock::ProbeCounters counters = probe.counters();
	send(answers, Losses{counters.events, counters.dropped + counters.missed + counters.malformed});
}

void run_empty_programs(int answers, int stop) {
	empty_bpf* skeleton = empty_bpf__open_and_load();
	if (skeleton == nullptr || empty_bpf__attach(skeleton) != 0) {
		throw std::runtime_error("the empty BPF programs cannot be attached");
	}
	send(answers, char{});
	char unused = 0;
	[[maybe_unused]] const ssize_t end = read(stop, &unused, sizeof(unused));
	send(answers, Losses{});
	empty_bpf__destroy(skeleton);
}

class ForkedTracer : public Tracer {
  public:
	explicit ForkedTracer(const Child::Body& body) : child_(body) { child_.receive<char>(); }

	[[nodiscard]] pid_t pid() const override { return child_.pid(); }
	Losses finish() override {
		child_.stop();
		return child_.receive<Losses>();
	}

  private:
	Child child_;
};

/// In a mount namespace of its own, where tracefs is mounted: bcc reads the event formats.
[[noreturn]] void exec_bcc(const std::string& tool, int output, int errors) {
	pin_to(tracer_cpu);
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
	    access("/sys/kernel/tracing/events", F_OK) != 0) {
		mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
	}
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, nullptr);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	setenv("PYTHONUNBUFFERED", "1", 1);
	execlp(tool.c_str(), tool.c_str(), nullptr);
	_exit(127);
}

/// A file in memory: the tool never waits for us.
class Collected {
  public:
	explicit Collected(const char* name) : file_(memfd_create(name, MFD_CLOEXEC)) {}

	[[nodiscard]] int descriptor() const { return file_.get(); }
	[[nodiscard]] off_t size() const {
		struct stat status {};
		fstat(file_.get(), &status);
		return status.st_size;
	}
	[[nodiscard]] std::string text() const {
		std::string text(static_cast<std::size_t>(size()), '\0');
		const ssize_t count = pread(file_.get(), text.data(), text.size(), 0);
		text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
		return text;
	}

  private:
	Descriptor file_;
};

/// The error the compiler or Python gave, without the warnings around it.
std::string reason_in(const std::string& errors) {
	std::istringstream lines(errors);
	std::string line;
	std::string last = "not installed (bpfcc-tools)";
	while (std::getline(lines, line)) {
		if (line.find("Unable to find kernel headers") != std::string::npos) {
			return "no kernel headers (set BCC_KERNEL_SOURCE, see tests/bench/README.md)";
		}
		if (line.find("error:") != std::string::npos) {
			return line;
		}
		last = line.empty() ? last : line;
	}
	return last;
}

class BccTracer : public Tracer {
  public:
	explicit BccTracer(const std::string& tool);
	~BccTracer() override { end(SIGKILL); }
	BccTracer(const BccTracer&) = delete;
	BccTracer& operator=(const BccTracer&) = delete;

	[[nodiscard]] pid_t pid() const override { return pid_; }
	Losses finish() override;

  private:
	void wait_until_attached();
	void wait_until_drained() const;
	void end(int signal);

	Collected output_{"output"};
	Collected errors_{"errors"};
	pid_t pid_ = -1;
};

BccTracer::BccTracer(const std::string& tool) : pid_(fork()) {
	if (pid_ == 0) {
		exec_bcc(tool, output_.descriptor(), errors_.descriptor());
	}
	wait_until_attached();
}

/// It prints the head of its table when its programs are attached.
void BccTracer::wait_until_attached() {
	const auto deadline = std::chrono::steady_clock::now() + 60s;
	while (output_.text().find("LPORT") == std::string::npos) {
		if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
			pid_ = -1;
			throw std::runtime_error(reason_in(output_.text() + errors_.text()));
		}
		if (std::chrono::steady_clock::now() > deadline) {
			end(SIGKILL);
			throw std::runtime_error("it did not start within 60 s");
		}
		std::this_thread::sleep_for(50ms);
	}
	std::this_thread::sleep_for(500ms);
}

void BccTracer::wait_until_drained() const {
	off_t before = -1;
	while (output_.size() != before) {
		before = output_.size();
		std::this_thread::sleep_for(500ms);
	}
}

void BccTracer::end(int signal) {
	if (pid_ > 0) {
		kill(pid_, signal);
		waitpid(pid_, nullptr, 0);
		pid_ = -1;
	}
}

Losses BccTracer::finish() {
	wait_until_drained();
	end(SIGINT);
	const std::string output = output_.text();
	Losses losses;
	losses.events = static_cast<std::uint64_t>(std::count(output.begin(), output.end(), '\n')) - 1;
	std::istringstream words(errors_.text()); // "Possibly lost 123 samples"
	std::string word;
	while (words >> word) {
		std::uint64_t number = 0;
		if (word == "lost" && words >> number) {
			losses.lost += number;
		}
	}
	return losses;
}

} // namespace

std::unique_ptr<Tracer> trace_with_stalesock() {
	return std::make_unique<ForkedTracer>([](int answers, int stop) {
		stalesock::ProbeOptions options;
		run_stalesock(options, answers, stop);
	});
}

std::unique_ptr<Tracer> trace_with_build(const std::string& path) {
	return std::make_unique<ForkedTracer>([path](int answers, int stop) {
		dup2(answers, STDOUT_FILENO);
		dup2(stop, STDIN_FILENO);
		execl(path.c_str(), path.c_str(), "--tracer", nullptr);
		throw std::runtime_error(path + " cannot be run");
	});
}

void run_tracer_for_another_build() {
	run_stalesock({}, STDOUT_FILENO, STDIN_FILENO);
}

std::unique_ptr<Tracer> trace_with_empty_programs() {
	return std::make_unique<ForkedTracer>(run_empty_programs);
}

std::unique_ptr<Tracer> trace_with_bcc(const std::string& tool) {
	return std::make_unique<BccTracer>(tool);
}

} // namespace bench
