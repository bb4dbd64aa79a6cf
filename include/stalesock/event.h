/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel/user contract: what a ring buffer record looks like.
 *
 * Compiled as C by the BPF programs and as C++ by user/probe. Fixed-width fields only; ports in
 * host byte order; addresses always 16 bytes (IPv4 in the first four); one clock for time_ns
 * (CLOCK_BOOTTIME). A record is zeroed before it is filled.
 *
 * Three sizes exist. Kinds that only say "this socket, this moment" carry struct stalesock_event. Kinds
 * from which a verdict may follow carry struct stalesock_event_full, or, with STALESOCK_F_LATE, struct
 * stalesock_event_late. stalesock_event.size says which, and decode refuses a record whose length, size,
 * kind and flags disagree.
 */
#ifndef STALESOCK_EVENT_H
#define STALESOCK_EVENT_H

#ifdef __cplusplus
#include <linux/types.h>
#define STALESOCK_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define STALESOCK_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* Recordings keep records as they are. Raise it with every change that an older reader would misread: a
 * field that moves, or a value that means something else. New flags, kinds and heads are no such change. */
#define STALESOCK_RECORD_LAYOUT 2

#define STALESOCK_COMMAND_LENGTH 16 /* TASK_COMM_LEN, with its terminating NUL */

/* stalesock_event.kind */
#define STALESOCK_OPEN 1            /* active: ->SYN_SENT; passive: ->ESTABLISHED (short) */
#define STALESOCK_PEER_FIN 2        /* the peer's FIN was processed (full) */
#define STALESOCK_LATE_WRITE 3      /* payload was accepted after the peer's FIN (full) */
#define STALESOCK_EOF_READ 4        /* the application read or peeked the end of file (short) */
#define STALESOCK_CLOSE 5           /* our FIN: shutdown or close by the application (full) */
#define STALESOCK_END 6             /* ->CLOSE, or a socket with a late write is destroyed (full) */
#define STALESOCK_KEEPALIVE_PROBE 7 /* SO_KEEPALIVE probe about to be sent (short) */
#define STALESOCK_RETRANSMIT 8      /* retransmission on a silent connection (full) */
#define STALESOCK_INVENTORY 9       /* the socket existed when the inventory passed it (full) */
#define STALESOCK_OWNER 10          /* this process holds a descriptor of the socket (short) */
#define STALESOCK_RELEASED 11       /* orphaned by a clean close: nothing more is reported (short) */
#define STALESOCK_REUSE 12 /* active: a write begins after a silence, all before it is acked (full) */
#define STALESOCK_SCAN 13  /* a scan passed a socket that waits for its application (full) */
#define STALESOCK_REFUSED_WRITE                                                                        \
	14 /* a send failed on a socket that had been connected, the first one (short) */

/* stalesock_event.flags */
#define STALESOCK_F_OWNED (1u << 0)           /* pid and command are the actor's (sk_lock.owned) */
#define STALESOCK_F_DONE (1u << 1)            /* SOCK_DONE: the peer's FIN was processed */
#define STALESOCK_F_DEAD (1u << 2)            /* SOCK_DEAD: no descriptor is left (orphan) */
#define STALESOCK_F_KEEPALIVE (1u << 3)       /* SO_KEEPALIVE is on */
#define STALESOCK_F_PASSIVE (1u << 4)         /* inherited a listener's backlog: opened passively */
#define STALESOCK_F_ULP (1u << 5)             /* an upper-layer protocol (kernel TLS) is attached */
#define STALESOCK_F_PEEK (1u << 6)            /* EOF_READ: by MSG_PEEK */
#define STALESOCK_F_DESTROYED (1u << 7)       /* END: from tcp_destroy_sock, not from a transition */
#define STALESOCK_F_LATE (1u << 8)            /* a struct stalesock_event_late */
#define STALESOCK_F_LATE_READ (1u << 9)       /* the application read again after its late write */
#define STALESOCK_F_LATE_CONTINUED (1u << 10) /* they end a send begun before the FIN */
#define STALESOCK_F_EOF_READ (1u << 11)       /* EOF has been read (full records, after the FIN) */
#define STALESOCK_F_EOF_PEEKED (1u << 12)     /* EOF has been peeked (full records, after the FIN) */
#define STALESOCK_F_LATE_BEGUN (1u << 13)     /* a hook saw the late write before it was queued */
#define STALESOCK_F_BARE_RST (1u << 14)   /* END: the RST had no timestamps, all segments before had */
#define STALESOCK_F_UNANSWERED (1u << 16) /* KEEPALIVE_PROBE: the one before had no answer */
#define STALESOCK_F_EXCHANGE (1u << 15)   /* the exchange is filled (full records) */
#define STALESOCK_F_FAREWELL                                                                           \
	(1u << 17) /* REUSE: a TLS alert or a protocol's goodbye is written, no request */
#define STALESOCK_F_SENDS_SEEN                                                                         \
	(1u << 18) /* a hook sees each send begin: what was a farewell had a REUSE (full records) */
#define STALESOCK_F_RECEIVES_SEEN (1u << 19) /* a hook sees each receive end (full records) */
#define STALESOCK_F_HTTP_REST                                                                          \
	(1u << 20) /* the last turn followed at once and begins no request of the HTTP spoken */
#define STALESOCK_F_UNACCEPTED                                                                         \
	(1u << 21) /* SCAN: no application has taken it from its listener's queue */

/* stalesock_event_full.late_head: what the first bytes of the first late write were, or, after
 * frames of HTTP/2 that ask for nothing, of the first that may ask: time, writer and what was unread
 * are of the same write. The bytes themselves never leave the kernel. */
#define STALESOCK_HEAD_UNKNOWN 0     /* not visible (page iterator, no hook) */
#define STALESOCK_HEAD_TLS_ALERT 1   /* TLS record of type 21 */
#define STALESOCK_HEAD_TLS_DATA 2    /* TLS record of type 23; late_record_length is its length */
#define STALESOCK_HEAD_GOODBYE 3     /* PostgreSQL Terminate, MySQL COM_QUIT, "QUIT", close frames */
#define STALESOCK_HEAD_HTTP 5        /* the method of an HTTP request: a new one begins */
#define STALESOCK_HEAD_OTHER 4       /* visible, and none of these */
#define STALESOCK_HEAD_CONTROL 6     /* frames of HTTP/2 that ask for nothing */
#define STALESOCK_HEAD_TLS_CONTROL 7 /* one TLS record of type 23 and of such a frame's length */

struct stalesock_event {
	__u64 time_ns;    /* CLOCK_BOOTTIME */
	__u64 cookie;     /* socket cookie: unique for this boot, never reused */
	__u64 cgroup_id;  /* of the actor, cgroup v2; 0 when STALESOCK_F_OWNED is not set */
	__u32 netns;      /* inode number of the network namespace */
	__u32 pid;        /* thread group id; 0 when STALESOCK_F_OWNED is not set */
	__u32 flags;      /* STALESOCK_F_* */
	__s32 error;      /* sk_err, a positive errno or 0 */
	__u16 size;       /* of the whole record */
	__u16 kind;       /* STALESOCK_OPEN ... */
	__u16 family;     /* AF_INET or AF_INET6 */
	__u16 local_port; /* 0 in SYN_SENT before a port is chosen */
	__u16 remote_port;
	__u8 old_state; /* TCP_* as in include/net/tcp_states.h */
	__u8 new_state;
	__u8 shutdown; /* sk_shutdown: 1 RCV_SHUTDOWN, 2 SEND_SHUTDOWN */
	__u8 reserved[3];
	__u8 local[16];
	__u8 remote[16];
	char command[STALESOCK_COMMAND_LENGTH]; /* group leader's comm; empty without OWNED */
	__u32 write_seq;  /* REFUSED_WRITE; RELEASED from a state with a FIN of the peer's */
	__u32 copied_seq; /* likewise */
};

/*
 * The exchange: what the hooks of sends and receives saw, from the first send on that began after anything had been
 * received or after a pause (an active opener), or that began a second turn (a passive one). Without
 * STALESOCK_F_EXCHANGE, on a connection seen from its open, there was no such send. A turn begins with a send before
 * which the application had read something since its last send began, and with its first send.
 */
struct stalesock_exchange {
	__u32 turn_write_seq; /* write_seq before the first byte of the last turn */
	__u32 turn_rcv_nxt;   /* rcv_nxt when that turn began */
	__u32 turn_age_ticks; /* jiffies since then */
	__u32 turn_pid;       /* who began it: thread group id */
	__u32 turns; /* since the record began, and the one before; of a connection seen from its open: all */
	__u32 send_rcv_nxt;    /* rcv_nxt when the last send began */
	__u32 send_copied_seq; /* copied_seq then */
	__u32 read_seq;        /* copied_seq when the last receive ended */
	__u32 read_rcv_nxt;    /* rcv_nxt then */
	__u32 read_age_ticks;  /* jiffies since the newest payload came that had come by then */
	/* A pause: nothing came for a while, after the last send's answer had begun to come. */
	__u32 pauses;            /* since the last send began, as far as their ends were read */
	__u32 words_seq;         /* copied_seq before what was read since the last of them */
	__u32 words_pause_ticks; /* its length: jiffies between payload that came before it and after it */
	__u32 lone_sends; /* sends of the last turn that began after a pause of ours, nothing having come since it began */
};

struct stalesock_event_full {
	struct stalesock_event head;
	__u64 clock_us;        /* tcp_mstamp: CLOCK_MONOTONIC us when TCP last looked at the clock */
	__u64 first_tx_us;     /* first_tx_mstamp: sent time of the last delivered segment, or of the
	                       * first one in flight; same clock */
	__u64 delivered_us;    /* delivered_mstamp: when that delivery was noticed; same clock */
	__u64 delivered_tx_us; /* rack.mstamp: sent time of the segment delivered last; same clock */
	__u64 last_tx_ns;      /* tcp_wstamp_ns: when any segment was last sent; same clock, ns */
	__u64 bytes_sent;      /* payload, without retransmissions */
	__u64 bytes_received;  /* payload */
	__u32 write_seq;
	__u32 snd_una;
	__u32 rcv_nxt; /* counts the peer's FIN as one */
	__u32 copied_seq;
	__u32 rcv_wup;                  /* rcv_nxt when any segment was last sent */
	__u32 send_age_ticks;           /* jiffies since lsndtime */
	__u32 receive_age_ticks;        /* jiffies since lrcvtime */
	__u32 ack_age_ticks;            /* jiffies since rcv_tstamp: the last ACK of any kind */
	__u32 srtt_us;                  /* smoothed round trip, us; 0 not measured */
	__u32 retransmits;              /* total_retrans */
	__u32 keepalive_time_ticks;     /* TCP_KEEPIDLE; 0: the netns default, keepalive is off */
	__u32 keepalive_interval_ticks; /* TCP_KEEPINTVL; 0: the netns default */
	__u32 user_timeout_ms;          /* TCP_USER_TIMEOUT; 0: none */
	__u32 echoed_ms;       /* rx_opt.rcv_tsecr: sent time of the newest segment of ours that
	                            * the peer had seen, ms of the same clock; 0: no timestamps */
	__u8 keepalive_probes; /* TCP_KEEPCNT; 0: the netns default */
	__u8 probes_out;       /* icsk_probes_out */
	__u8 late_head;        /* STALESOCK_HEAD_* */
	__u8 reserved;
	__u32 receive_window;               /* what the peer may send: 0 when it is shut */
	__u64 bytes_acked;                  /* payload, and an active opener's SYN as one */
	struct stalesock_exchange exchange; /* valid with STALESOCK_F_EXCHANGE */
};

/* With the late write. */
struct stalesock_event_late {
	struct stalesock_event_full full;
	__u64 fin_ns;     /* when the FIN was processed, CLOCK_BOOTTIME; 0: not known */
	__u64 late_ns;    /* first late write, CLOCK_BOOTTIME */
	__u32 late_bytes; /* write_seq growth since the FIN, lower half */
	__u32 late_pid;
	__u32 late_unread;        /* rcv_nxt - copied_seq at the first late write, FIN included */
	__u32 late_copied_seq;    /* copied_seq then */
	__u16 late_record_length; /* TLS record length, STALESOCK_HEAD_TLS_* of type 23 */
	__u16 late_writes;        /* sends seen after the FIN; at least 1 */
	__u32 late_bytes_high;
	char late_command[STALESOCK_COMMAND_LENGTH];
};

STALESOCK_STATIC_ASSERT(sizeof(struct stalesock_event) == 112, "short record layout");
STALESOCK_STATIC_ASSERT(sizeof(struct stalesock_exchange) == 56, "exchange layout");
STALESOCK_STATIC_ASSERT(sizeof(struct stalesock_event_full) == 296, "full record layout");
STALESOCK_STATIC_ASSERT(sizeof(struct stalesock_event_late) == 352, "late record layout");
STALESOCK_STATIC_ASSERT(__builtin_offsetof(struct stalesock_event, size) == 40, "size offset");
STALESOCK_STATIC_ASSERT(__builtin_offsetof(struct stalesock_event_full, write_seq) == 168,
			"write_seq offset");
STALESOCK_STATIC_ASSERT(__builtin_offsetof(struct stalesock_event_late, fin_ns) == 296,
			"fin_ns offset");

#endif /* STALESOCK_EVENT_H */
