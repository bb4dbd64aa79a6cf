// SPDX-License-Identifier: Apache-2.0
// Prints what a snapshot's iterators wrote: a line of JSON about the circumstances, then the records. Only for make.py.
#include "app/clock.hpp"
#include "probe/namespaces.hpp"
#include "probe/snapshot.hpp"
#include "probe/snapshot_decode.hpp"
#include "stalesock/snapshot.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

namespace {

using namespace stalesock;

class Recorder final : public SnapshotTap {
  public:
	void sockets(std::span<const stalesock_socket> records, const NamespaceFacts& place,
	             Nanoseconds tick) override {
		sockets_.insert(sockets_.end(), records.begin(), records.end());
		head_["netns"] = place.inode;
		head_["keepalive_idle_ns"] = place.keepalive_idle.count();
		head_["keepalive_interval_ns"] = place.keepalive_interval.count();
		head_["keepalive_probes"] = place.keepalive_probes;
		head_["tick_ns"] = tick.count();
	}
	void holders(std::span<const stalesock_holder> records) override {
		holders_.insert(holders_.end(), records.begin(), records.end());
	}
	void print(const Moment& taken) {
		head_["boot_ns"] = taken.boot.count();
		head_["wall_ns"] = taken.wall.time_since_epoch().count();
		head_["sockets"] = sockets_.size();
		head_["holders"] = holders_.size();
		std::cout << head_.dump() << '\n';
		write(sockets_);
		write(holders_);
		std::cout.flush();
	}

  private:
	template <typename Record> static void write(const std::vector<Record>& records) {
		std::cout.write(reinterpret_cast<const char*>(records.data()),
		                static_cast<std::streamsize>(records.size() * sizeof(Record)));
	}

	nlohmann::json head_;
	std::vector<stalesock_socket> sockets_;
	std::vector<stalesock_holder> holders_;
};

} // namespace

int main() {
	try {
		Recorder recorder;
		SnapshotOptions options;
		options.netns = own_network_namespace();
		options.tap = &recorder;
		Helper helper;
		SnapshotProbe probe(options, helper);
		SocketTable table;
		probe.take(table);
		recorder.print(read_clocks());
		return 0;
	} catch (const std::exception& failure) {
		std::fprintf(stderr, "record: %s\n", failure.what());
		return 1;
	}
}
