// SPDX-License-Identifier: Apache-2.0
#include "app/demo_peers.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <thread>

namespace stalesock {

namespace {

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: demo\r\n\r\n";
constexpr std::string_view response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

sockaddr_in demo_address() {
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(demo_port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

const sockaddr* as_generic(const sockaddr_in& address) {
	return reinterpret_cast<const sockaddr*>(&address); // NOLINT: the sockets API
}

void await(int start) {
	char byte = 0;
	while (read(start, &byte, 1) < 0 && errno == EINTR) {
	}
}

bool receive_something(int socket) {
	std::array<char, 512> buffer{};
	return recv(socket, buffer.data(), buffer.size(), 0) > 0;
}

bool send_all(int socket, std::string_view text) {
	return send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
	       static_cast<ssize_t>(text.size());
}

} // namespace

Descriptor listen_for_demo() {
	Descriptor listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	const sockaddr_in address = demo_address();
	if (!listener.valid() || bind(listener.get(), as_generic(address), sizeof(address)) != 0 ||
	    listen(listener.get(), 1) != 0) {
		throw std::system_error(errno, std::generic_category(), "cannot listen on 127.0.0.1");
	}
	return listener;
}

// Answers each request; hangs up on a connection that stays idle, as servers do.
int serve_one_connection(int listener, int start) {
	await(start);
	const Descriptor connection{accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
	pollfd readable{connection.get(), POLLIN, 0};
	while (poll(&readable, 1, static_cast<int>(demo_server_idle.count())) > 0) {
		if (!receive_something(connection.get()) || !send_all(connection.get(), response)) {
			break;
		}
	}
	return 0;
}

// Keeps the connection in its "pool" for longer than the server does, and does not look at it
// before using it again.
int reuse_a_connection(int start) {
	await(start);
	const Descriptor connection{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	const sockaddr_in address = demo_address();
	if (connect(connection.get(), as_generic(address), sizeof(address)) != 0) {
		return 1;
	}
	if (!send_all(connection.get(), request) || !receive_something(connection.get())) {
		return 1;
	}
	std::this_thread::sleep_for(demo_client_idle);
	const bool accepted = send_all(connection.get(), request);
	receive_something(connection.get()); // fails: nobody answers
	return accepted ? 0 : 1;
}

} // namespace stalesock
