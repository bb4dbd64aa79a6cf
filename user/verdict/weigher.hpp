// SPDX-License-Identifier: Apache-2.0
// How sure a row of a table is: as the least certain of the facts that it reads.
#pragma once

#include "verdict/fact.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace stalesock {

/// A confidence, and all that was taken for granted, as words.
struct Certainty {
	Confidence confidence = Confidence::certain;
	std::string inferred;
};

class Weigher {
  public:
	template <typename Value> void read(const Of<Value>& column, const Fact<Value>& fact) {
		if (column.is_read() && fact.confidence != Confidence::certain) {
			add(fact.confidence, fact.inferred);
		}
	}

	/// Known for certain.
	template <typename Value> void read(const Of<Value>& /*column*/, const Value& /*value*/) {}

	void add(Confidence confidence, std::string_view inferred) {
		result_.confidence = std::min(result_.confidence, confidence);
		if (result_.inferred.find(inferred) != std::string::npos) { // several facts rest on it
			return;
		}
		result_.inferred += result_.inferred.empty() ? "" : "; ";
		result_.inferred += inferred;
	}

	[[nodiscard]] Certainty take() { return std::move(result_); }

  private:
	Certainty result_;
};

} // namespace stalesock
