// SPDX-License-Identifier: Apache-2.0
#include "probe/snapshot_join.hpp"

#include <cstring>
#include <limits>
#include <utility>

namespace stalesock {

void Holders::add(std::span<const stalesock_holder> records) {
	for (const stalesock_holder& record : records) {
		const auto pid = static_cast<std::int32_t>(record.pid);
		if (processes.back().pid != pid) {
			const std::size_t length = strnlen(record.command, sizeof(record.command));
			processes.push_back({pid, std::string(record.command, length), {}});
		}
		holdings.push_back({record.cookie, static_cast<std::uint32_t>(processes.size() - 1)});
	}
}

void SnapshotJoin::begin(SocketTable& table) {
	by_cookie_.clear();
	table.source = SnapshotSource::iterators;
	table.sockets.clear();
	table.processes.assign(1, {});
	table.listener_holders.clear();
	table.gaps.clear();
	table.namespaces = 0;
}

void SnapshotJoin::reserve(std::size_t more, SocketTable& table) {
	const std::size_t expected = table.sockets.size() + more;
	table.sockets.reserve(expected);
	by_cookie_.reserve(expected);
}

void SnapshotJoin::add(std::span<const stalesock_socket> records, const NamespaceFacts& place,
                       Nanoseconds tick, SocketTable& table) {
	for (const stalesock_socket& record : records) {
		auto index = static_cast<std::uint32_t>(table.sockets.size());
		if (record.cookie != 0) {
			index = by_cookie_.try_emplace(record.cookie, index).first->second;
		}
		if (index == table.sockets.size()) {
			table.sockets.emplace_back();
		}
		decode(record, place, tick, table.sockets[index]);
	}
}

void SnapshotJoin::join(Holders found, SocketTable& table) const {
	std::vector<std::uint32_t> last_holder(table.sockets.size(), 0);
	table.processes = std::move(found.processes);
	for (const Holding& holding : found.holdings) {
		const auto place = by_cookie_.find(holding.cookie);
		if (place == by_cookie_.end()) {
			continue;
		}
		SocketEntry& entry = table.sockets[place->second];
		if (std::exchange(last_holder[place->second], holding.process) == holding.process) {
			continue;
		}
		if (entry.process == 0) {
			entry.process = holding.process;
		}
		if (entry.state == TcpState::listen) {
			table.listener_holders.push_back({place->second, holding.process});
		}
		if (entry.holders < std::numeric_limits<std::uint16_t>::max()) {
			entry.holders++;
		}
	}
	if (!found.trouble.empty()) {
		table.gaps.push_back("owners are not known: " + found.trouble);
	}
}

} // namespace stalesock
