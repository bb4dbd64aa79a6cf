// SPDX-License-Identifier: Apache-2.0
#include "app/snapshot_view.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stalesock {

namespace {

SnapshotOptions options_for(const TableConfig& config) {
	SnapshotOptions options;
	options.netns = config.netns;
	return options;
}

std::unique_ptr<SnapshotProbe> probe_for(const TableConfig& config, Helper& helper) {
	if (!config.bpf) {
		return nullptr;
	}
	try {
		return std::make_unique<SnapshotProbe>(options_for(config), helper);
	} catch (const KernelRefusal& refusal) {
		throw KernelRefusal(
			fmt::format("{}; --no-bpf shows what NETLINK_SOCK_DIAG tells anybody", refusal.what()));
	}
}

bool shows_units(const TableConfig& config) {
	if (config.filter.unit || config.by == GroupBy::unit || config.columns.empty()) {
		return true;
	}
	const Column* unit = find_column("unit");
	return config.sort == unit ||
	       std::find(config.columns.begin(), config.columns.end(), unit) != config.columns.end();
}

Columns every_column() {
	Columns columns;
	for (const Column& column : all_columns()) {
		columns.push_back(&column);
	}
	return columns;
}

} // namespace

Collector::Collector(const TableConfig& config, Helper& helper)
	: options_(options_for(config)), units_(shows_units(config)),
	  probe_(probe_for(config, helper)) {}

Moment Collector::take(SocketTable& table) {
	if (probe_) {
		probe_->take(table);
	} else {
		take_by_sock_diag(options_, table);
	}
	const Moment taken = read_clocks();
	for (Process& process : table.processes) {
		if (units_ && process.pid != 0) {
			Owner owner;
			owner.source = OwnerSource::scan;
			owner.pid = process.pid;
			owners_.complete(owner, taken.boot, taken.boot);
			process.unit = owner.unit;
		}
	}
	return taken;
}

void TableView::show(const Moment& taken, const Memory* memory) {
	taken_ = taken;
	reader_.emplace(table_, taken_.boot, memory);
	select();
}

void TableView::select() {
	wanted_.clear();
	const bool all = is_empty(config_.filter);
	for (std::uint32_t i = 0; i < table_.sockets.size(); i++) {
		if (all || matches(config_.filter, reader_->read(table_.sockets[i]))) {
			wanted_.push_back(i);
		}
	}
	if (config_.sort != nullptr) {
		sort_by(*config_.sort, config_.reverse, *reader_, table_.sockets, wanted_);
	} else if (config_.reverse) {
		std::reverse(wanted_.begin(), wanted_.end());
	}
}

SnapshotHead TableView::head() const {
	SnapshotHead head;
	head.time = taken_.wall;
	head.source = table_.source;
	head.existing = table_.sockets.size();
	head.shown = wanted_.size();
	head.stale = static_cast<std::uint64_t>(
		std::count_if(wanted_.begin(), wanted_.end(),
	                  [this](std::uint32_t index) { return is_stale(table_.sockets[index]); }));
	head.namespaces = table_.namespaces;
	head.gaps = table_.gaps;
	return head;
}

/// Unless they were asked for, columns in which nothing is known are left out.
Columns TableView::text_columns() const {
	if (!config_.columns.empty()) {
		return config_.columns;
	}
	Columns columns;
	std::string text;
	for (const Column* column : default_columns()) {
		text.clear();
		for (std::size_t i = 0; i < wanted_.size() && text.empty(); i++) {
			column->text(text, reader_->read(table_.sockets[wanted_[i]]));
		}
		if (!text.empty() || wanted_.empty()) {
			columns.push_back(column);
		}
	}
	return columns;
}

bool TableView::write(const SnapshotHead& head, const TextOptions& options,
                      const Output& output) const {
	if (config_.by) {
		const std::vector<Group> groups = group_by(*config_.by, *reader_, table_.sockets, wanted_);
		return config_.json ? write_json_groups(*config_.by, head, groups, output)
		                    : write_text_groups(*config_.by, options, head, groups, output);
	}
	if (config_.json) {
		const JsonTable table(config_.columns.empty() ? every_column() : config_.columns);
		return table.write(head, *reader_, table_.sockets, wanted_, output, helper_);
	}
	return write_text_table(text_columns(), options, head, *reader_, table_.sockets, wanted_,
	                        output);
}

} // namespace stalesock
