// SPDX-License-Identifier: Apache-2.0
#include "verdict/leaks.hpp"

namespace stalesock {

Leaks::Key Leaks::key_of(const Connection& connection) {
	Endpoint remote = connection.remote();
	if (connection.role == Role::passive) { // a client's own port is another each time
		remote.port = 0;
	}
	return {connection.fin->leak_pid, connection.netns, remote};
}

Leaks::Group Leaks::add(Connection& connection, Nanoseconds now) {
	connection.fin->leak_told = true;
	const auto& holder = connection.fin->holder;
	connection.fin->leak_pid = holder ? holder->pid : connection.owner_pid; // it may change hands
	Group& group = groups_.try_emplace(key_of(connection), Group{0, now}).first->second;
	group.connections++;
	return group;
}

Leaks::Group Leaks::group_of(const Connection& connection) const {
	const auto found = groups_.find(key_of(connection));
	return found == groups_.end() ? Group{} : found->second;
}

void Leaks::remove(const Connection& connection) {
	if (!connection.fin || !connection.fin->leak_told) {
		return;
	}
	const auto found = groups_.find(key_of(connection));
	if (found != groups_.end() && --found->second.connections == 0) {
		groups_.erase(found);
	}
}

} // namespace stalesock
