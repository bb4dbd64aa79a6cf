// SPDX-License-Identifier: Apache-2.0
#include "sinks/pieces.hpp"

#include <absl/cleanup/cleanup.h>
#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>

namespace stalesock {

namespace {

class Pieces {
  public:
	using Make = std::function<void(std::string& text, std::size_t piece)>;

	Pieces(std::size_t count, const Make& make) : count_(count), make_(make) {}

	/// Makes what nobody makes yet, until all are made or no more are wanted.
	void help();
	/// Waits for a piece, and makes this or others meanwhile. Throws what was thrown for any piece.
	const std::string& take(std::size_t piece);
	/// It was written.
	void give_back(std::size_t piece);
	void stop();

  private:
	static constexpr std::size_t most = 8;

	struct Slot {
		std::string text;
		bool made = false;
	};
	Slot& slot_of(std::size_t piece) { return slots_.at(piece % most); }
	[[nodiscard]] bool has_room() const { return next_ < count_ && next_ < written_ + most; }
	void make_one(std::unique_lock<std::mutex>& lock);

	const std::size_t count_;
	const Make& make_;
	std::array<Slot, most> slots_;
	std::mutex mutex_; ///< of everything below, and of `made`
	std::condition_variable changed_;
	std::size_t next_ = 0; ///< nobody makes it yet
	std::size_t written_ = 0;
	std::exception_ptr failure_;
};

void Pieces::make_one(std::unique_lock<std::mutex>& lock) {
	const std::size_t piece = next_++;
	lock.unlock();
	std::exception_ptr failure;
	try {
		make_(slot_of(piece).text, piece);
	} catch (...) {
		failure = std::current_exception();
	}
	lock.lock();
	failure_ = failure ? failure : failure_;
	slot_of(piece).made = true;
	changed_.notify_all();
}

void Pieces::help() {
	std::unique_lock lock(mutex_);
	for (;;) {
		changed_.wait(lock, [this] { return next_ >= count_ || has_room(); });
		if (next_ >= count_) {
			return;
		}
		make_one(lock);
	}
}

const std::string& Pieces::take(std::size_t piece) {
	Slot& slot = slot_of(piece);
	std::unique_lock lock(mutex_);
	while (!slot.made) {
		if (has_room()) {
			make_one(lock);
		} else {
			changed_.wait(lock, [&] { return slot.made || has_room(); });
		}
	}
	if (failure_) {
		std::rethrow_exception(failure_);
	}
	return slot.text;
}

void Pieces::give_back(std::size_t piece) {
	{
		const std::lock_guard lock(mutex_);
		slot_of(piece).made = false;
		written_ = piece + 1;
	}
	changed_.notify_all();
}

void Pieces::stop() {
	{
		const std::lock_guard lock(mutex_);
		next_ = count_;
	}
	changed_.notify_all();
}

} // namespace

bool write_pieces(std::size_t count,
                  const std::function<void(std::string& text, std::size_t piece)>& make,
                  const Output& output, Helper& helper) {
	Pieces pieces(count, make);
	const Job<void> helping = count > 1 ? helper.start([&pieces] { pieces.help(); }) : Job<void>();
	const absl::Cleanup done = [&] { pieces.stop(); };
	for (std::size_t piece = 0; piece < count; piece++) {
		if (!output(pieces.take(piece))) {
			return false;
		}
		pieces.give_back(piece);
	}
	return true;
}

} // namespace stalesock
