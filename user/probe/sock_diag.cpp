// SPDX-License-Identifier: Apache-2.0
// Snapshots without BPF: NETLINK_SOCK_DIAG, as ss uses it (sock_diag(7)).
#include "probe/snapshot.hpp"

#include "probe/namespaces.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

constexpr std::uint8_t ipproto_tcp = 6;

class Netlink {
  public:
	Netlink() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
		if (fd_ < 0) {
			throw std::system_error(errno, std::generic_category(), "NETLINK_SOCK_DIAG");
		}
	}
	~Netlink() { close(fd_); }
	Netlink(const Netlink&) = delete;
	Netlink& operator=(const Netlink&) = delete;

	void ask(std::uint8_t family) const;
	/// Calls back for every message of the answer.
	template <typename Take> void read(Take take) const;

  private:
	int fd_;
};

void Netlink::ask(std::uint8_t family) const {
	struct {
		nlmsghdr header;
		inet_diag_req_v2 wanted;
	} request{};
	request.header.nlmsg_len = sizeof(request);
	request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.wanted.sdiag_family = family;
	request.wanted.sdiag_protocol = ipproto_tcp;
	request.wanted.idiag_ext = 1U << (INET_DIAG_INFO - 1U);
	request.wanted.idiag_states = ~0U;
	if (send(fd_, &request, sizeof(request), 0) < 0) {
		throw std::system_error(errno, std::generic_category(), "NETLINK_SOCK_DIAG");
	}
}

template <typename Take> void Netlink::read(Take take) const {
	// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): recv fills it
	alignas(nlmsghdr) std::array<char, 65'536> buffer;
	for (;;) {
		const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			throw std::system_error(errno, std::generic_category(), "NETLINK_SOCK_DIAG");
		}
		auto left = static_cast<unsigned>(count);
		for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
		     NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE) {
				return;
			}
			if (message->nlmsg_type == NLMSG_ERROR) {
				const auto* const failure = static_cast<const nlmsgerr*>(NLMSG_DATA(message));
				throw std::system_error(-failure->error, std::generic_category(),
				                        "NETLINK_SOCK_DIAG");
			}
			take(*message);
		}
	}
}

Address address_of(std::uint8_t family, const __be32 (&words)[4]) {
	std::uint8_t bytes[16];
	std::memcpy(bytes, words, sizeof(bytes));
	return family == AF_INET ? address_from_ipv4({bytes[0], bytes[1], bytes[2], bytes[3]})
	                         : address_from_ipv6(bytes);
}

TimerKind kind_of(std::uint8_t timer) {
	constexpr std::array kinds{TimerKind::none, TimerKind::retransmit, TimerKind::keepalive,
	                           TimerKind::time_wait, TimerKind::persist};
	return timer < kinds.size() ? kinds.at(timer) : TimerKind::none;
}

/// Its tcpi_bytes_retrans is absent before Linux 4.19.
void decode(const tcp_info& facts, SocketEntry& entry) {
	using std::chrono::milliseconds;
	entry.full = true;
	entry.bytes_sent = facts.tcpi_bytes_sent - facts.tcpi_bytes_retrans;
	entry.bytes_received = facts.tcpi_bytes_received;
	entry.send_age = milliseconds(facts.tcpi_last_data_sent);
	entry.receive_age = milliseconds(facts.tcpi_last_data_recv);
	entry.ack_age = milliseconds(facts.tcpi_last_ack_recv);
	entry.retransmits = facts.tcpi_total_retrans;
	entry.round_trip_us = facts.tcpi_rtt;
	entry.probes_out = facts.tcpi_probes;
}

bool has_received_fin(TcpState state) {
	return state == TcpState::close_wait || state == TcpState::last_ack ||
	       state == TcpState::closing;
}

std::uint64_t joined(const __u32 (&halves)[2]) {
	return std::uint64_t{halves[1]} << 32U | halves[0];
}

SocketEntry decode(const inet_diag_msg& message) {
	SocketEntry entry;
	entry.flags_known = false;
	entry.cookie = joined(message.id.idiag_cookie);
	entry.local = {address_of(message.idiag_family, message.id.idiag_src),
	               ntohs(message.id.idiag_sport)};
	entry.remote = {address_of(message.idiag_family, message.id.idiag_dst),
	                ntohs(message.id.idiag_dport)};
	entry.ipv6_socket = message.idiag_family == AF_INET6;
	entry.state = static_cast<TcpState>(message.idiag_state);
	entry.peer_fin_seen = has_received_fin(entry.state);
	entry.unread = message.idiag_rqueue;
	entry.unacked = message.idiag_wqueue;
	entry.timer_kind = kind_of(message.idiag_timer);
	entry.timer_tries = message.idiag_retrans;
	entry.timer = std::chrono::milliseconds(message.idiag_expires);
	if (entry.timer_kind == TimerKind::none) {
		entry.timer = Nanoseconds::zero();
	}
	return entry;
}

void add(const nlmsghdr& header, std::uint32_t netns, SocketTable& table) {
	const auto* const message = static_cast<const inet_diag_msg*>(NLMSG_DATA(&header));
	if (header.nlmsg_len < NLMSG_LENGTH(sizeof(*message)) ||
	    message->idiag_state == static_cast<std::uint8_t>(TcpState::close) ||
	    message->idiag_state > static_cast<std::uint8_t>(TcpState::new_syn_recv)) {
		return;
	}
	SocketEntry entry = decode(*message);
	entry.netns = netns;
	auto left = static_cast<unsigned>(header.nlmsg_len - NLMSG_LENGTH(sizeof(*message)));
	for (const auto* attribute = reinterpret_cast<const rtattr*>(message + 1);
	     RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == INET_DIAG_INFO && entry.state != TcpState::listen) {
			tcp_info facts{};
			std::memcpy(&facts, RTA_DATA(attribute),
			            std::min<std::size_t>(RTA_PAYLOAD(attribute), sizeof(facts)));
			decode(facts, entry);
		}
	}
	// tcp_rcv_nxt_update counts the FIN as a byte received.
	entry.bytes_received -= entry.full && entry.peer_fin_seen ? 1 : 0;
	table.sockets.push_back(entry);
}

void take_here(std::uint32_t netns, SocketTable& table) {
	const Netlink netlink;
	for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
		netlink.ask(family);
		netlink.read([&](const nlmsghdr& header) { add(header, netns, table); });
	}
}

} // namespace

void take_by_sock_diag(const SnapshotOptions& options, SocketTable& table) {
	table = {};
	table.source = SnapshotSource::sock_diag;
	table.gaps.emplace_back(
		"without BPF owner, role, keepalive settings and the time of the peer's "
		"FIN are not known");
	for (const NetworkNamespace& place : find_network_namespaces(options.netns)) {
		const std::string refusal = run_inside(place, [&] { take_here(place.inode, table); });
		if (refusal.empty()) {
			table.namespaces++;
		} else {
			table.gaps.push_back("sockets of network namespace " + std::to_string(place.inode) +
			                     " are not shown: " + refusal);
		}
	}
}

} // namespace stalesock
