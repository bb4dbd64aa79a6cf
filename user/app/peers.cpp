// SPDX-License-Identifier: Apache-2.0
#include "app/peers.hpp"

#include "app/exit_codes.hpp"
#include "app/options.hpp"
#include "app/player.hpp"
#include "app/progress.hpp"
#include "app/recording_input.hpp"
#include "app/report.hpp"
#include "app/snapshot_view.hpp"
#include "app/standard_streams.hpp"
#include "app/state_file.hpp"
#include "model/escape.hpp"
#include "sinks/line_output.hpp"
#include "sinks/peer_json.hpp"
#include "sinks/peer_table.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

namespace stalesock {

namespace {

/// All that a state can have: what it says is to be seen.
constexpr std::size_t most_peers = 1U << 24;

/// Of a recording only what was learned is wanted.
class NoSink final : public Sink {
  public:
	void verdict(const Verdict& /*verdict*/, WallTime /*time*/) override {}
	void collapsed(const Collapsed& /*collapsed*/, WallTime /*time*/) override {}
	int flush() override { return 0; }
};

struct Learned {
	std::vector<const Peer*> peers;
	std::vector<const Listener*> listeners;
	Moment now; ///< boot times of entries are reckoned from it
};

template <typename Entry>
void keep_wanted(std::vector<const Entry*>& entries, const PeersConfig& config) {
	std::erase_if(entries, [&](const Entry* entry) {
		const Endpoint& endpoint = entry->key.endpoint;
		return (config.address && endpoint.address != *config.address) ||
		       (config.port && endpoint.port != *config.port);
	});
}

/// What is not known sorts behind everything.
template <typename Entry> std::int64_t rank(const Entry& entry, PeerOrder order) {
	switch (order) {
	case PeerOrder::timeout: return entry.idle_timeout ? entry.idle_timeout->lowest.count() : -1;
	case PeerOrder::reuse: return entry.longest_reuse ? entry.longest_reuse->gap.count() : -1;
	case PeerOrder::near_misses: return entry.near_misses;
	case PeerOrder::last_seen: return entry.last_seen.count();
	case PeerOrder::endpoint: break;
	}
	return 0;
}

template <typename Entry> void sort_by(std::vector<const Entry*>& entries, PeerOrder order) {
	std::stable_sort(entries.begin(), entries.end(), [&](const Entry* left, const Entry* right) {
		return rank(*left, order) > rank(*right, order);
	});
}

std::size_t table_width() {
	winsize size{};
	const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
	return known ? size.ws_col : widest_table;
}

void put_json(LineOutput& output, const Learned& learned) {
	for (const Peer* const peer : learned.peers) {
		output.line(json_line(*peer, wall_time(peer->last_seen, learned.now)));
	}
	for (const Listener* const listener : learned.listeners) {
		output.line(json_line(*listener, wall_time(listener->last_seen, learned.now)));
	}
}

void put_tables(LineOutput& output, const Learned& learned) {
	const std::size_t width = table_width();
	for (const std::string& line : peer_table(learned.peers, width)) {
		output.line(line);
	}
	if (!learned.peers.empty() && !learned.listeners.empty()) {
		output.line("");
	}
	for (const std::string& line : listener_table(learned.listeners, width)) {
		output.line(line);
	}
}

/// What no file knows: who of a listener's processes has how many connections now.
int show_open(const PeersConfig& config) {
	TableConfig table;
	table.by = GroupBy::listener;
	table.json = config.json;
	if (config.address || config.port) {
		table.filter.local = EndpointPattern{config.address, config.port};
	}
	Helper helper;
	SnapshotView view(table, helper);
	view.take();
	StandardOutput output;
	static_cast<void>(view.write(view.head(), StandardOutput::text_options(true, false),
	                             [&output](std::string_view text) { return output.write(text); }));
	return exit_code_for_output(output.error());
}

int show(Learned learned, const PeersConfig& config) {
	constexpr std::size_t output_limit = 1U << 30;
	constexpr auto forever = std::chrono::hours(24);
	keep_wanted(learned.peers, config);
	keep_wanted(learned.listeners, config);
	sort_by(learned.peers, config.order);
	sort_by(learned.listeners, config.order);
	if (learned.peers.empty() && learned.listeners.empty()) {
		report(config.address ? "nothing was learned of this endpoint" : "nothing was learned yet");
	}
	LineOutput output(STDOUT_FILENO, output_limit);
	if (config.json) {
		put_json(output, learned);
	} else {
		put_tables(output, learned);
	}
	const int code = exit_code_for_output(output.drain(forever));
	return config.open && code == exit_done ? show_open(config) : code;
}

SavedState read_named_state(const std::string& path, bool named) {
	try {
		return read_state_file(path);
	} catch (const StateRefused& refused) {
		throw UsageError(refused.what());
	} catch (const std::system_error& error) {
		throw UsageError(fmt::format("{}{}", error.what(),
		                             named ? ""
		                                   : " (where a running daemon keeps it; --state names "
		                                     "another file, --recording a recording)"));
	}
}

/// As where and when the first one was saved, so that a copy from another host is shown whole; ages go on to now.
Place place_of_reader(const Place& saved, const Moment& now) {
	Place place = saved;
	place.unix_seconds =
		std::chrono::floor<std::chrono::seconds>(now.wall.time_since_epoch()).count();
	place.boot_time +=
		std::chrono::seconds(std::max<std::int64_t>(0, place.unix_seconds - saved.unix_seconds));
	return place;
}

int show_states(const PeersConfig& config) {
	const bool named = !config.states.empty();
	const std::vector<std::string> paths =
		named ? config.states : std::vector<std::string>{default_state_file};
	Moment now = read_clocks();
	std::optional<Place> place;
	Peers peers(most_peers);
	Listeners listeners;
	std::size_t elsewhere = 0;
	for (const std::string& path : paths) {
		const SavedState saved = read_named_state(path, named);
		if (!place) {
			place = place_of_reader(saved.place, now);
		}
		elsewhere += merge_state(saved, *place, peers, listeners).elsewhere;
	}
	if (elsewhere != 0) {
		report(fmt::format("{} endpoints on loopback or link-local addresses are left out: they "
		                   "are another host's, or of an earlier boot",
		                   elsewhere));
	}
	now.boot = place->boot_time;
	return show({peers.sorted(), listeners.sorted(), now}, config);
}

int show_recording(const PeersConfig& config) {
	RecordingInput recording(config.recording);
	const std::string path = escape_untrusted(config.recording);
	NoSink sink;
	Player::Options options;
	options.max_peers = most_peers;
	Player player(recording.reader().header(), options, sink);
	Progress progress(fmt::format("learning from {}", path), recording.size());
	while (const Block* const block = recording.reader().next()) {
		player.play(*block);
		progress.update(recording.reader().offset());
	}
	player.finish();
	progress.hide();
	const Engine& engine = player.engine();
	const int code =
		show({engine.peers().sorted(), engine.listeners().sorted(), player.now()}, config);
	if (const auto& damage = recording.reader().damage()) {
		report(fmt::format("{} is damaged at byte {}: {}; nothing after that is known", path,
		                   damage->offset, damage->what));
		return exit_failed;
	}
	return code;
}

} // namespace

int run_peers(const PeersConfig& config) {
	const bool of_daemon = config.recording.empty() && config.states.empty();
	if (config.open && of_daemon && !std::filesystem::exists(default_state_file)) {
		report(fmt::format("nothing is known to be learned: there is no {}", default_state_file));
		return show_open(config);
	}
	return config.recording.empty() ? show_states(config) : show_recording(config);
}

} // namespace stalesock
