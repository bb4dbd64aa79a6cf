// SPDX-License-Identifier: Apache-2.0
// A snapshot as `list` and `top` show it: taken, completed with units, filtered, sorted.
#pragma once

#include "app/clock.hpp"
#include "app/config.hpp"
#include "app/owner_directory.hpp"
#include "model/socket.hpp"
#include "probe/snapshot.hpp"
#include "sinks/table.hpp"

#include <absl/container/flat_hash_map.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

/// Takes snapshots, with units where they are shown. For one thread at a time.
class Collector {
  public:
	/// Loads what takes them. Throws KernelRefusal, which names --no-bpf.
	Collector(const TableConfig& config, Helper& helper);
	/// Fills the table anew; the moment it shows.
	Moment take(SocketTable& table);

  private:
	SnapshotOptions options_;
	bool units_;
	OwnerDirectory owners_;
	std::unique_ptr<SnapshotProbe> probe_; ///< null: by sock_diag
};

/// One snapshot as it was asked for: filtered, sorted, grouped, as text or JSON.
class TableView {
  public:
	TableView(const TableConfig& config, Helper& helper) : config_(config), helper_(helper) {}

	/// To be filled; then shown.
	[[nodiscard]] SocketTable& table() { return table_; }
	/// What is in the table now, taken at that moment. The memory may be null; it is asked until the next one.
	void show(const Moment& taken, const Memory* memory);

	/// What the first line says: all but what concerns hooks.
	[[nodiscard]] SnapshotHead head() const;
	[[nodiscard]] const SocketTable& table() const { return table_; }
	[[nodiscard]] const RowReader& reader() const { return *reader_; }
	/// Indexes of the wanted sockets, in order.
	[[nodiscard]] const std::vector<std::uint32_t>& wanted() const { return wanted_; }
	[[nodiscard]] const Moment& taken() const { return taken_; }

	/// The table as it was asked for, text or JSON. False: the reader has gone.
	[[nodiscard]] bool write(const SnapshotHead& head, const TextOptions& options,
	                         const Output& output) const;

  private:
	void select();
	[[nodiscard]] Columns text_columns() const;

	const TableConfig& config_;
	Helper& helper_;
	SocketTable table_;
	std::optional<RowReader> reader_;
	std::vector<std::uint32_t> wanted_;
	Moment taken_;
};

/// Of this host, now.
class SnapshotView : public TableView {
  public:
	/// Throws what Collector throws.
	SnapshotView(const TableConfig& config, Helper& helper)
		: TableView(config, helper), collector_(config, helper) {}

	/// A new snapshot.
	void take(const Memory* memory = nullptr) { show(collector_.take(table()), memory); }

  private:
	Collector collector_;
};

} // namespace stalesock
