// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include "run.hpp"

#include <CLI/CLI.hpp>

#include <random>

namespace oracle {

std::optional<Options> parse_options(int argc, char** argv) {
	Options options;
	options.seed = std::random_device{}();
	options.program = "stalesock";
	CLI::App app{
		"Compares the verdicts of stalesock with a packet capture of random connections (root)"};
	app.add_option("--connections", options.connections, "How many")
		->check(CLI::Range(1U, most_connections))
		->capture_default_str();
	app.add_option("--jobs", options.jobs, "How many at a time")
		->check(CLI::Range(1U, 1000U))
		->capture_default_str();
	app.add_option("--seed", options.seed, "Repeats the plans of another run");
	CLI::Option* const only =
		app.add_option("--only", options.only,
	                   "Makes this connection of the seed alone, and tells all about it")
			->check(CLI::Range(0U, most_connections - 1));
	app.add_option("--times", options.times, "How often, with --only")
		->check(CLI::Range(1U, 1000U))
		->needs(only)
		->capture_default_str();
	app.add_option("--most-unscored", options.most_unscored,
	               "Fails when a verdict cannot be decided for more sockets than this percentage")
		->check(CLI::Range(0.0, 100.0))
		->capture_default_str();
	app.add_option("--stalesock", options.program, "The program under test")->envname("STALESOCK");
	app.add_option("--save", options.folder,
	               "Keep captures, verdicts, stories and the table in this folder");
	app.add_option("--tell", options.tell,
	               "Also tell the sockets whose behaviour and truth contain this text");
	app.add_flag(
		"--weak", options.weak,
		"The hooks in use do not see writes: wrong verdicts that are not certain are excused");
	app.add_flag(
		"--skips", options.skips,
		"The kernel skips runs of BPF programs: a verdict that is missing once is excused, where "
		"stalesock admits skipped runs");
	app.add_flag("--events", options.events, "Put the raw event stream into the stories");
	app.add_flag("!--no-product", options.with_product, "Only run and classify the connections");
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError& error) {
		app.exit(error);
		return std::nullopt;
	}
	return options;
}

} // namespace oracle
