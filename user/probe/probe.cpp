// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.hpp"

#include "probe/decode.hpp"
#include "probe/hooks.hpp"
#include "probe/kernel.hpp"
#include "probe/loading.hpp"
#include "probe/namespaces.hpp"
#include "probe/tick.hpp"

#include <absl/cleanup/cleanup.h>
#include <absl/container/flat_hash_set.h>
#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <ctime>
#include <exception>
#include <optional>
#include <span>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

struct RingDeleter {
	void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
struct LinkDeleter {
	void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

void check(const ProbeOptions& options) {
	const std::uint32_t size = options.ring_size;
	if (size < smallest_ring || size > largest_ring || (size & (size - 1)) != 0) {
		throw std::invalid_argument(
			"ring size " + std::to_string(size) + ": must be a power of two from " +
			std::to_string(smallest_ring) + " to " + std::to_string(largest_ring) + " bytes");
	}
}

void expect_privileges() {
	const std::vector<std::string> problems = find_problems();
	if (!problems.empty()) {
		throw KernelRefusal(problems.front());
	}
}

} // namespace

struct Probe::State {
	std::vector<HookReport> hooks;
	Skeleton skeleton;
	std::unique_ptr<ring_buffer, RingDeleter> ring;
	Nanoseconds tick{};
	std::uint32_t filter_netns = 0;
	Handler handler;
	RawHandler raw_handler;
	Event event; ///< reused, so that decoding does not allocate
	std::uint64_t events = 0;
	std::uint64_t malformed = 0;
	std::exception_ptr failure;
	/// Only during an inventory: a socket may have many descriptors, and is told of once.
	std::optional<absl::flat_hash_set<std::uint64_t>> inventoried;

	void open_ring();
	void receive(std::span<const std::byte> record);
	std::size_t consume();
	std::string run_iterator(bpf_program* program);
	std::vector<std::string> run_everywhere(bpf_program* program);
	std::vector<std::string> take_inventory();
	/// Over descriptors; what it reports was set before.
	void run_over_descriptors();
	void scan_elsewhere();
	[[nodiscard]] bool looks_elsewhere() const { return skeleton->bss->home_netns != 0; }

	static int on_record(void* context, void* data, std::size_t size);
};

void Probe::State::open_ring() {
	ring.reset(
		ring_buffer__new(bpf_map__fd(skeleton->maps.events), &State::on_record, this, nullptr));
	if (!ring) {
		throw KernelRefusal("the ring buffer cannot be mapped: " + explain_error(errno));
	}
}

void Probe::State::receive(std::span<const std::byte> record) {
	if (decode(record, event) != DecodeStatus::ok) {
		malformed++;
		return;
	}
	if (inventoried && event.kind == EventKind::inventory &&
	    !inventoried->insert(event.cookie).second) {
		return;
	}
	events++;
	if (raw_handler) {
		raw_handler(record);
	}
	if (handler) {
		handler(event);
	}
}

/// libbpf is C: an exception must not pass through it. It is kept and thrown again by consume().
int Probe::State::on_record(void* context, void* data, std::size_t size) {
	auto* state = static_cast<State*>(context);
	try {
		state->receive({static_cast<const std::byte*>(data), size});
	} catch (...) {
		state->failure = std::current_exception();
		return -ECANCELED;
	}
	return 0;
}

std::size_t Probe::State::consume() {
	const int handled = ring_buffer__consume(ring.get());
	if (failure) {
		std::rethrow_exception(std::exchange(failure, nullptr));
	}
	return handled > 0 ? static_cast<std::size_t>(handled) : 0;
}

/// The program writes to the ring, not to the file we read: reading only drives it. EAGAIN means that it
/// waits for the ring to be drained. Empty when done, otherwise why not.
std::string Probe::State::run_iterator(bpf_program* program) {
	const Link link(bpf_program__attach_iter(program, nullptr));
	if (!link) {
		return explain_error(errno);
	}
	const int fd = bpf_iter_create(bpf_link__fd(link.get()));
	if (fd < 0) {
		return explain_error(-fd);
	}
	const std::unique_ptr<const int, void (*)(const int*)> closer(
		&fd, [](const int* descriptor) { close(*descriptor); });
	char unused = 0;
	ssize_t count = 1;
	while (count != 0) {
		count = read(fd, &unused, sizeof(unused));
		if (count < 0 && errno != EAGAIN && errno != EINTR) {
			return explain_error(errno);
		}
		consume();
	}
	return {};
}

Probe::Probe(const ProbeOptions& options) : state_(std::make_unique<State>()) {
	check(options);
	expect_privileges();
	state_->filter_netns = options.filter.netns;
	LoadedHooks loaded = load_hooks(options);
	state_->hooks = std::move(loaded.reports);
	state_->skeleton = std::move(loaded.skeleton);
	state_->open_ring();
	state_->tick = measure_tick(*state_->skeleton);
	configure_ages(*state_->skeleton, options, state_->tick);
	const std::uint32_t home = own_network_namespace();
	if (!effective_capabilities().may_enter_namespaces() && options.filter.netns != home) {
		state_->skeleton->bss->home_netns = home;
	}
}

Probe::~Probe() = default;

void Probe::attach(Handler handler, RawHandler raw) {
	state_->handler = std::move(handler);
	state_->raw_handler = std::move(raw);
	if (const int error = stalesock_bpf__attach(state_->skeleton.get()); error != 0) {
		throw KernelRefusal("a hook cannot be attached: " + explain_error(-error));
	}
}

/// Runs an iter/tcp program in every network namespace of interest that we may enter. Returns where it could not.
std::vector<std::string> Probe::State::run_everywhere(bpf_program* program) {
	std::vector<std::string> gaps;
	const std::uint32_t only = looks_elsewhere() ? skeleton->bss->home_netns : filter_netns;
	for (const NetworkNamespace& place : find_network_namespaces(only)) {
		std::string trouble;
		const std::string refusal = run_inside(place, [&] { trouble = run_iterator(program); });
		if (!refusal.empty() || !trouble.empty()) {
			gaps.push_back("existing connections of network namespace " +
			               std::to_string(place.inode) + " are unknown: " + refusal + trouble);
		}
	}
	return gaps;
}

void Probe::State::run_over_descriptors() {
	if (bpf_program__fd(skeleton->progs.owner_scan) >= 0) {
		run_iterator(skeleton->progs.owner_scan);
	}
}

std::vector<std::string> Probe::State::take_inventory() {
	inventoried.emplace();
	const absl::Cleanup done = [this] { inventoried.reset(); };
	std::vector<std::string> gaps = run_everywhere(skeleton->progs.inventory);
	consume();
	skeleton->bss->held_owners = true;
	skeleton->bss->held_inventory = looks_elsewhere();
	run_over_descriptors();
	consume();
	skeleton->bss->held_inventory = false;
	if (skeleton->bss->elsewhere != 0) {
		gaps.emplace_back(
			"of existing connections in other network namespaces only those are known that a "
			"process holds by a descriptor: CAP_SYS_ADMIN and CAP_SYS_PTRACE are missing");
	}
	return gaps;
}

/// As the programs over sockets do it where we may enter.
void Probe::State::scan_elsewhere() {
	skeleton->bss->held_owners = false;
	skeleton->bss->held_late = bpf_program__fd(skeleton->progs.late_scan) >= 0;
	skeleton->bss->held_waiting = bpf_program__fd(skeleton->progs.waiting_scan) >= 0;
	run_over_descriptors();
	skeleton->bss->held_late = false;
	skeleton->bss->held_waiting = false;
}

std::vector<std::string> Probe::take_inventory() {
	if (bpf_program__fd(state_->skeleton->progs.inventory) < 0) {
		return {"connections opened before now are unknown: iter/tcp is not available"};
	}
	return state_->take_inventory();
}

void Probe::scan_sockets() {
	for (bpf_program* scan :
	     {state_->skeleton->progs.late_scan, state_->skeleton->progs.waiting_scan}) {
		if (bpf_program__fd(scan) >= 0) {
			state_->run_everywhere(scan);
		}
	}
	if (state_->looks_elsewhere()) {
		state_->scan_elsewhere();
	}
}

bool Probe::scan_owners() {
	state_->skeleton->bss->held_owners = true;
	state_->run_over_descriptors();
	return bpf_program__fd(state_->skeleton->progs.owner_scan) >= 0;
}

int Probe::ring_fd() const {
	return ring_buffer__epoll_fd(state_->ring.get());
}

std::size_t Probe::consume() {
	return state_->consume();
}

ProbeCounters Probe::counters() const {
	const MissedRuns missed = missed_runs(*state_->skeleton);
	return {.events = state_->events,
	        .dropped = state_->skeleton->bss->dropped,
	        .missed = missed.lost,
	        .all_missed = missed.all,
	        .malformed = state_->malformed,
	        .mptcp_skipped = state_->skeleton->bss->mptcp_skipped};
}

const std::vector<HookReport>& Probe::hooks() const {
	return state_->hooks;
}

std::string Probe::hook_class() const {
	return hook_class_of(state_->hooks);
}

Nanoseconds Probe::tick() const {
	return state_->tick;
}

Nanoseconds boot_time_now() {
	timespec now{};
	clock_gettime(CLOCK_BOOTTIME, &now);
	return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

} // namespace stalesock
