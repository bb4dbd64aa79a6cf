// SPDX-License-Identifier: Apache-2.0
// Work in a process of its own: pinned, with its result sent back through a pipe.
#pragma once

#include "probe/descriptor.hpp"

#include <functional>
#include <string>
#include <sys/types.h>
#include <type_traits>
#include <unistd.h>

namespace bench {

using stalesock::Descriptor;

void pin_to(int cpu);

/// A forked child. The body gets the pipe on which it answers and the one on which orders come; that one
/// ends when the parent wants it to stop.
class Child {
  public:
	using Body = std::function<void(int answers, int orders)>;

	explicit Child(const Body& body);
	~Child();
	Child(const Child&) = delete;
	Child& operator=(const Child&) = delete;

	[[nodiscard]] pid_t pid() const { return pid_; }
	/// Reads exactly this many bytes; throws when the child ended before.
	void receive(void* bytes, std::size_t length);
	template <typename Value> Value receive() {
		static_assert(std::is_trivially_copyable_v<Value>);
		Value value{};
		receive(&value, sizeof(value));
		return value;
	}
	template <typename Value> void order(const Value& value);
	/// Lets the pipe of orders end.
	void stop();

  private:
	pid_t pid_ = -1;
	Descriptor answers_;
	Descriptor orders_;
};

void send(int descriptor, const void* bytes, std::size_t length);
template <typename Value> void send(int descriptor, const Value& value) {
	static_assert(std::is_trivially_copyable_v<Value>);
	send(descriptor, &value, sizeof(value));
}

template <typename Value> void Child::order(const Value& value) {
	send(orders_.get(), value);
}

/// The next order; false when there will be none.
template <typename Value> bool next_order(int orders, Value& value) {
	static_assert(std::is_trivially_copyable_v<Value>);
	return read(orders, &value, sizeof(value)) == static_cast<ssize_t>(sizeof(value));
}

/// Runs the function in a child and returns what it returned.
template <typename Function> auto in_child(Function function) {
	using Result = decltype(function());
	Child child([&](int answers, int /*orders*/) { send(answers, function()); });
	return child.receive<Result>();
}

} // namespace bench
