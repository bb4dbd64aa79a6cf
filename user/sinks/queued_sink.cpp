// SPDX-License-Identifier: Apache-2.0
#include "sinks/queued_sink.hpp"

#include <numeric>
#include <utility>

namespace stalesock {

namespace {

std::size_t size_of(const std::vector<std::string>& item) {
	return std::accumulate(
		item.begin(), item.end(), std::size_t{0},
		[](std::size_t sum, const std::string& part) { return sum + part.size(); });
}

} // namespace

void QueuedSink::push(Item item) {
	const std::size_t size = size_of(item);
	const auto is_full = [&] { return !queue_.empty() && queued_bytes_ + size > limit_; };
	if (is_full()) { // many at once, and nobody may be away at all
		flush();
	}
	if (is_full()) {
		++discarded_;
		return;
	}
	queued_bytes_ += size;
	queue_.push_back(std::move(item));
}

int QueuedSink::flush() {
	while (!queue_.empty()) {
		const bool late = !problem_.empty() || delayed_ != 0;
		std::string problem = deliver(queue_.front(), late);
		if (!problem.empty()) {
			problem_ = std::move(problem);
			last_problem_ = problem_;
			return 0;
		}
		problem_.clear();
		delayed_ += late ? 1 : 0;
		queued_bytes_ -= size_of(queue_.front());
		queue_.pop_front();
	}
	return 0;
}

std::optional<OutputGap> QueuedSink::take_gap() {
	if (!queue_.empty() || (delayed_ == 0 && discarded_ == 0)) {
		return std::nullopt;
	}
	return OutputGap{name_, std::exchange(last_problem_, {}), std::exchange(delayed_, 0),
	                 std::exchange(discarded_, 0)};
}

} // namespace stalesock
