// SPDX-License-Identifier: Apache-2.0
// What a table of verdicts is made of: facts that know how sure they are, and columns of them.
#pragma once

#include "verdict/verdict.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace stalesock {

/// A value, how sure it is, and what was taken for granted where it was not seen.
template <typename Value> struct Fact {
	Value value{};
	Confidence confidence = Confidence::certain;
	std::string_view inferred{};
};

template <typename Value> [[nodiscard]] constexpr Fact<Value> seen(Value value) {
	return {value, Confidence::certain, {}};
}

template <typename Value>
[[nodiscard]] constexpr Fact<Value> inferred(Value value, std::string_view what) {
	return {value, Confidence::likely, what};
}

/// Of a fact, and of what is known for certain, which is a plain value.
template <typename Value> [[nodiscard]] constexpr Value value_of(const Fact<Value>& fact) {
	return fact.value;
}
template <typename Value> [[nodiscard]] constexpr Value value_of(const Value& value) {
	return value;
}

/// The values of a column that a row is for. A row that names none is for all, and does not read the fact: so that is
/// nothing its confidence depends on.
template <typename Value> class Of {
  public:
	constexpr Of() = default;
	constexpr Of(Value value)
		: values_(bit(value)) {} // NOLINT(google-explicit-constructor): reads as a table
	constexpr Of(std::initializer_list<Value> values) {
		for (const Value value : values) {
			values_ |= bit(value);
		}
	}

	[[nodiscard]] constexpr bool is_read() const { return values_ != 0; }
	[[nodiscard]] constexpr bool matches(Value value) const {
		return values_ == 0 || (values_ & bit(value)) != 0;
	}

  private:
	static constexpr std::uint8_t bit(Value value) {
		return static_cast<std::uint8_t>(1U << static_cast<unsigned>(value));
	}

	std::uint8_t values_ = 0;
};

} // namespace stalesock
