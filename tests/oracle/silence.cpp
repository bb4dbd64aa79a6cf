// SPDX-License-Identifier: Apache-2.0
#include "silence.hpp"

#include <netinet/tcp.h>

#include <algorithm>

namespace oracle {

namespace {

class Listening {
  public:
	void hear(const Segment& segment) {
		if (segment.has(TH_SYN))
			last_sent_ = last_received_ = segment.time;
		else if (segment.sent)
			hear_sent(segment);
		else
			hear_received(segment);
	}

	[[nodiscard]] Silence result() && {
		if (next_ > acknowledged_ && flight_.has_value())
			silence_.outstanding = flight_;
		return std::move(silence_);
	}

  private:
	void hear_sent(const Segment& segment) {
		if (segment.payload == 0 || segment.sequence < next_) {
			hear_sent_again(segment);
			return;
		}
		if (acknowledged_ == next_)
			flight_ = Silence::Flight{segment.time - std::max(last_sent_, last_received_),
			                          segment.time,
			                          segment.time,
			                          {}};
		next_ = segment.end();
		last_sent_ = segment.time;
	}

	void hear_sent_again(const Segment& segment) {
		const bool all_acknowledged = acknowledged_ == next_;
		if (all_acknowledged && segment.sequence + 1 == next_ && segment.payload <= 1)
			silence_.probes.push_back({segment.time});
		if (all_acknowledged || segment.payload == 0 || !flight_)
			return;
		silence_.repeated.push_back(
			{segment.time, flight_->silence, segment.time - flight_->begun});
		flight_->longest_wait = std::max(flight_->longest_wait, segment.time - flight_->last_sent);
		flight_->last_sent = last_sent_ = segment.time;
		next_ = std::max(next_, segment.end());
	}

	void hear_received(const Segment& segment) {
		if (segment.acknowledgement > acknowledged_) {
			acknowledged_ = segment.acknowledgement;
			flight_.reset(); // part of it arrived
		}
		for (Probe& probe : silence_.probes)
			probe.answered = true;
		if (segment.payload != 0)
			last_received_ = segment.time;
	}

	Silence silence_;
	std::uint32_t next_ = 1;
	std::uint32_t acknowledged_ = 1; ///< of what we sent
	Nanoseconds last_sent_{};
	Nanoseconds last_received_{};
	std::optional<Silence::Flight> flight_;
};

} // namespace

Silence silence_of(const View& view) {
	Listening listening;
	for (const Segment& segment : view.segments) {
		if (segment.has(TH_FIN) || segment.has(TH_RST))
			break;
		listening.hear(segment);
	}
	return std::move(listening).result();
}

} // namespace oracle
