# SPDX-License-Identifier: Apache-2.0
"""Comparisons that say what was expected and what was found."""

import re

from harness import Failure

JITTER_MS = 40.0  # between what a socket and what a capture say of the same moment, on a busy machine
TIMER_MS = 250.0  # of a server's timer and a client's sleep


def expect(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def expect_near(found, expected, what, late=TIMER_MS, early=10.0):
    """At most `early` ms (by default one jiffy) before the expected time, at most `late` ms after it."""
    if found is None or not expected - early <= found <= expected + late:
        raise Failure(f"{what}: expected about {expected} ms, found {found} ms")


def expect_same(found, expected, what, tolerance=JITTER_MS):
    """A time in ms as stalesock and as the capture have it."""
    if found is None or abs(found - expected) > tolerance:
        raise Failure(f"{what}: the capture says {expected:.1f} ms, stalesock {found} ms")


def expect_idle(found, truth, what, tolerance=JITTER_MS):
    """An idle time in ms as stalesock has it, at the close of a connection of the capture."""
    least, most = truth.idle_range_ms()
    if found is None or not least - tolerance <= found <= most + tolerance:
        raise Failure(f"{what}: the capture says {least:.1f} to {most:.1f} ms, stalesock {found} ms")


def expect_words(text, pattern, what):
    match = re.search(pattern, text)
    if not match:
        raise Failure(f"{what}: {pattern!r} is not in {text!r}")
    return match


def expect_part(found, expected, what):
    """Every field of `expected` is in `found` and equal; a value of None means that the field is absent."""
    for name, value in expected.items():
        expect(found.get(name), value, f"{what}.{name}")


def stream(verdicts):
    """Who got which verdict, in order: (local, remote, verdict)."""
    return [(v["connection"]["local"], v["connection"]["remote"], v["verdict"]) for v in verdicts]


def expect_kinds(verdicts, kinds, what="the verdicts"):
    """Exactly these, in this order."""
    expect([v["verdict"] for v in verdicts], kinds, what)
