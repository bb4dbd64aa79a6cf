/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel differences, each naming the kernel change it follows and tested by existence. */
#ifndef STALESOCK_COMPAT_BPF_H
#define STALESOCK_COMPAT_BPF_H

/* Constants that BTF does not carry, from the uapi and net/ headers named. */
#define AF_INET 2           /* linux/socket.h */
#define AF_INET6 10         /* linux/socket.h */
#define SHUTDOWN_BOTH 3     /* include/net/sock.h: SHUTDOWN_MASK */
#define MSG_PEEK 2          /* linux/socket.h */
#define MSG_ERRQUEUE 0x2000 /* likewise */
#define RCV_SHUTDOWN 1      /* net/sock.h */
#define SEND_SHUTDOWN 2     /* net/sock.h */
#define SHUTDOWN_MASK 3     /* net/sock.h */
#define ECONNRESET 104      /* asm-generic/errno.h */
#define EPIPE 32            /* likewise */

/*
 * Which program serves a need is chosen in user/probe/hooks.cpp. Two differences are avoided by what is
 * hooked: the reason of an RST (an argument of tcp_send_reset from 6.10 on) is not read, and
 * LINUX_MIB_TCPKEEPALIVE, the argument of tcp_write_wakeup that changes its number, is not needed where
 * timer_expire_entry tells of a probe. For the cookie of a new child see on_state_change().
 */

/*
 * The keepalive timer. "tcp: introduce icsk->icsk_keepalive_timer" (6.19, and as a fix in 6.1 and 6.12):
 * before it the timer is sk->sk_timer.
 */
struct inet_connection_sock___keepalive_timer {
	struct timer_list icsk_keepalive_timer;
} __attribute__((preserve_access_index));

static __always_inline struct sock *sock_of_keepalive_timer(struct timer_list *timer)
{
	struct inet_connection_sock___keepalive_timer *own = 0;

	if (bpf_core_field_exists(own->icsk_keepalive_timer))
		return (void *)timer - bpf_core_field_offset(own->icsk_keepalive_timer);
	return (void *)timer - bpf_core_field_offset(struct sock, sk_timer);
}

/* Bit fields, which the generated header leaves out. */
struct tcp_options_received___timestamps {
	__u16 saw_tstamp : 1, tstamp_ok : 1;
} __attribute__((preserve_access_index));

/* The same from the socket's side, on a trusted pointer. */
static __always_inline const struct timer_list *
keepalive_timer_of(const struct inet_connection_sock *icsk)
{
	const struct inet_connection_sock___keepalive_timer *old = (const void *)icsk;

	if (bpf_core_field_exists(old->icsk_keepalive_timer))
		return &old->icsk_keepalive_timer;
	return &icsk->icsk_inet.sk.sk_timer;
}

/*
 * "tcp: remove icsk->icsk_timeout" (6.17 cycle): before it the time of the next retransmission was kept apart
 * from the timer, which may expire earlier.
 */
struct inet_connection_sock___timeout {
	unsigned long icsk_timeout;
} __attribute__((preserve_access_index));

static __always_inline __u64 retransmit_time_of(const struct inet_connection_sock *icsk)
{
	const struct inet_connection_sock___timeout *old = (const void *)icsk;

	if (bpf_core_field_exists(old->icsk_timeout))
		return old->icsk_timeout;
	return icsk->icsk_retransmit_timer.expires;
}

/* tcp_keepalive_timer, from a socket: /proc/kallsyms shows addresses only with CAP_SYSLOG. */
static __always_inline __u64 keepalive_function_of(const struct sock *sk)
{
	const struct inet_connection_sock___keepalive_timer *own = (const void *)sk;

	if (bpf_core_field_exists(own->icsk_keepalive_timer))
		return (__u64)BPF_CORE_READ(own, icsk_keepalive_timer.function);
	return (__u64)BPF_CORE_READ(sk, sk_timer.function);
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
