// SPDX-License-Identifier: Apache-2.0
// What servers on this host do to idle clients, and clients to them.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"

namespace stalesock::test {

namespace {

/// A server on this host with one client after the other.
class Host {
  public:
	/// A client that asks once and whose connection is idle from then on.
	SocketModel client() {
		SocketModel socket(role, ++cookie_);
		apply(socket.open(now));
		socket.receive(now, 100);
		socket.read_all();
		socket.send(now + milliseconds(1), 500);
		socket.acked(now + milliseconds(1));
		return socket;
	}
	void server_closes_after(Nanoseconds idle) {
		SocketModel socket = client();
		apply(socket.close(now += idle));
	}
	void client_closes_after(Nanoseconds idle) {
		SocketModel socket = client();
		apply(socket.peer_fin(now += idle));
	}
	void apply(const Event& event) {
		engine.apply(event, [](const Verdict&) {});
	}
	[[nodiscard]] const Listener* listener() {
		const auto all = engine.listeners().sorted();
		return all.empty() ? nullptr : all.front();
	}

	Engine engine{{100, tick, 10}};
	Nanoseconds now = seconds(1000);
	Role role = Role::passive;

  private:
	std::uint64_t cookie_ = 0;
};

} // namespace

TEST_CASE("our closes of idle clients teach the listener's own timeout", "[peers]") {
	Host host;
	host.server_closes_after(milliseconds(5004));
	host.server_closes_after(milliseconds(5000));
	REQUIRE(host.listener() != nullptr);
	CHECK_FALSE(host.listener()->idle_timeout);
	host.server_closes_after(milliseconds(5008));
	REQUIRE(host.listener()->idle_timeout);
	CHECK(std::chrono::abs(host.listener()->idle_timeout->lowest - seconds(5)) <= tick);
	CHECK(host.listener()->idle_timeout->agreeing == 3);
	CHECK(host.listener()->idle_closes == 3);
	CHECK(host.listener()->client_idle_closes == 0);
	CHECK(host.listener()->command.text() == "client");
	CHECK(to_string(host.listener()->key.endpoint) == "127.0.0.1:41230");
	CHECK(host.listener()->key.netns == 4026531840);
	CHECK(host.engine.peers().counters().known == 0);
}

TEST_CASE("a restart teaches a listener no other timeout", "[peers]") {
	Host host;
	for (int i = 0; i < 4; i++) {
		host.server_closes_after(seconds(5));
	}
	std::vector<SocketModel> clients;
	for (int i = 0; i < 6; i++) {
		clients.push_back(host.client());
	}
	host.now += seconds(1);
	for (SocketModel& client : clients) {
		host.apply(client.close(host.now));
	}
	REQUIRE(host.listener()->idle_timeout);
	CHECK(host.listener()->idle_timeout->lowest >= seconds(5) - tick);
	CHECK(host.listener()->idle_timeout->agreeing == 4);
	CHECK(host.listener()->idle_timeout->remembered == 5);
}

TEST_CASE("clients' closes teach how long they stay", "[peers]") {
	Host host;
	for (int i = 0; i < 3; i++) {
		host.client_closes_after(seconds(60));
	}
	REQUIRE(host.listener() != nullptr);
	REQUIRE(host.listener()->client_timeout);
	CHECK(std::chrono::abs(host.listener()->client_timeout->lowest - seconds(60)) <= tick);
	CHECK(host.listener()->client_idle_closes == 3);
	CHECK_FALSE(host.listener()->idle_timeout);
}

TEST_CASE("only a first FIN on an idle connection that was used is one", "[peers]") {
	Host host;
	SECTION("of a client that we opened to") {
		host.role = Role::active;
		host.server_closes_after(seconds(5));
	}
	SECTION("with the answer") {
		host.server_closes_after(milliseconds(90));
	}
	SECTION("with a request unread") {
		SocketModel socket = host.client();
		socket.receive(host.now += seconds(5), 100);
		host.apply(socket.close(host.now));
	}
	SECTION("with a request unanswered") {
		SocketModel socket = host.client();
		socket.receive(host.now += seconds(1), 100);
		socket.read_all();
		host.apply(socket.close(host.now += seconds(5)));
	}
	SECTION("with an answer not acknowledged") {
		SocketModel socket = host.client();
		socket.send(host.now += milliseconds(10), 500);
		host.apply(socket.close(host.now += seconds(5)));
	}
	SECTION("before anything was answered") {
		SocketModel socket(Role::passive, 99);
		host.apply(socket.open(host.now));
		host.apply(socket.close(host.now += seconds(5)));
	}
	SECTION("after the client's") {
		SocketModel socket = host.client();
		socket.in_state(TcpState::close_wait);
		host.apply(socket.close(host.now += seconds(5)));
	}
	SECTION("a half-close for reading") {
		SocketModel socket = host.client();
		Event event = socket.close(host.now += seconds(5));
		event.shutdown = 1;
		host.apply(event);
	}
	CHECK(host.listener() == nullptr);
}

TEST_CASE("a half-close for writing is our FIN", "[peers]") {
	Host host;
	SocketModel socket = host.client();
	Event event = socket.close(host.now += seconds(5));
	event.shutdown = 2;
	host.apply(event);
	REQUIRE(host.listener() != nullptr);
	CHECK(host.listener()->idle_closes == 1);
}

TEST_CASE("clients' reuses are kept with the longest, and near misses counted", "[peers]") {
	Host host;
	for (int i = 0; i < 3; i++) {
		host.server_closes_after(seconds(5));
	}
	Listeners& listeners = host.engine.listeners();
	const PeerKey key = host.listener()->key;
	listeners.note_reuse(key.endpoint, key.netns, milliseconds(3900), host.now);
	CHECK(host.listener()->near_misses == 0);
	listeners.note_reuse(key.endpoint, key.netns, milliseconds(4500), host.now);
	listeners.note_reuse(key.endpoint, key.netns, milliseconds(4200), host.now);
	CHECK(host.listener()->near_misses == 2);
	CHECK(host.listener()->longest_reuse->gap == milliseconds(4500));
}

} // namespace stalesock::test
