// SPDX-License-Identifier: Apache-2.0
#include "app/continuity.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <span>
#include <stdexcept>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <type_traits>
#include <utility>

namespace stalesock {

namespace {

constexpr std::uint64_t magic = 0x6b636f73656c6174; // "talesock"
constexpr std::uint32_t layout = 2;                 // raise it with every change of File
constexpr std::size_t ways = 4;                     // slots that a cookie may be in
constexpr std::size_t sets = 16'384;

enum Flag : std::uint16_t {
	fin_known = 1,
	fin_inferred = 2,
	write_seq_known = 4,
	history_known = 8,
	eof_read = 16,
	eof_peeked = 32,
	late_judged = 64,
	leak_told = 128,
	dirty_told = 256,
	silent_drop_told = 512,
	role_active = 1024,
	role_passive = 2048,
};

struct Slot {
	std::uint64_t
		cookie; ///< 0: free; written last, so that a killed process leaves no half of a slot
	std::int64_t fin_ns;
	std::uint32_t write_seq;
	std::uint16_t flags;
	std::uint16_t verdicts; ///< saturating
};
static_assert(sizeof(Slot) == 24 && std::is_trivially_copyable_v<Slot>);

std::array<char, 40> boot_id() {
	std::array<char, 40> id{};
	std::ifstream("/proc/sys/kernel/random/boot_id").getline(id.data(), id.size());
	return id;
}

std::uint16_t flags_of(const Continuation& continuation) {
	const auto bit = [](bool set, Flag flag) { return set ? unsigned{flag} : 0U; };
	return static_cast<std::uint16_t>(
		bit(continuation.fin_time.has_value(), fin_known) |
		bit(continuation.fin_time_inferred, fin_inferred) |
		bit(continuation.write_seq.has_value(), write_seq_known) |
		bit(continuation.history_known, history_known) | bit(continuation.eof_read, eof_read) |
		bit(continuation.eof_peeked, eof_peeked) | bit(continuation.late_judged, late_judged) |
		bit(continuation.leak_told, leak_told) | bit(continuation.dirty_told, dirty_told) |
		bit(continuation.silent_drop_told, silent_drop_told) |
		bit(continuation.role == Role::active, role_active) |
		bit(continuation.role == Role::passive, role_passive));
}

Continuation continuation_from(const Slot& slot) {
	const auto is_set = [&](Flag flag) { return (slot.flags & flag) != 0; };
	Continuation continuation;
	continuation.cookie = slot.cookie;
	if (is_set(fin_known)) {
		continuation.fin_time = Nanoseconds(slot.fin_ns);
	}
	continuation.fin_time_inferred = is_set(fin_inferred);
	if (is_set(write_seq_known)) {
		continuation.write_seq = slot.write_seq;
	}
	continuation.history_known = is_set(history_known);
	continuation.eof_read = is_set(eof_read);
	continuation.eof_peeked = is_set(eof_peeked);
	continuation.late_judged = is_set(late_judged);
	continuation.leak_told = is_set(leak_told);
	continuation.dirty_told = is_set(dirty_told);
	continuation.silent_drop_told = is_set(silent_drop_told);
	continuation.role = is_set(role_active)    ? Role::active
	                    : is_set(role_passive) ? Role::passive
	                                           : Role::unknown;
	continuation.verdicts = slot.verdicts;
	return continuation;
}

/// The compiler keeps the order of stores before and after; the processor's own order is enough for a reader that
/// comes after the writer's death.
void set_cookie(Slot& slot, std::uint64_t cookie) {
	std::atomic_signal_fence(std::memory_order_seq_cst);
	std::atomic_ref(slot.cookie).store(cookie, std::memory_order_release);
	std::atomic_signal_fence(std::memory_order_seq_cst);
}

[[noreturn]] void fail(const std::string& what) {
	throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

struct Continuity::File {
	std::uint64_t magic;
	std::uint32_t layout;
	std::uint32_t stopped_cleanly;
	std::array<char, 40> boot_id;
	std::int64_t last_alive_ns;
	std::uint64_t undecided;
	std::uint64_t undelivered;
	std::uint64_t forgotten;
	std::array<std::array<Slot, ways>, sets> slots;
};

namespace {

// Cookies are handed out one after the other: neighbours are in different sets.
template <typename File> std::span<Slot, ways> set_of(File& file, std::uint64_t cookie) {
	return file.slots[cookie % sets]; // NOLINT(cppcoreguidelines-pro-bounds-constant-array-index)
}

} // namespace

Continuity::Continuity(const std::string& folder) {
	if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
		fail("cannot make " + folder);
	}
	map(folder + "/continuity");
	if (file_->magic == magic && file_->layout == layout && file_->boot_id == boot_id()) {
		read_former();
	} else {
		std::memset(file_, 0, sizeof(File));
		file_->layout = layout;
		file_->boot_id = boot_id();
	}
}

Continuity::~Continuity() {
	munmap(file_, sizeof(File));
}

// The room is taken at once: a write to a mapped file on a full file system would be a SIGBUS.
void Continuity::map(const std::string& path) {
	descriptor_ = Descriptor(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
	if (!descriptor_.valid()) {
		fail("cannot open " + path);
	}
	if (flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
		throw std::runtime_error(path + " is in use: another daemon runs");
	}
	if (const int error = posix_fallocate(descriptor_.get(), 0, sizeof(File)); error != 0) {
		errno = error;
		fail("no room for " + path);
	}
	void* memory =
		mmap(nullptr, sizeof(File), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), 0);
	if (memory == MAP_FAILED) { // NOLINT
		fail("cannot map " + path);
	}
	file_ = static_cast<File*>(memory);
}

void Continuity::read_former() {
	Former former;
	former.last_alive = Nanoseconds(file_->last_alive_ns);
	former.stopped_cleanly = file_->stopped_cleanly != 0;
	former.undecided = file_->undecided;
	former.undelivered = file_->undelivered;
	former.forgotten = file_->forgotten;
	for (const auto& set : file_->slots) {
		for (const Slot& slot : set) {
			if (slot.cookie != 0) {
				former.connections.push_back(continuation_from(slot));
			}
		}
	}
	former_ = std::move(former);
}

/// In place of an earlier entry, else in a free slot, else of the one whose peer closed longest ago.
void Continuity::keep(const Continuation& continuation) {
	const auto set = set_of(*file_, continuation.cookie);
	auto slot = std::find_if(set.begin(), set.end(), [&](const Slot& candidate) {
		return candidate.cookie == continuation.cookie;
	});
	if (slot == set.end()) {
		slot = std::min_element(set.begin(), set.end(), [](const Slot& left, const Slot& right) {
			return std::pair(left.cookie != 0, left.fin_ns) <
			       std::pair(right.cookie != 0, right.fin_ns);
		});
		file_->forgotten += slot->cookie != 0 ? 1 : 0;
	}
	set_cookie(*slot, 0);
	slot->fin_ns = continuation.fin_time.value_or(Nanoseconds{}).count();
	slot->write_seq = continuation.write_seq.value_or(0);
	slot->flags = flags_of(continuation);
	slot->verdicts = static_cast<std::uint16_t>(
		std::min<std::uint32_t>(continuation.verdicts, std::numeric_limits<std::uint16_t>::max()));
	set_cookie(*slot, continuation.cookie);
}

void Continuity::drop(std::uint64_t cookie) {
	for (Slot& slot : set_of(*file_, cookie)) {
		if (slot.cookie == cookie) {
			set_cookie(slot, 0);
		}
	}
}

void Continuity::alive(Nanoseconds now, std::uint64_t undecided, std::uint64_t undelivered) {
	if (!std::exchange(begun_, true)) { // a process that never watched leaves what it found
		file_->forgotten = 0;
		file_->stopped_cleanly = 0;
	}
	file_->last_alive_ns = now.count();
	file_->undecided = undecided;
	file_->undelivered = undelivered;
	std::atomic_signal_fence(std::memory_order_seq_cst);
	file_->magic = magic;
}

void Continuity::stopped_cleanly() {
	file_->stopped_cleanly = 1;
}

} // namespace stalesock
