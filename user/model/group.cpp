// SPDX-License-Identifier: Apache-2.0
#include "model/group.hpp"

#include "model/append.hpp"
#include "model/escape.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace stalesock {

namespace {

constexpr std::array all_groupings{GroupBy::process, GroupBy::unit, GroupBy::remote,
                                   GroupBy::listener};

std::string process_key(const Row& row) {
	if (row.process == nullptr) {
		return {};
	}
	std::string key = escape_untrusted(row.process->command);
	key += " (";
	append_number(key, static_cast<std::uint64_t>(row.process->pid));
	key += ')';
	return key;
}

std::string unit_key(const Row& row) {
	const bool known = row.process != nullptr && row.process->unit;
	return known ? escape_untrusted(*row.process->unit) : std::string{};
}

std::string remote_key(const Row& row) {
	if (row.role == Role::passive) {
		return to_string(row.socket->remote.address);
	}
	return to_string(row.socket->remote);
}

/// A listener on every address serves connections to any: the port is what they have in common.
std::string listener_key(const Row& row) {
	std::string key = ":";
	append_number(key, row.socket->local.port);
	const std::string process = process_key(row);
	if (!process.empty()) {
		key += ' ';
		key += process;
	}
	return key;
}

bool belongs(GroupBy by, const Row& row) {
	const bool listens = row.socket->state == TcpState::listen;
	switch (by) {
	case GroupBy::process:
	case GroupBy::unit: return true;
	case GroupBy::remote: return !listens;
	case GroupBy::listener: return listens || row.role == Role::passive;
	}
	return true;
}

std::string key_of(GroupBy by, const Row& row) {
	switch (by) {
	case GroupBy::process: return process_key(row);
	case GroupBy::unit: return unit_key(row);
	case GroupBy::remote: return remote_key(row);
	case GroupBy::listener: return listener_key(row);
	}
	return {};
}

void count(Group& group, const Row& row) {
	const SocketEntry& socket = *row.socket;
	group.sockets++;
	group.by_state.at(static_cast<std::size_t>(socket.state))++;
	group.unread += row.unread.value_or(0);
	if (row.fin_age) {
		group.oldest_fin = std::max(group.oldest_fin.value_or(*row.fin_age), *row.fin_age);
	}
	if (socket.state == TcpState::listen) {
		group.accept_queue = group.accept_queue.value_or(0) + socket.unread;
		group.accept_limit = group.accept_limit.value_or(0) + socket.unacked;
	}
}

auto rank(const Group& group) {
	constexpr std::uint64_t most = ~std::uint64_t{0};
	return std::tuple(most - group.count(TcpState::close_wait), most - group.sockets,
	                  std::string_view(group.key));
}

class Groups {
  public:
	explicit Groups(GroupBy by) : by_(by) {}

	/// Good until the next call.
	Group& of(const Row& row) {
		const auto [place, added] = places_.try_emplace(key_of(by_, row), groups_.size());
		if (added) {
			const bool same_process = by_ == GroupBy::process || by_ == GroupBy::listener;
			Group& group = groups_.emplace_back();
			group.key = place->first;
			group.process = same_process ? row.process : nullptr;
		}
		return groups_[place->second];
	}

	[[nodiscard]] std::vector<Group> sorted() && {
		std::sort(groups_.begin(), groups_.end(),
		          [](const Group& left, const Group& right) { return rank(left) < rank(right); });
		return std::move(groups_);
	}

  private:
	GroupBy by_;
	std::vector<Group> groups_;
	std::unordered_map<std::string, std::size_t> places_;
};

} // namespace

std::string_view to_string(GroupBy by) {
	switch (by) {
	case GroupBy::process: return "process";
	case GroupBy::unit: return "unit";
	case GroupBy::remote: return "remote";
	case GroupBy::listener: return "listener";
	}
	return {};
}

std::optional<GroupBy> parse_group_by(std::string_view name) {
	for (const GroupBy by : all_groupings) {
		if (name == to_string(by)) {
			return by;
		}
	}
	return std::nullopt;
}

std::vector<Group> group_by(GroupBy by, const RowReader& reader,
                            std::span<const SocketEntry> sockets,
                            std::span<const std::uint32_t> wanted) {
	Groups groups(by);
	std::unordered_set<std::uint32_t> listeners;
	for (const std::uint32_t index : wanted) {
		const Row row = reader.read(sockets[index]);
		if (!belongs(by, row)) {
			continue;
		}
		count(groups.of(row), row);
		if (row.socket->state == TcpState::listen) {
			listeners.insert(index);
		}
	}
	if (by == GroupBy::listener) {
		for (const ListenerHolder& holder : reader.table().listener_holders) {
			if (listeners.contains(holder.socket)) {
				Row row = reader.read(sockets[holder.socket]);
				row.process = &reader.table().processes[holder.process];
				groups.of(row);
			}
		}
	}
	return std::move(groups).sorted();
}

} // namespace stalesock
