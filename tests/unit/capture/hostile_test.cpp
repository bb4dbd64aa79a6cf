// SPDX-License-Identifier: Apache-2.0
// Whatever is in a capture, every packet is accounted for and nothing breaks. Most useful with sanitizers.
#include "support/catch.hpp"
#include "support/wire.hpp"

#include <random>

namespace stalesock::test {

namespace {

std::uint64_t accounted_for(const CaptureCounters& counters) {
	return counters.segments + counters.other + counters.fragments + counters.truncated +
	       counters.malformed + counters.copies + counters.stray;
}

constexpr LinkType link_types[] = {LinkType::null,      LinkType::ethernet,  LinkType::raw,
                                   LinkType::loop,      LinkType::linux_sll, LinkType::ipv4,
                                   LinkType::linux_sll2};

class Chaos {
  public:
	explicit Chaos(unsigned seed) : random_(seed) {}

	unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

	/// Few ports and numbers, so that segments meet each other's connections.
	Frame segment() {
		TcpPacket packet;
		const bool forth = below(2) == 0;
		packet.source = static_cast<std::uint16_t>(forth ? 40000 + below(3) : 80);
		packet.destination = static_cast<std::uint16_t>(forth ? 80 : 40000 + below(3));
		packet.sequence = below(4) == 0 ? static_cast<std::uint32_t>(random_()) : below(40);
		packet.acknowledgement = below(4) == 0 ? static_cast<std::uint32_t>(random_()) : below(40);
		packet.flags = below(64);
		packet.window = static_cast<std::uint16_t>(below(3));
		packet.payload = std::string(below(12), "GQ\x17\x15"[below(4)]);
		packet.length = packet.payload.size() + below(3);
		packet.options = Frame(below(12), static_cast<std::uint8_t>(below(9)));
		Ipv4 ip;
		ip.identification = below(200);
		if (!forth) {
			std::swap(ip.source, ip.destination);
		}
		return below(8) == 0 ? ipv6_bytes(packet) : ipv4_bytes(packet, ip);
	}

	void spoil(Frame& frame) {
		for (unsigned times = below(4); times > 0 && !frame.empty(); times--) {
			frame[below(static_cast<unsigned>(frame.size()))] ^=
				static_cast<std::uint8_t>(1U << below(8));
		}
		if (below(4) == 0) {
			frame.resize(below(static_cast<unsigned>(frame.size() + 1)));
		}
	}

  private:
	std::mt19937 random_;
};

} // namespace

TEST_CASE("random segments are all accounted for", "[capture]") {
	for (unsigned seed = 0; seed < 20; seed++) {
		Chaos chaos(seed);
		WireTap tap(1 + seed % 3);
		Nanoseconds time{};
		for (int count = 0; count < 2000; count++) {
			time += std::chrono::microseconds(chaos.below(100'000)) - std::chrono::milliseconds(20);
			tap.take(chaos.segment(), time);
		}
		tap.finish();
		CHECK(tap.counters().packets == 2000);
		CHECK(accounted_for(tap.counters()) == 2000);
	}
}

TEST_CASE("damaged and cut frames of every link type are all accounted for", "[capture]") {
	std::uint64_t segments = 0;
	for (const LinkType type : link_types) {
		Chaos chaos(static_cast<unsigned>(type));
		std::uint64_t events = 0;
		Reconstruction reconstruction(2, [&events](const Event&) { events++; });
		for (int count = 0; count < 5000; count++) {
			Frame frame = chaos.segment();
			if (type == LinkType::ethernet) {
				frame = ethernet_bytes(frame, chaos.below(3) == 0 ? Frame{0x81, 0, 0, 1} : Frame{});
			}
			chaos.spoil(frame);
			const auto length = static_cast<std::uint32_t>(
				chaos.below(5) == 0 ? chaos.below(100'000) : frame.size());
			reconstruction.take(type, frame, length, Nanoseconds(chaos.below(1'000'000'000)));
		}
		reconstruction.finish();
		CHECK(accounted_for(reconstruction.counters()) == 5000);
		segments += reconstruction.counters().segments;
	}
	CHECK(segments > 1000);
}

TEST_CASE("pure noise is accounted for", "[capture]") {
	Chaos chaos(1);
	Reconstruction reconstruction(10, [](const Event&) {});
	for (int count = 0; count < 20'000; count++) {
		Frame noise(chaos.below(120));
		for (std::uint8_t& byte : noise) {
			byte = static_cast<std::uint8_t>(chaos.below(256));
		}
		if (!noise.empty()) { // let half of it look like IP
			noise[0] = chaos.below(2) == 0 ? 0x45 : 0x60;
		}
		reconstruction.take(LinkType::raw, noise, static_cast<std::uint32_t>(noise.size()), {});
	}
	CHECK(accounted_for(reconstruction.counters()) == 20'000);
}

} // namespace stalesock::test
