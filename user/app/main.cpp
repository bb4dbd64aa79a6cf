// SPDX-License-Identifier: Apache-2.0
#include "app/daemon.hpp"
#include "app/demo.hpp"
#include "app/doctor.hpp"
#include "app/exit_codes.hpp"
#include "app/explain.hpp"
#include "app/list.hpp"
#include "app/options.hpp"
#include "app/peers.hpp"
#include "app/record.hpp"
#include "app/replay.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "app/top.hpp"
#include "app/watch.hpp"

#include <exception>
#include <variant>

namespace {

using namespace stalesock;

int run(const ShowText& show) {
	return print(show.text);
}
int run(const WatchConfig& config) {
	return run_watch(config);
}
int run(const ListConfig& config) {
	return run_list(config);
}
int run(const TopConfig& config) {
	return run_top(config);
}
int run(const RecordConfig& config) {
	return run_record(config);
}
int run(const ReplayConfig& config) {
	return run_replay(config);
}
int run(const ExplainConfig& config) {
	return run_explain(config);
}
int run(const DaemonCommand& command) {
	return run_daemon(command);
}
int run(const PeersConfig& config) {
	return run_peers(config);
}
int run(const DemoConfig& config) {
	return run_demo(config);
}
int run(const DoctorConfig& config) {
	return run_doctor(config);
}

} // namespace

int main(int argc, char** argv) {
	prepare_standard_streams();
	try {
		const Command command = parse_command_line(argc, argv);
		return std::visit([](const auto& config) { return run(config); }, command);
	} catch (const UsageError& error) {
		report(error.what());
		return exit_usage;
	} catch (const KernelRefusal& error) {
		report(error.what());
		return exit_refused;
	} catch (const std::exception& error) {
		report(error.what());
		return exit_failed;
	}
}
