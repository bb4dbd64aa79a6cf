// SPDX-License-Identifier: Apache-2.0
#include "sinks/table.hpp"

#include "model/append.hpp"
#include "model/column_parts.hpp"
#include "sinks/json_field.hpp"
#include "sinks/time_text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stalesock {

namespace {

/// Small enough for a piece to stay in a core's cache until it is written.
constexpr std::size_t rows_at_once = 500;

/// The last field's comma becomes the end of the object.
void close_object(std::string& out) {
	if (out.back() == ',') {
		out.back() = '}';
	} else {
		out += '}';
	}
}

json::Object states_object(const Group& group) {
	json::Object object = json::Object::object();
	for (std::size_t i = 0; i < group.by_state.size(); i++) {
		json::put_nonzero(object, std::string(to_string(static_cast<TcpState>(i))).c_str(),
		                  group.by_state.at(i));
	}
	return object;
}

std::string group_line(GroupBy by, const Group& group) {
	json::Object object;
	object["record"] = "group";
	object["by"] = to_string(by);
	if (!group.key.empty()) {
		object["key"] = group.key;
	}
	if (group.process != nullptr) {
		object["owner"]["pid"] = group.process->pid;
		object["owner"]["command"] = group.process->command;
		json::put(object["owner"], "unit", group.process->unit);
	}
	object["sockets"] = group.sockets;
	object["states"] = states_object(group);
	object["unread_bytes"] = group.unread;
	json::put_coarse_ms(object, "oldest_fin_age_ms", group.oldest_fin);
	json::put(object, "accept_queue", group.accept_queue);
	json::put(object, "accept_limit", group.accept_limit);
	return json::line(object);
}

} // namespace

std::string head_json(const SnapshotHead& head) {
	json::Object object;
	object["time"] = utc_text(head.time);
	object["record"] = "snapshot";
	object["source"] = to_string(head.source);
	object["sockets"] = head.existing;
	object["shown"] = head.shown;
	object["stale"] = head.stale;
	object["namespaces"] = head.namespaces;
	if (!head.hook_class.empty()) {
		object["hook_class"] = head.hook_class;
	}
	object["gaps"] = head.gaps;
	if (head.lost) {
		object["lost"]["dropped"] = head.lost->dropped;
		object["lost"]["missed"] = head.lost->missed;
		object["lost"]["inferred"] = head.lost->inferred;
	}
	if (!head.hook_class.empty()) {
		json::Object verdicts = json::Object::object();
		for (const auto& [name, count] : head.verdicts) {
			verdicts[name] = count;
		}
		object["verdicts_last_minute"] = verdicts;
	}
	return json::line(object);
}

JsonTable::JsonTable(const Columns& columns) {
	for (std::size_t i = 0; i <= static_cast<std::size_t>(Section::line); i++) {
		const auto section = static_cast<Section>(i);
		const std::string_view name = to_string(section);
		Part part{name.empty() ? std::string{} : fmt::format(R"("{}":{{)", name), {}};
		for (const Column* column : columns) {
			if (column->section == section) {
				part.fields.push_back({column, fmt::format(R"("{}":)", column->field)});
			}
		}
		if (!part.fields.empty()) {
			parts_.push_back(std::move(part));
		}
	}
}

/// Sections without a known field are left out.
void JsonTable::append(std::string& out, const Row& row) const {
	out += R"({"record":"socket",)";
	for (const Part& part : parts_) {
		const std::size_t start = out.size();
		out += part.opening;
		const std::size_t empty = out.size();
		for (const Field& field : part.fields) {
			field.column->json(out, field.quoted, row);
		}
		if (out.size() == empty) {
			out.resize(start);
		} else if (!part.opening.empty()) {
			close_object(out);
			out += ',';
		}
	}
	close_object(out);
	out += '\n';
}

void JsonTable::lines(std::string& out, const RowReader& reader,
                      std::span<const SocketEntry> sockets,
                      std::span<const std::uint32_t> wanted) const {
	out.clear();
	for (const std::uint32_t index : wanted) {
		append(out, reader.read(sockets[index]));
	}
}

bool JsonTable::write(const SnapshotHead& head, const RowReader& reader,
                      std::span<const SocketEntry> sockets, std::span<const std::uint32_t> wanted,
                      const Output& output, Helper& helper) const {
	if (!output(head_json(head) + '\n')) {
		return false;
	}
	const auto make = [&](std::string& text, std::size_t piece) {
		const auto rest = wanted.subspan(piece * rows_at_once);
		lines(text, reader, sockets, rest.first(std::min(rows_at_once, rest.size())));
	};
	return write_pieces((wanted.size() + rows_at_once - 1) / rows_at_once, make, output, helper);
}

bool write_json_groups(GroupBy by, const SnapshotHead& head, std::span<const Group> groups,
                       const Output& output) {
	if (!output(head_json(head) + '\n')) {
		return false;
	}
	return std::all_of(groups.begin(), groups.end(),
	                   [&](const Group& group) { return output(group_line(by, group) + '\n'); });
}

} // namespace stalesock
