// SPDX-License-Identifier: Apache-2.0
#include "app/verdict_search.hpp"

#include "app/player.hpp"
#include "app/progress.hpp"
#include "app/recording_input.hpp"
#include "app/report.hpp"
#include "model/escape.hpp"

#include <charconv>
#include <fmt/format.h>

namespace stalesock {

namespace {

/// The engine begins an id with the cookie of the socket, in hexadecimal.
std::uint64_t cookie_of(std::string_view id) {
	std::uint64_t cookie = 0;
	std::from_chars(id.data(), id.data() + id.size(), cookie, 16);
	return cookie;
}

/// Keeps the verdicts that are asked for and all that happened to their connection, before and after.
class Witness final : public Sink {
  public:
	Witness(const std::string& id, SearchResult& result)
		: id_(id), cookie_(cookie_of(id)), result_(result), history_(1) {}

	void verdict(const Verdict& verdict, WallTime time) override {
		result_.verdicts++;
		if (is_named(verdict.id, id_) && result_.found.size() < most_found) {
			result_.found.push_back({{verdict, time}, std::nullopt});
		}
	}
	void collapsed(const Collapsed& /*collapsed*/, WallTime /*time*/) override {} // nothing is
	void event(const Event& event, WallTime /*time*/) override {
		if (event.cookie == cookie_) {
			history_.note(event);
		}
	}
	int flush() override { return 0; }

	void finish() {
		const ConnectionHistory* history = history_.find(cookie_);
		for (FoundVerdict& found : result_.found) {
			if (history != nullptr && found.read.verdict.connection.cookie == cookie_) {
				found.history = *history;
			}
		}
	}

  private:
	const std::string& id_;
	std::uint64_t cookie_;
	SearchResult& result_;
	History history_;
};

} // namespace

bool is_named(std::string_view id, std::string_view name) {
	return id == name || (id.starts_with(name) && id.size() > name.size() &&
	                      id[name.size()] == '-' && name.find('-') == std::string_view::npos);
}

SearchResult search_recording(const ExplainConfig& config) {
	SearchResult result;
	RecordingInput recording(config.recording);
	const std::string path = escape_untrusted(config.recording);
	result.where = fmt::format("the recording {}", path);
	Witness witness(config.id, result);
	Player player(recording.reader().header(), {config.max_connections, {}, true, 0, {}}, witness);
	Progress progress(fmt::format("looking through {}", path), recording.size());
	while (const Block* block = recording.reader().next()) {
		player.play(*block);
		progress.update(recording.reader().offset());
	}
	player.finish();
	witness.finish();
	if (const auto& damage = recording.reader().damage()) {
		progress.hide();
		result.damaged = true;
		report(fmt::format("{} is damaged at byte {}: {}; nothing after that is known", path,
		                   damage->offset, damage->what));
	}
	return result;
}

} // namespace stalesock
