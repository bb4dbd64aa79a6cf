/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same attach points with nothing in them: what bpf_stats itself costs is measured on these. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/inet_sock_set_state")
int empty_state(void* context) {
	return 0;
}

SEC("tp_btf/tcp_sendmsg_locked")
int empty_begin(void* context) {
	return 0;
}

SEC("tp_btf/sock_send_length")
int empty_send(void* context) {
	return 0;
}

SEC("tp_btf/sock_recv_length")
int empty_receive(void* context) {
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int empty_destroy(void* context) {
	return 0;
}

SEC("tp_btf/timer_expire_entry")
int empty_timer(void* context) {
	return 0;
}
