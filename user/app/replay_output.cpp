// SPDX-License-Identifier: Apache-2.0
#include "app/replay_output.hpp"

#include "app/diagram_style.hpp"
#include "sinks/json.hpp"
#include "sinks/story.hpp"
#include "sinks/text.hpp"

#include <unistd.h>

namespace stalesock {

namespace {

/// What one block can become: some ten thousand lines.
constexpr std::size_t output_limit = 256U << 20;
constexpr auto forever = std::chrono::hours(24);

std::unique_ptr<Sink> make_sink(const ReplayConfig& config, LineOutput& output) {
	if (config.json) {
		return std::make_unique<JsonSink>(output);
	}
	const DiagramStyle style = diagram_style({config.ascii, config.colour, 0});
	if (config.explain) {
		return std::make_unique<StorySink>(output,
		                                   StorySink::Options{style.colour, config.events, style});
	}
	return std::make_unique<TextSink>(output, style.colour);
}

} // namespace

ReplayOutput::ReplayOutput(const ReplayConfig& config)
	: output_(STDOUT_FILENO, output_limit), sink_(make_sink(config, output_)) {}

int ReplayOutput::push(Progress& progress) {
	progress.hide();
	return output_.drain(forever);
}

} // namespace stalesock
