"""Whether a server that gave no answer speaks TLS where we do not, or the other way round, or
refuses our certificate.

A server that speaks TLS closes a connection in which it is asked without, and says nothing; one
that does not waits for the rest of what it takes for a command. Neither can be told from a server
that is in trouble, unless it is asked in the other way. Everything blocks, for a second at most.
"""

import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress

from store.engine.redis.node import CONNECT_S
from store.engine.redis.target import Address

_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
"""OpenSSL's reasons where what came is not TLS; any other one is in words of TLS."""
_PING = b"PING\r\n"


def other_way(addresses: Iterable[Address], scheme: str) -> str | None:
    """What is wrong with a URL of this scheme (`redis`, `rediss+sentinel`, ...), in words: of the
    first address that answers in the other way. None where none does."""
    tls = scheme.startswith("rediss")
    for host, port in addresses:
        if tls and _speaks_plainly(host, port):
            right = scheme.replace("rediss", "redis")
            return f"{host}:{port} does not speak TLS; without TLS the URL is {right}://"
        if not tls and _speaks_tls(host, port):
            right = scheme.replace("redis", "rediss")
            return f"{host}:{port} speaks TLS; over TLS the URL is {right}://"
    return None


def refused_certificate(
    addresses: Iterable[Address], files: Mapping[str, str], *, trusts_any: bool = False
) -> ssl.SSLError | None:
    """What the first server says that does not agree with us on certificates, or what is wrong with
    our own files. None where all agree.

    In TLS 1.3 a server refuses a client's certificate after the handshake, and closes. Whoever has
    written meanwhile is told of a lost connection only; here nothing is written. `files` are those
    of a `Target`. With `trusts_any` nobody asks who signed the server's own. Raises OSError for a
    file that cannot be read.
    """
    try:  # a file may be half renewed
        context = ssl.create_default_context(cafile=files.get("ssl_ca_certs"))
        if certificate := files.get("ssl_certfile"):
            context.load_cert_chain(certificate, files.get("ssl_keyfile"))
    except ssl.SSLError as error:
        return error
    if trusts_any:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for host, port in addresses:
        try:
            with (
                socket.create_connection((host, port), CONNECT_S) as plain,
                context.wrap_socket(plain, server_hostname=host) as wrapped,
            ):
                wrapped.recv(1)
        except ssl.SSLEOFError:
            continue  # a server that dies ends like this, too
        except ssl.SSLError as error:
            return error
        except (OSError, UnicodeError):  # the latter of what is no name of a host
            continue
    return None


def _speaks_tls(host: str, port: int) -> bool:
    """Whether a handshake is answered; what it shows is nobody's concern here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), CONNECT_S) as plain:
            context.wrap_socket(plain).close()
    except ssl.SSLEOFError:
        return False
    except ssl.SSLError as error:
        return error.reason not in _NO_TLS
    except (OSError, UnicodeError):
        return False
    return True


def _speaks_plainly(host: str, port: int) -> bool:
    """Whether PING has an answer, be it that we have no right to ask."""
    with (
        suppress(OSError, UnicodeError),
        socket.create_connection((host, port), CONNECT_S) as plain,
    ):
        plain.sendall(_PING)
        return plain.recv(1) in {b"+", b"-"}
    return False
