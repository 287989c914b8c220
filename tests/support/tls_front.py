"""TLS before a server that has none, as a proxy or a tunnel speaks it."""

import select
import socket
import ssl
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.certificates import Pair
from tests.support.redis_server import RedisServer

PIECE_BYTES = 65_536
SHAKEN_S = 10.0
END_S = 30.0
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@contextmanager
def front(server: RedisServer, own: Pair, asks_for: Path) -> Iterator[int]:
    """The port of a front that shows a certificate, and asks clients for one. In threads, whose
    sockets tell a client what is wrong with its own, and reset its connection at once then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own)
    context.load_verify_locations(asks_for)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(20) as threads:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threads.submit(serve, client)

        def serve(plain: socket.socket) -> None:
            plain.settimeout(SHAKEN_S)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            with (
                suppress(OSError),
                context.wrap_socket(plain, server_side=True) as client,
                socket.create_connection(("127.0.0.1", server.port)) as behind,
            ):
                pass_on(client, behind)

        threads.submit(accept)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def pass_on(client: ssl.SSLSocket, behind: socket.socket) -> None:
    """By one thread: TLS is not read and written by two at once."""
    while True:
        ready = [client] if client.pending() else select.select([client, behind], [], [], END_S)[0]
        for each in ready:
            data = each.recv(PIECE_BYTES)
            if not data:
                return
            (behind if each is client else client).sendall(data)
        if not ready:
            return
