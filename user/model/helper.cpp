// SPDX-License-Identifier: Apache-2.0
#include "model/helper.hpp"

#include <absl/cleanup/cleanup.h>
#include <csignal>
#include <pthread.h>
#include <sched.h>

namespace stalesock {

// A thread begins with its maker's mask.
Helper::Helper() {
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const absl::Cleanup restore = [&before] { pthread_sigmask(SIG_SETMASK, &before, nullptr); };
	thread_ = std::thread([this] { run(); });
	std::unique_lock lock(mutex_);
	changed_.wait(lock, [this] { return running_; });
}

Helper::~Helper() {
	{
		const std::lock_guard lock(mutex_);
		closed_ = true;
	}
	changed_.notify_all();
	thread_.join();
}

/// It sleeps: where it is woken is decided by where it may run.
void Helper::keep_away_from_this_cpu() {
	cpu_set_t allowed;
	const int here = sched_getcpu();
	if (here < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
		return;
	}
	CPU_CLR(static_cast<unsigned>(here), &allowed);
	if (CPU_COUNT(&allowed) > 0) {
		pthread_setaffinity_np(thread_.native_handle(), sizeof allowed, &allowed);
	}
}

void Helper::give(Task task) {
	{
		const std::lock_guard lock(mutex_);
		if (!busy_) {
			keep_away_from_this_cpu();
		}
		waiting_.push_back(std::move(task));
	}
	changed_.notify_all();
}

void Helper::end_job() {
	const std::lock_guard lock(mutex_);
	busy_ = false;
}

void Helper::run() {
	std::unique_lock lock(mutex_);
	running_ = true;
	changed_.notify_all();
	for (;;) {
		changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
		if (waiting_.empty()) {
			return;
		}
		Task task = std::move(waiting_.front());
		waiting_.pop_front();
		busy_ = true;
		lock.unlock();
		task();
		task = Task(); // what it refers to may end with whoever waits for it
		lock.lock();
	}
}

} // namespace stalesock
