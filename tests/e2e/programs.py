# SPDX-License-Identifier: Apache-2.0
"""The programs in Java and Go: compiled once for each state of their sources, standard and Debian's libraries only."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
JARS = ("tomcat10-embed-core", "jetty9-server", "jetty9-util", "jetty9-io", "jetty9-http", "servlet-api", "httpclient",
        "httpcore", "commons-logging")
CLASS_PATH = [f"/usr/share/java/{jar}.jar" for jar in JARS]
QUICK_START = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def store():
    return Path(os.environ["STALESOCK_E2E_PROGRAMS"]).resolve()


def sources():
    return sorted([*HERE.glob("java/*.java"), *HERE.glob("go/**/*.go"), HERE / "go/go.mod"])


def folder():
    digest = hashlib.sha256()
    for source in sources():
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return store() / digest.hexdigest()[:16]


@contextlib.contextmanager
def locked():
    store().mkdir(parents=True, exist_ok=True)
    with (store() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compile_java(target):
    subprocess.run(["javac", "-d", str(target), "-cp", ":".join(CLASS_PATH), *map(str, HERE.glob("java/*.java"))],
                   check=True)


def compile_go(target):
    environment = os.environ | {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "CGO_ENABLED": "0",
                                "GOCACHE": str(store() / "go-cache")}
    for name in ("client", "server"):
        subprocess.run(["go", "build", "-o", str(target / f"go-{name}"), f"./{name}"], cwd=HERE / "go", check=True,
                       env=environment)


def built():
    """The folder of the compiled programs."""
    found = folder()
    with locked():
        if not found.exists():
            unfinished = store() / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            compile_java(unfinished)
            compile_go(unfinished)
            unfinished.rename(found)
    return found


def java(program, *arguments):
    return ["java", *QUICK_START, "-cp", ":".join([str(built()), *CLASS_PATH]), program, *map(str, arguments)]


def go(name, *arguments):
    return [str(built() / f"go-{name}"), *map(str, arguments)]
