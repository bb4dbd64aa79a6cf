// SPDX-License-Identifier: Apache-2.0
// The MESSAGE_ID of each kind of record in the journal: part of the contract, never changed. The catalog
// (packaging/journal/) explains each of them.
#pragma once

#include "sinks/sink.hpp"

#include <span>
#include <string_view>

namespace stalesock {

/// A kind of record: the name of a verdict, or of a note as in the JSON contract ("start").
struct MessageId {
	std::string_view name;
	std::string_view id; ///< 32 hexadecimal digits
};

[[nodiscard]] std::span<const MessageId> message_ids();

/// Empty for a name that is not in the table.
[[nodiscard]] std::string_view message_id(std::string_view name);

} // namespace stalesock
