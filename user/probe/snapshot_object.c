/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/snapshot_object.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "snapshot_holders.skel.h"
#include "snapshot_sockets.skel.h"

/* The verifier gives up with EAGAIN when a signal arrives, or a freezer or debugger stops us (do_check in
 * kernel/bpf/verifier.c). libbpf tries again as often; a light skeleton does not. */
static const int most_attempts = 5;

static struct snapshot_sockets_bpf* try_sockets(int* error) {
	struct snapshot_sockets_bpf* object = snapshot_sockets_bpf__open();

	*error = object ? -snapshot_sockets_bpf__load(object) : ENOMEM;
	if (*error == 0)
		return object;
	snapshot_sockets_bpf__destroy(object);
	return NULL;
}

struct snapshot_sockets_bpf* stalesock_sockets_load(int* error) {
	struct snapshot_sockets_bpf* object = try_sockets(error);

	for (int attempt = 1; *error == EAGAIN && attempt < most_attempts; attempt++)
		object = try_sockets(error);
	return object;
}

static struct snapshot_holders_bpf* try_holders(int* error) {
	struct snapshot_holders_bpf* object = snapshot_holders_bpf__open();

	*error = object ? -snapshot_holders_bpf__load(object) : ENOMEM;
	if (*error == 0)
		return object;
	snapshot_holders_bpf__destroy(object);
	return NULL;
}

struct snapshot_holders_bpf* stalesock_holders_load(int* error) {
	struct snapshot_holders_bpf* object = try_holders(error);

	for (int attempt = 1; *error == EAGAIN && attempt < most_attempts; attempt++)
		object = try_holders(error);
	return object;
}

void stalesock_sockets_unload(struct snapshot_sockets_bpf* object) {
	snapshot_sockets_bpf__destroy(object);
}

void stalesock_holders_unload(struct snapshot_holders_bpf* object) {
	snapshot_holders_bpf__destroy(object);
}

int stalesock_sockets_program(const struct snapshot_sockets_bpf* object) {
	return object->progs.sockets.prog_fd;
}

int stalesock_holders_program(const struct snapshot_holders_bpf* object) {
	return object->progs.holders.prog_fd;
}

__u64 stalesock_sockets_jiffies(const struct snapshot_sockets_bpf* object) {
	return object->bss->clock_jiffies;
}

__u64 stalesock_sockets_monotonic_ns(const struct snapshot_sockets_bpf* object) {
	return object->bss->clock_ns;
}
