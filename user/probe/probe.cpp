// SPDX-License-Identifier: Apache-2.0
#include "probe/probe.hpp"

#include "probe/decode.hpp"
#include "probe/hooks.hpp"
#include "probe/kernel.hpp"
#include "probe/namespaces.hpp"
#include "probe/tick.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <ctime>
#include <exception>
#include <malloc.h>
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

void configure(stalesock_bpf& skeleton, const ProbeOptions& options,
               std::span<const HookReport> hooks) {
	skeleton.rodata->filter_netns = options.filter.netns;
	skeleton.rodata->filter_pid = static_cast<std::uint32_t>(options.filter.pid);
	skeleton.rodata->filter_port = options.filter.port;
	skeleton.rodata->wakeup_backlog = options.ring_size / 4;
	skeleton.rodata->inventory_backlog = options.ring_size / 2;
	const Candidate* before = chosen_for(Need::late_write_detail, hooks);
	skeleton.rodata->baseline_at_fin = before == nullptr;
	skeleton.rodata->hook_once_per_send =
		before != nullptr && before->mechanism == Mechanism::trampoline;
	const Candidate* after = chosen_for(Need::late_write, hooks);
	skeleton.rodata->hook_only_after_send =
		before == nullptr && after != nullptr && after->mechanism != Mechanism::iterator;
	bpf_map__set_max_entries(skeleton.maps.events, options.ring_size);
}

/// Opens, sets read-only data and loads the chosen programs. Null when the kernel refuses one.
Skeleton load_chosen(const ProbeOptions& options, std::span<const HookReport> hooks) {
	Skeleton skeleton = open_skeleton();
	for (std::size_t i = 0; i < hooks.size(); i++) {
		if (hooks[i].chosen) {
			enable(*skeleton, candidates()[i].program);
		}
	}
	enable(*skeleton, "read_tick");
	for (bpf_program* iterator :
	     {skeleton->progs.inventory, skeleton->progs.owner_scan, skeleton->progs.late_scan}) {
		bpf_program__set_autoattach(iterator, false);
	}
	configure(*skeleton, options, hooks);
	return stalesock_bpf__load(skeleton.get()) == 0 ? std::move(skeleton) : Skeleton();
}

std::string name_required_gap(std::span<const HookReport> hooks) {
	for (const HookReport& hook : hooks) {
		if (hook.required && !hook.chosen) {
			return hook.hook + ": " + hook.detail;
		}
	}
	return {};
}

/// A forced choice that this kernel cannot fulfil is an error, not a weaker class.
std::string name_missing_choice(HookChoice choice, std::span<const HookReport> hooks) {
	if (choice != HookChoice::tracepoint && choice != HookChoice::trampoline) {
		return {};
	}
	const Mechanism wanted =
		choice == HookChoice::tracepoint ? Mechanism::tracepoint : Mechanism::trampoline;
	for (std::size_t i = 0; i < hooks.size(); i++) {
		const Candidate& candidate = candidates()[i];
		if (candidate.need == Need::late_write && candidate.mechanism == wanted &&
		    !hooks[i].chosen) {
			return "--hooks " + std::string(to_string(choice)) + ": " + hooks[i].hook + ": " +
			       hooks[i].detail;
		}
	}
	return {};
}

/// The program for processes is only ever interrupted by a softirq, and what it would have done there
/// is nothing: its misses are not losses.
std::uint64_t missed_runs(const stalesock_bpf& skeleton) {
	std::uint64_t missed = 0;
	bpf_program* program = nullptr;
	bpf_object__for_each_program (program, skeleton.obj) {
		if (program == skeleton.progs.state_change_by_process) {
			continue;
		}
		bpf_prog_info info{};
		std::uint32_t length = sizeof(info);
		const int fd = bpf_program__fd(program);
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0) {
			missed += info.recursion_misses;
		}
	}
	return missed;
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

	void load(const ProbeOptions& options);
	void open_ring();
	void receive(std::span<const std::byte> record);
	std::size_t consume();
	std::string run_iterator(bpf_program* program);
	std::vector<std::string> run_everywhere(bpf_program* program);

	static int on_record(void* context, void* data, std::size_t size);
};

void Probe::State::load(const ProbeOptions& options) {
	hooks = survey(options.hooks);
	skeleton = name_required_gap(hooks).empty() ? load_chosen(options, hooks) : Skeleton();
	if (!skeleton) { // find out which hook is refused, and go on without it where we can
		hooks = survey_by_trying(options.hooks);
		if (const std::string gap = name_required_gap(hooks); !gap.empty()) {
			throw KernelRefusal(gap);
		}
		skeleton = load_chosen(options, hooks);
	}
	malloc_trim(0); // the kernel's BTF, several megabytes, was read for each attempt and freed
	if (const std::string missing = name_missing_choice(options.hooks, hooks); !missing.empty()) {
		throw KernelRefusal(missing);
	}
	if (!skeleton) {
		throw KernelRefusal("the BPF programs cannot be loaded together: " + explain_error(errno));
	}
}

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
	state_->load(options);
	state_->open_ring();
	state_->tick = measure_tick(*state_->skeleton);
}

Probe::~Probe() = default;

void Probe::attach(Handler handler, RawHandler raw) {
	state_->handler = std::move(handler);
	state_->raw_handler = std::move(raw);
	if (const int error = stalesock_bpf__attach(state_->skeleton.get()); error != 0) {
		throw KernelRefusal("a hook cannot be attached: " + explain_error(-error));
	}
}

/// Runs an iter/tcp program in every network namespace of interest. Returns where it could not.
std::vector<std::string> Probe::State::run_everywhere(bpf_program* program) {
	std::vector<std::string> gaps;
	for (const NetworkNamespace& place : find_network_namespaces()) {
		if (filter_netns != 0 && place.inode != filter_netns) {
			continue;
		}
		std::string trouble;
		const std::string refusal = run_inside(place, [&] { trouble = run_iterator(program); });
		if (!refusal.empty() || !trouble.empty()) {
			gaps.push_back("existing connections of network namespace " +
			               std::to_string(place.inode) + " are unknown: " + refusal + trouble);
		}
	}
	return gaps;
}

std::vector<std::string> Probe::take_inventory() {
	bpf_program* inventory = state_->skeleton->progs.inventory;
	if (bpf_program__fd(inventory) < 0) {
		return {"connections opened before now are unknown: iter/tcp is not available"};
	}
	std::vector<std::string> gaps = state_->run_everywhere(inventory);
	scan_owners();
	return gaps;
}

void Probe::scan_late_writes() {
	if (bpf_program__fd(state_->skeleton->progs.late_scan) >= 0) {
		state_->run_everywhere(state_->skeleton->progs.late_scan);
	}
}

void Probe::scan_owners() {
	if (bpf_program__fd(state_->skeleton->progs.owner_scan) >= 0) {
		state_->run_iterator(state_->skeleton->progs.owner_scan);
	}
}

int Probe::ring_fd() const {
	return ring_buffer__epoll_fd(state_->ring.get());
}

std::size_t Probe::consume() {
	return state_->consume();
}

ProbeCounters Probe::counters() const {
	return {.events = state_->events,
	        .dropped = state_->skeleton->bss->dropped,
	        .missed = missed_runs(*state_->skeleton),
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
