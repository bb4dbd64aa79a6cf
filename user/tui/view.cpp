// SPDX-License-Identifier: Apache-2.0
#include "tui/view.hpp"

#include <algorithm>
#include <utility>

namespace stalesock {

RowIdentity identity_of(const SocketEntry& socket) {
	if (socket.cookie != 0) {
		return {socket.cookie, {}, {}};
	}
	return {0, socket.local, socket.remote};
}

View::View(Options options) : options_(std::move(options)) {
	if (options_.sort == nullptr) {
		options_.sort = find_column("state");
	}
	if (options_.columns.empty()) {
		options_.columns = default_columns();
	}
}

void View::update(const ViewData& data) {
	if (!frozen_) {
		data_ = data;
		arrange();
	}
}

void View::resize(FrameSize size) {
	size_ = size;
	scroll_to_selection();
}

/// Filter, order or group anew, and find the selected connection again.
void View::arrange() {
	order_.clear();
	groups_.clear();
	if (data_.reader == nullptr) {
		return;
	}
	const bool all = is_empty(options_.filter);
	for (std::uint32_t i = 0; i < data_.sockets.size(); i++) {
		if (all || matches(options_.filter, data_.reader->read(data_.sockets[i]))) {
			order_.push_back(i);
		}
	}
	if (options_.by) {
		groups_ = group_by(*options_.by, *data_.reader, data_.sockets, order_);
	} else {
		sort_by(*options_.sort, options_.reverse, *data_.reader, data_.sockets, order_);
	}
	follow();
}

/// Until somebody chooses a row, the first one is selected, whatever it is. Where its connection has gone, the selection stays where it is; the page of that connection says so.
void View::follow() {
	if (!chosen_) {
		selected_ = 0;
	} else if (!options_.by) {
		const auto found = std::find_if(order_.begin(), order_.end(), [this](std::uint32_t index) {
			return identity_of(data_.sockets[index]) == identity_;
		});
		if (found != order_.end()) {
			selected_ = static_cast<std::size_t>(found - order_.begin());
		}
	}
	clamp_selection();
	if (const SocketEntry* socket = selected(); socket != nullptr && page_ == Page::table) {
		identity_ = identity_of(*socket);
	}
}

void View::clamp_selection() {
	selected_ = count() == 0 ? 0 : std::min(selected_, count() - 1);
	scroll_to_selection();
}

std::size_t View::count() const {
	return options_.by ? groups_.size() : order_.size();
}

const SocketEntry* View::selected() const {
	if (options_.by || selected_ >= order_.size()) {
		return nullptr;
	}
	return &data_.sockets[order_[selected_]];
}

void View::move(std::int64_t distance) {
	const std::int64_t wanted = static_cast<std::int64_t>(selected_) + distance;
	selected_ = static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0));
	chosen_ = true;
	clamp_selection();
	if (const SocketEntry* socket = selected()) {
		identity_ = identity_of(*socket);
	}
	scroll_to_selection();
}

void View::scroll_to_selection() {
	const std::size_t rows = std::max<std::size_t>(table_rows(), 1);
	if (selected_ < top_) {
		top_ = selected_;
	} else if (selected_ >= top_ + rows) {
		top_ = selected_ + 1 - rows;
	}
	const std::size_t most = count() > rows ? count() - rows : 0;
	top_ = std::min(top_, most);
}

} // namespace stalesock
