// SPDX-License-Identifier: Apache-2.0
// A middlebox that forgets connections: nftables in our own network namespace.
#pragma once

#include "support/sockets.hpp"

namespace runtime {

/// Needs nft. Gone with its rules at the end of its life.
class Firewall {
  public:
	Firewall();
	~Firewall();
	Firewall(const Firewall&) = delete;
	Firewall& operator=(const Firewall&) = delete;

	/// What this side sends from now on vanishes.
	void drop(const Side& side);
	/// ... is answered by an RST of the middlebox.
	void reset(const Side& side);
	/// All packets pass again.
	void lift();

  private:
	void refuse(const Side& side, const std::string& how);
};

} // namespace runtime
