// SPDX-License-Identifier: Apache-2.0
// The names in the schema are those in the code. validate_golden.py looks at the rest.
#include "sinks/sink.hpp"
#include "support/catch.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

namespace stalesock::test {

namespace {

using Names = std::vector<std::string>;

nlohmann::json schema() {
	std::ifstream file(std::string(STALESOCK_TEST_FILES) +
	                   "/../packaging/schema/verdict.schema.json");
	REQUIRE(file.is_open());
	return nlohmann::json::parse(file);
}

Names names_at(const char* pointer) {
	return schema().at(nlohmann::json::json_pointer(std::string("/$defs/") + pointer));
}

/// The names of the values from `first` on, up to the first that is none.
template <typename Enumeration> Names names_from(unsigned first, std::string_view none) {
	Names names;
	for (unsigned value = first;; value++) {
		const std::string_view name = to_string(static_cast<Enumeration>(value));
		if (name == none && value != 0) {
			return names;
		}
		names.emplace_back(name);
	}
}

/// For enumerations whose to_string takes no value outside of them.
template <typename Enumeration> Names names_up_to(Enumeration last) {
	Names names;
	for (unsigned value = 0; value <= static_cast<unsigned>(last); value++) {
		names.emplace_back(to_string(static_cast<Enumeration>(value)));
	}
	return names;
}

} // namespace

TEST_CASE("the schema has every name of a verdict and no other", "[sinks][schema]") {
	CHECK(names_at("verdict/properties/verdict/enum") ==
	      names_up_to(static_cast<VerdictKind>(verdict_kind_count - 1)));
	CHECK(names_at("verdict/properties/severity/enum") == names_up_to(Severity::error));
	CHECK(names_at("verdict/properties/confidence/enum") == names_up_to(Confidence::certain));
	CHECK(names_at("owner/properties/source/enum") == names_from<OwnerSource>(0, "unknown"));
	CHECK(names_at("head/enum") == names_from<PayloadHead>(0, "unknown"));
}

TEST_CASE("the schema has every name that is only there when known", "[sinks][schema]") {
	CHECK(names_at("connection/properties/role/enum") == names_from<Role>(1, "unknown"));
	CHECK(names_at("state/enum") == names_from<TcpState>(1, "UNKNOWN"));
}

TEST_CASE("the schema has every kind of event", "[sinks][schema]") {
	CHECK(names_at("event/properties/event/enum") == names_from<EventKind>(0, "unknown"));
}

TEST_CASE("the schema describes each kind of verdict", "[sinks][schema]") {
	const auto kind = schema()["$defs"]["verdict"]["properties"]["verdict"];
	const std::string description = kind["description"];
	for (const std::string name : kind["enum"]) {
		CAPTURE(name);
		CHECK(description.find(name + ": ") != std::string::npos);
	}
}

} // namespace stalesock::test
