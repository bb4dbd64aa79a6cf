/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a socket to a ring record: reserve, clear, fill, submit, and count what did not fit. */
#ifndef STALESOCK_EMIT_BPF_H
#define STALESOCK_EMIT_BPF_H

#include "maps.bpf.h"
#include "compat.bpf.h"
#include "copy.bpf.h"

/*
 * Only plain TCP: SOCK_RAW and netlink sockets pass bpf_skc_to_tcp_sock, MPTCP master sockets have
 * their own protocol number (262) and are left out and counted.
 */
static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if (sk->sk_protocol != IPPROTO_TCP) {
		if (sk->sk_protocol == IPPROTO_MPTCP)
			__sync_fetch_and_add(&mptcp_skipped, 1);
		return false;
	}
	return sk->sk_type == SOCK_STREAM && (family == AF_INET || family == AF_INET6);
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
	if (icsk->icsk_ulp_ops)
		event->head.flags |= STALESOCK_F_ULP;
	if (!baseline_at_fin)
		event->head.flags |= STALESOCK_F_SENDS_SEEN;
}

/* Absent for a socket that had sent before it was seen: the beginning of its count is not known. */
static __always_inline void fill_turns(struct stalesock_event_full *event, const struct sock *sk)
{
	struct turn_state *state;

	if (!count_turns || !sk->sk_bpf_storage)
		return;
	state = bpf_sk_storage_get(&turns, (void *)sk, 0, 0);
	if (!state)
		return;
	event->turns = state->turns;
	event->head.flags |= STALESOCK_F_TURNS;
}

static __always_inline void fill_late(struct stalesock_event_full *event,
				      const struct late_state *state)
{
	if (state->reads & LATE_EOF_READ)
		event->head.flags |= STALESOCK_F_EOF_READ;
	if (state->reads & LATE_EOF_PEEKED)
		event->head.flags |= STALESOCK_F_EOF_PEEKED;
	if (state->flags & LATE_FIN_TIMED)
		event->fin_ns = state->fin_ns;
	if (!state->bytes)
		return;
	event->head.flags |= STALESOCK_F_LATE;
	if (state->flags & LATE_WRITING)
		event->head.flags |= STALESOCK_F_LATE_BEGUN;
	if (state->reads & LATE_READ)
		event->head.flags |= STALESOCK_F_LATE_READ;
	if (state->flags & LATE_CONTINUED)
		event->head.flags |= STALESOCK_F_LATE_CONTINUED;
	event->late_ns = state->late_ns;
	event->late_bytes = state->bytes;
	event->late_pid = state->pid;
	event->late_unread = state->unread;
	event->late_copied_seq = state->copied_seq;
	event->late_record_length = state->record_length;
	event->late_writes = state->writes;
	event->late_head = state->head;
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

static __always_inline void emit_view(const struct sock *sk, const struct late_state *state, __u16 kind,
				      int old_state, int new_state, __u32 flags, bool with_actor)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct stalesock_event_full *event;

	if (!tp)
		return;
	event = reserve(sizeof(*event));
	if (!event)
		return;
	fill_head(&event->head, sk, kind, sizeof(*event), old_state, new_state);
	event->head.flags |= flags;
	if (with_actor && sk->sk_lock.owned)
		fill_actor(&event->head);
	fill_view(event, tp);
	if (event->head.flags & STALESOCK_F_KEEPALIVE && !event->keepalive_time_ticks)
		event->keepalive_time_ticks =
			sk->__sk_common.skc_net.net->ipv4.sysctl_tcp_keepalive_time;
	fill_turns(event, sk);
	if (state)
		fill_late(event, state);
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
