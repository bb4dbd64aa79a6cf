// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include "network.hpp"

#include <cerrno>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>

#include <array>
#include <thread>
#include <utility>

namespace oracle {

namespace {

/// No step waits longer: a plan that deadlocks ends, and its capture shows why.
constexpr timeval longest_receive{2, 0};
/// A handshake's packets are sent again after 1, 3 and 7 seconds where an emulated machine was slow to take them.
constexpr timeval longest_handshake{10, 0};

/// The clock of captures.
Nanoseconds time_of_day() {
	return std::chrono::system_clock::now().time_since_epoch();
}

/// One end at work.
class Player {
  public:
	explicit Player(Descriptor socket) : socket_(std::move(socket)) {}

	Witness play(const Steps& steps) {
		for (const Step& step : steps)
			play(step);
		close();
		return witness_;
	}

  private:
	void play(const Step& step) {
		switch (step.action) {
		case Action::send: send(bytes_of(step.head, step.size)); break;
		case Action::receive: (void)receive(step.size); break;
		case Action::receive_to_end: (void)receive(SIZE_MAX); break;
		case Action::peek: peek(); break;
		case Action::pause: std::this_thread::sleep_for(step.time); break;
		case Action::serve: serve(step); break;
		case Action::keep_alive: keep_alive(step); break;
		case Action::user_timeout: set_user_timeout(step.time); break;
		case Action::shut_write: ::shutdown(socket_.get(), SHUT_WR); break;
		case Action::close: close(); break;
		case Action::reset: reset(); break;
		}
	}

	void send(const std::string& bytes) {
		std::size_t sent = 0;
		while (sent < bytes.size()) {
			const ssize_t now =
				::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
			if (now <= 0) {
				witness_.refused |= errno == ECONNRESET || errno == EPIPE;
				return;
			}
			sent += static_cast<std::size_t>(now);
		}
	}

	/// False at the end of file, an error or the time limit.
	bool receive(std::size_t wanted) {
		std::array<char, 32'768> buffer{};
		while (wanted > 0) {
			const ssize_t now =
				::recv(socket_.get(), buffer.data(), std::min(wanted, buffer.size()), 0);
			if (now <= 0)
				return false;
			witness_.read += static_cast<std::uint64_t>(now);
			witness_.last_read = time_of_day();
			wanted -= static_cast<std::size_t>(now);
		}
		return true;
	}

	void peek() {
		char byte = 0;
		(void)::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	}

	void serve(const Step& step) {
		const auto idle = std::chrono::duration_cast<std::chrono::milliseconds>(step.time);
		pollfd readable{socket_.get(), POLLIN, 0};
		while (::poll(&readable, 1, static_cast<int>(idle.count())) == 1) {
			if (!receive(step.size))
				return;
			send(bytes_of(Head::response, step.reply));
		}
	}

	void set(int level, int option, std::int64_t value) {
		const int number = static_cast<int>(value);
		if (::setsockopt(socket_.get(), level, option, &number, sizeof number) != 0)
			throw SystemFailure("setsockopt");
	}

	void keep_alive(const Step& step) {
		using std::chrono::seconds;
		set(IPPROTO_TCP, TCP_KEEPIDLE, std::chrono::duration_cast<seconds>(step.time).count());
		set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
		set(IPPROTO_TCP, TCP_KEEPCNT, static_cast<std::int64_t>(step.size));
		set(SOL_SOCKET, SO_KEEPALIVE, 1);
	}

	void set_user_timeout(Microseconds time) {
		using std::chrono::milliseconds;
		set(IPPROTO_TCP, TCP_USER_TIMEOUT, std::chrono::duration_cast<milliseconds>(time).count());
	}

	void close() {
		if (socket_.get() < 0)
			return;
		witness_.closed = time_of_day();
		socket_.reset();
	}

	void reset() {
		const linger none{1, 0};
		::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
		close();
	}

	Descriptor socket_;
	Witness witness_;
};

Descriptor open_socket(const Plan& plan) {
	const int family = plan.family == Family::ipv4 ? AF_INET : AF_INET6;
	Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	if (socket.get() < 0)
		throw SystemFailure("socket");
	return socket;
}

void bind_to(const Descriptor& socket, const SocketAddress& address) {
	const int on = 1;
	::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (::bind(socket.get(), address.get(), address.length) != 0)
		throw SystemFailure("bind");
}

std::uint16_t port_of(const Descriptor& socket) {
	SocketAddress address;
	address.length = sizeof address.storage;
	::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length);
	// The port is in the same place for both families.
	return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

/// Every write leaves at once, and a receive ends: otherwise Nagle would hold requests back until an
/// acknowledgement, and the capture would not tell when they were written.
void prepare(const Descriptor& socket) {
	const int on = 1;
	::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longest_receive, sizeof longest_receive);
}

Descriptor listen_for(const Plan& plan) {
	Descriptor listener = open_socket(plan);
	bind_to(listener, bound_address(plan, 0));
	::setsockopt(listener.get(), SOL_SOCKET, SO_RCVTIMEO, &longest_handshake,
	             sizeof longest_handshake);
	if (::listen(listener.get(), 1) != 0)
		throw SystemFailure("listen");
	return listener;
}

Descriptor connect_to(const Plan& plan, std::uint16_t client_port, std::uint16_t server_port) {
	Descriptor socket = open_socket(plan);
	bind_to(socket, bound_address(plan, client_port));
	const SocketAddress server = reached_address(plan, server_port);
	if (::connect(socket.get(), server.get(), server.length) != 0)
		throw SystemFailure("connect");
	prepare(socket);
	return socket;
}

Descriptor accept_from(const Descriptor& listener) {
	Descriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
	if (socket.get() < 0)
		throw SystemFailure("accept");
	prepare(socket);
	return socket;
}

struct Pair {
	Descriptor active;
	Descriptor passive;
};

Pair pair_at(const Descriptor& listener, const Plan& plan, std::uint16_t client_port) {
	Descriptor active = connect_to(plan, client_port, port_of(listener));
	return {std::move(active), accept_from(listener)};
}

Pair make_pair(const Plan& plan, std::uint16_t client_port, Listeners& listeners) {
	if (plan.group == 0)
		return pair_at(listen_for(plan), plan, client_port);
	Listeners::Shared& shared = listeners.of(plan);
	const std::lock_guard lock(shared.pairing);
	return pair_at(shared.socket, plan, client_port);
}

Outcome perform_or_throw(const Plan& plan, std::uint16_t client_port, Listeners& listeners) {
	Pair pair = make_pair(plan, client_port, listeners);
	Player active(std::move(pair.active));
	Player passive(std::move(pair.passive));
	Outcome outcome;
	{
		const std::jthread server([&] { outcome.passive = passive.play(plan.passive); });
		outcome.active = active.play(plan.active);
	}
	return outcome;
}

} // namespace

Listeners::Shared& Listeners::of(const Plan& plan) {
	const std::lock_guard lock(mutex_);
	Shared& shared = shared_[plan.group];
	if (shared.socket.get() < 0)
		shared.socket = listen_for(plan);
	return shared;
}

Outcome perform(const Plan& plan, std::uint16_t client_port, Listeners& listeners) {
	try {
		return perform_or_throw(plan, client_port, listeners);
	} catch (const SystemFailure& failure) {
		Outcome outcome;
		outcome.failure = failure.what();
		return outcome;
	}
}

} // namespace oracle
