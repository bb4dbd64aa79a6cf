/* SPDX-License-Identifier: Apache-2.0 */
/* The BPF objects of snapshots. Their light skeletons are C, and snapshot_object.c the one file that includes them. */
#ifndef STALESOCK_SNAPSHOT_OBJECT_H
#define STALESOCK_SNAPSHOT_OBJECT_H

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct snapshot_sockets_bpf;
struct snapshot_holders_bpf;

/* Open and load. Null: *error is a positive errno. */
struct snapshot_sockets_bpf* stalesock_sockets_load(int* error);
struct snapshot_holders_bpf* stalesock_holders_load(int* error);
void stalesock_sockets_unload(struct snapshot_sockets_bpf* object);
void stalesock_holders_unload(struct snapshot_holders_bpf* object);

/* File descriptors of the programs. */
int stalesock_sockets_program(const struct snapshot_sockets_bpf* object);
int stalesock_holders_program(const struct snapshot_holders_bpf* object);

/* One moment, as the last run over the sockets noted it; both 0 before. */
__u64 stalesock_sockets_jiffies(const struct snapshot_sockets_bpf* object);
__u64 stalesock_sockets_monotonic_ns(const struct snapshot_sockets_bpf* object);

#ifdef __cplusplus
}
#endif

#endif
