// SPDX-License-Identifier: Apache-2.0
#include "capture.hpp"

#include <pcap/pcap.h>

#include <stdexcept>

namespace oracle {

namespace {

constexpr int snapshot_length = 192; ///< the longest headers and the first bytes of the payload
constexpr int buffer_size = 64 << 20;
constexpr int batch_timeout_ms = 100;
constexpr std::chrono::milliseconds idle_wait{10};
constexpr std::size_t ethernet_header = 14;

[[noreturn]] void fail(pcap* handle, const std::string& what) {
	const std::string reason = handle == nullptr ? "no memory" : pcap_geterr(handle);
	throw std::runtime_error("capture: " + what + ": " + reason);
}

pcap* open_device(const std::string& device) {
	std::array<char, PCAP_ERRBUF_SIZE> error{};
	pcap* const handle = pcap_create(device.c_str(), error.data());
	if (handle == nullptr)
		throw std::runtime_error("capture: " + std::string(error.data()));
	pcap_set_snaplen(handle, snapshot_length);
	pcap_set_buffer_size(handle, buffer_size);
	pcap_set_timeout(handle, batch_timeout_ms);
	pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
	if (pcap_activate(handle) < 0)
		fail(handle, "opening " + device);
	// pcap_dispatch would wait for a packet on a silent device, and stop() with it.
	if (pcap_setnonblock(handle, 1, error.data()) < 0)
		throw std::runtime_error("capture: " + std::string(error.data()));
	return handle;
}

} // namespace

Capture::Capture(const std::string& device, const std::string& file)
	: handle_(open_device(device)),
	  link_header_(pcap_datalink(handle_) == DLT_EN10MB ? ethernet_header : 0) {
	if (!file.empty() && (dumper_ = pcap_dump_open(handle_, file.c_str())) == nullptr)
		fail(handle_, "writing " + file);
	thread_ = std::thread([this] { run(); });
}

void Capture::run() {
	// NOLINTNEXTLINE(readability-non-const-parameter): the type is libpcap's
	const pcap_handler callback = [](u_char* self, const pcap_pkthdr* header, const u_char* bytes) {
		reinterpret_cast<Capture*>(self)->take(*header, bytes);
	};
	while (true) {
		const bool last_pass = stopping_;
		const int taken = pcap_dispatch(handle_, -1, callback, reinterpret_cast<u_char*>(this));
		if (last_pass && taken <= 0)
			return;
		if (taken <= 0)
			std::this_thread::sleep_for(idle_wait);
	}
}

Capture::~Capture() {
	stop();
	if (dumper_ != nullptr)
		pcap_dump_close(dumper_);
	pcap_close(handle_);
}

void Capture::stop() {
	if (!thread_.joinable())
		return;
	// The kernel hands over a block that is not full after the batch timeout.
	std::this_thread::sleep_for(std::chrono::milliseconds(3 * batch_timeout_ms));
	stopping_ = true;
	thread_.join();
	if (dumper_ != nullptr)
		pcap_dump_flush(dumper_);
}

void Capture::take(const pcap_pkthdr& header, const std::uint8_t* bytes) {
	if (dumper_ != nullptr)
		pcap_dump(reinterpret_cast<u_char*>(dumper_), &header, bytes);
	if (header.caplen <= link_header_)
		return;
	const std::span frame(bytes, header.caplen);
	if (std::optional<Packet> packet = parse_packet(frame.subspan(link_header_))) {
		// The precision is nanoseconds, whatever the field is called.
		packet->time = std::chrono::seconds(header.ts.tv_sec) + Nanoseconds(header.ts.tv_usec);
		packets_.push_back(*packet);
	}
}

unsigned Capture::dropped() const {
	pcap_stat statistics{};
	if (pcap_stats(handle_, &statistics) != 0)
		fail(handle_, "statistics");
	return statistics.ps_drop + statistics.ps_ifdrop;
}

} // namespace oracle
