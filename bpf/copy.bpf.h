/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every record has: addresses and the command, copied from the kernel's own structures. */
#ifndef STALESOCK_COPY_BPF_H
#define STALESOCK_COPY_BPF_H

#include "compat.bpf.h"

/* Of full sockets, TIME_WAIT and NEW_SYN_RECV entries alike. Both are 16 bytes and cleared. */
static __always_inline void copy_addresses(void *local_bytes, void *remote_bytes,
					   const struct sock_common *common)
{
	__u32 *local = local_bytes;
	__u32 *remote = remote_bytes;

	if (common->skc_family == AF_INET) {
		local[0] = common->skc_rcv_saddr;
		remote[0] = common->skc_daddr;
		return;
	}
	for (int i = 0; i < 4; i++) {
		local[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		remote[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
	}
}

/* Two plain loads from a trusted pointer: no call, no terminator to look for. */
static __always_inline void copy_command(char *to, const struct task_struct *task)
{
	const __u64 *comm = (const __u64 *)task->group_leader->comm;

	((__u64 *)to)[0] = comm[0];
	((__u64 *)to)[1] = comm[1];
}

#endif
