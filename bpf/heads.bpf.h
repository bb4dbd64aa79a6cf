/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The first bytes of a message that is about to be sent. They are classified here and go nowhere else. */
#ifndef STALESOCK_HEADS_BPF_H
#define STALESOCK_HEADS_BPF_H

#include "compat.bpf.h"
#include "stalesock/heads.h"

/* Of a send whose beginning another hook run has seen. Pages begin with an offset of their own. */
static __always_inline bool is_later_chunk(const struct iov_iter *iter)
{
	__u8 type;

	/* A load: for each send this is all. */
	if (!iter->iov_offset)
		return false;
	type = iter->iter_type;
	return type == bpf_core_enum_value(enum iter_type, ITER_IOVEC) ||
	       type == bpf_core_enum_value(enum iter_type, ITER_KVEC) ||
	       (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
		type == bpf_core_enum_value(enum iter_type, ITER_UBUF));
}

struct message_head {
	__u8 bytes[STALESOCK_HEAD_BYTES];
	__u32 length; /* of all that is sent; 0: it could not be looked at */
};

/* Where the next bytes to be sent lie; nothing for page iterators (sendfile, splice, kernel TLS). */
static __always_inline const void *next_bytes(const struct iov_iter *iter, __u64 *available,
					      bool *in_kernel)
{
	__u8 type = iter->iter_type;
	__u64 offset = iter->iov_offset;
	const struct iovec *vector;

	*in_kernel = false;
	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	    type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		*available = iter->count;
		/* No load: 6.1 takes it for a pointer of the kernel's, to which nothing may be added. */
		return BPF_CORE_READ(iter, ubuf) + offset;
	}
	*in_kernel = type == bpf_core_enum_value(enum iter_type, ITER_KVEC);
	if (!*in_kernel && type != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return 0;
	vector = vector_of(iter);
	*available = BPF_CORE_READ(vector, iov_len) - offset;
	return BPF_CORE_READ(vector, iov_base) + offset;
}

/*
 * A first vector shorter than the header of a TLS record is looked into only if it is all that is sent: a header that is
 * sent apart is as long. False: nothing is visible. A length of 0: something is, and is not looked into.
 */
static __always_inline bool read_head(struct message_head *head, const struct msghdr *msg)
{
	const struct iov_iter *iter = __builtin_preserve_access_index(&msg->msg_iter);
	__u64 available = 0;
	bool in_kernel;
	const void *bytes = next_bytes(iter, &available, &in_kernel);
	__u32 all = (__u32)iter->count;
	__u32 length = STALESOCK_HEAD_BYTES;
	long error;

	if (!bytes || !available)
		return false;
	if (available < STALESOCK_TLS_HEADER && (available < 2 || available != all))
		return true;
	if (available < STALESOCK_HEAD_BYTES)
		length = available;
	/* The compiler knows that it is short; the verifier of 6.1 does not, once it was spilled. */
	barrier_var(length);
	length &= 15;
	if (length > STALESOCK_HEAD_BYTES)
		return true;
	error = in_kernel ? bpf_probe_read_kernel(head->bytes, length, bytes)
			  : bpf_probe_read_user(head->bytes, length, bytes);
	if (error)
		return false;
	head->length = all;
	return true;
}

/* STALESOCK_METHOD* for a request of HTTP; 0 for other bytes, and for bytes that are not visible. */
static __always_inline int http_method_of(const struct msghdr *msg)
{
	struct message_head head = {};

	if (!read_head(&head, msg) || !head.length)
		return 0;
	return stalesock_http_method(head.bytes);
}

#endif
