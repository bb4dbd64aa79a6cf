// SPDX-License-Identifier: Apache-2.0
// A second thread for what can be done at the same time.
#pragma once

#include <absl/cleanup/cleanup.h>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

namespace stalesock {

/// What a job will give. Its destructor waits for the job, which may refer to what lives as long as this.
template <typename Result> class Job {
  public:
	Job() = default;
	explicit Job(std::future<Result> result) : result_(std::move(result)) {}
	~Job() {
		if (result_.valid()) {
			result_.wait();
		}
	}
	Job(Job&&) noexcept = default;
	Job& operator=(Job&&) = delete;
	Job(const Job&) = delete;
	Job& operator=(const Job&) = delete;

	/// get() would not wait. Not after it.
	[[nodiscard]] bool ready() const {
		return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
	}
	/// Waits; throws what the job threw. Once.
	Result get() { return result_.get(); }

  private:
	std::future<Result> result_;
};

/// A thread that sleeps until there is work, which then begins on another CPU than its giver's, where there is one. Left
/// to itself the scheduler may put it where the giver runs on, and begin up to 4 ms late: in a virtual machine a CPU that
/// sleeps does not look idle (vcpu_is_preempted() in available_idle_cpu(), kernel/sched). Signals are left to the other
/// threads. Jobs are done in the order in which they were given, by any thread.
class Helper {
  public:
	/// Returns when the thread runs. Throws std::system_error when there can be none.
	Helper();
	/// Waits until all jobs are done.
	~Helper();
	Helper(const Helper&) = delete;
	Helper& operator=(const Helper&) = delete;

	template <typename Work> [[nodiscard]] Job<std::invoke_result_t<Work&>> start(Work work) {
		std::packaged_task<std::invoke_result_t<Work&>()> task(
			[this, work = std::move(work)]() mutable {
				const absl::Cleanup ended = [this] { end_job(); };
				return work();
			});
		Job<std::invoke_result_t<Work&>> job(task.get_future());
		give(std::packaged_task<void()>(std::move(task)));
		return job;
	}

  private:
	using Task = std::packaged_task<void()>;

	void give(Task task);
	/// Before whoever waits for the job is told: their next one may have to begin elsewhere.
	void end_job();
	void keep_away_from_this_cpu();
	void run();

	std::mutex mutex_; ///< of everything below
	std::condition_variable changed_;
	std::deque<Task> waiting_;
	bool running_ = false;
	bool busy_ = false;
	bool closed_ = false;
	std::thread thread_;
};

} // namespace stalesock
