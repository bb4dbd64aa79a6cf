// SPDX-License-Identifier: Apache-2.0
// sd-event with functions as handlers. An exception from a handler ends the loop and comes out of
// run().
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

struct sd_event;

namespace stalesock {

class EventLoop {
  public:
	using Handler = std::function<void()>;

	/// Blocks the signals at once, so that none is lost before run().
	explicit EventLoop(std::initializer_list<int> stop_signals);
	~EventLoop();
	EventLoop(const EventLoop&) = delete;
	EventLoop& operator=(const EventLoop&) = delete;

	void on_readable(int descriptor, Handler handler);
	/// When the other end of a pipe or socket has gone. Does nothing for files.
	void on_hang_up(int descriptor, Handler handler);
	void every(std::chrono::microseconds interval, Handler handler);
	void after(std::chrono::microseconds delay, Handler handler);

	/// Blocks the signal at once, like the stop signals.
	void on_signal(int signal, Handler handler);
	/// Tells the service manager that we live, as often as it asks for (WATCHDOG_USEC).
	void feed_watchdog();

	/// Returns after stop() or one of the stop signals; rethrows what a handler threw.
	void run();
	void stop();

	/// What stopped the loop, for people: "SIGINT", or empty.
	[[nodiscard]] const std::string& stop_signal() const { return stop_signal_; }

  private:
	struct Source;

	Source& add(Handler handler);
	void handle(Source& source);

	sd_event* loop_ = nullptr;
	std::vector<std::unique_ptr<Source>> sources_;
	std::exception_ptr failure_;
	std::string stop_signal_;
};

} // namespace stalesock
