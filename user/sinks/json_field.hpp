// SPDX-License-Identifier: Apache-2.0
// Filling JSON objects so that what is unknown stays absent.
#pragma once

#include "model/endpoint.hpp"
#include "sinks/time_text.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace stalesock::json {

using Object = nlohmann::ordered_json;

template <typename Value>
void put(Object& object, const char* name, const std::optional<Value>& value) {
	if (value) {
		object[name] = *value;
	}
}

inline void put_coarse_ms(Object& object, const char* name,
                          const std::optional<Nanoseconds>& value) {
	if (value) {
		object[name] = coarse_ms(*value);
	}
}

inline void put_fine_ms(Object& object, const char* name, const std::optional<Nanoseconds>& value) {
	if (value) {
		object[name] = fine_ms(*value);
	}
}

/// For kernel numbers where zero stands for "there is none".
template <typename Value> void put_nonzero(Object& object, const char* name, Value value) {
	if (value != 0) {
		object[name] = value;
	}
}

inline void put_if(Object& object, const char* name, bool value) {
	if (value) {
		object[name] = true;
	}
}

/// Absent while the kernel has chosen neither an address nor a port.
inline void put_endpoint(Object& object, const char* name, const Endpoint& endpoint) {
	if (endpoint.port != 0 || !endpoint.address.is_unspecified()) {
		object[name] = to_string(endpoint);
	}
}

/// The objects of the JSON contract, for those that need more than a line.
[[nodiscard]] Object object_of(const Verdict& verdict, WallTime time);
[[nodiscard]] Object object_of(const Collapsed& collapsed, WallTime time);
[[nodiscard]] Object object_of(const Note& note, WallTime time);

inline std::string line(const Object& object) {
	constexpr int compact = -1;
	constexpr bool ascii_only = true;
	return object.dump(compact, ' ', ascii_only, Object::error_handler_t::replace);
}

} // namespace stalesock::json
