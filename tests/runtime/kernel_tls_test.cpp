// SPDX-License-Identifier: Apache-2.0
// Kernel TLS: the kernel hands its own pages to TCP, so only the length of a record tells what it is. Any keys do: nobody
// decrypts.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <cerrno>
#include <cstring>
#include <functional>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

using namespace runtime;

namespace {

constexpr std::uint16_t versions[] = {TLS_1_2_VERSION, TLS_1_3_VERSION};
constexpr int tcp_ulp = 31; // TCP_ULP, not in every libc
constexpr int sol_tls = 282;
constexpr unsigned char alert = 21;

/// What the kernel adds to a message (AES-GCM): header, nonce or content type, tag.
std::size_t overhead_of(std::uint16_t version) {
	return version == TLS_1_2_VERSION ? 5 + 8 + 16 : 5 + 1 + 16;
}

/// What is sent from now on becomes TLS records. False where the kernel has no TLS.
bool encrypt(int fd, std::uint16_t version) {
	if (setsockopt(fd, IPPROTO_TCP, tcp_ulp, "tls", 3) != 0) {
		CHECK(errno == ENOENT);
		return false;
	}
	tls12_crypto_info_aes_gcm_128 keys{};
	keys.info.version = version;
	keys.info.cipher_type = TLS_CIPHER_AES_GCM_128;
	checked(setsockopt(fd, sol_tls, TLS_TX, &keys, sizeof keys), "TLS_TX");
	return true;
}

void say_close_notify(int fd) {
	char words[] = {1, 0};
	iovec vector{words, sizeof words};
	alignas(cmsghdr) char control[CMSG_SPACE(1)] = {};
	msghdr message{};
	message.msg_iov = &vector;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof control;
	cmsghdr* type = CMSG_FIRSTHDR(&message);
	type->cmsg_level = sol_tls;
	type->cmsg_type = TLS_SET_RECORD_TYPE;
	type->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(type) = alert;
	checked(sendmsg(fd, &message, MSG_NOSIGNAL), "the alert");
}

/// Nothing where the kernel has no TLS.
std::optional<Connection> open_encrypted(std::uint16_t version) {
	Connection connection = open_connection();
	if (!encrypt(connection.active, version)) {
		skip("this kernel has no TLS");
		close_both(connection);
		return std::nullopt;
	}
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size() + overhead_of(version));
	send_all(connection.passive, response);
	receive_exactly(connection.active, response.size());
	stay_idle();
	return connection;
}

const Json& last(const Seen& seen) {
	REQUIRE(!seen.active.empty());
	return seen.active.back();
}

/// What is told of late words of this length, in each version, whether the peer is gone or only silent. None where the
/// kernel has no TLS.
std::vector<Json> late_verdicts(const std::function<void(int)>& say, const std::string& kind,
                                std::size_t bytes) {
	std::vector<Json> verdicts;
	for (const std::uint16_t version : versions) {
		for (const bool peer_is_gone : {true, false}) {
			INFO("version " << std::hex << version << ", the peer is gone: " << peer_is_gone);
			std::optional<Connection> connection = open_encrypted(version);
			if (!connection) {
				return {};
			}
			peer_is_gone ? close_passive(*connection) : half_close_passive(*connection);
			say(connection->active);
			connection->active.close();
			const Seen seen = watch().observe(*connection);
			CHECK(names(seen.active) == Names{"idle_close", kind});
			CHECK(last(seen).at("evidence").at("bytes_after_fin") == bytes + overhead_of(version));
			verdicts.push_back(last(seen));
		}
	}
	return verdicts;
}

} // namespace

TEST_CASE("a late request over kernel TLS is a reuse", "[kernel-tls][late][guest]") {
	const auto ask = [](int fd) {
		send_all(fd, request);
		static_cast<void>(reads_eof(fd)); // it waits for an answer; an RST may have come instead
	};
	late_verdicts(ask, "stale_reuse", request.size());
}

TEST_CASE("a close_notify by kernel TLS is a farewell", "[kernel-tls][farewell][guest]") {
	for (const Json& verdict : late_verdicts(say_close_notify, "farewell_write", 2)) {
		CHECK(verdict.at("confidence") == "likely");
	}
}

TEST_CASE("a file that is sent late over kernel TLS is a reuse", "[kernel-tls][late]") {
	std::optional<Connection> connection = open_encrypted(TLS_1_3_VERSION);
	if (!connection) {
		return;
	}
	half_close_passive(*connection);
	const Descriptor file(checked(memfd_create("file", 0), "the file"));
	send_all(connection->active, request); // first, for a whole record to follow
	checked(ftruncate(file, 4096), "its size");
	CHECK(sendfile(connection->active, file, nullptr, 4096) == 4096);
	CHECK(reads_eof(connection->active)); // it waits for an answer
	connection->active.close();
	const Seen seen = watch().observe(*connection);
	CHECK(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(last(seen).at("evidence").at("bytes_after_fin") ==
	      request.size() + 4096 + 2 * overhead_of(TLS_1_3_VERSION));
}

TEST_CASE("a close_notify by kernel TLS that crosses the peer's FIN is no race",
          "[kernel-tls][farewell]") {
	if (!sees(Sight::head)) {
		return skip("no hook sees a send begin");
	}
	for (const std::uint16_t version : versions) {
		INFO("version " << std::hex << version);
		std::optional<Connection> connection = open_encrypted(version);
		if (!connection) {
			return;
		}
		stay_idle(milliseconds(600)); // reuses are looked at after half a second
		say_close_notify(connection->active);
		connection->passive.close(); // unread bytes: an RST
		connection->active.close();
		const Seen seen = watch().observe(*connection);
		CHECK(names(seen.active) == Names{"farewell_write"});
	}
}
