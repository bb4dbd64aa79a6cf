// SPDX-License-Identifier: Apache-2.0
#include "sinks/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION // ours is of no use to anybody
#include <systemd/sd-journal.h>

namespace stalesock {

namespace {

constexpr std::string_view journald_socket = "/run/systemd/journal/socket";

std::string explain(std::string_view what, int error) {
	return fmt::format("{}: {}", what, std::strerror(error)); // NOLINT(concurrency-mt-unsafe)
}

bool owner_runs(const JournalRecord& record) {
	constexpr std::string_view name = "OBJECT_PID=";
	const auto field = std::find_if(record.begin(), record.end(), [&](const std::string& text) {
		return text.starts_with(name);
	});
	if (field == record.end()) {
		return false;
	}
	const int pid = std::atoi(field->c_str() + name.size()); // NOLINT(cert-err34-c): our own number
	return kill(pid, 0) == 0 || errno != ESRCH;
}

} // namespace

JournalDoor::JournalDoor()
	: socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}

JournalDoor::~JournalDoor() {
	if (socket_ >= 0) {
		close(socket_);
	}
}

/// Connected anew each time, because a new journald has a new socket. poll() then says whether the queue of
/// that socket has room. Should others fill it in the moment between this and the sending, the sending waits
/// until journald has read one record.
std::string JournalDoor::objection() const {
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	std::copy(journald_socket.begin(), journald_socket.end(), address.sun_path);
	const auto* generic = reinterpret_cast<const sockaddr*>(&address); // NOLINT
	if (socket_ < 0 || connect(socket_, generic, sizeof(address)) != 0) {
		return explain("journald is not there", errno);
	}
	pollfd room{socket_, POLLOUT, 0};
	if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) {
		return "journald takes no records: its queue is full";
	}
	return {};
}

std::string JournalDoor::send(const JournalRecord& record) const {
	if (std::string problem = objection(); !problem.empty()) {
		return problem;
	}
	std::vector<iovec> fields;
	fields.reserve(record.size());
	for (const std::string& field : record) {
		fields.push_back({const_cast<char*>(field.data()), field.size()}); // NOLINT: only read
	}
	const int result = sd_journal_sendv(fields.data(), static_cast<int>(fields.size()));
	return result < 0 ? explain("journald takes no records", -result) : std::string{};
}

JournalSink::JournalSink(std::size_t limit)
	: JournalSink([door = std::make_shared<JournalDoor>()](
					  const JournalRecord& record) { return door->send(record); },
                  limit) {}

JournalSink::JournalSink(Send send, std::size_t limit)
	: QueuedSink("journal", limit), send_(std::move(send)) {}

std::string JournalSink::deliver(const Item& item, bool late) {
	return send_(for_delivery(item, !late && owner_runs(item)));
}

} // namespace stalesock
