// SPDX-License-Identifier: Apache-2.0
#include "app/list.hpp"

#include "app/learned.hpp"
#include "app/snapshot_view.hpp"
#include "app/standard_streams.hpp"

namespace stalesock {

int run_list(const ListConfig& config) {
	Helper helper;
	SnapshotView view(config, helper);
	const LearnedTimeouts learned(config.peers_file, read_clocks());
	view.take(&learned);
	SnapshotHead head = view.head();
	if (!learned.problem().empty()) {
		head.gaps.push_back(learned.problem());
	}
	StandardOutput output;
	static_cast<void>(view.write(head, output.text_options(config.head, config.colour),
	                             [&output](std::string_view text) { return output.write(text); }));
	return exit_code_for_output(output.error());
}

} // namespace stalesock
