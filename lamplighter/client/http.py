"""What both clients have in common of HTTP: options, and what a failure of httpx2 means."""

import secrets
import ssl
from typing import Any

import httpx2

from lamplighter.client.errors import BadAddress
from lamplighter.client.place import Place
from lamplighter.client.steps import ANSWER_BYTES_MOST, Answer, Broken, Send

FEEDS_MOST = 16
"""Live feeds of one client: a program follows one, or a few with filters of their own."""
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


def options(place: Place, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Of the clients of httpx2. No proxy and no password is taken from the surroundings."""
    return {
        "headers": place.headers(),
        "trust_env": False,
        "verify": trusted(place.at) if context is None else context,
    }


def trusted(url: str) -> ssl.SSLContext | bool:
    """Whom a client of httpx2 trusts that asks this URL: the usual authorities, which take 25 ms to
    load, and nobody where there is no TLS. It follows no redirection."""
    plain = url.lower().startswith("http:")
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True


def tls_context(context: ssl.SSLContext | None) -> ssl.SSLContext:
    """Of the live feed; the same as of requests."""
    return httpx2.create_ssl_context(trust_env=False) if context is None else context


def request(place: Place, send: Send) -> dict[str, Any]:
    """The arguments of one request."""
    return {
        "method": send.method,
        "url": f"{place.at}{send.path}",
        "params": list(send.query),
        "headers": dict(send.headers),
        "content": send.content,
        "timeout": send.timeout_s,
    }


def answer(response: httpx2.Response, content: bytes) -> Answer:
    """What came back."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, content)


def broken(place: Place, error: Exception) -> Broken:
    """Why no answer came. Raises BadAddress where none can."""
    if isinstance(error, httpx2.InvalidURL):
        raise BadAddress(f"{place.at} cannot be asked: {error}") from error
    sent = not isinstance(error, NEVER_SENT)
    if isinstance(error, httpx2.TimeoutException):
        return Broken(f"{place.at} does not answer in time", sent)
    text = str(error) or type(error).__name__
    return Broken(f"no service answers at {place.at} ({text})", sent)


def late(place: Place) -> Broken:
    """The whole of the answer did not come in time."""
    return Broken(f"{place.at} does not answer in time", sent=True)


def new_key() -> str:
    """An `Idempotency-Key` that nobody else has."""
    return secrets.token_hex(16)


def too_long(place: Place) -> Broken:
    """More came than a service has to say."""
    return Broken(f"{place.at} answers with more than {ANSWER_BYTES_MOST // 2**20} MB", sent=True)
