# SPDX-License-Identifier: Apache-2.0
"""What the daemon has learned outlives it."""

import json
import socket
import subprocess
import time

import harness
from harness import Failure, expect, fixture


PUNCTUAL = 0.04  # seconds; closes agree when they lie within 50 ms of each other


APART = 0.95  # seconds: what closes within 0.9 s is one observation


def idle_closes(listener, count, idle):
    """So many connections that their server ends after so many seconds without a word, one after the other."""
    for _ in range(count):
        active = socket.create_connection(listener.getsockname())
        passive, _ = listener.accept()
        active.sendall(harness.REQUEST)
        passive.recv(4096)
        used = time.monotonic()
        passive.sendall(harness.RESPONSE)
        active.recv(4096)
        time.sleep(idle)  # longer than idle_threshold, and the same each time
        passive.close()
        taken = time.monotonic() - used
        active.recv(4096)
        active.close()
        time.sleep(max(0, APART - idle))
        if taken > idle + PUNCTUAL:
            raise harness.StoodStill(f"a close came after {taken:.3f} s instead of {idle} s")


def peers(path):
    """What `stalesock peers` says of the state: exit code, objects, standard error."""
    shown = subprocess.run(
        [harness.STALESOCK, "peers", "--json", "--state", str(path)], capture_output=True, check=False, text=True
    )
    return shown.returncode, [json.loads(line) for line in shown.stdout.splitlines()], shown.stderr


def listed(listener, path, command=("list",)):
    """The line of `stalesock list`, or of another command, about an idle connection to the listener, which has been used."""
    with socket.create_connection(listener.getsockname()) as active:
        passive, _ = listener.accept()
        with passive:
            active.sendall(harness.REQUEST)
            passive.recv(4096)
            remote = "127.0.0.1:%d" % listener.getsockname()[1]
            shown = subprocess.run(
                [harness.STALESOCK, *command, "--json", "--netns", "self", "--remote", remote, "--peers", str(path)],
                capture_output=True, check=False, text=True
            )
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    return shown.returncode, lines[1] if len(lines) == 2 else None, shown.stderr


def what_was_learned():
    """Two closes in one run and one in the next teach a timeout, of the server and of the listener."""
    with fixture("") as (_, daemon):
        state = daemon.folder / "learned" / "peers.json"
        state.parent.mkdir()
        daemon.configure(f'[peers]\nstate = "{state}"\n')
        with socket.create_server(("127.0.0.1", 0)) as listener:
            daemon.start()
            idle_closes(listener, 2, 0.3)
            expect(daemon.stop(), 0, "exit code")
            _, found, _ = peers(state)
            expect([e.get("idle_timeout") for e in found], [None, None], "timeouts after two closes")
            daemon.start()
            idle_closes(listener, 1, 0.3)
            expect(daemon.stop(), 0, "exit code of the second run")
            code, found, _ = peers(state)
            expect(code, 0, "exit code of peers")
            expect([e["role"] for e in found], ["remote", "listener"], "roles")
            for entry in found:
                expect(entry["endpoint"], "127.0.0.1:%d" % listener.getsockname()[1], "endpoint")
                expect(entry["idle_timeout"]["observations"], 3, "closes that agree")
            expect(found[0]["verdicts"], {"idle_close": 3}, "verdicts")
            for command in (["list"], ["top", "-b", "-n", "1"], ["top", "-b", "-n", "1", "--no-verdicts"]):
                code, line, errors = listed(listener, state, command)
                expect(code, 0, f"exit code of {command} ({errors})")
                expect(line["peer"]["idle_timeout_ms"], found[0]["idle_timeout"]["ms"], f"the timeout in {command}")
                expect(line["peer"]["observations"], 3, f"closes that agree, in {command}")
                if not 0 <= line["peer"]["left_ms"] <= line["peer"]["idle_timeout_ms"]:
                    raise Failure(line)
            expect(sorted(path.name for path in state.parent.iterdir()), ["peers.json"], "files")
            damaged = state.read_text()[:100]
            state.write_text(damaged)
            code, _, errors = peers(state)
            expect(code, 2, "exit code of peers on a damaged state")
            if "peers.json: is cut off at byte 100" not in errors:
                raise Failure(errors)
            code, _, errors = listed(listener, state)
            if code != 2 or "peers.json: is cut off at byte 100" not in errors:
                raise Failure(errors)
            daemon.start()
            expect(daemon.stop(), 0, "exit code after a damaged state")
            expect((state.parent / "peers.json.refused").read_text(), damaged, "what is kept aside")
            if "peers.json: is cut off at byte 100" not in daemon.errors():
                raise Failure(daemon.errors())


def with_silent_drops(path, milliseconds):
    """A copy of a state, as it would be had the path to its only server forgotten idle connections three times."""
    state = json.loads(path.read_text())
    state["peers"][0]["silent_drops"] = [[milliseconds, age] for age in (300, 200, 100)]
    copy = path.with_name("drops.json")
    copy.write_text(json.dumps(state))
    return copy


def reused_with_keepalive(listener, seconds):
    """A connection whose keepalive begins after so many seconds is used again after a short silence."""
    with socket.create_connection(listener.getsockname()) as active:
        active.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        active.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        passive, _ = listener.accept()
        with passive:
            for _ in range(2):
                active.sendall(harness.REQUEST)
                passive.recv(4096)
                passive.sendall(harness.RESPONSE)
                active.recv(4096)
                time.sleep(0.6)  # longer than the shortest silence before a reuse
            host, port = active.getsockname()
            active.close()  # first: whose close it is would be another verdict
    return f"{host}:{port}"


def keepalive_begins_too_late():
    """Of two pools only the one whose probes begin after the path has forgotten is told so, before anything fails."""
    with fixture("") as (_, daemon):
        state = daemon.folder / "peers.json"
        daemon.configure(f'[peers]\nstate = "{state}"\n')
        with socket.create_server(("127.0.0.1", 0)) as listener:
            daemon.start()
            idle_closes(listener, 1, 0.3)
            expect(daemon.stop(), 0, "exit code")
            drops = with_silent_drops(state, 20_000)
            errors = daemon.folder / "watch.log"
            arguments = [harness.STALESOCK, "watch", "--json", "--netns", "self", "--peers", str(drops)]
            with errors.open("wb") as log:
                watch = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                harness.wait_until(lambda: "stalesock: watching" in errors.read_text(), "the start of watch")
                reused_with_keepalive(listener, 19)
                late = reused_with_keepalive(listener, 21)
            finally:
                watch.terminate()
                output, _ = watch.communicate()
    verdicts = [v for v in map(json.loads, output.splitlines()) if "verdict" in v]
    expect([v["verdict"] for v in verdicts], ["keepalive_late"], "verdicts")
    expect(verdicts[0]["connection"]["local"], late, "connection")
    expect(verdicts[0]["evidence"]["keepalive_idle_ms"], 21_000, "start of the probes")
    expect(verdicts[0]["evidence"]["dropped_after_ms"], 20_000, "what the path forgets")


def what_was_learned_and_a_kill():
    """A reload saves it too; the next one goes on from there."""
    with fixture("") as (_, daemon):
        state = daemon.folder / "peers.json"
        daemon.configure(f'[peers]\nstate = "{state}"\n')

        def is_saved(count):
            daemon.reload()
            _, found, _ = peers(state)
            return [e["verdicts"].get("idle_close") for e in found if e["role"] == "remote"] == [count]

        with socket.create_server(("127.0.0.1", 0)) as listener:
            for closes in (2, 3):
                daemon.start()
                idle_closes(listener, 2 if closes == 2 else 1, 0.3)
                harness.wait_until(lambda count=closes: is_saved(count), f"a state with {closes} closes")
                daemon.kill()
        expect([e["idle_timeout"]["observations"] for e in peers(state)[1]], [3, 3], "closes that agree")
        expect([path.name for path in state.parent.glob("peers.json*")], ["peers.json"], "files")


CASES = (what_was_learned, what_was_learned_and_a_kill, keepalive_begins_too_late)
