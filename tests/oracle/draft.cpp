// SPDX-License-Identifier: Apache-2.0
#include "draft.hpp"

namespace oracle {

Step send(Head head, std::size_t size) {
	Step result;
	result.action = Action::send;
	result.head = head;
	result.size = size_of(head, size);
	return result;
}

Step receive(std::size_t size) {
	Step result;
	result.action = Action::receive;
	result.size = size;
	return result;
}

Step pause(Microseconds time) {
	Step result;
	result.action = Action::pause;
	result.time = time;
	return result;
}

Step serve(Microseconds idle, std::size_t request, std::size_t response) {
	Step result;
	result.action = Action::serve;
	result.time = idle;
	result.size = request;
	result.reply = response;
	return result;
}

/// From the first second on, the shortest that the kernel takes.
Step keep_alive(std::size_t probes) {
	Step result;
	result.action = Action::keep_alive;
	result.time = std::chrono::seconds(1);
	result.size = probes;
	return result;
}

Step user_timeout(Microseconds time) {
	Step result;
	result.action = Action::user_timeout;
	result.time = time;
	return result;
}

Step step(Action action) {
	Step result;
	result.action = action;
	return result;
}

Draft::Draft(std::uint64_t seed) : random_(seed), tls(chance(50)) {
	plan.family = chance(35) ? Family::ipv6 : Family::ipv4;
	if (chance(35))
		relay();
}

int Draft::between(int low, int high) {
	return std::uniform_int_distribution<int>(low, high)(random_);
}

Microseconds Draft::between(Microseconds low, Microseconds high) {
	using Distribution = std::uniform_int_distribution<Microseconds::rep>;
	return Microseconds(Distribution(low.count(), high.count())(random_));
}

bool Draft::chance(int percent) {
	return between(1, 100) <= percent;
}

std::size_t Draft::any_size() {
	return static_cast<std::size_t>(chance(60) ? between(1, 600) : between(601, 20'000));
}

std::size_t Draft::segment_size() {
	return static_cast<std::size_t>(chance(60) ? between(1, 600) : between(601, 12'000));
}

std::size_t Draft::page_size() {
	return static_cast<std::size_t>(chance(60) ? between(100, 600) : between(601, 12'000));
}

Head Draft::request_head() const {
	return tls ? Head::tls_request : Head::request;
}

Head Draft::farewell_head() {
	if (!tls)
		return Head::goodbye;
	return chance(50) ? Head::tls_notify : Head::tls_alert;
}

void Draft::relay() {
	plan.path = Path::relayed;
	plan.delay = between(milliseconds(5), milliseconds(30));
}

void Draft::exchange() {
	const std::size_t request = segment_size();
	const std::size_t response = segment_size(); // more would take further round trips
	plan.active.push_back(send(Head::request, request));
	plan.active.push_back(receive(response));
	plan.passive.push_back(receive(request));
	if (chance(30))
		plan.passive.push_back(pause(between(milliseconds(0), milliseconds(5))));
	plan.passive.push_back(send(Head::response, response));
	++turns_made;
}

void Draft::turns(int count) {
	for (int turn = 0; turn < count; ++turn) {
		if (turn != 0)
			plan.active.push_back(pause(between(milliseconds(0), milliseconds(60))));
		exchange();
	}
}

Microseconds Draft::server_idles() {
	const Microseconds idle = between(milliseconds(180), milliseconds(400));
	plan.passive.push_back(pause(idle));
	return idle;
}

Microseconds Draft::arrival(Microseconds idle) const {
	// Both ends start when the open is complete at the server: nothing has crossed the path since.
	return turns_made == 0 ? idle + plan.delay : idle;
}

void Draft::last_words() {
	// 212 bytes from HAProxy, 130 to 200 from MySQL and PostgreSQL.
	const auto size = static_cast<std::size_t>(between(20, 600));
	plan.passive.push_back(tls ? send(Head::tls_notify) : send(Head::response, size));
}

void Draft::server_drains() {
	plan.passive.push_back(step(Action::shut_write));
	plan.passive.push_back(step(Action::receive_to_end));
	plan.passive.push_back(step(Action::close));
}

void Draft::server_shuts() {
	if (chance(25))
		server_drains();
	else
		plan.passive.push_back(step(Action::close));
}

void Draft::server_leaves() {
	if (chance(35))
		last_words();
	server_shuts();
}

void Draft::late_writes() {
	const int count = chance(60) ? 1 : between(2, 4);
	for (int write = 0; write < count; ++write) {
		if (write != 0)
			plan.active.push_back(pause(between(milliseconds(0), milliseconds(30))));
		plan.active.push_back(send(request_head(), any_size()));
	}
}

void Draft::client_waits() {
	plan.active.push_back(step(Action::receive_to_end));
	plan.active.push_back(step(Action::close));
}

void Draft::client_gives_up() {
	if (chance(80))
		client_waits();
	else
		plan.active.push_back(step(Action::close));
}

} // namespace oracle
