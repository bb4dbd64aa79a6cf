// SPDX-License-Identifier: Apache-2.0
#include "verdict/settings.hpp"

#include <algorithm>
#include <array>

namespace stalesock {

namespace {

struct Row {
	std::string_view command;
	bool begins; ///< the command name only begins like this: "python3.11", "php-fpm8.2"
	std::string_view setting;
};

// Each name is from the program's own documentation. What only turns on TCP keepalive probes is left out: they
// do not extend an HTTP idle timeout.
constexpr std::array<Row, 9> rows{{
	// ngx_http_upstream_module. Not the directive of the same name in http or server, which is for clients.
	{"nginx", false, "keepalive_timeout in the upstream block"},
	// Configuration manual, server options: each delay, half of the idle connections are closed.
	{"haproxy", false,
     "pool-purge-delay of the server, which closes half of the idle ones each time"},
	// config.core.v3.HttpProtocolOptions; one hour when not set.
	{"envoy", false, "common_http_protocol_options.idle_timeout of the cluster"},
	// HttpClientBuilder and PoolingHttpClientConnectionManager; module java.net.http, in seconds.
	{"java", false,
     "evictIdleConnections and setValidateAfterInactivity in Apache HttpClient, "
     "jdk.httpclient.keepalive.timeout in java.net.http"},
	// Node's own http.Agent has none for idle sockets alone.
	{"node", false, "freeSocketTimeout in agentkeepalive, keepAliveTimeout in undici"},
	{"node-MainThread", false, "freeSocketTimeout in agentkeepalive, keepAliveTimeout in undici"},
	// aiohttp.TCPConnector, httpx.Limits; urllib3 has been asked for one (its issue 3184).
	{"python", true,
     "keepalive_timeout in aiohttp, keepalive_expiry in httpx; requests and urllib3 have none"},
	// curl_easy_setopt; the tool has no option for it.
	{"curl", false, "CURLOPT_MAXAGE_CONN in libcurl; --keepalive-time does not help"},
	// The same option in PHP's curl extension.
	{"php-fpm", true, "CURLOPT_MAXAGE_CONN in curl"},
}};

// net/http.
constexpr std::string_view example = "in Go, for example, Transport.IdleConnTimeout";

} // namespace

std::string_view pool_setting(std::string_view command) {
	const auto* const row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
		return candidate.begins ? command.starts_with(candidate.command)
		                        : command == candidate.command;
	});
	return row == rows.end() ? example : row->setting;
}

} // namespace stalesock
