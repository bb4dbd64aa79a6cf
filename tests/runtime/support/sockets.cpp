// SPDX-License-Identifier: Apache-2.0
#include "support/sockets.hpp"

#include <arpa/inet.h>
#include <array>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <set>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace runtime {

namespace {

std::set<Side>& our_sides() {
	static std::set<Side> sides;
	return sides;
}

sockaddr_in6 ipv6_address(const std::string& text, std::uint16_t port) {
	sockaddr_in6 result{};
	result.sin6_family = AF_INET6;
	result.sin6_port = htons(port);
	checked(inet_pton(AF_INET6, text.c_str(), &result.sin6_addr) - 1, "inet_pton");
	return result;
}

sockaddr_in ipv4_address(const std::string& text, std::uint16_t port) {
	sockaddr_in result{};
	result.sin_family = AF_INET;
	result.sin_port = htons(port);
	checked(inet_pton(AF_INET, text.c_str(), &result.sin_addr) - 1, "inet_pton");
	return result;
}

std::string loopback_of(Family family) {
	switch (family) {
	case Family::ipv4: return "127.0.0.1";
	case Family::ipv6: return "::1";
	case Family::mapped: return "::ffff:127.0.0.1";
	}
	throw std::logic_error("family");
}

using Call = int (*)(int, const sockaddr*, socklen_t);

void call_with_address(Call call, int fd, Family family, const std::string& address,
                       std::uint16_t port) {
	if (family == Family::ipv4) {
		const sockaddr_in place = ipv4_address(address, port);
		checked(call(fd, reinterpret_cast<const sockaddr*>(&place), sizeof(place)),
		        "bind or connect");
		return;
	}
	const sockaddr_in6 place = ipv6_address(address, port);
	checked(call(fd, reinterpret_cast<const sockaddr*>(&place), sizeof(place)), "bind or connect");
}

Descriptor new_socket(Family family) {
	const int domain = family == Family::ipv4 ? AF_INET : AF_INET6;
	return Descriptor(checked(socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

std::string text_of(const sockaddr_storage& storage) {
	std::array<char, INET6_ADDRSTRLEN> text{};
	if (storage.ss_family == AF_INET) {
		const auto& place = reinterpret_cast<const sockaddr_in&>(storage);
		inet_ntop(AF_INET, &place.sin_addr, text.data(), text.size());
		return std::string(text.data()) + ":" + std::to_string(ntohs(place.sin_port));
	}
	const auto& place = reinterpret_cast<const sockaddr_in6&>(storage);
	const std::string port = ":" + std::to_string(ntohs(place.sin6_port));
	if (IN6_IS_ADDR_V4MAPPED(&place.sin6_addr)) {
		inet_ntop(AF_INET, &place.sin6_addr.s6_addr[12], text.data(), text.size());
		return text.data() + port;
	}
	inet_ntop(AF_INET6, &place.sin6_addr, text.data(), text.size());
	return "[" + std::string(text.data()) + "]" + port;
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

std::string name_of(NameCall call, int fd) {
	sockaddr_storage storage{};
	socklen_t length = sizeof(storage);
	if (call(fd, reinterpret_cast<sockaddr*>(&storage), &length) < 0) {
		return {};
	}
	return text_of(storage);
}

std::uint16_t port_of(int fd) {
	sockaddr_storage storage{};
	socklen_t length = sizeof(storage);
	checked(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length), "getsockname");
	return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
}

} // namespace

Side side_of(int fd) {
	Side side{name_of(getsockname, fd), name_of(getpeername, fd)};
	remember(side);
	return side;
}

Side reversed(const Side& side) {
	return {side.remote, side.local};
}

void remember(const Side& side) {
	our_sides().insert(side);
	our_sides().insert(reversed(side));
}

bool is_ours(const Side& side) {
	return our_sides().contains(side);
}

Listener::Listener(Family family, const std::string& address, int backlog)
	: family_(family), fd_(new_socket(family)) {
	call_with_address(::bind, fd_, family, address.empty() ? loopback_of(family) : address, 0);
	checked(::listen(fd_, backlog), "listen");
	port_ = port_of(fd_);
}

Descriptor Listener::accept() const {
	return Descriptor(checked(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

Descriptor Listener::connect(const std::string& address) const {
	Descriptor active = new_socket(family_);
	call_with_address(::connect, active, family_, address.empty() ? loopback_of(family_) : address,
	                  port_);
	return active;
}

Connection Listener::open(const std::string& address) const {
	Connection connection;
	connection.active = connect(address);
	connection.passive = accept();
	connection.active_side = side_of(connection.active);
	connection.passive_side = side_of(connection.passive);
	return connection;
}

Connection open_connection(Family family) {
	return Listener(family).open();
}

Connection open_used_connection(Family family) {
	Connection connection = open_connection(family);
	exchange(connection);
	return connection;
}

void send_all(int fd, std::string_view bytes) {
	while (!bytes.empty()) {
		const auto sent = checked(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), "send");
		bytes.remove_prefix(static_cast<std::size_t>(sent));
	}
}

void send_last_words(int fd, std::string_view bytes, bool with_fin) {
	const int flags = MSG_NOSIGNAL | (with_fin ? MSG_MORE : 0);
	checked(send(fd, bytes.data(), bytes.size(), flags), "send");
}

std::string receive_exactly(int fd, std::size_t count) {
	std::string bytes(count, '\0');
	const auto received = checked(recv(fd, bytes.data(), count, MSG_WAITALL), "recv");
	if (static_cast<std::size_t>(received) != count) {
		throw std::runtime_error("the connection ended before the expected bytes came");
	}
	return bytes;
}

void exchange(const Connection& connection) {
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	receive_exactly(connection.active, response.size());
}

bool reads_eof(int fd) {
	char byte = 0;
	return recv(fd, &byte, 1, 0) == 0;
}

namespace {

tcp_info facts_of(int fd) {
	tcp_info facts{};
	socklen_t length = sizeof(facts);
	checked(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &facts, &length), "TCP_INFO");
	return facts;
}

} // namespace

int state_of(int fd) {
	return facts_of(fd).tcpi_state;
}

void wait_for_retransmissions(int fd, std::uint32_t count) {
	if (!eventually([&] { return facts_of(fd).tcpi_total_retrans >= count; })) {
		throw std::runtime_error("nothing was sent again");
	}
}

void wait_for_state(int fd, int state) {
	if (!eventually([&] { return state_of(fd) == state; })) {
		throw std::runtime_error("state " + std::to_string(state) + " did not come, it is " +
		                         std::to_string(state_of(fd)));
	}
}

void wait_until_acknowledged(int fd) {
	const bool acknowledged = eventually([&] {
		int waiting = 0;
		checked(ioctl(fd, SIOCOUTQ, &waiting), "SIOCOUTQ");
		return waiting == 0;
	});
	if (!acknowledged) {
		throw std::runtime_error("what was sent is not acknowledged");
	}
}

void shut_down_writing(int fd) {
	checked(shutdown(fd, SHUT_WR), "shutdown");
}

void abort_connection(Descriptor& fd) {
	const linger now{1, 0};
	checked(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), "SO_LINGER");
	fd.close();
}

void close_passive(Connection& connection) {
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE_WAIT);
}

void half_close_passive(const Connection& connection) {
	shut_down_writing(connection.passive);
	wait_for_state(connection.active, TCP_CLOSE_WAIT);
}

void close_both(Connection& connection) {
	connection.active.close();
	connection.passive.close();
}

} // namespace runtime
