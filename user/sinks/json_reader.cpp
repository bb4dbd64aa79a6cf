// SPDX-License-Identifier: Apache-2.0
#include "sinks/json_reader.hpp"

#include "model/escape.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace stalesock {

namespace {

using Object = nlohmann::json;

[[noreturn]] void refuse(std::string_view field, std::string_view why) {
	throw std::invalid_argument(fmt::format("{}: {}", field, why));
}

template <typename Value>
void get(const Object& object, const char* name, std::optional<Value>& value) {
	const auto found = object.find(name);
	if (found == object.end()) {
		return;
	}
	bool fits = false;
	if constexpr (std::is_same_v<Value, std::string>) {
		fits = found->is_string();
	} else if constexpr (std::is_same_v<Value, bool>) {
		fits = found->is_boolean();
	} else {
		fits = found->is_number_unsigned() &&
		       found->get<std::uint64_t>() <=
		           static_cast<std::uint64_t>(std::numeric_limits<Value>::max());
	}
	if (!fits) {
		refuse(name, "is not what the schema says");
	}
	value = found->get<Value>();
}

void get_ms(const Object& object, const char* name, std::optional<Nanoseconds>& value) {
	const auto found = object.find(name);
	if (found == object.end()) {
		return;
	}
	constexpr double century_ms = 3.2e12;
	const double ms = found->is_number() ? found->get<double>() : -1;
	if (!(ms >= 0 && ms <= century_ms)) {
		refuse(name, "is no time in milliseconds");
	}
	value = Nanoseconds(std::llround(ms * 1e6));
}

std::string text_at(const Object& object, const char* name, bool required) {
	std::optional<std::string> text;
	get(object, name, text);
	if (required && !text) {
		refuse(name, "is missing");
	}
	return text.value_or("");
}

template <typename Value>
Value choice(const Object& object, const char* name,
             std::optional<Value> (*parse)(std::string_view)) {
	const std::string text = text_at(object, name, true);
	const std::optional<Value> value = parse(text);
	if (!value) {
		refuse(name, fmt::format("\"{}\" is not known to this version", escape_untrusted(text)));
	}
	return *value;
}

/// The inverse of to_string, for enumerations whose values are a row.
template <typename Value, Value last> Value choice_or(const std::string& text, Value otherwise) {
	for (int i = 0; i <= static_cast<int>(last); i++) {
		if (to_string(static_cast<Value>(i)) == text) {
			return static_cast<Value>(i);
		}
	}
	return otherwise;
}

Endpoint endpoint_at(const Object& object, const char* name) {
	const std::string text = text_at(object, name, false);
	if (text.empty()) {
		return {};
	}
	const std::optional<Endpoint> endpoint = parse_endpoint(text);
	if (!endpoint) {
		refuse(name, fmt::format("\"{}\" is no endpoint", escape_untrusted(text)));
	}
	return *endpoint;
}

const Object& part(const Object& object, const char* name) {
	static const Object nothing = Object::object();
	const auto found = object.find(name);
	if (found == object.end()) {
		return nothing;
	}
	if (!found->is_object()) {
		refuse(name, "is no object");
	}
	return *found;
}

ConnectionFacts connection_from(const Object& object) {
	ConnectionFacts connection;
	std::optional<std::uint64_t> cookie;
	std::optional<std::uint32_t> netns;
	get(object, "cookie", cookie);
	get(object, "netns", netns);
	connection.cookie = cookie.value_or(0);
	connection.netns = netns.value_or(0);
	connection.ipv6 = text_at(object, "family", false) == "ipv6";
	connection.local = endpoint_at(object, "local");
	connection.remote = endpoint_at(object, "remote");
	connection.role = choice_or<Role, Role::passive>(text_at(object, "role", false), Role::unknown);
	connection.state = choice_or<TcpState, TcpState::new_syn_recv>(text_at(object, "state", false),
	                                                               TcpState::unknown);
	get_ms(object, "age_ms", connection.age);
	return connection;
}

Owner owner_from(const Object& object) {
	Owner owner;
	get(object, "pid", owner.pid);
	get(object, "command", owner.command);
	get(object, "unit", owner.unit);
	get(object, "container", owner.container);
	get(object, "container_runtime", owner.container_runtime);
	get(object, "pod", owner.pod);
	owner.source = choice_or<OwnerSource, OwnerSource::scan>(text_at(object, "source", false),
	                                                         OwnerSource::unknown);
	return owner;
}

/// Of the verdicts that silence brings about.
void get_silence(const Object& object, Evidence& evidence) {
	get_ms(object, "close_wait_ms", evidence.close_wait);
	get(object, "leaked_connections", evidence.leaked);
	get_ms(object, "leaking_ms", evidence.leaking);
	get(object, "accepted", evidence.accepted);
	get(object, "timeout", evidence.timeout);
	get_ms(object, "keepalive_idle_ms", evidence.keepalive_idle);
	get(object, "near_misses", evidence.near_misses);
	get_ms(object, "dropped_after_ms", evidence.dropped_after);
}

Evidence evidence_from(const Object& object) {
	Evidence evidence;
	get_ms(object, "idle_ms", evidence.idle);
	get_ms(object, "send_age_ms", evidence.send_age);
	get_ms(object, "receive_age_ms", evidence.receive_age);
	get_ms(object, "gap_ms", evidence.gap);
	get_ms(object, "fin_to_write_ms", evidence.fin_to_write);
	get_ms(object, "rst_to_write_ms", evidence.rst_to_write);
	get(object, "bytes_after_fin", evidence.bytes_after_fin);
	get(object, "unread_bytes", evidence.unread_bytes);
	get(object, "eof_read", evidence.eof_read);
	get(object, "peeked", evidence.peeked);
	get(object, "rst_received", evidence.rst_received);
	get(object, "rst_sent", evidence.rst_sent);
	get(object, "unacked_at_fin", evidence.unacked_at_fin);
	get(object, "bytes_sent", evidence.bytes_sent);
	get(object, "bytes_received", evidence.bytes_received);
	get(object, "turns", evidence.turns);
	get(object, "late_head", evidence.late_head);
	get(object, "keepalive_probes", evidence.keepalive_probes);
	get(object, "retransmits", evidence.retransmits);
	get_ms(object, "round_trip_ms", evidence.round_trip);
	get_silence(object, evidence);
	return evidence;
}

std::optional<PeerFacts> peer_from(const Object& object) {
	std::optional<Nanoseconds> timeout;
	std::optional<Nanoseconds> spread;
	std::optional<std::uint32_t> observations;
	get_ms(object, "idle_timeout_ms", timeout);
	get_ms(object, "spread_ms", spread);
	get(object, "observations", observations);
	if (!timeout) {
		return std::nullopt;
	}
	PeerFacts peer;
	peer.idle_timeout = *timeout;
	peer.spread = spread.value_or(Nanoseconds::zero());
	peer.observations = observations.value_or(0);
	return peer;
}

std::optional<OtherEnd> other_end_from(const Object& object) {
	std::optional<std::uint64_t> cookie;
	get(object, "cookie", cookie);
	if (!cookie) {
		return std::nullopt;
	}
	OtherEnd other;
	other.cookie = *cookie;
	other.owner = owner_from(object);
	get_ms(object, "fin_age_ms", other.fin_age);
	get_ms(object, "close_age_ms", other.close_age);
	return other;
}

WallTime time_from(const std::string& text) {
	std::tm parts{};
	unsigned microseconds = 0;
	char zone = 0;
	char rest = 0;
	const int fields = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%6u%c%c", &parts.tm_year,
	                               &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
	                               &parts.tm_sec, &microseconds, &zone, &rest);
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	if (fields != 8 || zone != 'Z' || parts.tm_year < 70 || parts.tm_year > 300) {
		refuse("time", fmt::format("\"{}\" is no time", escape_untrusted(text)));
	}
	return WallTime{std::chrono::seconds(timegm(&parts)) + std::chrono::microseconds(microseconds)};
}

Object parsed(std::string_view line) {
	Object object = Object::parse(line, nullptr, false);
	if (!object.is_object()) {
		throw std::invalid_argument("is no JSON object");
	}
	return object;
}

std::optional<ReadVerdict> verdict_from(const Object& object) {
	if (!object.contains("verdict")) {
		return std::nullopt;
	}
	ReadVerdict read;
	Verdict& verdict = read.verdict;
	read.time = time_from(text_at(object, "time", true));
	verdict.time = read.time.time_since_epoch();
	verdict.kind = choice(object, "verdict", parse_verdict_kind);
	verdict.confidence = choice_or<Confidence, Confidence::certain>(
		text_at(object, "confidence", true), Confidence::possible);
	verdict.inferred = text_at(object, "inferred", false);
	verdict.id = text_at(object, "id", true);
	verdict.connection = connection_from(part(object, "connection"));
	verdict.owner = owner_from(part(object, "owner"));
	verdict.evidence = evidence_from(part(object, "evidence"));
	verdict.peer = peer_from(part(object, "peer"));
	verdict.other_end = other_end_from(part(object, "other_end"));
	verdict.message = text_at(object, "message", false);
	verdict.advice = text_at(object, "advice", false);
	return read;
}

constexpr std::string_view journal_prefix = "STALESOCK_";

/// Everything else is a number or a truth value: the schema says so.
bool is_text(std::string_view name) {
	constexpr std::string_view texts[] = {"time",
	                                      "verdict",
	                                      "severity",
	                                      "confidence",
	                                      "inferred",
	                                      "id",
	                                      "message",
	                                      "advice",
	                                      "family",
	                                      "local",
	                                      "remote",
	                                      "role",
	                                      "state",
	                                      "command",
	                                      "unit",
	                                      "container",
	                                      "container_runtime",
	                                      "pod",
	                                      "source",
	                                      "late_head",
	                                      "timeout"};
	return std::find(std::begin(texts), std::end(texts), name) != std::end(texts);
}

void put_field(Object& object, const std::string& name, const std::string& value) {
	Object parsed_value = is_text(name) ? Object(value) : Object::parse(value, nullptr, false);
	object[name] = parsed_value.is_discarded() ? Object(value) : std::move(parsed_value);
}

/// "CONNECTION_REMOTE" is "remote" of the object "connection".
void put_journal_field(Object& object, std::string name, const std::string& value) {
	std::transform(name.begin(), name.end(), name.begin(),
	               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
	for (const std::string_view group : {"connection", "owner", "evidence", "peer", "other_end"}) {
		if (name.starts_with(group) && name.size() > group.size() + 1 &&
		    name[group.size()] == '_') {
			Object& inner = object[std::string{group}];
			if (!inner.is_null() && !inner.is_object()) {
				refuse(group, "is no object");
			}
			put_field(inner, name.substr(group.size() + 1), value);
			return;
		}
	}
	put_field(object, name, value);
}

} // namespace

std::optional<ReadVerdict> read_verdict_line(std::string_view line) {
	return verdict_from(parsed(line));
}

std::optional<ReadVerdict> read_verdict_fields(const std::vector<JournalField>& fields) {
	Object object = Object::object();
	for (const auto& [name, value] : fields) {
		if (name.starts_with(journal_prefix)) {
			put_journal_field(object, name.substr(journal_prefix.size()), value);
		}
	}
	return verdict_from(object);
}

} // namespace stalesock
