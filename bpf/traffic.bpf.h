/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends and receives. In ESTABLISHED every body returns at its first comparisons. */
#ifndef STALESOCK_TRAFFIC_BPF_H
#define STALESOCK_TRAFFIC_BPF_H

#include "lifecycle.bpf.h"

#define TLS_RECORD_ALERT 21 /* RFC 8446, 5.1 */
#define TLS_RECORD_DATA 23
#define TLS_MAJOR_VERSION 3
#define HEAD_LENGTH 5
#define LONGEST_GOODBYE 8
#define WORD(a, b, c, d) ((__u32)(a) << 24 | (__u32)(b) << 16 | (__u32)(c) << 8 | (__u32)(d))

/* A verdict on a late write settles within this time of it. */
#define SETTLING_NS 250000000ull

/* A masked close frame (RFC 6455, 5.5.1), all of what is sent; DISCONNECT of MQTT; GOAWAY (RFC 9113, 6.8). */
static __always_inline bool is_closing_frame(const __u8 *head, __u32 length)
{
	if (!head[0] && !head[1] && head[3] == 7 && !head[4])
		return head[2] >= 8 && length == 9u + head[2];
	if (head[0] == 0x88)
		return head[1] >= 0x80 && length == 6u + head[1] - 0x80;
	return head[0] == 0xe0 && length <= 4 && length == 2u + head[1];
}

/* "QUIT" of SMTP, FTP, POP3 and Redis in either case; the Terminate message of PostgreSQL; COM_QUIT of
 * MySQL with its packet header. */
static __always_inline bool is_goodbye(const __u8 *head, __u32 length)
{
	__u32 word = WORD(head[0], head[1], head[2], head[3]);

	if ((word & 0xdfdfdfdf) == WORD('Q', 'U', 'I', 'T'))
		return length <= LONGEST_GOODBYE;
	if (length != HEAD_LENGTH)
		return false;
	return (word == WORD('X', 0, 0, 0) && head[4] == 4) ||
	       (word == WORD(1, 0, 0, 0) && head[4] == 1);
}

/* Frames of HTTP/2 that ask for nothing: one or two of WINDOW_UPDATE (RFC 9113, 6.9) and RST_STREAM (6.4), the answer
 * to a PING (6.7) or to SETTINGS (6.5), all of what is sent. */
static __always_inline bool is_http2_control(const __u8 *head, __u32 length)
{
	if (head[0] || head[1])
		return false;
	if (head[2] == 4 && !head[4])
		return (head[3] == 8 || head[3] == 3) && (length == 13 || length == 26);
	if (head[2] == 8)
		return head[3] == 6 && head[4] == 1 && length == 17;
	return !head[2] && head[3] == 4 && head[4] == 1 && length == 9;
}

/* As long as the answer to SETTINGS, or one or two of WINDOW_UPDATE and RST_STREAM, in TLS 1.2 with ChaCha20, in TLS 1.3,
 * in TLS 1.2 with AES-GCM. (A PING is as long as a request of eight indexed fields.) */
static __always_inline bool is_sized_like_control(__u16 record_length)
{
	switch (record_length) {
	case 9 + 16:
	case 9 + 17:
	case 9 + 24:
	case 13 + 16:
	case 13 + 17:
	case 13 + 24:
	case 26 + 16:
	case 26 + 17:
	case 26 + 24:
		return true;
	}
	return false;
}

/* RFC 9110, 9.3, PATCH (RFC 5789), and the preface of HTTP/2. */
static __always_inline bool is_http_method(const __u8 *head)
{
	switch (WORD(head[0], head[1], head[2], head[3])) {
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'U', 'T', ' '):
	case WORD('P', 'R', 'I', ' '):
		return true;
	case WORD('P', 'O', 'S', 'T'):
	case WORD('H', 'E', 'A', 'D'):
		return head[4] == ' ';
	case WORD('P', 'A', 'T', 'C'):
		return head[4] == 'H';
	case WORD('D', 'E', 'L', 'E'):
	case WORD('T', 'R', 'A', 'C'):
		return head[4] == 'T' || head[4] == 'E';
	case WORD('O', 'P', 'T', 'I'):
		return head[4] == 'O';
	case WORD('C', 'O', 'N', 'N'):
		return head[4] == 'E';
	}
	return false;
}

static __always_inline void classify_head(struct late_state *state, const __u8 *head, __u32 length)
{
	state->head = STALESOCK_HEAD_OTHER;
	if (head[1] == TLS_MAJOR_VERSION && head[2] <= 4) {
		__u16 record_length = (__u16)(head[3] << 8 | head[4]);

		if (head[0] == TLS_RECORD_ALERT) {
			state->head = STALESOCK_HEAD_TLS_ALERT;
			state->record_length = record_length;
			return;
		}
		if (head[0] == TLS_RECORD_DATA) {
			state->head = length == HEAD_LENGTH + record_length &&
						      is_sized_like_control(record_length)
					      ? STALESOCK_HEAD_TLS_CONTROL
					      : STALESOCK_HEAD_TLS_DATA;
			state->record_length = record_length;
			return;
		}
	}
	if (is_closing_frame(head, length) || is_goodbye(head, length))
		state->head = STALESOCK_HEAD_GOODBYE;
	else if (is_http2_control(head, length))
		state->head = STALESOCK_HEAD_CONTROL;
	else if (is_http_method(head))
		state->head = STALESOCK_HEAD_HTTP;
}

/* Where the next bytes to be sent lie; nothing for page iterators (sendfile, splice, kernel TLS). */
static __always_inline const void *next_bytes(const struct iov_iter *iter, __u64 *available,
					      bool *in_kernel)
{
	__u8 type = BPF_CORE_READ(iter, iter_type);
	__u64 offset = BPF_CORE_READ(iter, iov_offset);
	const struct iovec *vector;

	*in_kernel = false;
	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	    type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		*available = BPF_CORE_READ(iter, count);
		return BPF_CORE_READ(iter, ubuf) + offset;
	}
	*in_kernel = type == bpf_core_enum_value(enum iter_type, ITER_KVEC);
	if (!*in_kernel && type != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return 0;
	vector = vector_of(iter);
	*available = BPF_CORE_READ(vector, iov_len) - offset;
	return BPF_CORE_READ(vector, iov_base) + offset;
}

static __always_inline void look_at_head(struct late_state *state, const struct msghdr *msg)
{
	const struct iov_iter *iter = __builtin_preserve_access_index(&msg->msg_iter);
	__u8 head[8] = {};
	__u32 length = HEAD_LENGTH;
	__u64 available = 0;
	bool in_kernel;
	const void *bytes = next_bytes(iter, &available, &in_kernel);
	long error;

	if (!bytes)
		return;
	if (BPF_CORE_READ(iter, iov_offset))
		state->flags |= LATE_CONTINUED;
	if (available < HEAD_LENGTH) {
		/* A first vector this short (a record header sent apart is 5) is not looked into, unless it is all. */
		state->head = available ? STALESOCK_HEAD_OTHER : STALESOCK_HEAD_UNKNOWN;
		if (available < 2 || available != BPF_CORE_READ(iter, count))
			return;
		length = available;
	}
	/* The compiler knows that it is short; the verifier of 6.1 does not, once it was spilled. */
	barrier_var(length);
	length &= 7;
	error = in_kernel ? bpf_probe_read_kernel(head, length, bytes)
			  : bpf_probe_read_user(head, length, bytes);
	if (!error)
		classify_head(state, head, (__u32)BPF_CORE_READ(iter, count));
}

/* A TLS alert in TLS 1.3: 2 bytes, content type, tag (RFC 8446, 5.2). */
#define TLS_ALERT_RECORD 19

/* A close_notify with today's AEAD ciphers, in TLS 1.3 and 1.2. Kernel TLS shows no more of it than its length. */
static __always_inline bool is_sized_like_close_notify(__u64 bytes)
{
	return bytes == 24 || bytes == 31;
}

/* A goodbye or a close_notify. */
static __always_inline bool is_short(__u64 bytes)
{
	return bytes <= LONGEST_GOODBYE || is_sized_like_close_notify(bytes);
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
static __always_inline int on_established_send(const struct sock *sk, const struct msghdr *msg,
					       __u64 bytes)
{
	struct tcp_sock *tp;
	bool reused;
	bool parts;

	if (sk->sk_max_ack_backlog || !reuse_gap_ticks)
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	if (msg)
		bytes = msg->msg_iter.count;
	reused = is_taken_up_again(tp);
	if (!reused && !is_short(bytes))
		return 0;
	if (!is_tcp(sk) || !is_wanted(sk) || !is_wanted_actor())
		return 0;
	parts = is_farewell(tp, msg, bytes);
	if (reused || parts)
		emit_full(sk, 0, STALESOCK_REUSE, TCP_ESTABLISHED, TCP_ESTABLISHED,
			  parts ? STALESOCK_F_FAREWELL : 0);
	return 0;
}

/*
 * A send begins a turn when the application has read since its last send, whatever it read with, or has
 * not sent before. So one hook tells that also sees a message's later chunks: they read nothing in between.
 */
static __always_inline void note_turn(const struct sock *sk)
{
	struct turn_state *state;
	struct tcp_sock *tp;

	if (!is_tcp(sk))
		return;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return;
	state = sk->sk_bpf_storage ? bpf_sk_storage_get(&turns, (void *)sk, 0, 0) : 0;
	if (state) {
		if (state->copied_seq == tp->copied_seq)
			return;
	} else {
		if (tp->bytes_sent || !is_wanted(sk))
			return;
		state = bpf_sk_storage_get(&turns, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
		if (!state)
			return;
	}
	state->copied_seq = tp->copied_seq;
	state->turns++;
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
	if (tcp_state != TCP_CLOSE_WAIT) {
		if (count_turns)
			note_turn(sk);
		return tcp_state == TCP_ESTABLISHED ? on_established_send(sk, msg, bytes) : 0;
	}
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

/* After a send. The state may be CLOSE already: on loopback the RST is processed inside the send. */
static __always_inline int on_send_end(const struct sock *sk)
{
	__u8 tcp_state = sk->__sk_common.skc_state;
	struct late_state *state;
	struct tcp_sock *tp;

	if (tcp_state == TCP_ESTABLISHED ||
	    (tcp_state != TCP_CLOSE_WAIT && tcp_state != TCP_CLOSE && tcp_state != TCP_LAST_ACK))
		return 0;
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

/* OpenSSL and Java read the header of a record apart. */
static __always_inline bool may_be_close_notify(int bytes)
{
	return is_sized_like_close_notify(bytes) || is_sized_like_close_notify(bytes + HEAD_LENGTH);
}

/* In ESTABLISHED, of an active opener: should the FIN be next, the exchange was over before these bytes came. */
static __always_inline int on_parting_words(const struct sock *sk)
{
	struct tcp_sock *tp;
	__u32 *end;

	if (!is_tcp(sk) || !is_wanted(sk) || !is_wanted_actor())
		return 0;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	end = bpf_sk_storage_get(&parting, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (tp && end)
		*end = tp->copied_seq;
	return 0;
}

static __always_inline int on_receive(const struct sock *sk, int result, int message_flags)
{
	struct late_state *state;
	__u8 tcp_state;
	__u8 seen = message_flags & MSG_PEEK ? LATE_EOF_PEEKED : LATE_EOF_READ;

	tcp_state = sk->__sk_common.skc_state;
	if (tcp_state == TCP_ESTABLISHED && may_be_close_notify(result) && !sk->sk_max_ack_backlog &&
	    !(message_flags & MSG_PEEK))
		return on_parting_words(sk);
	if (tcp_state != TCP_CLOSE_WAIT && tcp_state != TCP_CLOSE)
		return 0;
	if (result > 0 && !sk->sk_bpf_storage) /* what was read before a late write is no news */
		return 0;
	/* Only an active opener's knowledge is evidence; a server reading EOF is how requests end. */
	if (!is_tcp(sk) || sk->sk_max_ack_backlog || !is_wanted(sk) || !is_wanted_actor())
		return 0;
	if (tcp_state == TCP_CLOSE_WAIT && !result)
		state = late_with_baseline(sk);
	else
		state = late_of(sk);
	if (!state)
		return 0;
	if (state->bytes && !(state->reads & LATE_READ)) {
		state->reads |= LATE_READ;
		emit_full(sk, state, STALESOCK_LATE_WRITE, tcp_state, tcp_state, 0);
		return 0;
	}
	if (result || state->bytes || tcp_state != TCP_CLOSE_WAIT || state->reads & seen)
		return 0;
	state->reads |= seen;
	emit_short(sk, STALESOCK_EOF_READ, tcp_state, tcp_state,
		   message_flags & MSG_PEEK ? STALESOCK_F_PEEK : 0, true);
	return 0;
}

#endif
