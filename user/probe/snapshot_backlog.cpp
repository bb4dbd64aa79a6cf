// SPDX-License-Identifier: Apache-2.0
#include "probe/snapshot_backlog.hpp"

#include <utility>

namespace stalesock {

void Backlog::expect(std::size_t sockets) {
	std::unique_lock lock(mutex_);
	changed_.wait(lock, [this] { return !busy_; }); // the table is somebody else's meanwhile
	joined_.reserve(sockets, table_);
}

std::span<stalesock_socket> Backlog::space() {
	if (!next_) {
		const std::lock_guard lock(mutex_);
		if (!spare_.empty()) {
			next_ = std::move(spare_.back());
			spare_.pop_back();
		}
	}
	if (!next_) {
		next_ = std::make_unique_for_overwrite<Chunk>();
	}
	return next_->records;
}

void Backlog::add(std::size_t count, const NamespaceFacts& place, Nanoseconds tick) {
	next_->count = count;
	next_->place = place;
	next_->tick = tick;
	{
		const std::lock_guard lock(mutex_);
		waiting_.push_back(std::move(next_));
	}
	changed_.notify_one();
}

void Backlog::close() {
	{
		const std::lock_guard lock(mutex_);
		closed_ = true;
	}
	changed_.notify_all();
}

void Backlog::work() {
	std::unique_lock lock(mutex_);
	for (;;) {
		changed_.wait(lock, [this] { return !busy_ && (closed_ || !waiting_.empty()); });
		if (waiting_.empty()) {
			return;
		}
		std::unique_ptr<Chunk> chunk = std::move(waiting_.front());
		waiting_.pop_front();
		busy_ = true;
		lock.unlock();
		joined_.add(std::span(chunk->records.data(), chunk->count), chunk->place, chunk->tick,
		            table_);
		lock.lock();
		busy_ = false;
		spare_.push_back(std::move(chunk));
		changed_.notify_all();
	}
}

} // namespace stalesock
