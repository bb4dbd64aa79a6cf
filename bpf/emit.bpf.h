/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a socket to a ring record: reserve, clear, fill, submit, and count what did not fit. */
#ifndef STALESOCK_EMIT_BPF_H
#define STALESOCK_EMIT_BPF_H

#include "compat.bpf.h"
#include "copy.bpf.h"
#include "exchange.bpf.h"

/* A subflow of an MPTCP connection: it may end while the connection, which the application holds, goes on. */
static __always_inline bool is_subflow(const struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);

	return tp && bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp;
}

/*
 * Only plain TCP: SOCK_RAW and netlink sockets pass bpf_skc_to_tcp_sock, MPTCP master sockets have
 * their own protocol number (262). What belongs to MPTCP is left out and counted.
 */
static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if (sk->sk_protocol == IPPROTO_TCP) {
		if (sk->sk_type != SOCK_STREAM || (family != AF_INET && family != AF_INET6))
			return false;
		if (!is_subflow(sk))
			return true;
	} else if (sk->sk_protocol != IPPROTO_MPTCP) {
		return false;
	}
	__sync_fetch_and_add(&mptcp_skipped, 1);
	return false;
}

/* On its way to CLOSE the socket has given skc_num back (inet_put_port); inet_sport still has it. */
static __always_inline __u16 local_port_of(const struct sock *sk)
{
	__u16 port = sk->__sk_common.skc_num;
	struct tcp_sock *tp;

	if (port)
		return port;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	return tp ? bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport) : 0;
}

static __always_inline bool is_wanted(const struct sock *sk)
{
	if (filter_netns && sk->__sk_common.skc_net.net->ns.inum != filter_netns)
		return false;
	if (filter_port && bpf_ntohs(sk->__sk_common.skc_dport) != filter_port &&
	    local_port_of(sk) != filter_port)
		return false;
	return true;
}

/* For events that only matter with their actor: nothing is lost by dropping another's. */
static __always_inline bool is_wanted_actor(void)
{
	return !filter_pid || filter_pid == bpf_get_current_pid_tgid() >> 32;
}

/*
 * A wake-up costs more than the event itself. Below the backlog the consumer's timer is soon enough;
 * at the backlog it is woken once or twice as the mark is passed, not for every event above it.
 */
static __always_inline __u64 submit_flags(void)
{
	__u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (waiting >= wakeup_backlog &&
	    waiting < wakeup_backlog + 3 * sizeof(struct stalesock_event_full))
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline void *reserve(__u32 size)
{
	void *record = bpf_ringbuf_reserve(&events, size, 0);

	if (!record)
		__sync_fetch_and_add(&dropped, 1);
	else
		__builtin_memset(record, 0, size); /* ring records are not zeroed */
	return record;
}

static __always_inline void fill_addresses(struct stalesock_event *event, const struct sock *sk)
{
	event->family = sk->__sk_common.skc_family;
	event->local_port = local_port_of(sk);
	event->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	copy_addresses(event->local, event->remote, &sk->__sk_common);
}

static __always_inline __u32 flags_of(const struct sock *sk)
{
	unsigned long kernel_flags = sk->__sk_common.skc_flags;
	__u32 flags = 0;

	if (kernel_flags & (1ul << SOCK_DONE))
		flags |= STALESOCK_F_DONE;
	if (kernel_flags & (1ul << SOCK_DEAD))
		flags |= STALESOCK_F_DEAD;
	if (kernel_flags & (1ul << SOCK_KEEPOPEN))
		flags |= STALESOCK_F_KEEPALIVE;
	/* sk_clone_lock leaves a child with its listener's backlog; a socket that never was a
	 * listener's has 0. listen(fd, 0) looks the same: then the transitions decide. */
	if (sk->sk_max_ack_backlog)
		flags |= STALESOCK_F_PASSIVE;
	return flags;
}

/* current is the actor only while it owns the socket lock; in softirq it is anybody. */
static __always_inline void fill_actor(struct stalesock_event *event)
{
	struct task_struct *task = bpf_get_current_task_btf();

	event->flags |= STALESOCK_F_OWNED;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->cgroup_id = bpf_get_current_cgroup_id();
	copy_command(event->command, task);
}

static __always_inline void fill_head(struct stalesock_event *event, const struct sock *sk, __u16 kind,
				      __u16 size, int old_state, int new_state)
{
	if (!keepalive_function)
		keepalive_function = keepalive_function_of(sk);
	event->time_ns = bpf_ktime_get_boot_ns();
	event->cookie = bpf_get_socket_cookie((void *)sk);
	event->kind = kind;
	event->size = size;
	event->netns = sk->__sk_common.skc_net.net->ns.inum;
	event->error = sk->sk_err;
	event->old_state = old_state;
	event->new_state = new_state;
	event->shutdown = sk->sk_shutdown;
	event->flags = flags_of(sk);
	fill_addresses(event, sk);
}

/* tcp_receive_window */
static __always_inline __u32 receive_window_of(const struct tcp_sock *tp)
{
	__s32 window = tp->rcv_wup + tp->rcv_wnd - tp->rcv_nxt;

	return window < 0 ? 0 : window;
}

/* Plain loads on a trusted pointer: a third of the cost of BPF_CORE_READ. */
static __always_inline void fill_view(struct stalesock_event_full *event, const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	__u32 now = (__u32)bpf_jiffies64();

	event->clock_us = tp->tcp_mstamp;
	event->first_tx_us = tp->first_tx_mstamp;
	event->delivered_us = tp->delivered_mstamp;
	event->delivered_tx_us = tp->rack.mstamp;
	event->last_tx_ns = tp->tcp_wstamp_ns;
	event->bytes_sent = tp->bytes_sent - tp->bytes_retrans;
	/* tcp_rcv_nxt_update counts the FIN as a byte received */
	event->bytes_received = tp->bytes_received - !!(event->head.flags & STALESOCK_F_DONE);
	event->write_seq = tp->write_seq;
	event->snd_una = tp->snd_una;
	event->rcv_nxt = tp->rcv_nxt;
	event->copied_seq = tp->copied_seq;
	event->rcv_wup = tp->rcv_wup;
	event->send_age_ticks = now - tp->lsndtime;
	event->receive_age_ticks = now - icsk->icsk_ack.lrcvtime;
	event->ack_age_ticks = now - tp->rcv_tstamp;
	event->srtt_us = tp->srtt_us >> 3;
	event->retransmits = tp->total_retrans;
	event->keepalive_time_ticks = tp->keepalive_time;
	event->keepalive_interval_ticks = tp->keepalive_intvl;
	event->echoed_ms = tp->rx_opt.rcv_tsecr;
	event->user_timeout_ms = icsk->icsk_user_timeout;
	event->keepalive_probes = tp->keepalive_probes;
	event->probes_out = icsk->icsk_probes_out;
	event->receive_window = receive_window_of(tp);
	event->bytes_acked = tp->bytes_acked;
	if (icsk->icsk_ulp_ops)
		event->head.flags |= STALESOCK_F_ULP;
}

static __always_inline __u32 flags_of_late(const struct late_state *state)
{
	__u32 flags = 0;

	if (state->reads & LATE_EOF_READ)
		flags |= STALESOCK_F_EOF_READ;
	if (state->reads & LATE_EOF_PEEKED)
		flags |= STALESOCK_F_EOF_PEEKED;
	return flags;
}

static __always_inline void fill_late(struct stalesock_event_late *event,
				      const struct late_state *state)
{
	__u32 flags = STALESOCK_F_LATE;

	if (state->flags & LATE_WRITING)
		flags |= STALESOCK_F_LATE_BEGUN;
	if (state->reads & LATE_READ)
		flags |= STALESOCK_F_LATE_READ;
	if (state->flags & LATE_CONTINUED)
		flags |= STALESOCK_F_LATE_CONTINUED;
	event->full.head.flags |= flags;
	if (state->flags & LATE_FIN_TIMED)
		event->fin_ns = state->fin_ns;
	event->late_ns = state->late_ns;
	event->late_bytes = (__u32)state->bytes;
	event->late_bytes_high = state->bytes >> 32;
	event->late_pid = state->pid;
	event->late_unread = state->unread;
	event->late_copied_seq = state->copied_seq;
	event->late_record_length = state->record_length;
	event->late_writes = state->writes;
	event->full.late_head = state->head;
	__builtin_memcpy(event->late_command, state->command, sizeof(event->late_command));
}

static __always_inline void emit_short(const struct sock *sk, __u16 kind, int old_state, int new_state,
				       __u32 flags, bool with_actor)
{
	struct stalesock_event *event = reserve(sizeof(*event));

	if (!event)
		return;
	fill_head(event, sk, kind, sizeof(*event), old_state, new_state);
	event->flags |= flags;
	if (with_actor && sk->sk_lock.owned)
		fill_actor(event);
	bpf_ringbuf_submit(event, submit_flags());
}

/* Outside the socket's lock, but by the process that called. */
static __always_inline void emit_refused_write(const struct sock *sk, const struct tcp_sock *tp)
{
	struct stalesock_event *event = reserve(sizeof(*event));

	if (!event)
		return;
	fill_head(event, sk, STALESOCK_REFUSED_WRITE, sizeof(*event), TCP_CLOSE, TCP_CLOSE);
	fill_actor(event);
	event->write_seq = tp->write_seq;
	event->copied_seq = tp->copied_seq;
	bpf_ringbuf_submit(event, submit_flags());
}

/* Our FIN after the peer's: with what tells of a write or an end of file whose own hook did not run. */
static __always_inline void emit_release(const struct sock *sk, int old_state, int new_state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct stalesock_event *event;

	if (!tp)
		return;
	event = reserve(sizeof(*event));
	if (!event)
		return;
	fill_head(event, sk, STALESOCK_RELEASED, sizeof(*event), old_state, new_state);
	if (sk->sk_lock.owned)
		fill_actor(event);
	event->write_seq = tp->write_seq;
	event->copied_seq = tp->copied_seq;
	bpf_ringbuf_submit(event, submit_flags());
}

static __always_inline void fill_full(struct stalesock_event_full *event, const struct sock *sk,
				      const struct tcp_sock *tp, __u16 kind, __u16 size, int old_state,
				      int new_state, __u32 flags, bool with_actor)
{
	fill_head(&event->head, sk, kind, size, old_state, new_state);
	event->head.flags |= flags;
	if (with_actor && sk->sk_lock.owned)
		fill_actor(&event->head);
	fill_view(event, tp);
	if (event->head.flags & STALESOCK_F_KEEPALIVE && !event->keepalive_time_ticks)
		event->keepalive_time_ticks =
			sk->__sk_common.skc_net.net->ipv4.sysctl_tcp_keepalive_time;
	fill_exchange(event, sk);
}

/* With the late write, if there was one. */
static __always_inline void emit_view(const struct sock *sk, const struct late_state *state, __u16 kind,
				      int old_state, int new_state, __u32 flags, bool with_actor)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct stalesock_event_full *event;
	struct stalesock_event_late *late;

	if (!tp)
		return;
	if (state)
		flags |= flags_of_late(state);
	if (state && state->bytes) {
		late = reserve(sizeof(*late));
		if (!late)
			return;
		fill_full(&late->full, sk, tp, kind, sizeof(*late), old_state, new_state, flags,
			  with_actor);
		fill_late(late, state);
		bpf_ringbuf_submit(late, submit_flags());
		return;
	}
	event = reserve(sizeof(*event));
	if (!event)
		return;
	fill_full(event, sk, tp, kind, sizeof(*event), old_state, new_state, flags, with_actor);
	bpf_ringbuf_submit(event, submit_flags());
}

static __always_inline void emit_full(const struct sock *sk, const struct late_state *state, __u16 kind,
				      int old_state, int new_state, __u32 flags)
{
	emit_view(sk, state, kind, old_state, new_state, flags, true);
}

/* By an iterator: whoever owns the lock, current is our own process. */
static __always_inline void emit_seen(const struct sock *sk, const struct late_state *state, __u16 kind,
				      int tcp_state)
{
	emit_view(sk, state, kind, tcp_state, tcp_state, 0, false);
}

#endif
