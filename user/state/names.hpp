// SPDX-License-Identifier: Apache-2.0
// Field names of the state, for the writer and the reader.
#pragma once

namespace stalesock::state {

inline constexpr const char* version = "stalesock_peers";
inline constexpr const char* host = "host";
inline constexpr const char* boot = "boot";
inline constexpr const char* netns = "netns";
inline constexpr const char* saved_unix = "saved_unix_s";
inline constexpr const char* saved_boot = "saved_boot_s";
inline constexpr const char* peers = "peers";
inline constexpr const char* listeners = "listeners";

inline constexpr const char* endpoint = "endpoint";
inline constexpr const char* own_namespace = "host"; ///< instead of a number
inline constexpr const char* last_seen = "last_seen_age_s";
inline constexpr const char* verdicts = "verdicts";
inline constexpr const char* idle_resets = "idle_resets";
inline constexpr const char* near_misses = "near_misses";
inline constexpr const char* longest_reuse = "longest_reuse";
inline constexpr const char* gap = "gap_ms";
inline constexpr const char* age = "age_s";
inline constexpr const char* command = "command";
// Lists of [value, age in seconds], oldest first; times in ms.
inline constexpr const char* idle_times = "idle_closes";
inline constexpr const char* lifetimes = "lifetimes";
inline constexpr const char* silent_drops = "silent_drops";
inline constexpr const char* request_counts = "request_counts";
inline constexpr const char* client_idle_times = "client_idle_closes";
inline constexpr const char* own_closes = "idle_close_count";
inline constexpr const char* client_closes = "client_idle_close_count";

inline constexpr double steps_per_ms = 10; // Observations::step

} // namespace stalesock::state
