/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The holders of sockets, for `list` and `top`. The body is in holders.bpf.h. */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "holders.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/task_file")
int holders(struct bpf_iter__task_file *context)
{
	return on_descriptor(context->meta->seq, context->task, context->file);
}
