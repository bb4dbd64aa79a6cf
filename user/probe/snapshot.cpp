// SPDX-License-Identifier: Apache-2.0
#include "probe/snapshot.hpp"

#include "probe/descriptor.hpp"
#include "probe/hooks.hpp"
#include "probe/kernel.hpp"
#include "probe/namespaces.hpp"
#include "probe/requirements.hpp"
#include "probe/snapshot_backlog.hpp"
#include "probe/snapshot_object.h"
#include "probe/tick.hpp"

#include <absl/cleanup/cleanup.h>
#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <span>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace stalesock {

namespace {

struct Unload {
	void operator()(snapshot_sockets_bpf* object) const { stalesock_sockets_unload(object); }
	void operator()(snapshot_holders_bpf* object) const { stalesock_holders_unload(object); }
};
using SocketsObject = std::unique_ptr<snapshot_sockets_bpf, Unload>;
using HoldersObject = std::unique_ptr<snapshot_holders_bpf, Unload>;

template <typename Object> void require(const Object& object, const char* name, int error) {
	if (!object) {
		refuse(std::string(name) + " cannot be loaded: " + explain_error(error));
	}
}

int link_iterator(int program) {
	const int link = bpf_link_create(program, 0, BPF_TRACE_ITER, nullptr);
	if (link < 0) {
		throw KernelRefusal("an iterator cannot be attached: " + explain_error(-link));
	}
	return link;
}

/// Everything an iterator has to say, as records. Empty when done, otherwise why not. `space` says where the next
/// ones belong.
template <typename Space, typename Take>
std::string read_all(int link, const Space& space, const Take& take) {
	const Descriptor iterator(bpf_iter_create(link));
	if (!iterator.valid()) {
		return explain_error(-iterator.get());
	}
	for (;;) {
		const auto records = space();
		const ssize_t count = read(iterator.get(), records.data(), records.size_bytes());
		if (count == 0) {
			return {};
		}
		if (count < 0 && errno != EAGAIN && errno != EINTR) {
			return explain_error(errno);
		}
		if (count > 0) {
			take(records.first(static_cast<std::size_t>(count) / sizeof(records.front())));
		}
	}
}

Holders read_holders(int link, SnapshotTap* tap) {
	Holders holders;
	// Filled by read(). NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
	std::array<stalesock_holder, 1024> records;
	holders.trouble = read_all(
		link, [&records] { return std::span(records); },
		[&holders, tap](std::span<const stalesock_holder> found) {
			holders.add(found);
			if (tap != nullptr) {
				tap->holders(found);
			}
		});
	return holders;
}

/// An iterator that is ready to be read, again and again.
template <typename Object> struct Iterator {
	Object object;
	Descriptor link;

	Iterator(Object loaded, int program)
		: object(std::move(loaded)), link(link_iterator(program)) {}
};

Iterator<SocketsObject> load_sockets() {
	int error = 0;
	SocketsObject object(stalesock_sockets_load(&error));
	require(object, "iter/tcp", error);
	const int program = stalesock_sockets_program(object.get());
	return {std::move(object), program};
}

Iterator<HoldersObject> load_holders() {
	int error = 0;
	HoldersObject object(stalesock_holders_load(&error));
	require(object, "iter/task_file", error);
	const int program = stalesock_holders_program(object.get());
	return {std::move(object), program};
}

} // namespace

struct SnapshotProbe::State {
	SnapshotOptions options;
	Helper& helper;
	Job<Iterator<HoldersObject>> loading; ///< while the other one is loaded too
	Iterator<SocketsObject> sockets;
	Iterator<HoldersObject> holders;
	Nanoseconds tick{};
	SnapshotJoin joined;

	State(const SnapshotOptions& wanted, Helper& second)
		: options(wanted), helper(second), loading(helper.start(load_holders)),
		  sockets(load_sockets()), holders(loading.get()) {}

	/// How many network namespaces were looked into; what could not be is in `gaps`.
	std::uint32_t take_sockets(Backlog& backlog, std::vector<std::string>& gaps);
	std::string take_here(std::uint32_t netns, Backlog& backlog);
	void learn_tick();
	void note_clocks() const;
};

/// The first socket of an iterator notes both clocks.
void SnapshotProbe::State::note_clocks() const {
	const Descriptor iterator(bpf_iter_create(sockets.link.get()));
	stalesock_socket record{};
	while (read(iterator.get(), &record, sizeof(record)) < 0 &&
	       (errno == EAGAIN || errno == EINTR)) {
	}
}

/// Once: HZ does not change.
void SnapshotProbe::State::learn_tick() {
	if (tick > Nanoseconds::zero()) {
		return;
	}
	const std::uint64_t jiffies = stalesock_sockets_jiffies(sockets.object.get());
	const Nanoseconds moment(stalesock_sockets_monotonic_ns(sockets.object.get()));
	tick = tick_since_boot(jiffies, moment);
	if (tick > Nanoseconds::zero()) {
		return;
	}
	std::this_thread::sleep_for(std::chrono::milliseconds(100));
	note_clocks();
	const auto passed =
		static_cast<double>(stalesock_sockets_jiffies(sockets.object.get()) - jiffies);
	const Nanoseconds later(stalesock_sockets_monotonic_ns(sockets.object.get()));
	tick = snap_tick(static_cast<double>((later - moment).count()) / std::max(passed, 1.0));
}

std::string SnapshotProbe::State::take_here(std::uint32_t netns, Backlog& backlog) {
	const NamespaceFacts place = read_namespace_facts(netns);
	backlog.expect(place.sockets + place.sockets / 16);
	return read_all(
		sockets.link.get(), [&backlog] { return backlog.space(); },
		[&](std::span<const stalesock_socket> records) {
			learn_tick();
			if (options.tap != nullptr) {
				options.tap->sockets(records, place, tick);
			}
			backlog.add(records.size(), place, tick);
		});
}

std::uint32_t SnapshotProbe::State::take_sockets(Backlog& backlog, std::vector<std::string>& gaps) {
	std::uint32_t namespaces = 0;
	const std::uint32_t home = own_network_namespace();
	std::uint32_t wanted = options.netns;
	if (wanted != home && !effective_capabilities().may_enter_namespaces()) {
		gaps.emplace_back("sockets of other network namespaces are not shown: CAP_SYS_ADMIN and "
		                  "CAP_SYS_PTRACE are missing"); // they cannot even be found
		if (wanted != 0) {
			return namespaces;
		}
		wanted = home;
	}
	for (const NetworkNamespace& place : find_network_namespaces(wanted)) {
		std::string trouble;
		const std::string refusal =
			run_inside(place, [&] { trouble = take_here(place.inode, backlog); });
		if (refusal.empty() && trouble.empty()) {
			namespaces++;
			continue;
		}
		gaps.push_back("sockets of network namespace " + std::to_string(place.inode) +
		               " are not shown: " + refusal + trouble);
	}
	return namespaces;
}

SnapshotProbe::SnapshotProbe(const SnapshotOptions& options, Helper& helper) {
	const std::vector<std::string> problems = find_problems();
	if (!problems.empty()) {
		throw KernelRefusal(problems.front());
	}
	state_ = std::make_unique<State>(options, helper);
}

SnapshotProbe::~SnapshotProbe() = default;

/// Sockets and descriptors are read at the same time, by two threads: each takes tens of milliseconds where there
/// are 100,000. Who has read the descriptors helps with the sockets.
void SnapshotProbe::take(SocketTable& table) {
	state_->joined.begin(table);
	Backlog backlog(state_->joined, table);
	const auto look_for_holders = [this, &backlog] {
		Holders holders = read_holders(state_->holders.link.get(), state_->options.tap);
		backlog.work();
		return holders;
	};
	const bool wanted = state_->options.holders;
	Job<Holders> found = wanted ? state_->helper.start(look_for_holders) : Job<Holders>();
	std::vector<std::string> gaps;
	{
		const absl::Cleanup done = [&backlog] { backlog.close(); }; // the other thread waits for it
		table.namespaces = state_->take_sockets(backlog, gaps);
	}
	backlog.work();
	if (wanted) {
		state_->joined.join(found.get(), table);
	}
	table.gaps.insert(table.gaps.begin(), gaps.begin(), gaps.end());
	table.tick = state_->tick;
}

} // namespace stalesock
