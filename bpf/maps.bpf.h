/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map and every read-only setting. Each says who inserts, who deletes, who reads. */
#ifndef STALESOCK_MAPS_BPF_H
#define STALESOCK_MAPS_BPF_H

#include "stalesock/event.h"

/*
 * events: inserted by every hook through emit.bpf.h; read and deleted by user/probe.
 * The size is set before loading.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

/* late_state.flags: of the hooks of sends and of transitions */
#define LATE_FIN_TIMED (1u << 0) /* fin_ns was taken at the FIN */
#define LATE_WRITING (1u << 1)   /* the first late write has begun: its facts are filled */
#define LATE_FINAL (1u << 2)     /* CLOSE_WAIT was left: bytes will not grow */
#define LATE_CONTINUED (1u << 3) /* the first late bytes belong to a send begun before the FIN */
#define LATE_REFUSED (1u << 4)   /* that a send failed was reported */

/* late_state.reads: of the hook of receives, which may run beside them on another CPU */
#define LATE_READ (1u << 0)     /* read again after the late write */
#define LATE_EOF_READ (1u << 1) /* EOF was read after the FIN */
#define LATE_EOF_PEEKED (1u << 2)

/* What the kernel does not keep about a socket whose peer has sent its FIN. */
struct late_state {
	__u64 fin_ns;
	__u64 late_ns;
	__u64 cgroup_id;
	__u64 bytes;     /* write_seq wraps at 4 GiB; this does not */
	__u32 write_seq; /* at (or since) the FIN */
	__u32 pid;
	__u32 unread;
	__u32 copied_seq;
	__u32 flags;
	__u16 record_length;
	__u16 writes;
	__u8 head;
	__u8 reads;
	__u8 padding[6];
	char command[STALESOCK_COMMAND_LENGTH];
};

/*
 * late: inserted no earlier than the peer's FIN, by the first read of EOF, the first late write or
 * the inventory (and at the FIN itself where no hook sees a write before it is queued, or when the FIN
 * overtakes a send that will not pass that hook again); deleted by the kernel with the socket; read by
 * the hooks that emit.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct late_state);
} late SEC(".maps");

/* exchange_state.flags, all of the hook of receives */
#define EXCHANGE_EOF_READ (1u << 0) /* EOF was read after the FIN */

/* exchange_state.heads, of the hook of sends */
#define EXCHANGE_BODY (1u << 0) /* the last request of HTTP that was looked at announces a body */
#define EXCHANGE_REST                                                                                  \
	(1u << 1) /* the last turn began right after the send before it, and with no method */

/* What the kernel does not keep about an exchange: see struct stalesock_exchange. Times are jiffies. */
struct exchange_state {
	/* Of sends, which hold the socket's lock. */
	__u32 turn_write_seq;
	__u32 turn_rcv_nxt;
	__u32 turn_began;
	__u32 turn_pid;
	__u32 turns;
	__u32 send_rcv_nxt;
	__u32 send_copied_seq;
	__u32 lone_sends;
	__u32 heads;
	/* Of receives, whose hook does not. */
	__u32 read_seq;
	__u32 read_rcv_nxt;
	__u32 read_arrived; /* lrcvtime */
	__u32 words_seq;
	__u32 words_pause;
	__u32 pauses; /* begins anew with a send */
	__u32 flags;
};

/*
 * exchange: inserted by the first send of an established connection that begins after anything was received or after a
 * pause (an active opener), or that begins a second turn (a passive one); deleted by the kernel with the socket, and when that is
 * connected anew; written by the hooks of sends and receives; read by what emits full records.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct exchange_state);
} exchange SEC(".maps");

/*
 * announced: cookies, their lower halves, of connections whose first message began with a method of HTTP that announces a body:
 * the rest of such a request may be written after its answer was read. Written by the first send, read when an exchange
 * is inserted, soon after; whoever has the same place later takes it.
 */
#define ANNOUNCED_PLACES 16384
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ANNOUNCED_PLACES);
	__type(key, __u32);
	__type(value, __u32);
} announced SEC(".maps");

/*
 * The transition that state_change_by_segment was last run for. No program runs within itself on one CPU, so each counter
 * has one writer.
 */
struct taken_state {
	__u64 sk;
	__u64 new_state;
	__u64 left;   /* transitions that state_change_by_segment left to state_change_by_process */
	__u64 others; /* transitions that state_change_by_process took */
};

/* taken: one for each CPU; written by the programs at state changes; read by the second of them, and the counters by user/probe. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct taken_state);
} taken SEC(".maps");

/* Settings: written by user/probe before loading, read by every hook. Zero: no restriction. */
const volatile __u32 filter_netns = 0;
const volatile __u32 filter_pid = 0;
const volatile __u16 filter_port = 0;
/* The consumer is woken when this many bytes wait; below, it drains on its timer. */
const volatile __u32 wakeup_backlog = 1 << 20;
/* The inventory pauses for the consumer when this many bytes wait. */
const volatile __u32 inventory_backlog = 2 << 20;
/* No hook sees the socket before a late write is queued: note write_seq at every FIN. */
const volatile bool baseline_at_fin = false;
/* The hook before a write sees the start of a send, not each chunk of it. */
const volatile bool hook_once_per_send = false;

/* Only a hook after a write sees it. */
const volatile bool hook_only_after_send = false;

/* Settings in jiffies: written by user/probe once it has measured their length. 0: off. */
__u32 reuse_gap_ticks = 0;  /* a write after this much silence is a reuse */
__u32 pause_ticks = 0;      /* a peer that was silent for so long between two payloads had paused */
__u32 tick_ns = 1000000;    /* the length of a jiffy */
__u32 dirty_idle_ticks = 0; /* unread bytes that lie for this long are scanned */

/* Hooks see each send begin and each receive end: exchanges are kept. */
const volatile bool keep_exchanges = false;

/*
 * What the next run over descriptors reports: written by user/probe. Sockets of other network namespaces than
 * this one are looked at through their descriptors, where we may not enter those; 0: none are.
 */
__u32 home_netns = 0;
bool held_owners = false;
bool held_inventory = false;
bool held_late = false;
bool held_waiting = false;

/* Counters: written by the hooks, read by user/probe. */
__u32 elsewhere = 0;     /* sockets of other network namespaces that the inventory looked at */
__u64 dropped = 0;       /* records the full ring refused */
__u64 mptcp_skipped = 0; /* transitions of MPTCP master sockets */

/* tcp_keepalive_timer: written with the first record, read by the hook of timers. */
__u64 keepalive_function = 0;

/* The clock pair of read_tick: written by it, read by user/probe. */
__u64 tick_jiffies = 0;
__u64 tick_boot_ns = 0;

#endif
