// SPDX-License-Identifier: Apache-2.0
// Real TCP connections with both ends in hand.
#pragma once

#include "support/clock.hpp"
#include "support/descriptor.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace runtime {

inline constexpr std::string_view request = "GET / HTTP/1.1\r\n\r\n";
inline constexpr std::string_view response = "HTTP/1.1 200 OK\r\n\r\n";

enum class Family : std::uint8_t { ipv4, ipv6, mapped };

/// One end of a connection as the product names it: "127.0.0.1:80", "[::1]:80".
struct Side {
	std::string local;
	std::string remote;
	auto operator<=>(const Side&) const = default;
};

/// Read from the socket, and remembered as one of ours. Takes an unconnected socket's remote as empty.
Side side_of(int fd);
/// The other end of it where nothing translates addresses.
Side reversed(const Side& side);
/// Whether side_of has ever returned it.
bool is_ours(const Side& side);
void remember(const Side& side);

struct Connection {
	Descriptor active;
	Descriptor passive;
	Side active_side;
	Side passive_side;
};

class Listener {
  public:
	explicit Listener(Family family = Family::ipv4, const std::string& address = {},
	                  int backlog = 16);

	[[nodiscard]] std::uint16_t port() const { return port_; }
	[[nodiscard]] Descriptor accept() const;
	/// A new connection through this listener; the address is where the active end connects to.
	[[nodiscard]] Connection open(const std::string& address = {}) const;
	/// Only its active end: the passive one stays unaccepted.
	[[nodiscard]] Descriptor connect(const std::string& address = {}) const;
	void close() { fd_.close(); }
	[[nodiscard]] int fd() const { return fd_; }

  private:
	Family family_;
	Descriptor fd_;
	std::uint16_t port_ = 0;
};

/// A connection through a listener of its own.
Connection open_connection(Family family = Family::ipv4);
/// The same, after one request and its response.
Connection open_used_connection(Family family = Family::ipv4);

/// Sends every byte; SIGPIPE never comes.
void send_all(int fd, std::string_view bytes);
/// Bytes that travel in one segment with the FIN of the close that must follow, or before it.
void send_last_words(int fd, std::string_view bytes, bool with_fin);
/// Reads exactly this many bytes.
std::string receive_exactly(int fd, std::size_t count);
/// Request and response, both read.
void exchange(const Connection& connection);
/// Whether recv returned 0.
bool reads_eof(int fd);

/// TCP_ESTABLISHED and its like, from TCP_INFO.
int state_of(int fd);
/// Throws when the state does not come.
void wait_for_state(int fd, int state);
/// So many segments have been sent again since the connection was opened.
void wait_for_retransmissions(int fd, std::uint32_t count);
/// Every byte sent was acknowledged, our FIN included.
void wait_until_acknowledged(int fd);

void shut_down_writing(int fd);
/// close() that sends an RST (SO_LINGER with zero seconds).
void abort_connection(Descriptor& fd);
/// The passive end closes; returns when the active end has processed its FIN.
void close_passive(Connection& connection);
/// The passive end sends its FIN and stays able to read.
void half_close_passive(const Connection& connection);
void close_both(Connection& connection);

} // namespace runtime
