// SPDX-License-Identifier: Apache-2.0
#include "app/connection_log.hpp"

#include "app/learned.hpp"
#include "sinks/story.hpp"
#include "sinks/text.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace stalesock {

ConnectionLog::Remembered* ConnectionLog::remember(std::uint64_t cookie) {
	const auto found = connections_.find(cookie);
	if (found != connections_.end()) {
		return &found->second;
	}
	return connections_.size() < most_connections ? &connections_[cookie] : nullptr;
}

void ConnectionLog::tell(Told told) {
	told.line.resize(std::min(told.line.find('\n'), told.line.size()));
	recent_.push_front(std::move(told));
	if (recent_.size() > most_recent) {
		recent_.pop_back();
	}
}

void ConnectionLog::count(const Counted& counted) {
	counted_.push_back(counted);
	if (counted_.size() > most_counted) {
		counted_.pop_front();
	}
}

void ConnectionLog::collapsed(const Collapsed& collapsed, WallTime time) {
	tell({time, std::nullopt, text_line(collapsed, time, false)});
	count({time, collapsed.kind, collapsed.count});
}

void ConnectionLog::verdict(const Verdict& verdict, WallTime time) {
	tell({time, verdict, text_line(verdict, time, false)});
	count({time, verdict.kind, 1});
	Remembered* known = remember(verdict.connection.cookie);
	if (known != nullptr &&
	    (!known->gravest || severity_of(*known->gravest) <= severity_of(verdict.kind))) {
		known->gravest = verdict.kind;
	}
}

/// A connection that ends is forgotten: its cookie is not used again, and no snapshot has it.
void ConnectionLog::event(const Event& event, WallTime /*time*/) {
	history_.note(event);
	if (event.kind == EventKind::end) {
		connections_.erase(event.cookie);
		return;
	}
	if (event.kind != EventKind::open && event.kind != EventKind::peer_fin) {
		return;
	}
	Remembered* known = remember(event.cookie);
	if (known == nullptr) {
		return;
	}
	if (event.kind == EventKind::peer_fin) {
		known->peer_fin = event.time;
		return;
	}
	known->opened = event.time;
	known->role = event.new_state == TcpState::syn_sent ? Role::active : Role::passive;
}

std::optional<ConnectionMemory> ConnectionLog::connection(std::uint64_t cookie) const {
	const auto found = connections_.find(cookie);
	if (found == connections_.end()) {
		return std::nullopt;
	}
	const Remembered& known = found->second;
	ConnectionMemory memory;
	memory.role = known.role;
	if (known.opened != Nanoseconds::zero()) {
		memory.opened = known.opened;
	}
	if (known.peer_fin != Nanoseconds::zero()) {
		memory.peer_fin = known.peer_fin;
	}
	if (known.gravest) {
		memory.verdict = to_string(*known.gravest);
	}
	return memory;
}

std::optional<PeerTimeout> ConnectionLog::peer(const Endpoint& remote, std::uint32_t netns) const {
	return peers_ == nullptr ? std::nullopt : timeout_of(*peers_, remote, netns);
}

std::vector<std::string> ConnectionLog::recent() const {
	std::vector<std::string> lines;
	for (const Told& told : recent_) {
		lines.push_back(told.line);
	}
	return lines;
}

std::vector<std::pair<std::string, std::uint64_t>> ConnectionLog::last_minute(WallTime now) {
	while (!counted_.empty() && now - counted_.front().time > std::chrono::minutes(1)) {
		counted_.pop_front();
	}
	std::array<std::uint64_t, verdict_kind_count> counts{};
	for (const Counted& counted : counted_) {
		counts.at(static_cast<std::size_t>(counted.kind)) += counted.count;
	}
	std::vector<std::pair<std::string, std::uint64_t>> named;
	for (std::size_t i = 0; i < counts.size(); i++) {
		if (counts.at(i) != 0) {
			named.emplace_back(to_string(static_cast<VerdictKind>(i)), counts.at(i));
		}
	}
	std::stable_sort(named.begin(), named.end(), [](const auto& left, const auto& right) {
		return left.second > right.second;
	});
	return named;
}

std::vector<std::string> ConnectionLog::story(std::uint64_t cookie, std::size_t columns) const {
	const auto told = std::find_if(recent_.begin(), recent_.end(), [cookie](const Told& other) {
		return other.verdict && other.verdict->connection.cookie == cookie;
	});
	if (cookie == 0 || told == recent_.end()) {
		return {};
	}
	DiagramStyle style;
	style.width = columns;
	style.ascii = true;
	std::istringstream text(
		diagram_of(story_of(*told->verdict, told->time, history_.find(cookie)), style));
	std::vector<std::string> lines;
	for (std::string line; std::getline(text, line);) {
		lines.push_back(line);
	}
	return lines;
}

} // namespace stalesock
