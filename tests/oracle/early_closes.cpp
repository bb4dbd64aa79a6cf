// SPDX-License-Identifier: Apache-2.0
#include "early_closes.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <utility>

namespace oracle {

namespace {

using std::chrono::milliseconds;

/// The contract: a timeout is learned from three closes that differ by no more than 50 ms.
constexpr std::size_t enough = 3;
/// The contract: closes within 0.9 s are one observation.
constexpr Nanoseconds surely_one_moment = milliseconds(850);
constexpr Nanoseconds surely_two_moments = milliseconds(950);
constexpr Nanoseconds surely_agreed = milliseconds(40);
/// Closes this near to each other are judged in either order.
constexpr Nanoseconds same_moment = milliseconds(100);
/// The contract: an answer that took so long is no idle time; what comes so shortly before the FIN is no answer.
constexpr Nanoseconds slow_answer = milliseconds(50);
constexpr Nanoseconds parting = milliseconds(100);
/// Sooner than half of the timeout is early; what is near that is not scored.
constexpr Nanoseconds margin = milliseconds(30);

struct IdleClose {
	Socket* socket = nullptr;
	Nanoseconds time{};
	Nanoseconds idle{}; ///< since the last request, or a slow answer to it
};
using IdleCloses = std::vector<IdleClose>;

/// By FIN and after a request, certain or open: what teaches.
std::optional<IdleClose> idle_close_of(Socket& socket) {
	if (!socket.view.active || !(socket.truth.kinds.contains(Kind::idle_close) ||
	                             socket.truth.unscored.contains(Kind::idle_close)))
		return std::nullopt;
	Nanoseconds last_request{};
	Nanoseconds last_answer{}; ///< and the one that may be a parting word, which comes with the FIN
	Nanoseconds last_word{};
	for (const Segment& segment : socket.view.segments) {
		if (!segment.sent && segment.has(TH_FIN) && last_request != Nanoseconds::zero()) {
			const Nanoseconds answer =
				segment.time - last_word >= parting ? last_word : last_answer;
			const Nanoseconds from = answer - last_request >= slow_answer ? answer : last_request;
			return IdleClose{&socket, segment.time, segment.time - from};
		}
		if (segment.payload == 0)
			continue;
		if (segment.sent)
			last_request = segment.time;
		else if (segment.time - last_word >= parting)
			last_answer = std::exchange(last_word, segment.time);
	}
	return std::nullopt;
}

bool is_open(const IdleClose& close) {
	return close.socket->truth.unscored.contains(Kind::idle_close);
}

void leave_open(Socket& socket, const char* reason) {
	socket.truth.kinds.erase(Kind::idle_close);
	socket.truth.unscored.emplace(Kind::idle_close, reason);
	socket.truth.unscored.emplace(Kind::early_idle_close, reason);
}

/// How many observations these closes are, each of them this long after the one before.
std::size_t moments(const IdleCloses& closes, Nanoseconds length) {
	std::size_t count = 0;
	std::optional<Nanoseconds> last;
	for (const IdleClose& close : closes) {
		if (last && close.time - *last < length)
			continue;
		last = close.time;
		count++;
	}
	return count;
}

/// In the light of those before, none of which was early itself.
void judge(const IdleClose& close, const IdleCloses& before) {
	if (moments(before, surely_one_moment) < enough)
		return;
	const auto by_idle = [](const IdleClose& a, const IdleClose& b) { return a.idle < b.idle; };
	const auto [shortest, longest] = std::minmax_element(before.begin(), before.end(), by_idle);
	if (2 * close.idle > longest->idle + margin)
		return;
	Truth& truth = close.socket->truth;
	const bool any_open = std::any_of(before.begin(), before.end(), is_open);
	if (any_open || moments(before, surely_two_moments) < enough ||
	    longest->idle - shortest->idle > surely_agreed)
		leave_open(*close.socket, "what the server's idle timeout is nobody knows");
	else if (close.time - before.back().time < same_moment)
		leave_open(*close.socket, "closed together with those that teach the timeout");
	else if (2 * close.idle > shortest->idle - margin)
		leave_open(*close.socket, "near half of the server's idle timeout");
	else if (truth.kinds.erase(Kind::idle_close) != 0)
		truth.kinds.insert(Kind::early_idle_close);
	else
		truth.unscored.emplace(Kind::early_idle_close, truth.unscored.at(Kind::idle_close));
}

void judge_peer(IdleCloses& closes) {
	std::sort(closes.begin(), closes.end(),
	          [](const IdleClose& a, const IdleClose& b) { return a.time < b.time; });
	IdleCloses before;
	for (const IdleClose& close : closes) {
		judge(close, before);
		if (close.socket->truth.kinds.contains(Kind::idle_close) || is_open(close))
			before.push_back(close);
	}
}

} // namespace

void judge_early_closes(Sockets& sockets) {
	std::map<std::string, IdleCloses> peers;
	for (auto& [ends, socket] : sockets) {
		if (const auto close = idle_close_of(socket))
			peers[ends.remote].push_back(*close);
	}
	for (auto& [remote, closes] : peers)
		judge_peer(closes);
}

} // namespace oracle
