/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel/user contract of snapshots: what iter/tcp and iter/task_file write for `list` and `top`.
 *
 * Fixed-width fields only; ports in host byte order; addresses always 16 bytes (IPv4 in the first
 * four). Ages and times to expiry are in jiffies. One record for each socket, one for each descriptor.
 */
#ifndef STALESOCK_SNAPSHOT_H
#define STALESOCK_SNAPSHOT_H

#include "stalesock/event.h"

/* stalesock_socket.flags */
#define STALESOCK_S_FULL (1u << 0)      /* a full socket: counters, ages and keepalive are filled */
#define STALESOCK_S_DONE (1u << 1)      /* SOCK_DONE: the peer's FIN was processed */
#define STALESOCK_S_DEAD (1u << 2)      /* SOCK_DEAD: no descriptor is left (orphan) */
#define STALESOCK_S_KEEPALIVE (1u << 3) /* SO_KEEPALIVE is on */
#define STALESOCK_S_PASSIVE (1u << 4)   /* inherited a listener's backlog: opened passively */
#define STALESOCK_S_MPTCP (1u << 5)     /* a subflow of an MPTCP connection */

/* stalesock_socket.timer: what is pending, as ss names it */
#define STALESOCK_TIMER_NONE 0
#define STALESOCK_TIMER_RETRANSMIT 1 /* "on": retransmission, early retransmit, loss probe, SYN+ACK */
#define STALESOCK_TIMER_KEEPALIVE 2
#define STALESOCK_TIMER_TIMEWAIT 3
#define STALESOCK_TIMER_PERSIST 4 /* zero-window probe */

struct stalesock_socket {
	__u64 cookie;
	__u64 bytes_sent;     /* payload, without retransmissions */
	__u64 bytes_received; /* payload */
	__u32 reserved_first;
	__u32 flags;             /* STALESOCK_S_* */
	__u32 send_age_ticks;    /* since lsndtime */
	__u32 receive_age_ticks; /* since lrcvtime */
	__u32 ack_age_ticks;     /* since rcv_tstamp */
	__u32 transmit_age_ms; /* CLOSE_WAIT: since tcp_wstamp_ns, the last segment of ours of any kind */
	__u32 unread;          /* rcv_nxt - copied_seq, the FIN counted as one; LISTEN: accept queue */
	__u32 unacked;         /* write_seq - snd_una, our FIN counted as one; LISTEN: its limit */
	__u32 retransmits;     /* total_retrans; NEW_SYN_RECV: SYN+ACKs sent again */
	__u32 timer_ticks;     /* until it expires */
	__u32 keepalive_timer_ticks;    /* until that timer expires; only while it is pending */
	__u32 keepalive_time_ticks;     /* TCP_KEEPIDLE; 0: the namespace's default */
	__u32 keepalive_interval_ticks; /* TCP_KEEPINTVL; 0: the namespace's default */
	__u32 srtt_us;                  /* smoothed round trip; 0 not measured */
	__u16 family;                   /* AF_INET or AF_INET6 */
	__u16 local_port;
	__u16 remote_port;
	__u8 state;       /* TCP_* as in include/net/tcp_states.h; of TIME_WAIT entries the substate */
	__u8 shutdown;    /* sk_shutdown: 1 RCV_SHUTDOWN, 2 SEND_SHUTDOWN */
	__u8 timer;       /* STALESOCK_TIMER_* */
	__u8 timer_tries; /* retransmissions (or probes) unanswered, as ss shows them */
	__u8 keepalive_probes; /* TCP_KEEPCNT; 0: the namespace's default */
	__u8 probes_out;       /* icsk_probes_out */
	__u8 keepalive_armed;  /* its timer is pending */
	__u8 reserved[3];
	__u8 local[16];
	__u8 remote[16];
};

struct stalesock_holder {
	__u64 cookie; /* of the socket */
	__u32 pid;    /* thread group id of a process that holds a descriptor of it */
	__u32 reserved;
	char command[STALESOCK_COMMAND_LENGTH]; /* group leader's comm */
};

STALESOCK_STATIC_ASSERT(sizeof(struct stalesock_socket) == 128, "socket record layout");
STALESOCK_STATIC_ASSERT(__builtin_offsetof(struct stalesock_socket, family) == 80, "family offset");
STALESOCK_STATIC_ASSERT(sizeof(struct stalesock_holder) == 32, "holder record layout");

#endif /* STALESOCK_SNAPSHOT_H */
