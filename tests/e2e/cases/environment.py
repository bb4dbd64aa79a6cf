# SPDX-License-Identifier: Apache-2.0
"""What a program under test finds around it is what the tests say, whoever starts them and from where."""

import os
import subprocess
from pathlib import Path

from expect import expect

DEFINED = Path(__file__).parents[2] / "support" / "defined-environment.sh"
NAMES = {"PATH", "HOME", "LC_ALL", "TZ", "TERM", "OPENSSL_CONF"}
HOSTILE = {"JAVA_TOOL_OPTIONS": "-Duser.language=de", "JDK_JAVA_OPTIONS": "-Dx=y", "_JAVA_OPTIONS": "-Xmx1m", "CLASSPATH": "/x",
           "GODEBUG": "http2client=0", "GOFLAGS": "-x", "http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1",
           "no_proxy": "*", "NGINX": "3;", "PYTHONPATH": "/x", "PYTHONOPTIMIZE": "2", "CURL_HOME": "/x", "LC_ALL": "de_DE.UTF-8",
           "LANGUAGE": "de", "TZ": "Asia/Tokyo", "TERMINFO": "/x", "TMUX": "/x", "PAGER": "false", "SYSTEMD_COLORS": "1",
           "NOTIFY_SOCKET": "/x", "JOURNAL_STREAM": "1:1", "NO_COLOR": "1", "OPENSSL_CONF": "/x", "HOME": "/x", "PATH": "/x",
           "LD_PRELOAD": "", "A_LINE": "one\nSTALESOCK_FORGED=two", "BASH_ENV": "/x"}


def _defined(environment):
    """Without what is for the tests themselves."""
    return {name: value for name, value in environment.items() if not name.startswith("STALESOCK")}


def nothing_comes_along(lab):
    """Neither what a shell of a developer has in it nor what is written there to be taken for something else."""
    mine = _defined(os.environ)
    expect(set(mine), NAMES, "what this case finds")
    expect(mine["HOME"], str(lab.folder), "its home")
    done = subprocess.run([DEFINED, "/usr/bin/env", "-0"], env=HOSTILE | {"STALESOCK_KEPT": "a b'c\n$d"}, capture_output=True,
                          text=True, check=True)
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    expect(found, mine | {"HOME": "/nonexistent", "STALESOCK_KEPT": "a b'c\n$d"}, "what is left of a hostile environment")
