/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sockets that were open before us, and who holds them. Records go through the ring like any
 * event, and iter/tcp holds the socket's lock (iter/task_file does not): what happens to a socket meanwhile is before or after
 * its record, never lost and never twice.
 */
#ifndef STALESOCK_INVENTORY_BPF_H
#define STALESOCK_INVENTORY_BPF_H

#include "lifecycle.bpf.h"

/* A nonzero return makes read() stop with EAGAIN and pass the same object again next time. */
#define ITERATOR_CONTINUE 0
#define ITERATOR_RETRY 1

static __always_inline bool ring_needs_draining(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= inventory_backlog;
}

static __always_inline int on_inventory_socket(struct sock_common *common)
{
	struct tcp_sock *tp;
	struct late_state *state = 0;
	struct sock *sk;
	__u8 tcp_state;

	if (!common)
		return ITERATOR_CONTINUE;
	tp = bpf_skc_to_tcp_sock(common); /* NULL for TIME_WAIT and NEW_SYN_RECV entries */
	if (!tp)
		return ITERATOR_CONTINUE;
	sk = &tp->inet_conn.icsk_inet.sk;
	tcp_state = sk->__sk_common.skc_state;
	if (tcp_state == TCP_LISTEN || tcp_state == TCP_CLOSE || !is_tcp(sk) || !is_wanted(sk))
		return ITERATOR_CONTINUE;
	if (ring_needs_draining())
		return ITERATOR_RETRY;
	if (tcp_state == TCP_CLOSE_WAIT)
		state = late_with_baseline(sk);
	emit_seen(sk, state, STALESOCK_INVENTORY, tcp_state);
	return ITERATOR_CONTINUE;
}

/* Where no hook sees a send: has write_seq grown since the FIN? The time and the writer stay unknown. */
static __always_inline int on_late_scan(struct sock_common *common)
{
	struct late_state *state;
	struct tcp_sock *tp;
	struct sock *sk;
	__u64 before;

	if (!common || common->skc_state != TCP_CLOSE_WAIT)
		return ITERATOR_CONTINUE;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return ITERATOR_CONTINUE;
	sk = &tp->inet_conn.icsk_inet.sk;
	state = late_of(sk);
	if (!state || !is_tcp(sk) || !is_wanted(sk))
		return ITERATOR_CONTINUE;
	if (ring_needs_draining())
		return ITERATOR_RETRY;
	before = state->bytes;
	update_late_bytes(sk, state);
	/* A server may answer at length: its first late write is enough. */
	if (state->bytes != before && (!before || !sk->sk_max_ack_backlog))
		emit_seen(sk, state, STALESOCK_LATE_WRITE, TCP_CLOSE_WAIT);
	return ITERATOR_CONTINUE;
}

/* What waits for its application: CLOSE_WAIT, or an active opener's unread bytes on a silent connection. */
static __always_inline bool is_waiting(const struct sock *sk, const struct tcp_sock *tp)
{
	__u32 now = (__u32)bpf_jiffies64();

	if (sk->__sk_common.skc_state == TCP_CLOSE_WAIT)
		return true;
	return dirty_idle_ticks && !sk->sk_max_ack_backlog && tp->rcv_nxt != tp->copied_seq &&
	       now - tp->lsndtime >= dirty_idle_ticks &&
	       now - tp->inet_conn.icsk_ack.lrcvtime >= dirty_idle_ticks;
}

/* accept() gives a child its struct socket (sock_graft); close() takes it, and leaves an orphan. */
static __always_inline bool is_unaccepted(const struct sock *sk)
{
	return !sk->sk_socket && sk->sk_max_ack_backlog &&
	       !(sk->__sk_common.skc_flags & (1ul << SOCK_DEAD));
}

static __always_inline int on_waiting_scan(struct sock_common *common)
{
	__u8 tcp_state;
	struct tcp_sock *tp;
	struct sock *sk;

	if (!common)
		return ITERATOR_CONTINUE;
	tcp_state = common->skc_state;
	if (tcp_state != TCP_CLOSE_WAIT && tcp_state != TCP_ESTABLISHED)
		return ITERATOR_CONTINUE;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return ITERATOR_CONTINUE;
	sk = &tp->inet_conn.icsk_inet.sk;
	if (!is_waiting(sk, tp) || !is_tcp(sk) || !is_wanted(sk))
		return ITERATOR_CONTINUE;
	if (ring_needs_draining())
		return ITERATOR_RETRY;
	emit_view(sk, tcp_state == TCP_CLOSE_WAIT ? late_of(sk) : 0, STALESOCK_SCAN, tcp_state,
		  tcp_state, is_unaccepted(sk) ? STALESOCK_F_UNACCEPTED : 0, false);
	return ITERATOR_CONTINUE;
}

/*
 * What iter/tcp would pass, had we been let into its network namespace. Nobody holds the socket's lock here: a
 * record may be older by an instant than the one before it.
 */
static __always_inline int on_socket_elsewhere(struct sock *sk)
{
	if (held_inventory) {
		elsewhere++;
		return on_inventory_socket(&sk->__sk_common);
	}
	if (held_late && on_late_scan(&sk->__sk_common) == ITERATOR_RETRY)
		return ITERATOR_RETRY;
	return held_waiting ? on_waiting_scan(&sk->__sk_common) : ITERATOR_CONTINUE;
}

/* iter/task_file sees the sockets of every network namespace. A socket without a cookie was not
 * reported by anybody yet. */
static __always_inline int on_task_file(struct task_struct *task, struct file *file)
{
	struct stalesock_event *event;
	struct socket *socket;
	struct sock *sk;
	__u64 cookie;

	if (!task || !file)
		return ITERATOR_CONTINUE;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return ITERATOR_CONTINUE;
	sk = socket->sk;
	if (!sk || !is_tcp(sk) || !is_wanted(sk))
		return ITERATOR_CONTINUE;
	if (ring_needs_draining())
		return ITERATOR_RETRY;
	if (home_netns && sk->__sk_common.skc_state != TCP_LISTEN &&
	    sk->__sk_common.skc_net.net->ns.inum != home_netns &&
	    on_socket_elsewhere(sk) == ITERATOR_RETRY)
		return ITERATOR_RETRY;
	/* Of a listener it is the holder that counts, not the cookie. */
	cookie = sk->__sk_common.skc_cookie.counter;
	if (!held_owners || (!cookie && sk->__sk_common.skc_state != TCP_LISTEN))
		return ITERATOR_CONTINUE;
	event = reserve(sizeof(*event));
	if (!event)
		return ITERATOR_CONTINUE;
	event->time_ns = bpf_ktime_get_boot_ns();
	event->cookie = cookie;
	event->kind = STALESOCK_OWNER;
	event->size = sizeof(*event);
	event->netns = sk->__sk_common.skc_net.net->ns.inum;
	event->old_state = event->new_state = sk->__sk_common.skc_state;
	event->flags = flags_of(sk) | STALESOCK_F_OWNED;
	event->pid = task->tgid;
	fill_addresses(event, sk);
	copy_command(event->command, task);
	bpf_ringbuf_submit(event, submit_flags());
	return ITERATOR_CONTINUE;
}

#endif
