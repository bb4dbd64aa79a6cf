// SPDX-License-Identifier: Apache-2.0
#include "sinks/story.hpp"

#include "sinks/time_text.hpp"

#include <fmt/format.h>

namespace stalesock {

Story story_of(const Verdict& verdict, WallTime time, const ConnectionHistory* history) {
	Story story = tell(verdict, history);
	story.when = utc_text(time);
	return story;
}

void StorySink::verdict(const Verdict& verdict, WallTime time) {
	text_.verdict(verdict, time);
	const Story story = story_of(verdict, time, history_.find(verdict.connection.cookie));
	DiagramStyle style = options_.style;
	style.texts = false; // they have just been printed
	output_.line(fmt::format("\n{}\n", diagram_of(story, style)));
}

void StorySink::event(const Event& event, WallTime time) {
	history_.note(event);
	if (options_.events) {
		text_.event(event, time);
	}
}

} // namespace stalesock
