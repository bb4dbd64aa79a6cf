// SPDX-License-Identifier: Apache-2.0
#include "support/recorded_snapshot.hpp"

#include "probe/snapshot_join.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace stalesock::test {

namespace {

template <typename Record> std::vector<Record> read_records(std::istream& file, std::size_t count) {
	std::vector<Record> records(count);
	file.read(reinterpret_cast<char*>(records.data()),
	          static_cast<std::streamsize>(count * sizeof(Record)));
	return records;
}

} // namespace

RecordedSnapshot read_recorded_snapshot(const std::string& name) {
	std::ifstream file(STALESOCK_TEST_FILES "/golden/snapshots/" + name, std::ios::binary);
	std::string line;
	std::getline(file, line);
	const auto head = nlohmann::json::parse(line);
	const auto sockets = read_records<stalesock_socket>(file, head.at("sockets"));
	Holders holders;
	holders.add(read_records<stalesock_holder>(file, head.at("holders")));
	if (!file || file.peek() != std::ifstream::traits_type::eof()) {
		throw std::runtime_error(name + " has not as many records as it says");
	}
	NamespaceFacts place;
	place.inode = head.at("netns");
	place.keepalive_idle = Nanoseconds(head.at("keepalive_idle_ns"));
	place.keepalive_interval = Nanoseconds(head.at("keepalive_interval_ns"));
	place.keepalive_probes = head.at("keepalive_probes");
	const Nanoseconds tick(head.at("tick_ns"));

	RecordedSnapshot recorded;
	SnapshotJoin joined;
	joined.begin(recorded.table);
	joined.add(sockets, place, tick, recorded.table);
	joined.join(std::move(holders), recorded.table);
	recorded.table.tick = tick;
	recorded.table.namespaces = 1;
	recorded.boot = Nanoseconds(head.at("boot_ns"));
	recorded.wall = WallTime(Nanoseconds(head.at("wall_ns")));
	return recorded;
}

} // namespace stalesock::test
