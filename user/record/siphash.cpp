// SPDX-License-Identifier: Apache-2.0
#include "record/siphash.hpp"

#include <bit>

namespace stalesock {

namespace {

class State {
  public:
	explicit State(const SipKey& key)
		: a_(key[0] ^ 0x736f6d6570736575), b_(key[1] ^ 0x646f72616e646f6d),
		  c_(key[0] ^ 0x6c7967656e657261), d_(key[1] ^ 0x7465646279746573) {}

	void compress(std::uint64_t word) {
		d_ ^= word;
		rounds(2);
		a_ ^= word;
	}

	std::uint64_t finish() {
		c_ ^= 0xff;
		rounds(4);
		return a_ ^ b_ ^ c_ ^ d_;
	}

  private:
	void rounds(int count) {
		for (int i = 0; i < count; i++) {
			a_ += b_;
			b_ = std::rotl(b_, 13) ^ a_;
			a_ = std::rotl(a_, 32);
			c_ += d_;
			d_ = std::rotl(d_, 16) ^ c_;
			a_ += d_;
			d_ = std::rotl(d_, 21) ^ a_;
			c_ += b_;
			b_ = std::rotl(b_, 17) ^ c_;
			c_ = std::rotl(c_, 32);
		}
	}

	std::uint64_t a_;
	std::uint64_t b_;
	std::uint64_t c_;
	std::uint64_t d_;
};

} // namespace

std::uint64_t siphash(const SipKey& key, ByteView bytes) {
	State state(key);
	ByteReader reader(bytes);
	for (std::size_t i = 0; i < bytes.size() / 8; i++) {
		state.compress(reader.number<std::uint64_t>());
	}
	std::uint64_t last = bytes.size() << 56U;
	for (unsigned shift = 0; !reader.empty(); shift += 8) {
		last |= std::uint64_t{reader.number<std::uint8_t>()} << shift;
	}
	state.compress(last);
	return state.finish();
}

} // namespace stalesock
