# SPDX-License-Identifier: Apache-2.0
"""What reaches the journal, the file and the service manager; and what survives when one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time

import harness
import learned
import metrics
import restart
from harness import Failure, expect, fixture, stale_reuse, wait_until

STALE = "STALESOCK_VERDICT=stale_reuse"
GAP = "STALESOCK_RECORD=output"


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def verdicts_of(path, kind="stale_reuse"):
    return [line for line in lines_of(path) if line.get("verdict") == kind]


def has_whole_lines(path):
    """Not while half a line is taken back."""
    try:
        return lines_of(path) != []
    except json.JSONDecodeError:
        return False


def flatten(value, prefix="STALESOCK"):
    """The fields that a JSON line must have in the journal."""
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in flatten(inner, f"{prefix}_{name.upper()}").items()}
    if isinstance(value, bool):
        return {prefix: "true" if value else "false"}
    return {prefix: value if isinstance(value, str) else json.dumps(value)}


def a_record_of_the_journal():
    """Every field of the JSON line, about the process that it concerns, explained by the catalog."""
    with fixture('[file]\npath = "/run/log/v.jsonl"\n') as (journal, daemon):
        harness.install_catalog()
        daemon.start()
        connection = stale_reuse()
        record = journal.wait_for(STALE, connection.match())[0]
        expect(record["PRIORITY"], "3", "PRIORITY")
        expect(record["OBJECT_PID"], str(os.getpid()), "OBJECT_PID")
        expect(record["MESSAGE_ID"], "04af33e545e34545953370cb98487d6d", "MESSAGE_ID")
        lines = wait_until(lambda: verdicts_of(harness.Path("/run/log/v.jsonl")), "the line in the file")
        for name, value in flatten(lines[0]).items():
            expect(record.get(name), value, name)
        expect(len(journal.records("STALESOCK_VERDICT=idle_close")), 0, "infos in the journal")
        expect(len(verdicts_of(harness.Path("/run/log/v.jsonl"), "idle_close")), 1, "infos in the file")
        explained = subprocess.run(
            ["journalctl", "-D", "/run/log/journal", "-x", STALE], capture_output=True, check=True, text=True
        ).stdout
        for text in ("used after its peer had closed it", connection.remote, f"(PID {os.getpid()}) wrote 18 bytes"):
            if text not in explained:
                raise Failure(f"journalctl -x does not say {text!r}: {explained}")
        expect(daemon.stop(), 0, "exit code")


def explain(*arguments):
    return subprocess.run([harness.STALESOCK, "explain", *arguments], capture_output=True, check=False, text=True)


def the_story_of_a_record():
    """`stalesock explain` finds a verdict in the journal by its id, and says so when there is none."""
    with fixture("") as (journal, daemon):
        daemon.start()
        connection = stale_reuse()
        identity = journal.wait_for(STALE, connection.match())[0]["STALESOCK_ID"]
        story = explain(identity, "--ascii")
        expect(story.returncode, 0, story.stderr)
        for text in (f"stale_reuse (error), {identity}", connection.remote, "wrote 18 B", "FIN"):
            if text not in story.stdout:
                raise Failure(f"the story does not say {text!r}: {story.stdout}")
        # The verdict on the close itself is an info, which this journal does not get: the connection's id is enough.
        expect(explain(identity.split("-")[0], "--ascii").stdout, story.stdout, "by the connection's id")
        missing = explain("1-1")
        expect(missing.returncode, 1, "exit code")
        if "there is no verdict 1-1 in the journal" not in missing.stderr:
            raise Failure(missing.stderr)
        expect(daemon.stop(), 0, "exit code")


def journald_is_killed():
    """What happens meanwhile comes late, with a record that says so; the file is not held up."""
    with fixture('[file]\npath = "/run/log/v.jsonl"\n') as (journal, daemon):
        daemon.start()
        journal.kill()
        connection = stale_reuse()
        wait_until(lambda: verdicts_of(harness.Path("/run/log/v.jsonl")), "the line in the file")
        wait_until(lambda: "journal: journald is not there" in daemon.errors(), "the complaint")
        journal.start()
        record = journal.wait_for(STALE, connection.match())[0]
        if "OBJECT_PID" in record:
            raise Failure("a record that came late names a pid")
        gap = journal.wait_for(GAP)[0]
        expect((gap["STALESOCK_OUTPUT"], gap["STALESOCK_DISCARDED"]), ("journal", "0"), "the gap")
        if int(gap["STALESOCK_DELAYED"]) < 1:
            raise Failure(f"delayed: {gap['STALESOCK_DELAYED']}")
        expect(daemon.stop(), 0, "exit code")


def journald_hangs():
    """A journald that does not read blocks nothing; all that its queue and ours hold arrives."""
    total = 60
    with fixture('[file]\npath = "/run/log/v.jsonl"\n') as (journal, daemon):
        daemon.start()
        journal.process.send_signal(signal.SIGSTOP)
        harness.stale_reuses(total)
        path = harness.Path("/run/log/v.jsonl")
        wait_until(lambda: len(verdicts_of(path)) == total, "every line in the file")
        wait_until(lambda: "its queue is full" in daemon.errors(), "the complaint")
        journal.process.send_signal(signal.SIGCONT)
        found = journal.wait_for(STALE, count=total)
        expect(len({record["STALESOCK_ID"] for record in found}), total, "different records")
        expect(journal.wait_for(GAP)[0]["STALESOCK_DISCARDED"], "0", "discarded")
        expect(daemon.stop(), 0, "exit code")


def the_queue_is_bounded():
    """Of what finds no room each record is counted: late and discarded ones are all there were."""
    total = 80
    config = '[journal]\nqueue = "64K"\n[file]\npath = "/run/log/v.jsonl"\n'
    with fixture(config) as (journal, daemon):
        daemon.start()
        journal.kill()
        harness.stale_reuses(total)
        wait_until(lambda: len(verdicts_of(harness.Path("/run/log/v.jsonl"))) == total, "every line in the file")
        journal.start()
        gap = journal.wait_for(GAP)[0]
        discarded = int(gap["STALESOCK_DISCARDED"])
        if discarded == 0:
            raise Failure("64 KiB held everything")
        expect(len(journal.records(STALE)), total - discarded, "records that came late")
        in_file = wait_until(
            lambda: [line for line in lines_of(harness.Path("/run/log/v.jsonl")) if line.get("record") == "output"],
            "the gap in the other output",
        )
        expect(in_file[0]["discarded"], discarded, "discarded, as the file has it")
        expect(daemon.stop(), 0, "exit code")


def no_journald_at_the_end():
    """What nobody took is told on standard error and by the exit code."""
    with fixture("") as (journal, daemon):
        daemon.start()
        journal.kill()
        stale_reuse()
        wait_until(lambda: "journald is not there" in daemon.errors(), "the complaint")
        expect(daemon.stop(), 1, "exit code")
        if "lost: 1 records that no output took (journal: journald is not there" not in daemon.errors():
            raise Failure("the loss is not told")


def a_full_disk():
    """Whole lines only; what waited is written when there is room again, and the journal says so."""
    disk = harness.Path("/run/log/disk")
    path = disk / "v.jsonl"
    with fixture(f'[file]\npath = "{path}"\n') as (journal, daemon):
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "none", disk], check=True)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 20480)
        daemon.start()
        total = 0
        while "cannot be written: No space left" not in daemon.errors():
            harness.stale_reuses(5)
            total += 5
            if total > 200:
                raise Failure("the disk does not fill")
        wait_until(lambda: has_whole_lines(path), "a file of whole lines only")
        stale_reuse().close()
        total += 1
        ballast.unlink()
        gap = journal.wait_for(GAP)[0]
        expect((gap["STALESOCK_OUTPUT"], gap["STALESOCK_DISCARDED"]), (str(path), "0"), "the gap")
        wait_until(lambda: len(verdicts_of(path)) == total, f"{total} lines in the file")
        expect(daemon.stop(), 0, "exit code")
        subprocess.run(["umount", disk], check=True)


def logrotate():
    """After SIGHUP the lines go to the new file."""
    path = harness.Path("/run/log/v.jsonl")
    with fixture(f'[file]\npath = "{path}"\n') as (_, daemon):
        daemon.start()
        stale_reuse()
        wait_until(lambda: verdicts_of(path), "the first line")
        moved = path.rename("/run/log/v.jsonl.old")
        daemon.reload()
        stale_reuse()
        wait_until(lambda: verdicts_of(path), "the second line")
        expect(len(verdicts_of(moved)), 1, "lines in the old file")
        expect(daemon.stop(), 0, "exit code")


def a_reload():
    """New settings are in use; a bad file changes nothing and is told with its line."""
    with fixture('[journal]\nmin_severity = "error"\n') as (journal, daemon):
        daemon.start()
        daemon.configure('[journal]\nmin_severity = "info"\n[probe]\nring_size = "1M"\n')
        daemon.reload()
        daemon.manager.wait_for("RELOADING=1")
        record = journal.wait_for("STALESOCK_RECORD=reload")[0]
        expect((record["STALESOCK_IN_USE"], record["STALESOCK_WAITING"]), ("new", "probe.ring_size"), "the record")
        harness.Connection().close_passive()
        journal.wait_for("STALESOCK_VERDICT=idle_close")

        daemon.configure('[journal]\nmin_severity = "loud"\n')
        daemon.reload()
        record = journal.wait_for("STALESOCK_RECORD=reload", count=2)[1]
        expect((record["STALESOCK_IN_USE"], record["PRIORITY"]), ("old", "3"), "the record")
        problem = f'{daemon.config}:2: journal.min_severity: "loud" is not a severity'
        if not record["STALESOCK_PROBLEM"].startswith(problem):
            raise Failure(f"problem: {record['STALESOCK_PROBLEM']}")
        harness.Connection().close_passive()
        journal.wait_for("STALESOCK_VERDICT=idle_close", count=2)
        expect(daemon.stop(), 0, "exit code")


def a_bad_configuration():
    """Exit code 2 before anything privileged, and the place."""
    with fixture("[probe]\nring_size = 5\n") as (_, daemon):
        daemon.launch()
        expect(daemon.process.wait(harness.PATIENCE), 2, "exit code")
        if f'{daemon.config}:2: probe.ring_size: "5" is not a ring size' not in daemon.errors():
            raise Failure(daemon.errors())
        check = [harness.STALESOCK, "daemon", "--check", "--config", str(daemon.config)]
        expect(subprocess.run(check, check=False, stderr=subprocess.DEVNULL).returncode, 2, "--check")
        daemon.configure("")
        expect(subprocess.run(check, check=False).returncode, 0, "--check of a good one")


def the_service_manager():
    """READY, STATUS, WATCHDOG and STOPPING."""
    with fixture("") as (_, daemon):
        daemon.start(watchdog_usec=2_000_000)
        stale_reuse()
        daemon.manager.wait_for("WATCHDOG=1", 2)
        wait_until(lambda: "2 verdicts in the last minute, 0 events lost" in daemon.manager.status(), "the status")
        if " hooks, " not in daemon.manager.status() or " connections, " not in daemon.manager.status():
            raise Failure(daemon.manager.status())
        expect(daemon.stop(), 0, "exit code")
        daemon.manager.wait_for("STOPPING=1")


MOST_STARTS = 5


def run_case(case):
    """Once, but again where the machine stood still."""
    for start in range(MOST_STARTS):
        try:
            return case()
        except harness.StoodStill as stall:
            if start + 1 == MOST_STARTS:
                raise
            print(f"{case.__name__}: {stall}; once more", flush=True)


CASES = {
    function.__name__: function
    for function in (
        a_record_of_the_journal,
        the_story_of_a_record,
        journald_is_killed,
        journald_hangs,
        the_queue_is_bounded,
        no_journald_at_the_end,
        a_full_disk,
        logrotate,
        a_reload,
        a_bad_configuration,
        the_service_manager,
        *learned.CASES,
        *metrics.CASES,
        *restart.CASES,
    )
}


def main(names):
    if names == ["--list"]:
        print("\n".join(CASES))
        return 0
    unknown = [name for name in names if name not in CASES]
    if unknown:
        sys.stderr.write(f"no case {unknown[0]!r}; there are: {', '.join(CASES)}\n")
        return 2
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    failed = 0
    for name in names or CASES:
        started = time.monotonic()
        try:
            run_case(CASES[name])
            outcome = "ok"
        except Exception as failure:  # pylint: disable=broad-except
            failed += 1
            outcome = f"FAILED: {type(failure).__name__}: {failure}"
        print(f"{name:<32} {time.monotonic() - started:5.1f} s  {outcome}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
