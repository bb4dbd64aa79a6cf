/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel differences, each naming the kernel change it follows and tested by existence. */
#ifndef STALESOCK_COMPAT_BPF_H
#define STALESOCK_COMPAT_BPF_H

/* Constants that BTF does not carry, from the uapi and net/ headers named. */
#define AF_INET 2       /* linux/socket.h */
#define AF_INET6 10     /* linux/socket.h */
#define MSG_PEEK 2      /* linux/socket.h */
#define RCV_SHUTDOWN 1  /* net/sock.h */
#define SEND_SHUTDOWN 2 /* net/sock.h */
#define SHUTDOWN_MASK 3 /* net/sock.h */

/*
 * The keepalive timer. "tcp: move icsk_keepalive_timer to sk->sk_timer" (6.17 cycle): before it the
 * timer is a member of inet_connection_sock.
 */
struct inet_connection_sock___keepalive_timer {
	struct timer_list icsk_keepalive_timer;
} __attribute__((preserve_access_index));

static __always_inline struct sock *sock_of_keepalive_timer(struct timer_list *timer)
{
	struct inet_connection_sock___keepalive_timer *old = 0;

	if (bpf_core_field_exists(old->icsk_keepalive_timer))
		return (void *)timer - bpf_core_field_offset(old->icsk_keepalive_timer);
	return (void *)timer - bpf_core_field_offset(struct sock, sk_timer);
}

/*
 * "iov_iter: overlay struct iovec and ubuf/len" (6.4) renamed iov to __iov. Before "iov_iter: add
 * import_ubuf()" (6.0) and for some time after it, send() has a vector of one instead of ITER_UBUF.
 */
struct iov_iter___iov {
	const struct iovec *iov;
} __attribute__((preserve_access_index));

static __always_inline const struct iovec *vector_of(const struct iov_iter *iter)
{
	const struct iov_iter___iov *old = (const void *)iter;

	if (bpf_core_field_exists(old->iov))
		return BPF_CORE_READ(old, iov);
	return BPF_CORE_READ(iter, __iov);
}

#endif
