// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include "probe/descriptor.hpp"
#include "support/catch.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <stdexcept>

namespace stalesock::test {

namespace {

using namespace std::chrono_literals;

struct Pipe {
	Pipe() {
		std::array<int, 2> ends{};
		REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
		reader = Descriptor{ends[0]};
		writer = Descriptor{ends[1]};
	}
	Descriptor reader;
	Descriptor writer;
};

} // namespace

TEST_CASE("a timer that repeats runs until the loop is stopped", "[app]") {
	EventLoop loop{};
	int once = 0;
	int runs = 0;
	loop.after(1us, [&] { once++; });
	loop.every(1ms, [&] {
		if (++runs == 3) {
			loop.stop();
		}
	});
	loop.run();
	CHECK(runs == 3);
	CHECK(once == 1);
	CHECK(loop.stop_signal().empty());
}

TEST_CASE("what a handler throws comes out of the loop", "[app]") {
	EventLoop loop{};
	loop.after(1us, [] { throw std::runtime_error("from a handler"); });
	CHECK_THROWS_WITH(loop.run(), "from a handler");
}

TEST_CASE("a descriptor that is readable is handled", "[app]") {
	EventLoop loop{};
	const Pipe pipe;
	REQUIRE(write(pipe.writer.get(), "x", 1) == 1);
	int handled = 0;
	loop.on_readable(pipe.reader.get(), [&] {
		handled++;
		loop.stop();
	});
	loop.run();
	CHECK(handled == 1);
}

TEST_CASE("a reader that goes away is noticed, a file never goes away", "[app]") {
	EventLoop loop{};
	Pipe pipe;
	const Descriptor file{open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
	int gone = 0;
	loop.on_hang_up(file.get(), [&] { gone += 100; });
	loop.on_hang_up(pipe.writer.get(), [&] {
		gone++;
		loop.stop();
	});
	loop.after(1ms, [&] { pipe.reader.reset(); });
	loop.run();
	CHECK(gone == 1);
}

TEST_CASE("a stop signal that came before the loop runs stops it", "[app]") {
	sigset_t before;
	sigprocmask(SIG_BLOCK, nullptr, &before);
	{
		EventLoop loop{SIGUSR1};
		raise(SIGUSR1);
		loop.run();
		CHECK(loop.stop_signal() == "SIGUSR1");
	}
	sigprocmask(SIG_SETMASK, &before, nullptr);
}

} // namespace stalesock::test
