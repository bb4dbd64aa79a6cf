// SPDX-License-Identifier: Apache-2.0
#include "sinks/line_output.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace stalesock::test {

namespace {

using std::chrono::milliseconds;

/// Ends the test program when an output blocks.
class Watchdog {
  public:
	Watchdog() { alarm(20); }
	~Watchdog() { alarm(0); }
	Watchdog(const Watchdog&) = delete;
	Watchdog& operator=(const Watchdog&) = delete;
};

class BrokenPipesAreErrors {
  public:
	BrokenPipesAreErrors() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
	~BrokenPipesAreErrors() { std::signal(SIGPIPE, before_); }
	BrokenPipesAreErrors(const BrokenPipesAreErrors&) = delete;
	BrokenPipesAreErrors& operator=(const BrokenPipesAreErrors&) = delete;

  private:
	void (*before_)(int);
};

/// Two ends; the reading one does not block.
class Channel {
  public:
	explicit Channel(std::array<int, 2> ends) : reader_(ends[0]), writer_(ends[1]) {
		fcntl(reader_, F_SETFL, O_NONBLOCK);
	}
	~Channel() {
		close_reader();
		close(writer_);
	}
	Channel(const Channel&) = delete;
	Channel& operator=(const Channel&) = delete;

	[[nodiscard]] int writer() const { return writer_; }
	[[nodiscard]] std::string read_all() const {
		std::string text;
		std::array<char, 65536> buffer{};
		for (ssize_t count = 0; (count = read(reader_, buffer.data(), buffer.size())) > 0;) {
			text.append(buffer.data(), static_cast<std::size_t>(count));
		}
		return text;
	}
	/// Waits until there is something to read.
	void await() const {
		pollfd readable{reader_, POLLIN, 0};
		poll(&readable, 1, 10);
	}
	void close_reader() {
		if (reader_ >= 0) {
			close(std::exchange(reader_, -1));
		}
	}

  private:
	int reader_;
	int writer_;
};

/// A pipe in blocking mode that holds a few pages.
std::array<int, 2> small_pipe() {
	constexpr int size = 16384;
	std::array<int, 2> ends{};
	REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
	REQUIRE(fcntl(ends[1], F_SETPIPE_SZ, size) == size);
	return ends;
}

/// A terminal in blocking mode that passes bytes on as they are; its master is the reader.
std::array<int, 2> terminal() {
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(master >= 0);
	REQUIRE(grantpt(master) == 0);
	REQUIRE(unlockpt(master) == 0);
	std::array<char, 64> name{};
	REQUIRE(ptsname_r(master, name.data(), name.size()) == 0);
	const int slave = open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(slave >= 0);
	termios mode{};
	tcgetattr(slave, &mode);
	cfmakeraw(&mode);
	tcsetattr(slave, TCSANOW, &mode);
	return {master, slave};
}

/// Lines of different lengths, up to a few chunks.
std::string numbered(int number) {
	const auto length = static_cast<std::size_t>(number % 97);
	return fmt::format("{:06} {}", number, std::string(length * length, '.'));
}

/// The numbers of the lines, each of which must be whole.
std::vector<int> numbers_in(const std::string& text) {
	std::vector<int> numbers;
	std::size_t begin = 0;
	for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos;
	     begin = end + 1) {
		const std::string line = text.substr(begin, end - begin);
		numbers.push_back(std::stoi(line));
		REQUIRE(line == numbered(numbers.back()));
	}
	REQUIRE(begin == text.size());
	return numbers;
}

std::string drained(LineOutput& output, const Channel& channel) {
	std::string text;
	std::string more;
	do {
		REQUIRE(output.flush() == 0);
		more = channel.read_all();
		text += more;
	} while (!more.empty());
	return text;
}

void write_numbered(LineOutput& output, int lines) {
	for (int number = 0; number < lines; number++) {
		output.line(numbered(number));
	}
}

} // namespace

TEST_CASE("lines appear at a flush, not before", "[sinks]") {
	const Channel channel(small_pipe());
	LineOutput output(channel.writer());
	output.line("one");
	output.line("two\nwith advice");
	CHECK(channel.read_all().empty());
	CHECK(output.flush() == 0);
	CHECK(channel.read_all() == "one\ntwo\nwith advice\n");
	CHECK(output.flush() == 0);
	CHECK(channel.read_all().empty());
}

TEST_CASE("a reader that never reads costs a bounded buffer and no time", "[sinks]") {
	const Watchdog watchdog;
	constexpr int lines = 5000;
	constexpr std::size_t limit = 65536;
	const Channel channel(small_pipe());
	LineOutput output(channel.writer(), limit);
	for (int number = 0; number < lines; number++) {
		output.line(numbered(number));
		REQUIRE(output.flush() == 0);
	}
	REQUIRE(output.discarded() > 0);

	const std::string text = drained(output, channel);
	const std::vector<int> numbers = numbers_in(text);
	CHECK(numbers.size() + output.discarded() == lines);
	CHECK(text.size() <= limit + 16384);
	CHECK(text.size() > limit); // it was used, too
	CHECK(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST_CASE("after a pause of the reader, lines are taken again", "[sinks]") {
	const Watchdog watchdog;
	const Channel channel(small_pipe());
	LineOutput output(channel.writer(), 1000);
	write_numbered(output, 2000);
	const std::uint64_t discarded = output.discarded();
	REQUIRE(discarded > 0);
	static_cast<void>(drained(output, channel));
	output.line("back");
	CHECK(output.flush() == 0);
	CHECK(channel.read_all() == "back\n");
	CHECK(output.discarded() == discarded);
}

TEST_CASE("a full buffer is flushed before a line is discarded", "[sinks]") {
	const Channel channel(small_pipe());
	LineOutput output(channel.writer(), 64);
	for (int i = 0; i < 20; i++) {
		output.line("0123456789abcdef");
	}
	CHECK(output.discarded() == 0);
	CHECK(output.flush() == 0);
	CHECK(channel.read_all().size() == 20 * 17);
}

TEST_CASE("a line that does not fit at all is discarded, the next is not", "[sinks]") {
	const Channel channel(small_pipe());
	LineOutput output(channel.writer(), 10);
	output.line("123456789"); // with its newline, the limit
	CHECK(output.discarded() == 0);
	output.line("1234567890");
	CHECK(output.discarded() == 1);
	output.line("next");
	CHECK(output.flush() == 0);
	CHECK(channel.read_all() == "123456789\nnext\n");
}

TEST_CASE("what is written in parts arrives whole and in order", "[sinks]") {
	const Watchdog watchdog;
	constexpr int lines = 3000;
	const Channel channel(small_pipe());
	LineOutput output(channel.writer(), std::size_t{1} << 30U);
	write_numbered(output, lines);
	const std::vector<int> numbers = numbers_in(drained(output, channel));
	CHECK(numbers.size() == lines);
	CHECK(std::is_sorted(numbers.begin(), numbers.end()));
	CHECK(output.discarded() == 0);
}

TEST_CASE("a terminal that stands still does not stop the program", "[sinks]") {
	const Watchdog watchdog;
	constexpr int lines = 3000;
	const Channel channel(terminal());
	LineOutput output(channel.writer(), 100'000);
	for (int number = 0; number < lines; number++) {
		output.line(numbered(number));
		REQUIRE(output.flush() == 0);
	}
	REQUIRE(output.discarded() > 0);

	const std::size_t kept = lines - output.discarded();
	std::string text;
	while (static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) < kept) {
		REQUIRE(output.flush() == 0);
		channel.await();
		text += channel.read_all();
	}
	const std::vector<int> numbers = numbers_in(text);
	CHECK(numbers.size() == kept);
	CHECK(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST_CASE("a terminal keeps its mode", "[sinks]") {
	const Channel channel(terminal());
	{
		LineOutput output(channel.writer());
		output.line("one");
		CHECK(output.drain(milliseconds{1000}) == 0);
	}
	CHECK((fcntl(channel.writer(), F_GETFL) & O_NONBLOCK) == 0);
	CHECK(write(channel.writer(), "x", 1) == 1); // still open
}

TEST_CASE("a terminal leaves no descriptor behind", "[sinks]") {
	const auto lowest_free = [] {
		const int free = open("/dev/null", O_RDONLY | O_CLOEXEC);
		close(free);
		return free;
	};
	const Channel channel(terminal());
	const int before = lowest_free();
	{
		const LineOutput output(channel.writer());
		CHECK(lowest_free() > before);
	}
	CHECK(lowest_free() == before);
}

TEST_CASE("a file is continued where it is", "[sinks]") {
	const int file = memfd_create("lines", MFD_CLOEXEC);
	REQUIRE(file >= 0);
	REQUIRE(write(file, "head\n", 5) == 5);
	LineOutput output(file);
	output.line("tail");
	REQUIRE(output.flush() == 0);
	std::array<char, 64> text{};
	const ssize_t length = pread(file, text.data(), text.size(), 0);
	CHECK(std::string_view(text.data(), static_cast<std::size_t>(length)) == "head\ntail\n");
	close(file);
}

TEST_CASE("a reader that has gone ends the output for good", "[sinks]") {
	const BrokenPipesAreErrors ignored;
	Channel channel(small_pipe());
	LineOutput output(channel.writer());
	output.line("before");
	REQUIRE(output.flush() == 0);
	channel.close_reader();
	CHECK(output.flush() == 0); // nothing to write, so nothing noticed
	output.line("after");
	CHECK(output.flush() == EPIPE);
	CHECK(output.flush() == EPIPE);
	output.line("later");
	CHECK(output.flush() == EPIPE);
	CHECK(output.drain(milliseconds{10'000}) == EPIPE);
	CHECK(output.discarded() == 0);
}

TEST_CASE("a full disk ends the output for good", "[sinks]") {
	const int disk = open("/dev/full", O_WRONLY | O_CLOEXEC);
	REQUIRE(disk >= 0);
	LineOutput output(disk);
	output.line("lost");
	CHECK(output.flush() == ENOSPC);
	close(disk);
	CHECK(output.flush() == ENOSPC);
}

TEST_CASE("draining waits for a reader, but not for one that takes nothing", "[sinks]") {
	const Watchdog watchdog;
	const Channel channel(small_pipe());
	LineOutput output(channel.writer());
	write_numbered(output, 1000);
	CHECK(output.drain(milliseconds{1}) == 0);
	CHECK_FALSE(channel.read_all().empty());
	CHECK(output.drain(milliseconds{1}) == 0); // goes on where it stopped
	CHECK_FALSE(channel.read_all().empty());
}

} // namespace stalesock::test
