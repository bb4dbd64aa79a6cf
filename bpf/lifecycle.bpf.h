/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* State changes: open, the peer's FIN, our FIN, the end. Most transitions carry no news. */
#ifndef STALESOCK_LIFECYCLE_BPF_H
#define STALESOCK_LIFECYCLE_BPF_H

#include "emit.bpf.h"

static __always_inline struct late_state *late_of(const struct sock *sk)
{
	/* Most sockets have none: no call for them. */
	return sk->sk_bpf_storage ? bpf_sk_storage_get(&late, (void *)sk, 0, 0) : 0;
}

/*
 * write_seq must be the one before the first late byte: call it before that byte is queued. A reader of EOF and a
 * writer may both come first, on two CPUs. So the state is inserted with its baseline in it, and who comes second,
 * whom the kernel refuses (EEXIST, or EAGAIN while the socket has no storage at all), asks again.
 */
static __always_inline struct late_state *late_with_baseline(const struct sock *sk)
{
	struct late_state *state = late_of(sk);
	struct late_state initial = {};
	struct tcp_sock *tp;

	if (state)
		return state;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	initial.write_seq = tp->write_seq;
	state = bpf_sk_storage_get(&late, (void *)sk, &initial, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state)
		state = bpf_sk_storage_get(&late, (void *)sk, &initial, BPF_SK_STORAGE_GET_F_CREATE);
	return state;
}

/* The growth of write_seq since the FIN is exact for every way to send; our own FIN counts as one,
 * so it is read for the last time when CLOSE_WAIT is left. */
static __always_inline void update_late_bytes(const struct sock *sk, struct late_state *state)
{
	struct tcp_sock *tp;

	if (state->flags & LATE_FINAL)
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (tp)
		state->bytes += (__u32)(tp->write_seq - state->write_seq - (__u32)state->bytes);
}

/* When, by whom, and what was unread. */
static __always_inline void note_late_write(struct late_state *state, const struct tcp_sock *tp)
{
	struct task_struct *task = bpf_get_current_task_btf();

	state->late_ns = bpf_ktime_get_boot_ns();
	state->copied_seq = tp->copied_seq;
	state->unread = tp->rcv_nxt - tp->copied_seq;
	state->pid = bpf_get_current_pid_tgid() >> 32;
	state->cgroup_id = bpf_get_current_cgroup_id();
	copy_command(state->command, task);
}

static __always_inline void on_open(const struct sock *sk, int old_state, int new_state)
{
	if (!is_tcp(sk) || !is_wanted(sk))
		return;
	if (sk->sk_lock.owned && !is_wanted_actor())
		return;
	/* connect() after connect(AF_UNSPEC): what was kept is another connection's. */
	if (new_state == TCP_SYN_SENT && sk->sk_bpf_storage) {
		bpf_sk_storage_delete(&late, (void *)sk);
		bpf_sk_storage_delete(&exchange, (void *)sk);
	}
	emit_short(sk, STALESOCK_OPEN, old_state, new_state, 0, new_state == TCP_SYN_SENT);
}

/*
 * A send that waits for room, or one whose backlog this FIN comes from, has passed its hook already. It
 * may be a receive's backlog too: a hook that sees the next send begin will tell, and where there is none,
 * that something is out.
 */
static __always_inline bool send_is_overtaken(const struct sock *sk)
{
	struct tcp_sock *tp;

	if (sk->sk_write_pending)
		return true;
	if (!sk->sk_lock.owned || hook_once_per_send)
		return sk->sk_lock.owned;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	return tp && tp->write_seq != tp->snd_una;
}

static __always_inline struct late_state *baseline_of_fin(const struct sock *sk)
{
	bool overtaken = (baseline_at_fin || hook_once_per_send) && send_is_overtaken(sk);
	struct late_state *state;

	if (!baseline_at_fin && !overtaken)
		return 0;
	state = late_with_baseline(sk);
	if (!state)
		return 0;
	state->fin_ns = bpf_ktime_get_boot_ns();
	state->flags |= LATE_FIN_TIMED;
	if (overtaken)
		state->flags |= LATE_CONTINUED;
	return state;
}

static __always_inline void on_peer_fin(const struct sock *sk, int old_state)
{
	if (!is_tcp(sk) || !is_wanted(sk))
		return;
	emit_full(sk, baseline_of_fin(sk), STALESOCK_PEER_FIN, old_state, TCP_CLOSE_WAIT, 0);
}

/* Our FIN. After a clean close nothing of interest can follow unless there was a late write. */
static __always_inline void on_our_fin(const struct sock *sk, int old_state, int new_state)
{
	struct late_state *state;

	if (!is_tcp(sk) || !is_wanted(sk))
		return;
	if (new_state == TCP_LAST_ACK) {
		state = late_of(sk);
		if (state) {
			update_late_bytes(sk, state);
			state->flags |= LATE_FINAL;
		}
		if (!state || !state->bytes) {
			emit_release(sk, old_state, new_state);
			return;
		}
		emit_full(sk, state, STALESOCK_CLOSE, old_state, new_state, 0);
		return;
	}
	emit_full(sk, 0, STALESOCK_CLOSE, old_state, new_state, 0);
}

/* Sends that are over were noted by their hook: the one that is not is what holds the lock, and this RST
 * comes from its backlog. */
static __always_inline void note_writer_within_send(const struct sock *sk, struct late_state *state)
{
	struct tcp_sock *tp;

	if (!hook_only_after_send || !sk->sk_lock.owned || !sk->sk_err || !state->bytes ||
	    state->late_ns)
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (tp)
		note_late_write(state, tp);
}

/*
 * A socket's own RST (close with unread data, SO_LINGER 0) carries timestamps where they are in use; the RST of
 * a host or a middlebox that has no such socket carries none (tcp_send_active_reset, tcp_v4_send_reset).
 */
static __always_inline __u32 kind_of_reset(const struct sock *sk)
{
	const struct tcp_options_received___timestamps *options;
	struct tcp_sock *tp;

	if (sk->sk_err != ECONNRESET)
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	options = (const void *)&tp->rx_opt;
	return BPF_CORE_READ_BITFIELD(options, tstamp_ok) &&
			       !BPF_CORE_READ_BITFIELD(options, saw_tstamp)
		       ? STALESOCK_F_BARE_RST
		       : 0;
}

static __always_inline void on_end(const struct sock *sk, int old_state)
{
	bool orphan = sk->__sk_common.skc_flags & (1ul << SOCK_DEAD);
	struct late_state *state;

	/* The application let go of it before: the end of an orphan is no news. */
	if (orphan &&
	    (old_state == TCP_FIN_WAIT1 || old_state == TCP_FIN_WAIT2 || old_state == TCP_CLOSING))
		return;
	if (!is_tcp(sk) || !is_wanted(sk))
		return;
	state = late_of(sk);
	if (old_state == TCP_LAST_ACK && (!state || !state->bytes))
		return; /* RELEASED was said at LAST_ACK */
	if (old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV ||
	    (!sk->sk_err &&
	     (old_state == TCP_FIN_WAIT1 || old_state == TCP_FIN_WAIT2 || old_state == TCP_CLOSING))) {
		emit_short(sk, STALESOCK_RELEASED, old_state, TCP_CLOSE, 0, false);
		return;
	}
	if (state) {
		update_late_bytes(sk, state);
		note_writer_within_send(sk, state);
		state->flags |= LATE_FINAL;
	}
	emit_full(sk, state, STALESOCK_END, old_state, TCP_CLOSE, kind_of_reset(sk));
}

/* The first program takes transitions that no process makes. */
static __always_inline bool takes_by_segment(const struct sock *sk, int new_state)
{
	struct taken_state *last = bpf_map_lookup_elem(&taken, &(__u32){0});

	if (!last)
		return false;
	if (sk->sk_lock.owned) {
		last->left++;
		return false;
	}
	last->sk = (__u64)sk;
	last->new_state = (__u32)new_state;
	return true;
}

/* The second program takes transitions of processes, and those for which the kernel did not run the first one. */
static __always_inline bool takes_by_process(const struct sock *sk, int new_state)
{
	struct taken_state *last = bpf_map_lookup_elem(&taken, &(__u32){0});

	if (!last)
		return false;
	if (!sk->sk_lock.owned && last->sk == (__u64)sk && last->new_state == (__u32)new_state) {
		last->sk = 0; /* the next socket at this address may make the same transition */
		return false;
	}
	last->others++;
	return true;
}

static __always_inline int on_state_change(const struct sock *sk, int old_state, int new_state)
{
	switch (new_state) {
	case TCP_SYN_SENT:
		on_open(sk, old_state, new_state);
		break;
	case TCP_ESTABLISHED:
		/* SYN_SENT->ESTABLISHED repeats what ->SYN_SENT said. LISTEN->SYN_RECV is no use: up to 6.12 the
		 * child has its listener's cookie then, and gets its own right after (inet_csk_clone_lock). */
		if (old_state == TCP_SYN_RECV)
			on_open(sk, old_state, new_state);
		break;
	case TCP_CLOSE_WAIT:
		on_peer_fin(sk, old_state);
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		on_our_fin(sk, old_state, new_state);
		break;
	case TCP_FIN_WAIT2:
		/* The self-transition of a close after shutdown(SHUT_WR). */
		if (old_state == TCP_FIN_WAIT2 && is_tcp(sk) && is_wanted(sk))
			emit_short(sk, STALESOCK_RELEASED, old_state, new_state, 0, true);
		break;
	case TCP_CLOSE:
		if (old_state != TCP_LISTEN && old_state != TCP_CLOSE)
			on_end(sk, old_state);
		break;
	}
	return 0;
}

/* An RST that answers a late write leaves CLOSE_WAIT inside the send. What the application did then
 * (did it wait for an answer?) is complete when the socket goes. */
static __always_inline int on_destroy(const struct sock *sk)
{
	struct late_state *state;

	state = late_of(sk);
	if (!state || !state->bytes || !is_tcp(sk) || !is_wanted(sk))
		return 0;
	emit_full(sk, state, STALESOCK_END, sk->__sk_common.skc_state, TCP_CLOSE,
		  STALESOCK_F_DESTROYED);
	return 0;
}

#endif
