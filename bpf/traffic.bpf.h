/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends and receives. In ESTABLISHED every body returns at its first comparisons. */
#ifndef STALESOCK_TRAFFIC_BPF_H
#define STALESOCK_TRAFFIC_BPF_H

#include "heads.bpf.h"
#include "lifecycle.bpf.h"

/* A verdict on a late write settles within this time of it. */
#define SETTLING_NS 250000000ull

static __always_inline void look_at_head(struct late_state *state, const struct msghdr *msg)
{
	struct message_head head = {};
	struct stalesock_head seen;

	if (is_later_chunk(&msg->msg_iter))
		state->flags |= LATE_CONTINUED;
	if (!read_head(&head, msg))
		return;
	state->head = STALESOCK_HEAD_OTHER;
	if (!head.length)
		return;
	seen = stalesock_classify_head(head.bytes, head.length);
	state->head = seen.kind;
	state->record_length = seen.record_length;
}

/* A TLS alert in TLS 1.3: 2 bytes, content type, tag (RFC 8446, 5.2). */
#define TLS_ALERT_RECORD 19

/* A close_notify with today's AEAD ciphers, in TLS 1.3 and 1.2. Kernel TLS shows no more of it than its length. */
static __always_inline bool is_sized_like_close_notify(__u64 bytes)
{
	return bytes == 24 || bytes == 31;
}

/* As Java pads a close_notify in TLS 1.3, and CBC suites of TLS 1.2 one. */
static __always_inline bool is_padded_alert(__u64 bytes)
{
	return bytes == 40 || bytes == 53 || bytes == 69;
}

/* A goodbye or a close_notify. */
static __always_inline bool is_short(__u64 bytes)
{
	return bytes <= STALESOCK_LONGEST_GOODBYE || is_padded_alert(bytes) ||
	       is_sized_like_close_notify(bytes);
}

static __always_inline bool is_taken_up_again(const struct tcp_sock *tp)
{
	__u32 last_send = tp->lsndtime;

	return (__u32)bpf_jiffies64() - last_send >= reuse_gap_ticks && tp->write_seq == tp->snd_una &&
	       tp->bytes_sent && (__s32)(tp->inet_conn.icsk_ack.lrcvtime - last_send) >= 0;
}

static __always_inline bool says_farewell(const struct late_state *looked)
{
	return looked->head == STALESOCK_HEAD_TLS_ALERT || looked->head == STALESOCK_HEAD_GOODBYE ||
	       (looked->head == STALESOCK_HEAD_TLS_DATA && looked->record_length <= TLS_ALERT_RECORD);
}

/* Without a message the bytes are pages, of a file or of kernel TLS. */
static __always_inline bool is_farewell(const struct tcp_sock *tp, const struct msghdr *msg,
					__u64 bytes)
{
	struct late_state looked = {};

	if (tp->inet_conn.icsk_ulp_ops)
		return is_sized_like_close_notify(bytes);
	if (!msg)
		return false;
	look_at_head(&looked, msg);
	return says_farewell(&looked);
}

/*
 * A pooled connection is taken up again: all that was sent is acknowledged, and something was received since. At most
 * two a second and connection, as reuse_gap_ticks is half a second. Or the application says goodbye: what the peer closes
 * without an answer then was no request. After a shorter pause that is only looked for in messages of a goodbye's
 * length, because it costs a read of the application's memory.
 */
static __always_inline void look_for_reuse(const struct sock *sk, const struct tcp_sock *tp,
					   const struct msghdr *msg, __u64 bytes)
{
	bool reused;
	bool parts;

	if (sk->sk_max_ack_backlog || !reuse_gap_ticks)
		return;
	reused = is_taken_up_again(tp);
	if (!reused && !is_short(bytes))
		return;
	if (!is_tcp(sk) || !is_wanted(sk) || !is_wanted_actor())
		return;
	parts = is_farewell(tp, msg, bytes);
	if (reused || parts)
		emit_full(sk, 0, STALESOCK_REUSE, TCP_ESTABLISHED, TCP_ESTABLISHED,
			  parts ? STALESOCK_F_FAREWELL : 0);
}

/* The exchange moves after it was looked at: a record of this moment tells of the sends before. */
static __always_inline int on_established_send(const struct sock *sk, const struct msghdr *msg,
					       __u64 bytes)
{
	struct exchange_state *state;
	struct tcp_sock *tp;

	if (msg && (!msg->msg_iter.count || is_later_chunk(&msg->msg_iter)))
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	look_for_reuse(sk, tp, msg, msg ? msg->msg_iter.count : bytes);
	if (!keep_exchanges)
		return 0;
	state = exchange_of(sk);
	if (!state && needs_exchange(sk, tp) && is_tcp(sk) && is_wanted(sk))
		state = create_exchange(sk, tp);
	if (state)
		note_send(state, tp, msg);
	else if (msg && !tp->bytes_sent && !sk->sk_max_ack_backlog)
		note_first_head(sk, msg);
	return 0;
}

static __always_inline bool asks_for_nothing(const struct late_state *state)
{
	return state->head == STALESOCK_HEAD_CONTROL || state->head == STALESOCK_HEAD_TLS_CONTROL;
}

/* After frames of HTTP/2 that ask for nothing a request may follow: then it is the late write. */
static __always_inline void look_again(struct late_state *state, const struct tcp_sock *tp,
				       const struct msghdr *msg)
{
	struct late_state looked = {};

	if (msg)
		look_at_head(&looked, msg);
	if (asks_for_nothing(&looked) || says_farewell(&looked))
		return;
	note_late_write(state, tp);
	state->head = looked.head;
	state->record_length = looked.record_length;
}

/* Before the first late byte is queued: once for each chunk of a send, so the first one counts. The number of bytes is
 * known where there is no message. */
static __always_inline int on_send_begin(const struct sock *sk, const struct msghdr *msg, __u64 bytes)
{
	struct late_state *state;
	struct tcp_sock *tp;
	__u8 tcp_state;

	tcp_state = sk->__sk_common.skc_state;
	if (tcp_state == TCP_ESTABLISHED)
		return on_established_send(sk, msg, bytes);
	if (tcp_state != TCP_CLOSE_WAIT)
		return 0;
	if (!is_tcp(sk) || !is_wanted(sk) || !is_wanted_actor())
		return 0;
	state = late_with_baseline(sk);
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!state || !tp)
		return 0;
	/* An attempt that queued nothing (no memory, bad buffer) does not count: look again. */
	if (tp->write_seq != state->write_seq) {
		if (asks_for_nothing(state))
			look_again(state, tp, msg);
		return 0;
	}
	state->flags &= ~LATE_CONTINUED;
	state->flags |= LATE_WRITING;
	note_late_write(state, tp);
	state->head = STALESOCK_HEAD_UNKNOWN;
	if (msg)
		look_at_head(state, msg);
	return 0;
}

/* The first late write, and what an active opener adds to it until its verdict settles. The rest only
 * adds to the byte count that the end of the connection reports: a server may answer at length. */
static __always_inline bool worth_a_record(const struct sock *sk, struct late_state *state)
{
	if (state->writes < 0xffff)
		state->writes++;
	if (state->writes == 1)
		return true;
	return !sk->sk_max_ack_backlog && bpf_ktime_get_boot_ns() - state->late_ns < SETTLING_NS;
}

/*
 * The connection is gone, by an RST or by a timer, and the application writes: the error is all it gets. Once for each
 * connection; a close of ours cannot be meant, as it takes the descriptor along or was shutdown(), whose writes fail in
 * other states.
 */
static __always_inline int on_refused_send(const struct sock *sk, long result)
{
	struct late_state *state;
	struct tcp_sock *tp;

	if (result != -ECONNRESET && result != -EPIPE)
		return 0;
	if (sk->sk_max_ack_backlog || sk->sk_shutdown != SHUTDOWN_BOTH || !is_tcp(sk) ||
	    !is_wanted(sk) || !is_wanted_actor())
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp || (!tp->bytes_sent && !tp->bytes_received))
		return 0;
	state = late_of(sk);
	if (state && (state->bytes || state->flags & LATE_REFUSED))
		return 0;
	state = late_with_baseline(sk);
	if (!state)
		return 0;
	state->flags |= LATE_REFUSED;
	emit_refused_write(sk, tp);
	return 0;
}

/* After a send. The state may be CLOSE already: on loopback the RST is processed inside the send. */
static __always_inline int on_send_end(const struct sock *sk, long result)
{
	__u8 tcp_state = sk->__sk_common.skc_state;
	struct late_state *state;
	struct tcp_sock *tp;

	if (tcp_state == TCP_ESTABLISHED ||
	    (tcp_state != TCP_CLOSE_WAIT && tcp_state != TCP_CLOSE && tcp_state != TCP_LAST_ACK))
		return 0;
	if (tcp_state == TCP_CLOSE && result < 0)
		return on_refused_send(sk, result);
	if (!sk->sk_bpf_storage || !is_tcp(sk) || !is_wanted(sk))
		return 0;
	state = late_of(sk);
	if (!state)
		return 0;
	update_late_bytes(sk, state);
	if (!state->bytes)
		return 0;
	if (!state->late_ns) { /* no hook before the send on this kernel */
		tp = bpf_skc_to_tcp_sock((void *)sk);
		if (tp)
			note_late_write(state, tp);
	}
	/* One last record for a send that left CLOSE_WAIT within; EPIPE after that is no news. */
	if (state->flags & LATE_FINAL)
		return 0;
	if (worth_a_record(sk, state))
		emit_full(sk, state, STALESOCK_LATE_WRITE, tcp_state, tcp_state, 0);
	return 0;
}

static __always_inline int on_established_receive(const struct sock *sk, int result)
{
	struct exchange_state *state;
	struct tcp_sock *tp;

	if (!keep_exchanges)
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	state = exchange_of(sk);
	if (state)
		note_receive(state, tp);
	else if (may_be_last_words(sk, tp, result) && is_tcp(sk) && is_wanted(sk))
		note_last_words(sk, tp, result);
	return 0;
}

/* Nothing was asked for, or of the queue of errors only: no end of file. */
static __always_inline bool is_end_of_file(const struct tcp_sock *tp, int result, int message_flags)
{
	__u32 unread = tp->rcv_nxt - tp->copied_seq;

	if (result || message_flags & MSG_ERRQUEUE)
		return false;
	return message_flags & MSG_PEEK ? unread <= 1 : !unread;
}

/*
 * What cannot be read from copied_seq later: that an end of file was peeked, and that one was read where a storage is there
 * anyway. Without one copied_seq tells, unless bytes lay before the FIN that was read with them.
 */
static __always_inline bool is_news(const struct sock *sk, int message_flags)
{
	struct exchange_state *seen;
	struct late_state *state;

	if (message_flags & MSG_PEEK) {
		state = late_with_baseline(sk);
		if (!state || state->reads & LATE_EOF_PEEKED)
			return false;
		state->reads |= LATE_EOF_PEEKED;
		return true;
	}
	state = late_of(sk);
	seen = exchange_of(sk);
	if (state && !(state->reads & LATE_EOF_READ)) {
		state->reads |= LATE_EOF_READ;
		return true;
	}
	if (state || !seen || seen->flags & EXCHANGE_EOF_READ)
		return false;
	seen->flags |= EXCHANGE_EOF_READ;
	return true;
}

static __always_inline int on_receive(const struct sock *sk, int result, int message_flags)
{
	struct late_state *state;
	struct tcp_sock *tp;
	__u8 tcp_state;

	tcp_state = sk->__sk_common.skc_state;
	if (tcp_state == TCP_ESTABLISHED)
		return result > 0 && !(message_flags & (MSG_PEEK | MSG_ERRQUEUE))
			       ? on_established_receive(sk, result)
			       : 0;
	if (tcp_state != TCP_CLOSE_WAIT && tcp_state != TCP_CLOSE)
		return 0;
	if (result > 0 && !sk->sk_bpf_storage) /* what was read before a late write is no news */
		return 0;
	/* Only an active opener's knowledge is evidence; a server reading EOF is how requests end. */
	if (!is_tcp(sk) || sk->sk_max_ack_backlog || !is_wanted(sk) || !is_wanted_actor())
		return 0;
	state = late_of(sk);
	if (state && state->bytes && !(state->reads & LATE_READ) && !(message_flags & MSG_ERRQUEUE)) {
		state->reads |= LATE_READ;
		emit_full(sk, state, STALESOCK_LATE_WRITE, tcp_state, tcp_state, 0);
		return 0;
	}
	if ((state && state->bytes) || tcp_state != TCP_CLOSE_WAIT)
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (tp && is_end_of_file(tp, result, message_flags) && is_news(sk, message_flags))
		emit_short(sk, STALESOCK_EOF_READ, tcp_state, tcp_state,
			   message_flags & MSG_PEEK ? STALESOCK_F_PEEK : 0, true);
	return 0;
}

#endif
