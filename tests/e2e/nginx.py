# SPDX-License-Identifier: Apache-2.0
"""nginx in a scratch folder."""

import contextlib
from pathlib import Path

from harness import free_port, server

CONFIG = """
daemon off;
{main}
pid {folder}/nginx-{port}.pid;
error_log {folder}/nginx-{port}.log notice;
events {{ {events} }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {settings}
    server {{
        listen 127.0.0.1:{port}{listen};
        {locations}
    }}
}}
"""
HELLO = 'location / { return 200 "hello\\n"; }'


@contextlib.contextmanager
def nginx(folder, settings, locations=HELLO, events="worker_connections 64;", main="master_process off;", listen="",
          port=None):
    """Yields the port it listens on. Its log is nginx-PORT.log in the folder."""
    port = port or free_port()
    config = Path(folder) / f"nginx-{port}.conf"
    config.write_text(CONFIG.format(folder=folder, settings=settings, port=port, locations=locations, events=events,
                                    main=main, listen=listen))
    log = f"{folder}/nginx-{port}.log"  # named twice: it logs before it has read where to
    with server(["nginx", "-p", str(folder), "-c", str(config), "-e", log], port, Path(folder) / f"nginx-{port}-output.log"):
        yield port


def pid_of(folder, port):
    """Of the only process, or of the master."""
    return int((Path(folder) / f"nginx-{port}.pid").read_text())


def log_of(folder, port):
    """error_log so far, from level notice."""
    return (Path(folder) / f"nginx-{port}.log").read_text()
