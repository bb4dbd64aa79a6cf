// SPDX-License-Identifier: Apache-2.0
#include "sinks/pieces.hpp"

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace stalesock::test {

namespace {

constexpr std::size_t many = 2000;

void number(std::string& text, std::size_t piece) {
	text = std::to_string(piece) + "\n"; // an older piece was in it
}

std::string numbers(std::size_t count) {
	std::string all;
	for (std::size_t i = 0; i < count; i++) {
		all += std::to_string(i) + "\n";
	}
	return all;
}

/// Whoever makes a piece waits here until another thread makes one too, however busy the machine is.
class Meeting {
  public:
	void wait_for_the_other() {
		std::unique_lock lock(mutex_);
		threads_.insert(std::this_thread::get_id());
		changed_.notify_all();
		failed_ = failed_ || !changed_.wait_for(lock, patience,
		                                        [this] { return failed_ || threads_.size() == 2; });
	}
	bool took_place() {
		const std::lock_guard lock(mutex_);
		return !failed_ && threads_.size() == 2;
	}
	bool has_met(std::thread::id thread) {
		const std::lock_guard lock(mutex_);
		return threads_.contains(thread);
	}

  private:
	static constexpr std::chrono::seconds patience{60}; ///< only a failing test waits so long

	std::mutex mutex_; ///< of everything below
	std::condition_variable changed_;
	std::set<std::thread::id> threads_;
	bool failed_ = false; ///< nobody came in time: the others need not wait as long
};

} // namespace

TEST_CASE("pieces are written in order, whoever makes them", "[sinks][pieces]") {
	const std::size_t count = GENERATE(as<std::size_t>(), 0, 1, 2, 7, 8, 9, many);
	Helper helper;
	std::string written;
	const Output output = [&](std::string_view text) {
		written += text;
		return true;
	};
	CHECK(write_pieces(count, number, output, helper));
	CHECK(written == numbers(count));
}

TEST_CASE("a slow writer: few pieces exist at a time", "[sinks][pieces]") {
	std::atomic<std::size_t> made = 0;
	std::size_t written = 0;
	std::size_t most = 0;
	Helper helper;
	CHECK(write_pieces(
		100,
		[&](std::string& text, std::size_t piece) {
			number(text, piece);
			made++;
		},
		[&](std::string_view) {
			std::this_thread::sleep_for(std::chrono::microseconds(100));
			most = std::max<std::size_t>(most, made - written);
			written++;
			return true;
		},
		helper));
	CHECK(made == 100);
	CHECK(most <= 8);
}

TEST_CASE("both threads make pieces, at once", "[sinks][pieces]") {
	Helper helper;
	Meeting meeting;
	constexpr std::size_t count = 60;
	std::string written;
	const auto make = [&](std::string& text, std::size_t piece) {
		meeting.wait_for_the_other();
		number(text, piece);
	};
	const Output output = [&](std::string_view text) {
		written += text;
		return true;
	};
	CHECK(write_pieces(count, make, output, helper));
	CHECK(meeting.took_place());
	CHECK(meeting.has_met(std::this_thread::get_id()));
	CHECK(written == numbers(count));
}

TEST_CASE("an output that takes no more ends it", "[sinks][pieces]") {
	std::string written;
	std::size_t calls = 0;
	Helper helper;
	const Output output = [&](std::string_view text) {
		written += text;
		return ++calls < 10;
	};
	CHECK_FALSE(write_pieces(many, number, output, helper));
	CHECK(written == numbers(10));
}

TEST_CASE("what making a piece throws comes out, whichever thread it was", "[sinks][pieces]") {
	Helper helper;
	for (std::size_t bad = 0; bad < 20; bad++) {
		const auto make = [bad](std::string& text, std::size_t piece) {
			if (piece == bad) {
				throw std::runtime_error("bad");
			}
			number(text, piece);
		};
		const Output output = [](std::string_view) { return true; };
		CHECK_THROWS_WITH(write_pieces(many, make, output, helper), "bad");
	}
}

} // namespace stalesock::test
