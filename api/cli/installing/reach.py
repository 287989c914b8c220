"""Whether requests to our address arrive at this machine: a listener of one moment is asked by it.

ChirpStack may see another network than we do, so this is a hint, never a verdict.
"""

import secrets
import socket
from dataclasses import dataclass
from functools import partial

import httpx2
import trio

from api.cli.installing.answers import Place
from api.http.asgi_app import VERSION_HEADER

ANSWER_S = 5.0
HEAD_BYTES_MOST = 16_384
"""The head of one request, as proxies bound it."""
MARK = "lamplighter-init"
_TOLD = {
    "ConnectError": "nothing is found or listens there",
    "ConnectTimeout": f"no connection within {ANSWER_S:g} s",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of it. `says` is for a person."""

    well: bool
    says: str


async def try_place(place: Place) -> Reached:
    """Listen where the service will, and ask our own address for it."""
    mark = secrets.token_hex(8)
    try:
        listeners = await trio.open_tcp_listeners(place.port, host=place.bind)
    except OSError as error:
        answer = await _ask(place)
        if isinstance(answer, httpx2.Response) and VERSION_HEADER in answer.headers:
            release = answer.headers[VERSION_HEADER]
            return Reached(True, f"Lamplighter {release} answers at {place.url} already")
        told = error.strerror or "that name is not found"
        return Reached(False, f"cannot listen on {place.bind} port {place.port}: {told}")
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_listeners, partial(_answer, mark), listeners)
        await nursery.start(serve)
        answer = await _ask(place)
        nursery.cancel_scope.cancel()
    if isinstance(answer, str):
        return Reached(False, f"{place.url} is not reached from here: {answer}")
    if answer.headers.get(MARK) == mark:
        return Reached(True, f"{place.url} arrives at this machine")
    return Reached(False, f"{place.url} is answered by something else ({answer.status_code})")


async def _ask(place: Place) -> httpx2.Response | str:
    try:
        async with httpx2.AsyncClient(timeout=ANSWER_S, trust_env=False) as http:
            with trio.fail_after(2 * ANSWER_S):
                return await http.get(f"{place.url}/healthz")
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return _TOLD.get(type(error).__name__) or str(error) or type(error).__name__
    except trio.TooSlowError:
        return f"no answer within {2 * ANSWER_S:g} s"


async def _answer(mark: str, stream: trio.SocketStream) -> None:
    """Answer whatever is asked first; nobody else knows the mark."""
    head = b""
    with trio.move_on_after(ANSWER_S):
        try:
            while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MOST:
                if not (some := await stream.receive_some()):
                    return
                head += some
            await stream.send_all(
                f"HTTP/1.1 204 No Content\r\n{MARK}: {mark}\r\nconnection: close\r\n\r\n".encode()
            )
        except trio.BrokenResourceError:
            return  # who asked left


def own_address(target: str, port: int) -> str:
    """How ChirpStack most likely reaches this machine: by the address from which we reach it."""
    host, _, number = target.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), int(number), type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)  # chooses a way; nothing is sent
            own = str(probe.getsockname()[0])
    except OSError:
        own = "127.0.0.1"
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"
