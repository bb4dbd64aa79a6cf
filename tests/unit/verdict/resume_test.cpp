// SPDX-License-Identifier: Apache-2.0
// A second engine goes on where the first one was killed; with time passed in.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace stalesock::test {

namespace {

class Store final : public ContinuationStore {
  public:
	void keep(const Continuation& continuation) override {
		kept[continuation.cookie] = continuation;
	}
	void drop(std::uint64_t cookie) override { kept.erase(cookie); }

	std::map<std::uint64_t, Continuation> kept;
};

/// One engine after the other.
class Lives {
  public:
	Lives() { begin(); }

	void apply(const Event& event) { engine_->apply(event, collect_); }
	void until(Nanoseconds now) { engine_->on_tick(now, collect_); }
	void finish(Nanoseconds now) { engine_->finish(now, collect_); }
	void kill() { begin(); }
	std::size_t end_resume() { return engine_->end_resume(); }
	[[nodiscard]] std::size_t unmet() const { return engine_->unmet(); }
	[[nodiscard]] EngineCounters counters() const { return engine_->counters(); }

	[[nodiscard]] std::vector<std::string> ids() const {
		std::vector<std::string> ids;
		for (const Verdict& verdict : verdicts) {
			ids.push_back(std::string(to_string(verdict.kind)) + " " + verdict.id);
		}
		return ids;
	}

	Store store;
	std::vector<Verdict> verdicts;

  private:
	void begin() {
		EngineOptions options;
		options.max_connections = 100;
		options.tick = tick;
		options.store = &store;
		engine_ = std::make_unique<Engine>(options);
		std::vector<Continuation> former;
		for (const auto& [cookie, continuation] : store.kept) {
			former.push_back(continuation);
		}
		engine_->resume(former);
	}

	std::unique_ptr<Engine> engine_;
	Engine::Handler collect_ = [this](const Verdict& verdict) { verdicts.push_back(verdict); };
};

using Names = std::vector<std::string>;
constexpr Nanoseconds start = seconds(1000);

/// An idle connection whose peer has closed it.
void begin_story(Lives& lives, SocketModel& socket) {
	lives.apply(socket.open(start));
	socket.turn(start + milliseconds(1), 100, 500);
	lives.apply(socket.peer_fin(start + seconds(2)));
	REQUIRE(lives.ids() == Names{"idle_close 7-1"});
}

} // namespace

TEST_CASE("a late write after a kill is as certain as without it, and its id goes on", "[resume]") {
	Lives lives;
	SocketModel socket;
	begin_story(lives, socket);
	lives.kill();
	lives.apply(socket.inventory(start + seconds(3), seconds(1)));
	CHECK(lives.unmet() == 0);
	CHECK(lives.end_resume() == 0);
	lives.apply(socket.late_write(start + seconds(4), 163));
	lives.apply(socket.reset(start + seconds(4) + milliseconds(1)));

	REQUIRE(lives.ids() == Names{"idle_close 7-1", "stale_reuse 7-2"});
	const Verdict& verdict = lives.verdicts.back();
	CHECK(verdict.confidence == Confidence::certain);
	CHECK(verdict.evidence.fin_to_write == seconds(2));
	CHECK(verdict.evidence.bytes_after_fin == 163U);
	CHECK_FALSE(verdict.evidence.peeked.has_value()); // it may have peeked while nobody watched
	CHECK(lives.store.kept.empty());
}

TEST_CASE("a late write that was told before a kill is not told again", "[resume]") {
	Lives lives;
	SocketModel socket;
	begin_story(lives, socket);
	lives.apply(socket.late_write(start + seconds(3), 163));
	lives.apply(socket.read_after_late_write(start + seconds(3)));
	lives.until(start + seconds(4));
	REQUIRE(lives.ids() == Names{"idle_close 7-1", "stale_reuse 7-2"});
	lives.kill();
	lives.apply(socket.inventory(start + seconds(5), seconds(1)));
	lives.apply(socket.late_write(start + seconds(6), 163));
	lives.until(start + seconds(7));
	CHECK(lives.verdicts.size() == 2);
}

TEST_CASE("bytes written while nobody watched make a verdict that says what it does not know",
          "[resume]") {
	Lives lives;
	SocketModel socket;
	begin_story(lives, socket);
	lives.kill();
	static_cast<void>(socket.late_write(start + seconds(3), 163)); // seen by nobody
	Event found = socket.inventory(start + seconds(4), seconds(1));
	found.late.reset(); // the programs that knew of it have gone
	lives.apply(found);
	CHECK(lives.counters().undecided == 1);
	lives.until(start + seconds(5));

	REQUIRE(lives.ids() == Names{"idle_close 7-1", "stale_reuse 7-2"});
	const Verdict& verdict = lives.verdicts.back();
	CHECK(verdict.confidence == Confidence::likely);
	CHECK(verdict.evidence.bytes_after_fin == 163U);
	CHECK_FALSE(verdict.evidence.fin_to_write.has_value());
	CHECK_FALSE(verdict.evidence.eof_read.has_value());
}

TEST_CASE("what is kept of a connection goes when it does", "[resume]") {
	Lives lives;
	SocketModel socket;
	begin_story(lives, socket);
	CHECK(lives.store.kept.size() == 1);
	lives.apply(socket.close(start + seconds(3)));
	CHECK(lives.store.kept.empty());
}

TEST_CASE("connections that a complete inventory does not meet have ended", "[resume]") {
	Lives lives;
	SocketModel socket;
	begin_story(lives, socket);
	lives.kill();
	CHECK(lives.unmet() == 1);
	CHECK(lives.end_resume() == 1);
	CHECK(lives.unmet() == 0);
	CHECK(lives.store.kept.empty());
}

TEST_CASE("nothing is kept of a connection that is open on both sides", "[resume]") {
	Lives lives;
	SocketModel socket;
	lives.apply(socket.open(start));
	socket.turn(start + milliseconds(1), 100, 500);
	CHECK(lives.store.kept.empty());
}

TEST_CASE("a FIN that was not seen leaves open whether its end of file was read", "[resume]") {
	Lives lives;
	SocketModel socket;
	static_cast<void>(socket.open(start));
	socket.turn(start + milliseconds(1), 100, 500);
	static_cast<void>(socket.peer_fin(start + seconds(2)));
	lives.apply(socket.inventory(start + seconds(3), seconds(1)));
	Event late = socket.late_write(start + seconds(4), 163);
	SECTION("the FIN is still unread: no end of file was read") {
		late.late->unread = 1;
		lives.apply(late);
		lives.finish(start + seconds(5));
		CHECK(lives.verdicts.back().evidence.eof_read == false);
	}
	SECTION("the FIN was taken, with an end of file or with the last bytes before it") {
		late.late->unread = 0;
		lives.apply(late);
		lives.finish(start + seconds(5));
		CHECK_FALSE(lives.verdicts.back().evidence.eof_read.has_value());
	}
	SECTION("it was seen to be read") {
		late.late->unread = 0;
		late.eof_read = true;
		lives.apply(late);
		lives.finish(start + seconds(5));
		CHECK(lives.verdicts.back().evidence.eof_read == true);
	}
	CHECK_FALSE(lives.verdicts.back().evidence.peeked.has_value());
}

} // namespace stalesock::test
