# SPDX-License-Identifier: Apache-2.0
"""What a case works with: a folder, the program under test, a packet capture beside it, rows for the README."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from capture import Capture
from harness import PATIENCE, STALESOCK, Failure, running, wait_until


def _has_begun(process, log, words):
    if process.poll() is not None:
        raise Failure(f"stalesock ended at once: {log.read_text()}")
    return words in log.read_text()


def _end(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(PATIENCE) != 0:
        raise Failure(f"stalesock: exit code {process.returncode}")


class Learned:
    """What `stalesock peers` says of a recording."""

    def __init__(self, recording):
        self.recording = recording

    def endpoints(self):
        done = subprocess.run([STALESOCK, "peers", "--json", "--recording", str(self.recording)], capture_output=True,
                              text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def peer(self, remote):
        found = [entry for entry in self.endpoints() if (entry["endpoint"], entry["role"]) == (remote, "remote")]
        if len(found) != 1:
            raise Failure(f"{len(found)} peers {remote} were learned: {self.endpoints()}")
        return found[0]


class Lab:
    """Nobody else is in this network namespace: the stream of verdicts is the case's."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = Path(folder)
        self.output = self.folder / "verdicts.jsonl"
        self.errors = self.folder / "watch.log"
        self.capture = Capture(self.folder / "truth.pcap")
        self.rows = []

    @contextlib.contextmanager
    def watching(self, *options):
        """Watches and captures until the block has ended. A verdict that only time brings has to be waited for
        inside (`wait_for`)."""
        arguments = [STALESOCK, "watch", "--json", "--collapse", "0", "--netns", "self", *options]
        with self.capture.running(), self.output.open("wb") as output, self.errors.open("wb") as errors:
            with running(arguments, stdout=output, stderr=errors) as process:
                wait_until(lambda: _has_begun(process, self.errors, "stalesock: watching"), "the start of stalesock")
                yield
                _end(process)

    @contextlib.contextmanager
    def recording(self):
        """Records beside the watch; what the recording teaches can be asked once the block has ended."""
        path, log = self.folder / "events.rec", self.folder / "record.log"
        with log.open("wb") as errors:
            with running([STALESOCK, "record", "-o", str(path), "--netns", "self"], stderr=errors) as process:
                wait_until(lambda: _has_begun(process, log, "stalesock: recording"), "the start of stalesock record")
                yield Learned(path)
                _end(process)

    def list(self, *options):
        """The objects that `stalesock list --json` prints, without its head."""
        return [json.loads(line) for line in self.list_text("--json", *options).splitlines()][1:]

    def list_text(self, *options):
        """What `stalesock list` prints."""
        return subprocess.run([STALESOCK, "list", "--netns", "self", *options], capture_output=True, text=True,
                              check=True).stdout

    def peers_open(self, endpoint, pids):
        """The groups of `stalesock peers --open` for a listener of these processes: it looks into every namespace."""
        lines = subprocess.run([STALESOCK, "peers", "--open", "--json", "--remote", endpoint], capture_output=True, text=True,
                               check=True).stdout.splitlines()
        groups = [line for line in map(json.loads, lines) if line.get("record") == "group"]
        return [group for group in groups if group.get("owner", {}).get("pid") in pids]

    def verdicts(self):
        """Every verdict so far, in order."""
        lines = [json.loads(line) for line in self.output.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if "verdict" in line]

    def verdicts_of(self, connection):
        """Those whose connection has these fields."""
        return [v for v in self.verdicts() if connection.items() <= v["connection"].items()]

    def wait_for(self, kind, count=1):
        """The verdicts of a kind, as soon as there are `count`."""
        def found():
            some = [v for v in self.verdicts() if v["verdict"] == kind]
            return some if len(some) >= count else None
        return wait_until(found, f"{count} {kind}")

    def row(self, system, symptom, verdict, setting, by_chance=False):
        """A line of README's table: what ran, what its log or exception said, what stalesock said, and the part
        of the advice that names the setting. Each has to come from this run; BY_CHANCE not every run has it."""
        if setting and setting not in verdict["advice"]:
            raise Failure(f"the advice does not say {setting!r}: {verdict['advice']}")
        self.rows.append({"system": system, "symptom": symptom, "verdict": verdict["verdict"],
                          "message": verdict["message"], "setting": setting, "by_chance": by_chance})

    def keep_rows(self):
        if self.rows:
            folder = Path(os.environ["STALESOCK_E2E_RESULTS"])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{self.name}.json").write_text(json.dumps(self.rows, indent=1) + "\n")

    def show(self):
        """Verdicts and packets side by side in time, then the logs of everybody."""
        moments = [(packet.time, f"        {packet}") for packet in self.capture.packets_or_none()]
        if self.output.exists():
            moments += [(v["time"], f"VERDICT {v['verdict']} ({v['confidence']}): {v['message']}\n{json.dumps(v)}")
                        for v in self._timed_verdicts()]
        start = min((time for time, _ in moments), default=0.0)
        for time, words in sorted(moments):
            sys.stderr.write(f"{(time - start) * 1000:10.2f} ms {words}\n")
        for path in sorted(self.folder.glob("*.log")):
            sys.stderr.write(f"--- {path.name}\n{path.read_text(errors='replace')[-8000:]}")

    def _timed_verdicts(self):
        from datetime import datetime
        for verdict in self.verdicts():
            seconds = datetime.fromisoformat(verdict["time"].replace("Z", "+00:00")).timestamp()
            yield {**verdict, "time": seconds}
