#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the CPUs away from whatever else runs, at random: one process for each of two CPUs, for 30 to 400 ms at a time.

    tests/support/busy.py --seconds N [--ordinary] [--rest MS]

Nothing else runs on a CPU meanwhile, as where the host of a virtual machine takes it. With --ordinary the processes are
like all others: a CPU is shared, not taken. Between two times each rests for 0 to 2 x MS (400), so that about half of
the CPUs is left. Ends after N seconds, or when it is killed. Needs root, but for --ordinary.
"""
import argparse
import os
import random
import signal
import sys
import time

SHORTEST, LONGEST = 0.030, 0.400  # seconds
BEFORE_ALL_OTHERS = 50  # of SCHED_FIFO; a thread of the kernel's own that must run has more


def take(cpu, end, ordinary, rest):
    os.sched_setaffinity(0, {cpu})
    if not ordinary:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(BEFORE_ALL_OTHERS))
    chance = random.Random()
    while time.monotonic() < end:
        until = min(end, time.monotonic() + chance.uniform(SHORTEST, LONGEST))
        while time.monotonic() < until:
            pass
        time.sleep(chance.uniform(0, 2 * rest))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--ordinary", action="store_true")
    parser.add_argument("--rest", type=float, default=400, metavar="MS")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    children = []
    for cpu in sorted(os.sched_getaffinity(0))[:2]:
        child = os.fork()
        if child == 0:
            take(cpu, end, options.ordinary, options.rest / 1000)
            os._exit(0)
        children.append(child)

    def stop(*_unused):
        for child in children:
            os.kill(child, signal.SIGKILL)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
