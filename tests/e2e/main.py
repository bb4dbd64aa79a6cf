# SPDX-License-Identifier: Apache-2.0
"""Runs the cases, each in a network namespace of its own and, but for one named alone, several at once."""

import concurrent.futures
import os
import subprocess
import sys
import time
import traceback

import programs
from cases import CASES, COMPILED, GROUPS
from harness import Skip, bring_loopback_up, scratch_folder
from lab import Lab

LONGEST = 60  # seconds; a case of its own takes 15 at most
SKIP_CODE = 77


def run_here(name):
    """One case in this process, which is alone in its network namespace."""
    bring_loopback_up()
    with scratch_folder() as folder:
        lab = Lab(name, folder)
        os.environ["HOME"] = folder
        try:
            CASES[name](lab)
        except Skip as reason:
            print(f"skipped: {name}: {reason}")
            return SKIP_CODE
        except Exception as error:  # whatever went wrong, the streams explain it
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            lab.show()
            return 1
        lab.keep_rows()
    return 0


def run_apart(name):
    """One case in a process and a namespace of its own: what happened, in words, and whether it was well."""
    start = time.monotonic()
    arguments = ["unshare", "--net", "--", sys.executable, "-B", __file__, "--here", name]
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=LONGEST)
        code, output = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as error:
        code, output = 1, f"not done in {LONGEST} s\n{error.stdout or ''}{error.stderr or ''}"
    word = {0: "ok  ", SKIP_CODE: "skip"}.get(code, "FAIL")
    if code == 0:
        output = ""
    return code, f"{word} {name} ({time.monotonic() - start:.1f} s)\n{output}"


def run_all(names):
    codes = []
    if any(name.partition(".")[0] in COMPILED for name in names):
        programs.built()  # once, and not within a case's time
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("STALESOCK_E2E_JOBS", "2"))) as pool:
        for result in concurrent.futures.as_completed([pool.submit(run_apart, name) for name in names]):
            code, words = result.result()
            print(words, end="", flush=True)
            codes.append(code)
    failed = [code for code in codes if code not in (0, SKIP_CODE)]
    print(f"{len(codes)} cases, {len(failed)} failed, {codes.count(SKIP_CODE)} skipped")
    return 1 if failed else max(codes, default=0)


def main(arguments):
    if arguments == ["--list"]:
        for group, names in GROUPS.items():
            print(f"{group}: {' '.join(names)}")
        return 0
    if arguments[:1] == ["--here"]:
        return run_here(arguments[1])
    unknown = [name for name in arguments if name not in CASES and name not in GROUPS]
    if unknown:
        print(f"no such case: {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 2
    names = [case for name in arguments or GROUPS for case in GROUPS.get(name, [name])]
    return run_all(names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
