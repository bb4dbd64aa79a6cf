// SPDX-License-Identifier: Apache-2.0
#include "app/collapser.hpp"

#include <algorithm>
#include <utility>

namespace stalesock {

namespace {

CollapseKey key_of(const Verdict& verdict) {
	CollapseKey key;
	key.kind = verdict.kind;
	key.remote = verdict.connection.remote;
	if (verdict.connection.role == Role::passive) {
		key.remote.port = 0;
		key.listener = verdict.connection.local.port;
	}
	key.command = verdict.owner.command.value_or("");
	key.unit = verdict.owner.unit.value_or("");
	key.container = verdict.owner.container.value_or("");
	return key;
}

Collapsed begin(const Verdict& verdict) {
	Collapsed sum;
	sum.kind = verdict.kind;
	sum.role = verdict.connection.role;
	sum.local = verdict.connection.local;
	sum.remote = verdict.connection.remote;
	sum.owner = verdict.owner;
	return sum;
}

void count(Collapsed& sum, const Verdict& verdict, WallTime time) {
	sum.since = sum.count == 0 ? time : std::min(sum.since, time);
	sum.until = sum.count == 0 ? time : std::max(sum.until, time);
	sum.last_id = verdict.id;
	sum.count++;
}

} // namespace

Collapser::Collapser(std::uint32_t first, std::size_t limit)
	: first_(first), limit_(std::max<std::size_t>(limit, 1)) {}

bool Collapser::shows(const Verdict& verdict, WallTime time, Nanoseconds now,
                      const Handler& handler) {
	if (first_ == 0) {
		return true;
	}
	expire(now, handler);
	Row& row = row_of(verdict, now, handler);
	if (row.sum.owner.pid != verdict.owner.pid) {
		row.sum.owner.pid.reset();
	}
	if (row.sum.shown < first_) {
		row.sum.shown++;
		return true;
	}
	count(row.sum, verdict, time);
	return false;
}

Collapser::Row& Collapser::row_of(const Verdict& verdict, Nanoseconds now, const Handler& handler) {
	CollapseKey key = key_of(verdict);
	const auto found = index_.find(key);
	if (found != index_.end()) {
		return *found->second;
	}
	if (index_.size() >= limit_) {
		sum_up_oldest(handler);
	}
	const auto row = rows_.insert(rows_.end(), {key, now, begin(verdict)});
	index_.emplace(std::move(key), row);
	return *row;
}

void Collapser::sum_up_oldest(const Handler& handler) {
	const Row row = std::move(rows_.front());
	rows_.pop_front();
	index_.erase(row.key);
	if (row.sum.count != 0) {
		handler(row.sum);
	}
}

void Collapser::expire(Nanoseconds now, const Handler& handler) {
	while (!rows_.empty() && now - rows_.front().begun >= window) {
		sum_up_oldest(handler);
	}
}

void Collapser::finish(const Handler& handler) {
	while (!rows_.empty()) {
		sum_up_oldest(handler);
	}
}

} // namespace stalesock
