"""A real nginx in front of a service, below a path, as operators put it there.

No nginx is a failure, not a skip. It runs in a folder of its own on a free port of loopback, as
whoever runs the tests.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "nginx"
START_S = 10.0
"""It takes some 30 ms; a busy machine is slower."""

_CONFIGURATION = """
pid {folder}/pid; error_log {folder}/error.log; daemon off; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port};
    location {path} {{
      proxy_pass http://127.0.0.1:{upstream}{stripped};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""


def find_nginx() -> str:
    """The path of an nginx. Raises RuntimeError where there is none."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(NAME, path=path)
    if found is None:
        raise RuntimeError("no nginx: install it (apt install nginx)")
    return found


@contextmanager
def nginx_below(path: str, upstream: int, folder: Path, *, strips: bool) -> Iterator[str]:
    """The address below which it shows the service at this port; ended with the block.

    `strips` takes the path off, by `proxy_pass http://...:PORT/;`.
    """
    port = _free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder, port=port, path=path, upstream=upstream, stripped="/" if strips else ""
        ),
        encoding="utf-8",
    )
    arguments = [find_nginx(), "-p", str(folder), "-e", str(folder / "error.log")]
    process = subprocess.Popen([*arguments, "-c", str(configuration)])
    try:
        _wait_until_it_listens(port, process)
        yield f"http://127.0.0.1:{port}{path}"
    finally:
        process.terminate()
        process.wait(START_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nginx does not listen: it ended with {process.poll()}")
