# SPDX-License-Identifier: Apache-2.0
"""What one process of the daemon knows of the one before it."""

import socket
import time

import harness
from harness import Failure, expect, fixture, stale_reuse, wait_until

STALE = "STALESOCK_VERDICT=stale_reuse"
EVERYTHING = '[journal]\nmin_severity = "info"\n'


def resume_record(journal, count=1):
    return journal.wait_for("STALESOCK_RECORD=resume", count=count)[count - 1]


def settle(journal, daemon):
    """Returns once all that has happened up to now is in the journal."""
    marker = stale_reuse()
    journal.wait_for(STALE, marker.match())
    if daemon.process.poll() is not None:
        raise Failure(f"the daemon has ended: {daemon.errors()}")


def verdicts_about(journal, connection):
    return [(r["STALESOCK_VERDICT"], r["STALESOCK_ID"].split("-")[1]) for r in journal.records(connection.match())]


def end_and_start(daemon, end):
    """kill or stop, and the next one."""
    if end(daemon) not in (None, 0):
        raise Failure("exit code")
    daemon.start()


def a_late_write_after_a_restart():
    """The FIN came before the restart, the write after it: reported, once, with the FIN's time."""
    for end in (harness.Daemon.kill, harness.Daemon.stop):
        with fixture(EVERYTHING) as (journal, daemon):
            daemon.start()
            connection = harness.Connection()
            connection.close_passive()
            journal.wait_for("STALESOCK_VERDICT=idle_close", connection.match())
            end_and_start(daemon, end)
            resumed = resume_record(journal)
            expect(resumed["STALESOCK_STOPPED_CLEANLY"], "true" if end is harness.Daemon.stop else "false", "how")
            expect((resumed["STALESOCK_RESUMED"], resumed["STALESOCK_ENDED"]), ("1", "0"), "resumed and ended")
            connection.write_late()
            record = journal.wait_for(STALE, connection.match())[0]
            settle(journal, daemon)
            expect(verdicts_about(journal, connection), [("idle_close", "1"), ("stale_reuse", "2")], "verdicts")
            expect(record["STALESOCK_CONFIDENCE"], "certain", "confidence: the FIN was seen")
            expect(record["STALESOCK_EVIDENCE_BYTES_AFTER_FIN"], str(len(harness.REQUEST)), "bytes")
            if float(record["STALESOCK_EVIDENCE_FIN_TO_WRITE_MS"]) <= 0:
                raise Failure("fin_to_write_ms")
            expect(daemon.stop(), 0, "exit code")


def no_verdict_twice():
    """A late write was told; another one on the same connection after a restart is no news."""
    with fixture("") as (journal, daemon):
        daemon.start()
        connection = harness.Connection()
        connection.half_close_passive()
        connection.write_late()
        journal.wait_for(STALE, connection.match())
        for _ in range(2):
            end_and_start(daemon, harness.Daemon.kill)
            connection.write_late()
            settle(journal, daemon)
        expect(len(journal.records(STALE, connection.match())), 1, "verdicts")
        expect(daemon.stop(), 0, "exit code")


def a_late_write_while_nobody_watched():
    """The growth of write_seq since the FIN tells of it, if the socket is still there: nobody has answered."""
    with fixture("") as (journal, daemon):
        daemon.start()
        connection = harness.Connection()
        connection.half_close_passive()
        connection.take_nothing_more()
        settle(journal, daemon)
        daemon.kill()
        connection.write_late()
        daemon.start()
        record = journal.wait_for(STALE, connection.match())[0]
        expect(record["STALESOCK_EVIDENCE_BYTES_AFTER_FIN"], str(len(harness.REQUEST)), "bytes")
        for name in ("STALESOCK_EVIDENCE_FIN_TO_WRITE_MS", "STALESOCK_EVIDENCE_EOF_READ"):
            if name in record:
                raise Failure(f"{name} cannot be known")
        if record["STALESOCK_CONFIDENCE"] == "certain":
            raise Failure("certain, though the time of the write is not known")
        expect(daemon.stop(), 0, "exit code")


def no_false_verdict():
    """Connections that were open all the time and end well give nothing, whichever state they were in."""
    with fixture(EVERYTHING) as (journal, daemon):
        daemon.start()
        established = harness.Connection()
        closed = harness.Connection()
        closed.close_passive()
        answering = harness.Connection()
        answering.active.sendall(harness.REQUEST)
        answering.passive.recv(4096)
        answering.active.shutdown(socket.SHUT_WR)
        wait_until(lambda: journal.records("STALESOCK_VERDICT=idle_close", closed.match()), "the idle close")
        end_and_start(daemon, harness.Daemon.kill)
        established.active.sendall(harness.REQUEST)
        established.passive.recv(4096)
        established.passive.sendall(harness.RESPONSE)
        established.active.recv(4096)
        established.active.close()
        established.passive.close()
        closed.close()
        answering.passive.sendall(harness.RESPONSE)
        answering.active.recv(4096)
        answering.close()
        settle(journal, daemon)
        for connection, verdicts in ((established, []), (closed, [("idle_close", "1")]), (answering, [])):
            expect(verdicts_about(journal, connection), verdicts, "verdicts of the active end")
        expect(daemon.stop(), 0, "exit code")


def an_upload_that_goes_on():
    """The server has answered early and closed; the client is still sending when the daemon starts."""
    with fixture(EVERYTHING) as (journal, daemon):
        connection = harness.Connection()
        connection.passive.sendall(harness.RESPONSE * 10)
        connection.passive.shutdown(socket.SHUT_WR)
        daemon.launch()
        daemon.starts += 1
        while sum(1 for m in daemon.manager.poll() if m.startswith("READY=1")) < 1:
            connection.active.sendall(b"x" * 1000)
            connection.passive.recv(65536)
            time.sleep(0.005)
        for _ in range(20):
            connection.active.sendall(b"x" * 1000)
            connection.passive.recv(65536)
            time.sleep(0.005)
        settle(journal, daemon)
        found = [verdict for verdict, _ in verdicts_about(journal, connection)]
        expect(found, ["early_response"], "verdicts")
        expect(daemon.stop(), 0, "exit code")


def what_was_not_watched_is_told():
    """Connections that ended in between are counted."""
    with fixture("") as (journal, daemon):
        daemon.start()
        connections = [harness.Connection() for _ in range(3)]
        for connection in connections:
            connection.close_passive()
        settle(journal, daemon)
        daemon.kill()
        time.sleep(0.5)
        for connection in connections:
            connection.write_late()  # answered by an RST: nothing is left of it
            connection.close()
        daemon.start()
        resumed = resume_record(journal)
        if int(resumed["STALESOCK_ENDED"]) < 3:
            raise Failure(f"ended: {resumed['STALESOCK_ENDED']}")
        if float(resumed["STALESOCK_UNWATCHED_MS"]) < 500:
            raise Failure(f"unwatched_ms: {resumed['STALESOCK_UNWATCHED_MS']}")
        expect(resumed["PRIORITY"], "4", "PRIORITY")
        expect(daemon.stop(), 0, "exit code")


def undelivered_at_a_kill():
    """What waited for journald when the daemon was killed is lost, and the next one says how much."""
    with fixture("") as (journal, daemon):
        daemon.start()
        journal.kill()
        harness.stale_reuses(5)
        wait_until(lambda: "journald is not there" in daemon.errors(), "the complaint")
        time.sleep(1.0)  # until they are judged
        daemon.kill()
        journal.start()
        daemon.start()
        resumed = resume_record(journal)
        expect(int(resumed["STALESOCK_UNDELIVERED"]) + int(resumed["STALESOCK_UNDECIDED"]), 5, "lost records")
        expect(daemon.stop(), 0, "exit code")


def two_daemons():
    """The second one gives way."""
    with fixture("") as (journal, daemon):
        daemon.start()
        first = daemon.process
        daemon.launch()
        expect(daemon.process.wait(harness.PATIENCE), 1, "exit code")
        if "another daemon runs" not in daemon.errors():
            raise Failure(daemon.errors())
        daemon.process = first
        settle(journal, daemon)
        expect(daemon.stop(), 0, "exit code")


CASES = (
    a_late_write_after_a_restart,
    no_verdict_twice,
    a_late_write_while_nobody_watched,
    no_false_verdict,
    an_upload_that_goes_on,
    what_was_not_watched_is_told,
    undelivered_at_a_kill,
    two_daemons,
)
