# SPDX-License-Identifier: Apache-2.0
"""The programs in Java and Go: compiled once for each state of their sources, standard and Debian's libraries only."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
JARS = ("tomcat10-embed-core", "jetty9-server", "jetty9-util", "jetty9-io", "jetty9-http", "servlet-api", "httpclient",
        "httpcore", "commons-logging")
DEBIAN_JARS = [Path(f"/usr/share/java/{jar}.jar") for jar in JARS]
MANIFEST = "META-INF/MANIFEST.MF"
QUICK_START = ("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# Who logs, and how: each library would take what it finds first.
LOGGING = (f"-Djava.util.logging.config.file={HERE / 'java' / 'logging.properties'}",
           "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.Jdk14Logger",
           "-Dorg.eclipse.jetty.util.log.class=org.eclipse.jetty.util.log.StdErrLog")


def store():
    return Path(os.environ["STALESOCK_E2E_PROGRAMS"]).resolve()


def sources():
    return sorted([*HERE.glob("java/*.java"), *HERE.glob("go/**/*.go"), HERE / "go/go.mod"])


def folder():
    digest = hashlib.sha256()
    for source in [*sources(), Path(__file__), *DEBIAN_JARS]:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return store() / digest.hexdigest()[:16]


@contextlib.contextmanager
def locked():
    store().mkdir(parents=True, exist_ok=True)
    with (store() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def without_class_path(manifest):
    """A line that begins with a blank goes on with the one before it."""
    entries = manifest.replace(b"\r\n", b"\n").replace(b"\n ", b"").split(b"\n")
    kept = [entry for entry in entries if not entry.lower().startswith(b"class-path:")]
    return b"\n".join(b"\n ".join(entry[at:at + 70] for at in range(0, max(1, len(entry)), 70)) for entry in kept)


def copy_jars(target):
    """Debian's without the class paths in their manifests: whatever those name would come along where it is installed,
    log4j with commons-logging, which then logs through it."""
    target.mkdir()
    for jar in DEBIAN_JARS:
        with zipfile.ZipFile(jar) as original, zipfile.ZipFile(target / jar.name, "w") as copy:
            for entry in original.infolist():
                content = original.read(entry)
                copy.writestr(entry, without_class_path(content) if entry.filename == MANIFEST else content)


def class_path(target):
    return ":".join([str(target), *(str(target / "jars" / jar.name) for jar in DEBIAN_JARS)])


def compile_java(target):
    copy_jars(target / "jars")
    subprocess.run(["javac", "-d", str(target), "-cp", class_path(target), *map(str, HERE.glob("java/*.java"))], check=True)


def compile_go(target):
    environment = os.environ | {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "CGO_ENABLED": "0", "GOENV": "off",
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
    return ["java", *QUICK_START, *LOGGING, "-cp", class_path(built()), program, *map(str, arguments)]


def go(name, *arguments):
    return [str(built() / f"go-{name}"), *map(str, arguments)]
