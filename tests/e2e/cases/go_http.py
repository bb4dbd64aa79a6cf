# SPDX-License-Identifier: Apache-2.0
"""net/http of Go on both sides."""

import contextlib
import json
import subprocess
import time

from checks import check_idle_close, check_owner, check_sides, check_stale_reuse
from expect import TIMER_MS, expect, expect_idle, expect_kinds, expect_near, expect_part, expect_same
from harness import run_client, running, server
from programs import go
from steered import steered

PORT = 8080  # the namespace is ours
URL = f"http://127.0.0.1:{PORT}/"
SYSTEM = "Go 1.19, net/http"
SETTING = "Transport.IdleConnTimeout in Go"


@contextlib.contextmanager
def go_server(lab, *options):
    with server(go("server", *options), PORT, lab.folder / "server.log"):
        yield


def go_client(lab, *options):
    return steered(go("client", *options), lab.folder / "client.log")


def ask_twice(lab, client):
    """The second request comes after the server has closed the connection, so it gets another one."""
    first = client.ask("GET")
    lab.wait_for("idle_close")
    second = client.ask("GET")
    expect([first.get("status"), second.get("status")], [200, 200], "the requests")
    expect(first["local"] != second["local"], True, "a new connection")


def keepalive_is_no_help(lab):
    """TCP keepalive every second, and still the server closes after its own two seconds."""
    with go_server(lab, "-idle", "2s"), go_client(lab, "-keepalive", "1s") as client, lab.watching():
        ask_twice(lab, client)
    truth = lab.capture.connections(PORT)[0]
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["idle_close", "keepalive_ineffective"])
    check_idle_close(verdicts[0], truth, client.pid, "go-client")
    expect_near(verdicts[0]["evidence"]["idle_ms"], 2000, "idle_ms")
    check_keepalive(verdicts[1], truth, client)


def check_keepalive(verdict, truth, client):
    """The answer to an only probe is in no counter that is left at the FIN. A busy machine may send a second one."""
    probes = verdict["evidence"]["keepalive_probes"]
    expect(1 <= probes <= 2, True, "one probe or two")
    likely = {"confidence": "likely", "inferred": "that the probe was answered, as the FIN came later"}
    expect_part(verdict, {"severity": "notice", **(likely if probes == 1 else {"confidence": "certain", "inferred": None})},
                "verdict")
    check_sides(verdict, truth)
    check_owner(verdict, client.pid, "go-client", "connect")
    evidence = verdict["evidence"]
    expect(evidence["keepalive_idle_ms"], 1000.0, "keepalive_idle_ms")
    expect_idle(evidence["idle_ms"], truth, "idle_ms")
    expect(f"({SETTING}): probes keep the path open, not the server's HTTP timer" in verdict["advice"], True, "advice")


def read_timeout(lab):
    """Without IdleTimeout, ReadTimeout takes its place."""
    with go_server(lab, "-read", "1s"), go_client(lab) as client, lab.watching():
        ask_twice(lab, client)
    truth = lab.capture.connections(PORT)[0]
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["idle_close"])
    check_idle_close(verdicts[0], truth, client.pid, "go-client")
    expect_near(verdicts[0]["evidence"]["idle_ms"], 1000, "idle_ms")


def hang_up(lab):
    """A handler that takes the POST and closes: no stale connection, although the client says EOF."""
    url = URL + "hang-up"
    with go_server(lab), go_client(lab, "-url", url) as client, lab.watching():
        outcome = client.ask("POST")
    expect(outcome["error"], f'Post "{url}": EOF', "the application's error")
    truth = lab.capture.only_connection(PORT)
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["unanswered_close"])
    expect_part(verdicts[0], {"severity": "warning", "confidence": "certain"}, "verdict")
    check_sides(verdicts[0], truth)
    check_owner(verdicts[0], client.pid, "go-client", "connect")
    expect(verdicts[0]["evidence"]["bytes_sent"], sum(p.payload for p in truth.packets), "bytes_sent")
    expect(verdicts[0]["evidence"]["unacked_at_fin"], 0, "unacked_at_fin")
    expect_idle(verdicts[0]["evidence"]["idle_ms"], truth, "idle_ms", TIMER_MS)
    lab.row(SYSTEM + ", the handler hangs up", outcome["error"], verdicts[0], "the server's log")


def is_newer(one, other):
    """Of two sequence numbers."""
    return 0 < (one - other) % 2**32 < 2**31


def fate_of(truth):
    """Of the last request of a connection, from the packets alone."""
    request = truth.payloads(truth.client)[-1]
    answers = truth.payloads(truth.server)
    fin = truth.fin_of(truth.server)
    if answers and answers[-1].ack != request.seq:
        closed_by_server = truth.first_fin() and truth.first_fin()[1] == truth.server
        return "closed idle" if closed_by_server else "closed by the client"
    if fin is None:
        return "reset" if truth.has_reset(truth.server) else "unanswered"
    if is_newer(request.ack, fin.seq):
        return "late"
    return "crossed" if fin.ack == request.seq else "taken"


EXPECTED = {  # of the client's end, and of the server's
    "closed by the client": ([], []),
    "closed idle": (["idle_close"], []),
    "late": (["idle_close", "stale_reuse"], []),
    "crossed": (["reuse_race"], []),
    "reset": (["reuse_race"], []),
}
FAILED = ("late", "crossed", "reset")


def check_race(verdict, truth, pid, fate):
    expect_part(verdict, {"severity": "warning"}, "verdict")
    check_sides(verdict, truth)
    check_owner(verdict, pid, "go-client", "connect")
    request = truth.payloads(truth.client)[-1]
    evidence = verdict["evidence"]
    expect(evidence.get("rst_received", False), fate == "reset", "rst_received")
    if fate == "crossed":
        expect(evidence["unacked_at_fin"], request.payload, "unacked_at_fin")
    answer = truth.payloads(truth.server)[-1]
    expect_same(evidence["gap_ms"], (request.time - answer.time) * 1000, "gap_ms")


def check_fate(lab, truth, pid):
    """What both ends of a connection were told agrees with its packets, which it returns in a word."""
    fate = fate_of(truth)
    expect(fate in EXPECTED, True, f"a known fate of {truth.client}, not {fate},")
    ends = [{"local": truth.client, "remote": truth.server}, {"local": truth.server, "remote": truth.client}]
    told = [[v for v in lab.verdicts_of(end) if v["verdict"] != "pool_mismatch"] for end in ends]
    expect(tuple([v["verdict"] for v in end] for end in told), EXPECTED[fate], f"{truth.client}, {fate}")
    if fate in ("closed idle", "late"):
        check_idle_close(told[0][0], truth, pid, "go-client")
    if fate == "late":
        check_stale_reuse(told[0][1], truth, pid, "go-client")
    if fate in ("crossed", "reset"):
        check_race(told[0][0], truth, pid, fate)
    return fate


def check_words(error, fate):
    """Where net/http saw the end of file before it wrote a byte it says so, or takes another connection."""
    words = error.replace(f'Post "{URL}": ', "")
    if fate in FAILED:
        expect(words == "EOF" or words.endswith("connection reset by peer"), True, f"{fate}: the error, not {words!r},")
    else:
        expect(words in ("", "http: server closed idle connection"), True, f"{fate}: no error, not {words!r},")


def exactly_at_the_timeout(lab):
    """200 posts that meet the server's timer: what is said of each connection agrees with its packets."""
    arguments = go("client", "-url", URL, "-burst", "200", "-pause", "1s", "-spread", "1ms")
    with contextlib.ExitStack() as clients, go_server(lab, "-idle", "1s"):
        with lab.watching():  # the client outlives it: of a process that has ended the program is not known
            for ports in ("18000", "19000"):  # what closes at one moment is one observation: these and the burst teach
                run_client(go("client", "-url", URL, "-burst", "2", "-pause", "1500ms", "-ports", ports))
            began = time.time()
            client = clients.enter_context(running(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            output, pid = client.stdout.read(), client.pid
    outcomes = {outcome["local"]: outcome for outcome in map(json.loads, output.splitlines())}
    fates = {truth.client: check_fate(lab, truth, pid) for truth in lab.capture.connections(PORT)
             if truth.packets[0].time > began}
    for local, outcome in outcomes.items():
        check_words(outcome.get("error", ""), fates[local])
    expect(any(fate in FAILED for fate in fates.values()), True, "any post that met the timer")
    mismatches = [v for v in lab.verdicts() if v["verdict"] == "pool_mismatch"]
    expect(len(mismatches), 1, "pool_mismatch")
    expect_near(mismatches[0]["evidence"]["gap_ms"], 1000, "gap_ms", early=20)
    tell_rows(lab, fates, outcomes)


def tell_rows(lab, fates, outcomes):
    """One of each kind that this run brought about."""
    for fate, local in {fate: local for local, fate in fates.items() if fate in FAILED}.items():
        words = outcomes[local]["error"].rpartition(": ")[2]  # without the addresses
        lab.row(f"{SYSTEM}, POST at the timeout ({fate})", words, lab.verdicts_of({"local": local})[-1], SETTING,
                by_chance=True)
