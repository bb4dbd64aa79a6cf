// SPDX-License-Identifier: Apache-2.0
#include "loopback.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <ctime>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace bench {

namespace {

using stalesock::Descriptor;

constexpr std::uint16_t port = 7777;
/// Fewer than half of the ephemeral ports: the search for a free one stays short.
constexpr std::uint32_t connections_per_address = 4'000;
constexpr std::uint32_t first_address = 0x7f010001; // 127.1.0.1

using Message = std::array<char, 64>;

int checked(int result, const char* what) {
	if (result < 0) {
		throw std::system_error(errno, std::generic_category(), what);
	}
	return result;
}

Descriptor listen_everywhere() {
	Descriptor listener{checked(socket(AF_INET, SOCK_STREAM, 0), "socket")};
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	checked(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), "bind");
	checked(listen(listener.get(), 128), "listen");
	return listener;
}

int connect_to(std::uint32_t remote) {
	const int active = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(remote);
	checked(connect(active, reinterpret_cast<sockaddr*>(&address), sizeof(address)), "connect");
	return active;
}

void pass(int from, int to, Message& message) {
	if (write(from, message.data(), message.size()) != static_cast<ssize_t>(message.size()) ||
	    read(to, message.data(), message.size()) != static_cast<ssize_t>(message.size())) {
		throw std::runtime_error("a message on loopback was not passed whole");
	}
}

void run_one(int listener, std::uint32_t remote, Message& message) {
	const int active = connect_to(remote);
	const int passive = checked(accept(listener, nullptr, nullptr), "accept");
	pass(active, passive, message);
	pass(passive, active, message);
	close(active);
	if (read(passive, message.data(), message.size()) != 0) {
		throw std::runtime_error("no end of file after a close");
	}
	close(passive);
}

double seconds(clockid_t clock) {
	timespec now{};
	clock_gettime(clock, &now);
	return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

} // namespace

ConnectionMaker::ConnectionMaker() : listener_(listen_everywhere()) {}

void ConnectionMaker::make(std::uint32_t count) {
	Message message{};
	for (std::uint32_t i = 0; i < count; i++) {
		run_one(listener_.get(), first_address + made_++ / connections_per_address, message);
	}
}

Spent ConnectionMaker::run(std::uint32_t count) {
	make(warm_up);
	const double wall = seconds(CLOCK_MONOTONIC);
	const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	make(count);
	return {1e6 * (seconds(CLOCK_MONOTONIC) - wall) / count,
	        1e6 * (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) / count};
}

void run_ping_pong(std::uint32_t count) {
	const Descriptor listener = listen_everywhere();
	const Descriptor active{connect_to(first_address)};
	const Descriptor passive{checked(accept(listener.get(), nullptr, nullptr), "accept")};
	Message message{};
	for (std::uint32_t i = 0; i < count; i++) {
		pass(active.get(), passive.get(), message);
		pass(passive.get(), active.get(), message);
	}
}

} // namespace bench
