// SPDX-License-Identifier: Apache-2.0
#include "support/send_calls.hpp"

#include "support/descriptor.hpp"
#include "support/sockets.hpp"

#include <array>
#include <fcntl.h>
#include <liburing.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace runtime {

namespace {

std::size_t accepted(ssize_t result, const char* call) {
	return static_cast<std::size_t>(checked(result, call));
}

iovec vector_of(std::string_view bytes) {
	return {const_cast<char*>(bytes.data()), bytes.size()};
}

std::array<iovec, 2> head_and_rest() {
	return {vector_of(request.substr(0, 4)), vector_of(request.substr(4))};
}

std::size_t by_send(int fd) {
	return accepted(send(fd, request.data(), request.size(), MSG_NOSIGNAL), "send");
}

std::size_t by_write(int fd) {
	return accepted(write(fd, request.data(), request.size()), "write");
}

std::size_t by_writev(int fd) {
	const auto parts = head_and_rest();
	return accepted(writev(fd, parts.data(), 2), "writev");
}

std::size_t by_sendmsg(int fd) {
	auto parts = head_and_rest();
	msghdr message{};
	message.msg_iov = parts.data();
	message.msg_iovlen = parts.size();
	return accepted(sendmsg(fd, &message, MSG_NOSIGNAL), "sendmsg");
}

/// Two messages; the second is refused when the first has drawn an RST.
std::size_t by_sendmmsg(int fd) {
	auto parts = head_and_rest();
	std::array<mmsghdr, 2> messages{};
	for (std::size_t i = 0; i < messages.size(); ++i) {
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	const int count = checked(sendmmsg(fd, messages.data(), 2, MSG_NOSIGNAL), "sendmmsg");
	std::size_t bytes = messages[0].msg_len;
	if (count == 2) {
		bytes += messages[1].msg_len;
	}
	return bytes;
}

std::size_t by_sendfile(int fd) {
	const Descriptor file(checked(memfd_create("request", MFD_CLOEXEC), "memfd_create"));
	accepted(write(file, request.data(), request.size()), "write to a file");
	off_t start = 0;
	return accepted(sendfile(fd, file, &start, request.size()), "sendfile");
}

std::size_t by_splice(int fd) {
	std::array<int, 2> ends{};
	checked(pipe2(ends.data(), O_CLOEXEC), "pipe2");
	const Descriptor read_end(ends[0]);
	const Descriptor write_end(ends[1]);
	accepted(write(write_end, request.data(), request.size()), "write to a pipe");
	return accepted(splice(read_end, nullptr, fd, nullptr, request.size(), 0), "splice");
}

std::size_t by_zerocopy(int fd) {
	const int on = 1;
	checked(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), "SO_ZEROCOPY");
	return accepted(send(fd, request.data(), request.size(), MSG_NOSIGNAL | MSG_ZEROCOPY),
	                "MSG_ZEROCOPY");
}

/// With IOSQE_ASYNC a worker thread of the kernel sends.
std::size_t through_ring(int fd, unsigned flags) {
	io_uring ring{};
	if (io_uring_queue_init(4, &ring, 0) != 0) {
		throw std::runtime_error("io_uring_queue_init");
	}
	io_uring_sqe* entry = io_uring_get_sqe(&ring);
	io_uring_prep_send(entry, fd, request.data(), request.size(), MSG_NOSIGNAL);
	io_uring_sqe_set_flags(entry, flags);
	io_uring_submit_and_wait(&ring, 1);
	io_uring_cqe* completion = nullptr;
	int result = io_uring_wait_cqe(&ring, &completion);
	if (result == 0) {
		result = completion->res;
	}
	io_uring_queue_exit(&ring);
	if (result < 0) {
		throw std::system_error(-result, std::generic_category(), "io_uring send");
	}
	return static_cast<std::size_t>(result);
}

std::size_t by_ring(int fd) {
	return through_ring(fd, 0);
}

std::size_t by_ring_worker(int fd) {
	return through_ring(fd, IOSQE_ASYNC);
}

} // namespace

const std::vector<SendCall>& send_calls() {
	static const std::vector<SendCall> calls = {
		{"send", by_send},
		{"write", by_write},
		{"writev", by_writev, false, true},
		{"sendmsg", by_sendmsg, false, true},
		{"sendmmsg", by_sendmmsg},
		{"sendfile", by_sendfile, true},
		{"splice", by_splice, true},
		{"MSG_ZEROCOPY", by_zerocopy},
		{"io_uring send", by_ring},
		{"io_uring send in a worker", by_ring_worker},
	};
	return calls;
}

} // namespace runtime
