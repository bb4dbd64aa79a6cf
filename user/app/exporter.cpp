// SPDX-License-Identifier: Apache-2.0
#include "app/exporter.hpp"

#include "model/endpoint.hpp"
#include "probe/descriptor.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <netinet/in.h>
#include <prometheus/exposer.h>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace stalesock {

namespace {

constexpr std::size_t ipv4_offset = 12; ///< of the four bytes in the mapped form

sockaddr_in address_of(const Endpoint& endpoint) {
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(endpoint.port);
	std::memcpy(&address.sin_addr, endpoint.address.bytes.data() + ipv4_offset,
	            sizeof(address.sin_addr));
	return address;
}

/// 0, or why nobody can listen there. The library that will does not say.
int try_to_listen(const Endpoint& endpoint) {
	const sockaddr_in address = address_of(endpoint);
	const Descriptor descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	if (!descriptor.valid()) {
		return errno;
	}
	const int on = 1;
	setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	const bool bound =
		bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
	return bound && listen(descriptor.get(), 1) == 0 ? 0 : errno;
}

std::string explain(int error) {
	std::string text = std::strerror(error); // NOLINT(concurrency-mt-unsafe): no other thread asks
	if (error == EAFNOSUPPORT) {
		text += "; the unit allows no network: Metrics in stalesock(8) says how to open it";
	}
	return text;
}

} // namespace

Exporter::Exporter(std::weak_ptr<prometheus::Collectable> metrics) : metrics_(std::move(metrics)) {}

Exporter::~Exporter() = default;

void Exporter::configure(const std::string& listen) {
	if (listen == listen_) {
		return;
	}
	exposer_.reset();
	problem_.clear();
	listen_ = listen;
	retry();
}

void Exporter::retry() {
	if (!exposer_ && !listen_.empty()) {
		open();
	}
}

void Exporter::open() {
	const int error = try_to_listen(*parse_endpoint(listen_));
	problem_ = error == 0 ? "" : explain(error);
	if (error == 0) {
		try {
			// One scrape at a time, and nobody holds it by asking slowly.
			exposer_ = std::make_unique<prometheus::Exposer>(std::vector<std::string>{
				"listening_ports", listen_, "num_threads", "1", "request_timeout_ms", "5000"});
			exposer_->RegisterCollectable(metrics_);
		} catch (const std::exception& failure) {
			exposer_.reset();
			problem_ = failure.what();
		}
	}
	if (!problem_.empty()) {
		problem_ = fmt::format("metrics cannot be read at {}: {}", listen_, problem_);
	}
}

} // namespace stalesock
