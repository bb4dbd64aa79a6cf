/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The exchange: what a socket had received and read at each send, and when the bytes arrived that it read. */
#ifndef STALESOCK_EXCHANGE_BPF_H
#define STALESOCK_EXCHANGE_BPF_H

#include "heads.bpf.h"
#include "maps.bpf.h"

static __always_inline struct exchange_state *exchange_of(const struct sock *sk)
{
	/* Most sockets have none: no call for them. */
	return sk->sk_bpf_storage ? bpf_sk_storage_get(&exchange, (void *)sk, 0, 0) : 0;
}

/* Nothing of ours went out for a while: what begins now is a message of its own. */
static __always_inline bool had_paused(const struct tcp_sock *tp)
{
	return pause_ticks && (__u32)bpf_jiffies64() - tp->lsndtime >= pause_ticks;
}

/*
 * A send needs a record when it is not of the connection's first message. Whatever an active opener receives comes between
 * its sends. What a passive one received is a new request if it came after our last segment: rcv_wup is rcv_nxt as of
 * that, and lrcvtime and lsndtime are moved by payload only. Where request, answer and request lie in one jiffy the ACK
 * of the second request waits for our answer to it (pingpong mode), so rcv_wup tells.
 */
static __always_inline bool needs_exchange(const struct sock *sk, const struct tcp_sock *tp)
{
	if (!sk->sk_max_ack_backlog)
		return tp->bytes_received || (tp->bytes_sent && had_paused(tp));
	return tp->bytes_sent && (tp->rcv_nxt != tp->rcv_wup ||
				  (__s32)(tp->inet_conn.icsk_ack.lrcvtime - tp->lsndtime) > 0);
}

/* A connection that begins so many turns at once, none of them with a body, will not begin to. */
#define HEADS_SAMPLED 16

/*
 * An application may write the rest of its request after it has read the answer to the first part. That is told from a new
 * request where HTTP is spoken: a request begins with its method. Only turns that follow at once are in question.
 */
static __always_inline void note_head_of_turn(struct exchange_state *state, const struct tcp_sock *tp,
					      const struct msghdr *msg)
{
	int method;

	state->heads &= ~EXCHANGE_REST;
	if (!msg || (state->turns > HEADS_SAMPLED && !(state->heads & EXCHANGE_BODY)) || had_paused(tp))
		return;
	method = http_method_of(msg);
	/* A tunnel, or another protocol from here on (RFC 9110, 9.3.6): what follows a method is no rest of a request. */
	if (method == STALESOCK_METHOD) {
		state->heads &= ~EXCHANGE_BODY;
		return;
	}
	if (method == STALESOCK_METHOD_WITH_BODY)
		state->heads |= EXCHANGE_BODY;
	else if (state->heads & EXCHANGE_BODY)
		state->heads |= EXCHANGE_REST;
}

static __always_inline __u32 *place_of_announced(const struct sock *sk, __u32 *cookie)
{
	__u32 place;

	*cookie = (__u32)bpf_get_socket_cookie((void *)sk);
	place = *cookie % ANNOUNCED_PLACES;
	return bpf_map_lookup_elem(&announced, &place);
}

/* The first message of a connection: there is no record yet. */
static __always_inline void note_first_head(const struct sock *sk, const struct msghdr *msg)
{
	__u32 cookie;
	__u32 *place;

	if (http_method_of(msg) != STALESOCK_METHOD_WITH_BODY)
		return;
	place = place_of_announced(sk, &cookie);
	if (place)
		*place = cookie;
}

static __always_inline __u32 heads_announced(const struct sock *sk)
{
	__u32 cookie;
	const __u32 *place = place_of_announced(sk, &cookie);

	return place && *place == cookie ? EXCHANGE_BODY : 0;
}

/* As if the record had been there since the connection was opened: all that was sent before is one turn, during which
 * nothing had been received. */
static __always_inline struct exchange_state *create_exchange(const struct sock *sk,
							      const struct tcp_sock *tp)
{
	struct exchange_state initial = {};

	initial.turn_rcv_nxt = tp->rcv_nxt - (__u32)tp->bytes_received;
	initial.turn_write_seq = tp->snd_una - (__u32)tp->bytes_acked;
	/* Of an active opener its SYN is one of these. */
	if (!sk->sk_max_ack_backlog)
		initial.turn_write_seq++;
	initial.turn_began = tp->lsndtime;
	initial.turns = tp->bytes_sent != 0;
	initial.send_rcv_nxt = initial.turn_rcv_nxt;
	initial.send_copied_seq = initial.turn_rcv_nxt;
	initial.read_seq = tp->copied_seq;
	initial.read_rcv_nxt = tp->rcv_nxt;
	initial.read_arrived = tp->inet_conn.icsk_ack.lrcvtime;
	initial.words_seq = initial.turn_rcv_nxt;
	initial.heads = heads_announced(sk);
	return bpf_sk_storage_get(&exchange, (void *)sk, &initial, BPF_SK_STORAGE_GET_F_CREATE);
}

/* In ESTABLISHED, before anything of it is queued. */
static __always_inline void note_send(struct exchange_state *state, const struct tcp_sock *tp,
				      const struct msghdr *msg)
{
	__u32 copied_seq = tp->copied_seq;

	state->pauses = 0;
	state->send_rcv_nxt = tp->rcv_nxt;
	if (state->send_copied_seq == copied_seq && state->turns) {
		if (tp->rcv_nxt == state->turn_rcv_nxt && had_paused(tp))
			state->lone_sends++;
		return;
	}
	state->lone_sends = 0;
	state->send_copied_seq = copied_seq;
	state->turn_write_seq = tp->write_seq;
	state->turn_rcv_nxt = tp->rcv_nxt;
	state->turn_began = (__u32)bpf_jiffies64();
	state->turn_pid = bpf_get_current_pid_tgid() >> 32;
	state->turns++;
	note_head_of_turn(state, tp, msg);
}

/* In ESTABLISHED, after a receive, which may have read nothing. The newest payload arrived at lrcvtime. */
static __always_inline void note_receive(struct exchange_state *state, const struct tcp_sock *tp)
{
	__u32 arrived = tp->inet_conn.icsk_ack.lrcvtime;
	__u32 copied_seq = tp->copied_seq;
	__u32 pause = arrived - state->read_arrived;

	if (state->read_seq == copied_seq)
		return;
	/* The first read after a send takes its answer: a long wait for that is no pause. */
	if (pause_ticks && (__s32)pause >= (__s32)pause_ticks &&
	    (__s32)(state->read_seq - state->send_copied_seq) > 0) {
		state->words_seq = state->read_seq;
		state->words_pause = pause;
		state->pauses++;
	}
	state->read_seq = copied_seq;
	state->read_rcv_nxt = tp->rcv_nxt;
	state->read_arrived = arrived;
}

/*
 * What a single message's sender reads late, after it had read something already, may be the peer's last words. When what
 * it read before had come is not known any more: after the send, so the pause was no longer than this.
 */
static __always_inline bool may_be_last_words(const struct sock *sk, const struct tcp_sock *tp,
					      int result)
{
	__u32 read_before = tp->copied_seq - (tp->rcv_nxt - (__u32)tp->bytes_received) - (__u32)result;

	return !sk->sk_max_ack_backlog && pause_ticks && tp->bytes_sent &&
	       (__s32)(tp->inet_conn.icsk_ack.lrcvtime - tp->lsndtime) >= (__s32)pause_ticks &&
	       (__s32)read_before > 0;
}

static __always_inline void note_last_words(const struct sock *sk, const struct tcp_sock *tp,
					    int result)
{
	struct exchange_state *state = create_exchange(sk, tp);

	if (!state)
		return;
	state->words_seq = tp->copied_seq - (__u32)result;
	state->words_pause = tp->inet_conn.icsk_ack.lrcvtime - tp->lsndtime;
	state->pauses = 2; /* there may have been one before */
}

static __always_inline void fill_exchange(struct stalesock_event_full *event, const struct sock *sk)
{
	struct stalesock_exchange *seen = &event->exchange;
	const struct exchange_state *state;
	__u32 now = (__u32)bpf_jiffies64();

	if (!baseline_at_fin)
		event->head.flags |= STALESOCK_F_SENDS_SEEN;
	if (!keep_exchanges)
		return;
	event->head.flags |= STALESOCK_F_RECEIVES_SEEN;
	state = exchange_of(sk);
	if (!state)
		return;
	event->head.flags |= STALESOCK_F_EXCHANGE;
	if (state->flags & EXCHANGE_EOF_READ)
		event->head.flags |= STALESOCK_F_EOF_READ;
	if (state->heads & EXCHANGE_REST)
		event->head.flags |= STALESOCK_F_HTTP_REST;
	seen->turn_write_seq = state->turn_write_seq;
	seen->turn_rcv_nxt = state->turn_rcv_nxt;
	seen->turn_age_ticks = now - state->turn_began;
	seen->turn_pid = state->turn_pid;
	seen->turns = state->turns;
	seen->send_rcv_nxt = state->send_rcv_nxt;
	seen->send_copied_seq = state->send_copied_seq;
	seen->read_seq = state->read_seq;
	seen->read_rcv_nxt = state->read_rcv_nxt;
	seen->read_age_ticks = now - state->read_arrived;
	seen->words_seq = state->words_seq;
	seen->words_pause_ticks = state->words_pause;
	seen->pauses = state->pauses;
	seen->lone_sends = state->lone_sends;
}

#endif
