/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of attach points. One line each; bodies are in the
 * *.bpf.h files. user/probe/candidates.cpp says what each is needed for, hooks.cpp which of them is loaded.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "inventory.bpf.h"
#include "lifecycle.bpf.h"
#include "timers.bpf.h"
#include "traffic.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Before a byte is queued: the baseline of write_seq, the head of the message, the writer. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(send_begin, const struct sock *sk, const struct msghdr *msg)
{
	return on_send_begin(sk, msg, 0);
}

/* Before "trace: tcp: Add tracepoint for tcp_sendmsg_locked()" (6.16): once for each send, not each chunk. */
SEC("fentry/tcp_sendmsg_locked")
int BPF_PROG(send_begin_fentry, struct sock *sk, struct msghdr *msg)
{
	return on_send_begin(sk, msg, 0);
}

/* Not the state at the end of a send: only the growth of write_seq tells what was accepted. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(send_end, struct sock *sk, int result)
{
	return on_send_end(sk, result);
}

/* Before "sock: add tracepoint for send recv length" (6.3). */
SEC("fexit/tcp_sendmsg_locked")
int BPF_PROG(send_end_fexit, struct sock *sk, struct msghdr *msg, size_t length, int result)
{
	return on_send_end(sk, result);
}

/* sendfile, splice and kernel TLS, until "tcp: Fold do_tcp_sendpages() into tcp_sendpage_locked()" (6.5). */
SEC("fentry/do_tcp_sendpages")
int BPF_PROG(send_pages_begin_fentry, struct sock *sk, const void *page, int offset, size_t bytes)
{
	return on_send_begin(sk, 0, bytes);
}

SEC("fexit/do_tcp_sendpages")
int BPF_PROG(send_pages_end_fexit, struct sock *sk, const void *page, int offset, size_t length,
	     int flags, long result)
{
	return on_send_end(sk, result);
}

/* Did the application know? 0 from recv or from MSG_PEEK. poll and epoll are invisible. */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(receive_end, struct sock *sk, int result, int message_flags)
{
	return on_receive(sk, result, message_flags);
}

/* Before "sock: add tracepoint for send recv length" (6.3). user/probe chooses by the number of parameters. */
SEC("fexit/tcp_recvmsg")
int BPF_PROG(receive_end_fexit, struct sock *sk, struct msghdr *msg, size_t length, int message_flags,
	     int *address_length, int result)
{
	return on_receive(sk, result, message_flags);
}

/* Since "net: remove addr_len argument of recvmsg() handlers" (seen on 7.3, and on 6.18.44). */
SEC("fexit/tcp_recvmsg")
int BPF_PROG(receive_end_fexit_short, struct sock *sk, struct msghdr *msg, size_t length,
	     int message_flags, int result)
{
	return on_receive(sk, result, message_flags);
}

/* splice() from a socket passes no tracepoint. */
SEC("fexit/tcp_splice_read")
int BPF_PROG(splice_end_fexit, struct socket *socket, loff_t *position, void *pipe, size_t length,
	     unsigned int flags, ssize_t result)
{
	struct sock *sk = socket->sk;

	return sk ? on_receive(sk, result, 0) : 0;
}

/* Every timer of the host passes here; one comparison for all but keepalive. */
SEC("tp_btf/timer_expire_entry")
int BPF_PROG(timer_expiry, struct timer_list *timer)
{
	return on_timer_expiry(timer);
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit, const struct sock *sk)
{
	return on_retransmit(sk);
}

/* Only sockets with a late write have something left to say. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy, struct sock *sk)
{
	return on_destroy(sk);
}

/*
 * Not tcp_set_state by kprobe: the tracepoint fires before sk_state is written and costs a tenth.
 * Two programs, attached in this order, and each transition belongs to one: the kernel does not run a
 * program that is already running on the same CPU, so a FIN processed in a softirq that interrupts the
 * transition of an application's close would be missed by a common one. Should the softirq come just while
 * the first one turns that transition down, the second one, which has not begun, takes the FIN.
 *
 * Programs are attached in the order of this file. These come last: of a connection that they see opened, every send and
 * receive is seen.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_change_by_segment, const struct sock *sk, int old_state, int new_state)
{
	return takes_by_segment(sk, new_state) ? on_state_change(sk, old_state, new_state) : 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_change_by_process, const struct sock *sk, int old_state, int new_state)
{
	return takes_by_process(sk, new_state) ? on_state_change(sk, old_state, new_state) : 0;
}

SEC("iter/tcp")
int inventory(struct bpf_iter__tcp *context)
{
	return on_inventory_socket(context->sk_common);
}

SEC("iter/tcp")
int late_scan(struct bpf_iter__tcp *context)
{
	return on_late_scan(context->sk_common);
}

SEC("iter/tcp")
int waiting_scan(struct bpf_iter__tcp *context)
{
	return on_waiting_scan(context->sk_common);
}

SEC("iter/task_file")
int owner_scan(struct bpf_iter__task_file *context)
{
	return on_task_file(context->task, context->file);
}

/* Run on demand: one jiffy's length is measured against the boot clock, HZ is not readable everywhere. */
SEC("syscall")
int read_tick(void *context)
{
	tick_jiffies = bpf_jiffies64();
	tick_boot_ns = bpf_ktime_get_boot_ns();
	return 0;
}
