// SPDX-License-Identifier: Apache-2.0
// Every way for a program to hand bytes to a socket.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace runtime {

/// Sends something by this call; returns the bytes it says were accepted. Throws when none were.
struct SendCall {
	std::string_view name;
	std::size_t (*send)(int fd);
	/// The kernel is given pages, not bytes: nobody can look at the head of the message.
	bool hides_content = false;
	/// The first vector is too short to be looked into: the message is no known request.
	bool head_is_split = false;
};

const std::vector<SendCall>& send_calls();

} // namespace runtime
