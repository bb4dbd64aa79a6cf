/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A snapshot of every socket, written by bpf_seq_write to whoever reads the iterator: no ring, no map, nothing attached to traffic. When a record does not fit, the kernel
 * passes the same object again at the next read().
 */
#ifndef STALESOCK_SOCKETS_BPF_H
#define STALESOCK_SOCKETS_BPF_H

#include "stalesock/snapshot.h"
#include "copy.bpf.h"

/* One moment on two clocks, taken at the first socket: user space tells the length of a jiffy from it. */
__u64 clock_jiffies = 0;
__u64 clock_ns = 0; /* CLOCK_MONOTONIC */

/* inet_connection_sock.icsk_pending, net/inet_connection_sock.h */
#define ICSK_TIME_RETRANS 1
#define ICSK_TIME_PROBE0 3
#define ICSK_TIME_LOSS_PROBE 5
#define ICSK_TIME_REO_TIMEOUT 6

static __always_inline __u32 ticks_until(__u64 expires)
{
	__s64 left = expires - bpf_jiffies64();

	return left > 0 ? left : 0;
}

static __always_inline void fill_common(struct stalesock_socket *record,
					const struct sock_common *common)
{
	record->cookie = common->skc_cookie.counter;
	record->family = common->skc_family;
	record->state = common->skc_state;
	record->local_port = common->skc_num;
	record->remote_port = bpf_ntohs(common->skc_dport);
	copy_addresses(record->local, record->remote, common);
}

/* timer_pending(). Not by a load of the pointer: to verify one takes as long as ten other loads. */
static __always_inline bool is_pending(const struct timer_list *timer)
{
	__u64 pprev = 0;

	bpf_core_read(&pprev, sizeof(pprev), &timer->entry.pprev);
	return pprev != 0;
}

/* As inet_diag tells it (net/ipv4/inet_diag.c, inet_sk_diag_fill). */
static __always_inline void fill_timer(struct stalesock_socket *record,
				       const struct inet_connection_sock *icsk)
{
	const struct timer_list *keepalive = keepalive_timer_of(icsk);

	if (is_pending(keepalive)) {
		record->keepalive_armed = 1;
		record->keepalive_timer_ticks = ticks_until(keepalive->expires);
	}
	switch (icsk->icsk_pending) {
	case ICSK_TIME_RETRANS:
	case ICSK_TIME_REO_TIMEOUT:
	case ICSK_TIME_LOSS_PROBE:
		record->timer = STALESOCK_TIMER_RETRANSMIT;
		record->timer_tries = icsk->icsk_retransmits;
		record->timer_ticks = ticks_until(retransmit_time_of(icsk));
		break;
	case ICSK_TIME_PROBE0:
		record->timer = STALESOCK_TIMER_PERSIST;
		record->timer_tries = icsk->icsk_probes_out;
		record->timer_ticks = ticks_until(retransmit_time_of(icsk));
		break;
	default:
		if (!record->keepalive_armed)
			break;
		record->timer = STALESOCK_TIMER_KEEPALIVE;
		record->timer_tries = icsk->icsk_probes_out;
		record->timer_ticks = record->keepalive_timer_ticks;
	}
}

static __always_inline void fill_keepalive(struct stalesock_socket *record, const struct tcp_sock *tp)
{
	record->keepalive_time_ticks = tp->keepalive_time;
	record->keepalive_interval_ticks = tp->keepalive_intvl;
	record->keepalive_probes = tp->keepalive_probes;
	record->probes_out = tp->inet_conn.icsk_probes_out;
}

static __always_inline __u32 socket_flags(const struct sock *sk)
{
	unsigned long kernel_flags = sk->__sk_common.skc_flags;
	__u32 flags = STALESOCK_S_FULL;

	if (kernel_flags & (1ul << SOCK_DONE))
		flags |= STALESOCK_S_DONE;
	if (kernel_flags & (1ul << SOCK_DEAD))
		flags |= STALESOCK_S_DEAD;
	if (kernel_flags & (1ul << SOCK_KEEPOPEN))
		flags |= STALESOCK_S_KEEPALIVE;
	/* sk_clone_lock leaves a child with its listener's backlog. */
	if (sk->sk_max_ack_backlog)
		flags |= STALESOCK_S_PASSIVE;
	return flags;
}

/* Pacing lets the stamp run ahead. */
static __always_inline __u32 milliseconds_since(__u64 stamp_ns)
{
	__u64 now = bpf_ktime_get_ns();

	return now > stamp_ns ? (now - stamp_ns) / 1000000 : 0;
}

static __always_inline void fill_traffic(struct stalesock_socket *record, const struct tcp_sock *tp)
{
	__u32 now = (__u32)bpf_jiffies64();

	record->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
	/* tcp_rcv_nxt_update counts the FIN as a byte received */
	record->bytes_received = tp->bytes_received - !!(record->flags & STALESOCK_S_DONE);
	record->send_age_ticks = now - tp->lsndtime;
	record->receive_age_ticks = now - tp->inet_conn.icsk_ack.lrcvtime;
	record->ack_age_ticks = now - tp->rcv_tstamp;
	record->unread = tp->rcv_nxt - tp->copied_seq;
	record->unacked = tp->write_seq - tp->snd_una;
	record->retransmits = tp->total_retrans;
	record->srtt_us = tp->srtt_us >> 3;
	if (record->state == TCP_CLOSE_WAIT)
		record->transmit_age_ms = milliseconds_since(tp->tcp_wstamp_ns);
}

static __always_inline void fill_full(struct stalesock_socket *record, const struct tcp_sock *tp)
{
	const struct sock *sk = &tp->inet_conn.icsk_inet.sk;

	record->cookie = bpf_get_socket_cookie((void *)sk);
	record->flags = socket_flags(sk);
	record->shutdown = sk->sk_shutdown;
	if (tp->is_mptcp)
		record->flags |= STALESOCK_S_MPTCP;
	if (record->state == TCP_LISTEN) {
		record->unread = sk->sk_ack_backlog;
		record->unacked = sk->sk_max_ack_backlog;
		return;
	}
	fill_traffic(record, tp);
	fill_keepalive(record, tp);
	fill_timer(record, &tp->inet_conn);
}

/* A FIN_WAIT2 without an owner is kept here too: the substate says which of the two it is. */
static __always_inline void fill_timewait(struct stalesock_socket *record,
					  const struct tcp_timewait_sock *entry)
{
	record->state = entry->tw_sk.tw_substate;
	record->timer = STALESOCK_TIMER_TIMEWAIT;
	record->timer_ticks = ticks_until(entry->tw_sk.tw_timer.expires);
}

static __always_inline void fill_request(struct stalesock_socket *record,
					 const struct tcp_request_sock *entry)
{
	record->retransmits = entry->req.req.num_retrans;
	record->timer = STALESOCK_TIMER_RETRANSMIT;
	record->timer_tries = entry->req.req.num_retrans;
	record->timer_ticks = ticks_until(entry->req.req.rsk_timer.expires);
}

static __always_inline int on_socket(struct seq_file *seq, __u64 number, struct sock_common *common)
{
	const struct tcp_timewait_sock *timewait;
	const struct tcp_request_sock *request;
	struct stalesock_socket record = {};
	const struct tcp_sock *tp;

	if (!number) {
		clock_jiffies = bpf_jiffies64();
		clock_ns = bpf_ktime_get_ns();
	}
	if (!common)
		return 0;
	fill_common(&record, common);
	tp = bpf_skc_to_tcp_sock(common);
	if (tp) {
		if (record.state == TCP_CLOSE)
			return 0;
		fill_full(&record, tp);
	} else if ((timewait = bpf_skc_to_tcp_timewait_sock(common))) {
		fill_timewait(&record, timewait);
	} else if ((request = bpf_skc_to_tcp_request_sock(common))) {
		fill_request(&record, request);
	}
	bpf_seq_write(seq, &record, sizeof(record));
	return 0;
}

#endif
