// SPDX-License-Identifier: Apache-2.0
#include "app/top.hpp"

#include "app/exit_codes.hpp"
#include "app/snapshot_view.hpp"
#include "app/standard_streams.hpp"
#include "app/verdict_watch.hpp"
#include "sinks/text.hpp"
#include "sinks/time_text.hpp"
#include "tui/screen.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <future>
#include <poll.h>
#include <unistd.h>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

bool has_hung_up(int descriptor) {
	pollfd terminal{descriptor, POLLIN, 0};
	return ::poll(&terminal, 1, 0) > 0 && (terminal.revents & (POLLHUP | POLLERR)) != 0;
}

/// Lines, one snapshot after another.
class BatchTop {
  public:
	explicit BatchTop(const TopConfig& config)
		: config_(config), view_(config, helper_), verdicts_(config, log_) {}

	int run() {
		verdicts_.arm(loop_);
		loop_.every(config_.interval, [this] { show(); });
		loop_.on_hang_up(STDOUT_FILENO, [this] { loop_.stop(); });
		show();
		if (left_ != 0) {
			loop_.run();
		}
		return exit_code_for_output(output_.error());
	}

  private:
	void show() {
		view_.take(&log_);
		SnapshotHead head = view_.head();
		head.gaps.insert(head.gaps.end(), verdicts_.gaps().begin(), verdicts_.gaps().end());
		head.hook_class = verdicts_.hook_class();
		head.lost = verdicts_.lost();
		head.verdicts = log_.last_minute(head.time);
		const TextOptions options = StandardOutput::text_options(config_.head, config_.colour);
		const bool taken = view_.write(
			head, options, [this](std::string_view text) { return output_.write(text); });
		left_ -= left_ > 0 && config_.iterations ? 1 : 0;
		if (!taken || left_ == 0) {
			left_ = 0;
			loop_.stop();
		}
	}

	const TopConfig& config_;
	EventLoop loop_{SIGINT, SIGTERM};
	Helper helper_;
	SnapshotView view_;
	ConnectionLog log_;
	VerdictWatch verdicts_;
	StandardOutput output_;
	std::uint64_t left_ = config_.iterations.value_or(1);
};

View::Options view_options(const TopConfig& config) {
	return {config.filter, config.columns, config.sort, config.reverse, config.by};
}

/// A screen. Snapshots are taken by another thread, so that neither keys nor drawing wait for the kernel.
class ScreenTop {
  public:
	explicit ScreenTop(const TopConfig& config)
		: config_(config), collector_(config, helper_), verdicts_(config, log_),
		  view_(view_options(config)), screen_(config.colour && wants_colour(STDOUT_FILENO)) {}

	int run();

  private:
	struct Snapshot {
		SocketTable table;
		Moment taken;
		std::optional<RowReader> reader;
	};

	void collect();
	void poll();
	bool receive();
	bool read_keys();
	void update();
	void draw();
	[[nodiscard]] Snapshot& next() { return snapshots_.at(1 - current_); }

	const TopConfig& config_;
	EventLoop loop_{SIGINT, SIGTERM, SIGHUP};
	Helper helper_;
	Collector collector_;
	ConnectionLog log_;
	VerdictWatch verdicts_;
	std::array<Snapshot, 2> snapshots_;
	std::size_t current_ = 0; ///< the one on the screen; the other one is being taken
	std::future<Moment> pending_;
	View view_;
	Screen screen_;
};

int ScreenTop::run() {
	constexpr auto poll_interval = 50ms;
	verdicts_.arm(loop_);
	loop_.every(config_.interval, [this] { collect(); });
	loop_.every(poll_interval, [this] { poll(); });
	loop_.on_readable(STDIN_FILENO, [this] {
		if (has_hung_up(STDIN_FILENO)) {
			loop_.stop();
		} else {
			poll();
		}
	});
	view_.resize(screen_.size());
	collect();
	draw();
	loop_.run();
	return exit_done;
}

void ScreenTop::collect() {
	if (pending_.valid() || view_.is_frozen()) {
		return;
	}
	pending_ = std::async(std::launch::async,
	                      [this, &table = next().table] { return collector_.take(table); });
}

bool ScreenTop::receive() {
	if (!pending_.valid() || pending_.wait_for(0s) != std::future_status::ready) {
		return false;
	}
	Snapshot& snapshot = next();
	snapshot.taken = pending_.get();
	if (view_.is_frozen()) {
		return false;
	}
	snapshot.reader.emplace(snapshot.table, snapshot.taken.boot, &log_);
	current_ = 1 - current_;
	update();
	return true;
}

void ScreenTop::update() {
	const Snapshot& snapshot = snapshots_.at(current_);
	ViewData data;
	data.time = local_text(snapshot.taken.wall).substr(0, 8); // without milliseconds
	data.hook_class = verdicts_.hook_class();
	data.lost = verdicts_.lost().value_or(Lost{}).total();
	data.gaps = snapshot.table.gaps;
	data.gaps.insert(data.gaps.end(), verdicts_.gaps().begin(), verdicts_.gaps().end());
	data.verdicts = log_.last_minute(snapshot.taken.wall);
	data.recent = log_.recent();
	data.sockets = snapshot.table.sockets;
	data.reader = &*snapshot.reader;
	view_.update(data);
}

/// True when something was typed, or the terminal has another size.
bool ScreenTop::read_keys() {
	bool any = false;
	for (KeyPress press = screen_.read(); press.key != Key::none; press = screen_.read()) {
		view_.resize(screen_.size());
		view_.press(press);
		any = true;
	}
	return any;
}

void ScreenTop::poll() {
	const bool typed = read_keys();
	const bool received = receive();
	if (view_.wants_to_quit()) {
		loop_.stop();
	} else if (typed || received) {
		draw();
	}
}

void ScreenTop::draw() {
	const SocketEntry* socket = view_.selected();
	if (view_.page() == View::Page::detail && socket != nullptr) {
		view_.tell(log_.story(socket->cookie, screen_.size().columns));
	}
	screen_.draw(view_.draw());
}

} // namespace

int run_top(const TopConfig& config) {
	return config.batch ? BatchTop(config).run() : ScreenTop(config).run();
}

} // namespace stalesock
