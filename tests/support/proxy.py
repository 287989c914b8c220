"""A real nginx in front of a service, below a path, as operators put it there.

No nginx is a failure, not a skip. It runs in a folder of its own on a free port of loopback, as
whoever runs the tests.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.programs import server_program

START_S = 10.0
"""It takes some 30 ms; a busy machine is slower."""

_AROUND = """
pid {folder}/pid; error_log {folder}/error.log; daemon off; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{http}
}}
"""
_SITE = """
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
"""


@contextmanager
def nginx_below(
    path: str, upstream: int, folder: Path, *, strips: bool, tls: bool = False
) -> Iterator[str]:
    """The address below which it shows the service at this port; ended with the block.

    `strips` takes the path off, by `proxy_pass http://...:PORT/;`. With `tls` its certificate,
    which nobody else trusts, is `site.pem` in the folder.
    """
    port = _free_port()
    configuration = folder / "nginx.conf"
    http = _SITE.format(port=port, path=path, upstream=upstream, stripped="/" if strips else "")
    if tls:
        certificate, key = a_certificate(folder)
        listens = f"listen 127.0.0.1:{port}"
        told = f"ssl_certificate {certificate}; ssl_certificate_key {key};"
        http = http.replace(f"{listens};", f"{listens} ssl; {told}")
    configuration.write_text(_AROUND.format(folder=folder, http=http), encoding="utf-8")
    with _running(configuration, port, folder):
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}{path}"


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    certificate, key = folder / "site.pem", folder / "site.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=START_S,
    )
    return certificate, key


@contextmanager
def nginx_by_example(example: Path, upstream: int, folder: Path) -> Iterator[str]:
    """nginx by an example of ours, with ports, names and a certificate of this machine; the address
    of the site, over TLS."""
    port = _free_port()
    certificate, key = a_certificate(folder)
    http = example.read_text(encoding="utf-8")
    for theirs, ours in (
        ("127.0.0.1:8090", f"127.0.0.1:{upstream}"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/certs/lights.example.org.pem", str(certificate)),
        ("/etc/ssl/private/lights.example.org.key", str(key)),
    ):
        assert theirs in http, f"the example says nothing of {theirs}"
        http = http.replace(theirs, ours)
    configuration = folder / "nginx.conf"
    configuration.write_text(_AROUND.format(folder=folder, http=http), encoding="utf-8")
    with _running(configuration, port, folder):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def _running(configuration: Path, port: int, folder: Path) -> Iterator[None]:
    arguments = [server_program("nginx"), "-p", str(folder), "-e", str(folder / "error.log")]
    process = subprocess.Popen([*arguments, "-c", str(configuration)])
    try:
        _wait_until_it_listens(port, process)
        yield
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
