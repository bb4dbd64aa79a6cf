/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sockets of `list` and `top`. Objects of their own for sockets and holders, so that a snapshot
 * loads nothing else, and both at the same time. The body is in sockets.bpf.h.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sockets.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/tcp")
int sockets(struct bpf_iter__tcp *context)
{
	return on_socket(context->meta->seq, context->meta->seq_num, context->sk_common);
}
