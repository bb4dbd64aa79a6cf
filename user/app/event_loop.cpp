// SPDX-License-Identifier: Apache-2.0
#include "app/event_loop.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <system_error>
#include <systemd/sd-event.h>
#include <utility>

namespace stalesock {

namespace {

void check(int result, const char* what) {
	if (result < 0) {
		throw std::system_error(-result, std::generic_category(), what);
	}
}

std::uint64_t microseconds(std::chrono::microseconds duration) {
	return static_cast<std::uint64_t>(duration.count());
}

} // namespace

struct EventLoop::Source {
	EventLoop* loop = nullptr;
	Handler handler;
	std::chrono::microseconds interval{};
	sd_event_source* registered = nullptr;

	static int on_io(sd_event_source* /*source*/, int /*fd*/, std::uint32_t /*events*/, void* self);
	static int on_time(sd_event_source* registered, std::uint64_t /*scheduled*/, void* self);
	static int on_signal(sd_event_source* source, const signalfd_siginfo* signal, void* self);
};

int EventLoop::Source::on_io(sd_event_source* /*source*/, int /*fd*/, std::uint32_t /*events*/,
                             void* self) {
	auto& source = *static_cast<Source*>(self);
	source.loop->handle(source);
	return 0;
}

int EventLoop::Source::on_time(sd_event_source* registered, std::uint64_t /*scheduled*/,
                               void* self) {
	auto& source = *static_cast<Source*>(self);
	source.loop->handle(source);
	if (source.interval.count() > 0) {
		sd_event_source_set_time_relative(registered, microseconds(source.interval));
		sd_event_source_set_enabled(registered, SD_EVENT_ONESHOT);
	}
	return 0;
}

int EventLoop::Source::on_signal(sd_event_source* /*source*/, const signalfd_siginfo* signal,
                                 void* self) {
	auto& source = *static_cast<Source*>(self);
	if (source.handler) {
		source.loop->handle(source);
		return 0;
	}
	const char* name = sigabbrev_np(static_cast<int>(signal->ssi_signo));
	source.loop->stop_signal_ = fmt::format("SIG{}", name == nullptr ? "?" : name);
	source.loop->stop();
	return 0;
}

EventLoop::EventLoop(std::initializer_list<int> stop_signals) {
	check(sd_event_new(&loop_), "cannot make an event loop");
	for (const int signal : stop_signals) {
		on_signal(signal, {});
	}
}

EventLoop::~EventLoop() {
	for (const auto& source : sources_) {
		sd_event_source_unref(source->registered);
	}
	sd_event_unref(loop_);
}

EventLoop::Source& EventLoop::add(Handler handler) {
	sources_.push_back(std::make_unique<Source>());
	Source& source = *sources_.back();
	source.loop = this;
	source.handler = std::move(handler);
	return source;
}

void EventLoop::handle(Source& source) {
	try {
		source.handler();
	} catch (...) {
		failure_ = std::current_exception();
		stop();
	}
}

void EventLoop::on_readable(int descriptor, Handler handler) {
	Source& source = add(std::move(handler));
	check(sd_event_add_io(loop_, &source.registered, descriptor, EPOLLIN, &Source::on_io, &source),
	      "cannot wait for a descriptor");
}

void EventLoop::on_hang_up(int descriptor, Handler handler) {
	Source& source = add(std::move(handler));
	const int result =
		sd_event_add_io(loop_, &source.registered, descriptor, 0, &Source::on_io, &source);
	if (result == -EPERM) {
		sources_.pop_back();
		return;
	}
	check(result, "cannot wait for a hang-up");
}

void EventLoop::every(std::chrono::microseconds interval, Handler handler) {
	after(interval, std::move(handler));
	sources_.back()->interval = interval;
}

void EventLoop::after(std::chrono::microseconds delay, Handler handler) {
	constexpr std::uint64_t accuracy_us = 1000;
	Source& source = add(std::move(handler));
	check(sd_event_add_time_relative(loop_, &source.registered, CLOCK_MONOTONIC,
	                                 microseconds(delay), accuracy_us, &Source::on_time, &source),
	      "cannot set a timer");
}

void EventLoop::on_signal(int signal, Handler handler) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, nullptr);
	Source& source = add(std::move(handler));
	check(sd_event_add_signal(loop_, &source.registered, signal, &Source::on_signal, &source),
	      "cannot wait for signals");
}

void EventLoop::feed_watchdog() {
	check(sd_event_set_watchdog(loop_, 1), "cannot feed the watchdog");
}

void EventLoop::run() {
	check(sd_event_loop(loop_), "the event loop failed");
	if (failure_) {
		std::rethrow_exception(std::exchange(failure_, nullptr));
	}
}

void EventLoop::stop() {
	sd_event_exit(loop_, 0);
}

} // namespace stalesock
