/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who holds the sockets of a snapshot, written like them (sockets.bpf.h). */
#ifndef STALESOCK_HOLDERS_BPF_H
#define STALESOCK_HOLDERS_BPF_H

#include "stalesock/snapshot.h"
#include "copy.bpf.h"

/* Sees the sockets of every network namespace, while the sockets themselves may not have been passed yet. */
static __always_inline int on_descriptor(struct seq_file *seq, struct task_struct *task,
					 struct file *file)
{
	struct stalesock_holder record = {};
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || sk->sk_protocol != IPPROTO_TCP || sk->sk_type != SOCK_STREAM)
		return 0;
	record.cookie = bpf_get_socket_cookie(sk);
	record.pid = task->tgid;
	copy_command(record.command, task);
	bpf_seq_write(seq, &record, sizeof(record));
	return 0;
}

#endif
