// SPDX-License-Identifier: Apache-2.0
#include "verdict/settings.hpp"

#include <algorithm>
#include <span>

namespace stalesock {

namespace {

struct Row {
	std::string_view command;
	bool begins; ///< the command name only begins like this: "python3.11", "php-fpm8.2"
	std::string_view setting;
};

constexpr std::string_view node =
	"timeout of http.Agent, freeSocketTimeout in agentkeepalive, keepAliveTimeout in undici";
constexpr std::string_view apache_proxy = "ttl of ProxyPass";

// Each name is from the program's own documentation. What only turns on TCP keepalive probes is left out: they
// do not extend an HTTP idle timeout.
constexpr Row clients[] = {
	// ngx_http_upstream_module. Not the directive of the same name in http or server, which is for clients.
	// lua-nginx-module has a pool of its own.
	{"nginx", false,
     "keepalive_timeout in the upstream block, lua_socket_keepalive_timeout for Lua cosockets"},
	// Configuration manual, server options: each delay, half of the idle connections are closed.
	{"haproxy", false,
     "pool-purge-delay of the server, which closes half of the idle ones each time"},
	// config.core.v3.HttpProtocolOptions; one hour when not set.
	{"envoy", false, "common_http_protocol_options.idle_timeout of the cluster"},
	{"traefik", false, "serversTransport.forwardingTimeouts.idleConnTimeout"},
	{"caddy", false, "keepalive in the http transport of reverse_proxy"},
	// mod_proxy: time to live for inactive connections.
	{"apache2", false, apache_proxy},
	{"httpd", false, apache_proxy},
	// HttpClientBuilder and PoolingHttpClientConnectionManager; module java.net.http, in seconds; HikariConfig.
	{"java", false,
     "evictIdleConnections and setValidateAfterInactivity in Apache HttpClient, "
     "jdk.httpclient.keepalive.timeout in java.net.http, maxLifetime in HikariCP"},
	// System.Net.Http.
	{"dotnet", false, "SocketsHttpHandler.PooledConnectionIdleTimeout"},
	// http.Agent destroys free sockets that are idle for so long; of one in use it only emits 'timeout'.
	{"node", false, node},
	{"node-MainThread", false, node},
	// aiohttp.TCPConnector, httpx.Limits, sqlalchemy.create_engine; urllib3 has been asked for one (its issue 3184).
	{"python", true,
     "keepalive_timeout in aiohttp, keepalive_expiry in httpx, pool_recycle in SQLAlchemy; "
     "requests and urllib3 have none"},
	{"ruby", true, "keep_alive_timeout in Net::HTTP"},
	// curl_easy_setopt; the tool has no option for it.
	{"curl", false, "CURLOPT_MAXAGE_CONN in libcurl; --keepalive-time does not help"},
	// The same option in PHP's curl extension.
	{"php-fpm", true, "CURLOPT_MAXAGE_CONN in curl"},
	// pgbouncer.ini.
	{"pgbouncer", false, "server_idle_timeout"},
	{"psql", false, "psql has none; idle_session_timeout of the server"},
	{"mysql", false, "mysql has none; wait_timeout of the server"},
	{"mariadb", false, "mariadb has none; wait_timeout of the server"},
};

constexpr std::string_view apache = "KeepAliveTimeout";
constexpr std::string_view node_server = "server.keepAliveTimeout";
constexpr std::string_view puma = "persistent_timeout of Puma";

constexpr Row servers[] = {
	// ngx_http_core_module.
	{"nginx", false, "keepalive_timeout in http, server or location"},
	{"apache2", false, apache},
	{"httpd", false, apache},
	{"lighttpd", false, "server.max-keep-alive-idle"},
	// Without it timeout http-request holds, without both timeout client; the shorter of it and that one.
	{"haproxy", false, "timeout http-keep-alive, and timeout client if it is shorter"},
	{"envoy", false, "common_http_protocol_options.idle_timeout of the HTTP connection manager"},
	{"traefik", false, "transport.respondingTimeouts.idleTimeout of the entry point"},
	{"caddy", false, "timeouts idle of the server"},
	{"java", false, "keepAliveTimeout of Tomcat's connector, idleTimeout of Jetty's"},
	{"node", false, node_server},
	{"node-MainThread", false, node_server},
	{"gunicorn", true, "--keep-alive of gunicorn"},
	{"uvicorn", true, "--timeout-keep-alive of uvicorn"},
	{"python", true, "--keep-alive of gunicorn, --timeout-keep-alive of uvicorn"},
	{"puma", true, puma},
	{"ruby", true, puma},
	{"postgres", false, "idle_session_timeout"},
	{"pgbouncer", false, "client_idle_timeout"},
	{"mysqld", false, "wait_timeout"},
	{"mariadbd", false, "wait_timeout"},
	{"redis-server", false, "timeout"},
};

// net/http.
constexpr std::string_view go_client = "Transport.IdleConnTimeout in Go";
constexpr std::string_view go_server =
	"Server.IdleTimeout in Go, or ReadTimeout where it is not set";

const Row* row_of(std::span<const Row> rows, std::string_view command) {
	const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
		return candidate.begins ? command.starts_with(candidate.command)
		                        : command == candidate.command;
	});
	return row == rows.end() ? nullptr : &*row;
}

/// "python3" of "/usr/bin/python3 -m app"; of "php-fpm: pool www", all of "php-fpm:".
std::string_view program_of(std::string_view command_line) {
	const std::string_view first = command_line.substr(0, command_line.find(' '));
	const std::size_t slash = first.rfind('/');
	return slash == std::string_view::npos ? first : first.substr(slash + 1);
}

} // namespace

std::string_view pool_setting(std::string_view command, Runtime runtime,
                              std::string_view command_line) {
	const Row* row = row_of(clients, command);
	if (row == nullptr) {
		row = row_of(clients, program_of(command_line));
	}
	if (row != nullptr) {
		return row->setting;
	}
	return runtime == Runtime::go ? go_client : "in Go, for example, Transport.IdleConnTimeout";
}

std::string_view server_setting(std::string_view command, Runtime runtime) {
	if (const Row* const row = row_of(servers, command)) {
		return row->setting;
	}
	return runtime == Runtime::go
	           ? go_server
	           : "its keep-alive timeout (in Go, for example, Server.IdleTimeout)";
}

} // namespace stalesock
