"""What the server or the connection to it says, in our own errors."""

import re
import ssl
from collections.abc import Iterator

import redis
from redis import exceptions

from store.errors import StoreCorrupt, StoreError, StoreRefused, StoreUnavailable

_ELSEWHERE = (
    exceptions.MovedError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.ReadOnlyError,
)


class Elsewhere(StoreUnavailable):
    """Nothing was done, because another node has the slot; it is known by now which."""


class Misfit(StoreUnavailable):
    """What answers is not what the URL says. Whoever runs goes on trying, because that may be
    mended there; a start is refused."""


class Untrusted(Misfit):
    """The two ends do not agree on TLS; a certificate may be renewed."""


_VERIFIED = {
    10: "its certificate has expired",
    62: "its certificate is for another host name",
    64: "its certificate is for another host name",
    18: "its certificate is signed by an authority that is not known here: see ssl_ca_certs",
    19: "its certificate is signed by an authority that is not known here: see ssl_ca_certs",
    20: "its certificate is signed by an authority that is not known here: see ssl_ca_certs",
    21: "its certificate is signed by an authority that is not known here: see ssl_ca_certs",
}
"""By OpenSSL's X509_V_ERR numbers."""
_HANDSHAKE = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS there; without TLS the URL is redis://",
    "RECORD_LAYER_FAILURE": "it does not speak TLS there; without TLS the URL is redis://",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate: see ssl_certfile, ssl_keyfile",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it wants a certificate: see ssl_certfile, ssl_keyfile",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know who signed our certificate: see ssl_certfile",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired: see ssl_certfile",
}
"""By OpenSSL's reasons."""

_CLOSED = re.compile(
    r"ACL failure in script|caused error: NOPERM|discarded because of: NOPERM"
    r"|The user executing the script can't"  # Redis 7.0
)
_UNKNOWN = re.compile(r"^unknown (sub)?command|Unknown .*command called from script", re.IGNORECASE)
_DATABASE = re.compile(r"DB index is out of range|SELECT is not allowed", re.IGNORECASE)
_RIGHTS = (
    redis.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
)


def error_of(error: Exception) -> StoreError:
    """One error of redis-py or of the system, translated; the caller keeps it as the cause."""
    words = f"redis: {words_of(error)}"
    if (distrust := _distrust(error)) is not None:
        return Untrusted(f"redis: no TLS: {distrust} ({error})")
    match error:
        case StoreError():
            return error
        case exceptions.NoPermissionError():
            return StoreRefused(f"redis: the user lacks a right: {error}")
        case redis.ResponseError() if _CLOSED.search(str(error)):
            return StoreRefused(f"redis: the user lacks a right: {error}")
        case redis.AuthenticationError() | exceptions.AuthorizationError():
            return StoreRefused(f"redis: user or password are wrong: {error}")
        case exceptions.MovedError():
            return Elsewhere(f"redis: the slot lies on another node: {error}")
        case exceptions.TryAgainError() | exceptions.AskError():
            return StoreUnavailable("redis: the slot is being moved to another node")
        case exceptions.OutOfMemoryError():
            return StoreUnavailable(f"redis: its memory is full: {error}")
        case exceptions.ReadOnlyError():
            return StoreUnavailable("redis: this node is a read-only replica now")
        case exceptions.ClusterCrossSlotError():
            return StoreRefused(f"redis: keys of one shard lie in several slots: {error}")
        case redis.ResponseError() if str(error).startswith("WRONGTYPE"):
            return StoreCorrupt(f"redis: a key of ours has a foreign type: {error}")
        case redis.ResponseError() if is_unknown_command(error):
            words = str(error).partition(", with args")[0]
            return StoreRefused(f"redis: a command is renamed or missing: {words}")
        case redis.ResponseError() if _DATABASE.search(str(error)):
            return Misfit(f"redis: the server does not have the database of the URL: {error}")
        case redis.RedisError() | OSError():
            # NOREPLICAS, MISCONF (its disk failed), BUSY, CLUSTERDOWN, a lost connection, ...
            return StoreUnavailable(words)
        case _:
            return StoreError(words)


def is_elsewhere(error: Exception) -> bool:
    """Whether another node may be the one to ask. A master that was replaced loses its replicas
    before it is told: on a connection that wrote nothing, WAIT does not tell that."""
    return isinstance(error, _ELSEWHERE) or str(error).startswith("NOREPLICAS")


def is_refusal(error: Exception) -> bool:
    """Whether the connection was refused for who we are, not for what we asked."""
    return isinstance(error, _RIGHTS)


def is_unknown_command(error: Exception) -> bool:
    """Whether the server knows no such command: another kind of server, or it was renamed."""
    return isinstance(error, redis.ResponseError) and bool(_UNKNOWN.search(str(error)))


def words_of(error: Exception) -> str:
    """What it says, and in TLS what that may mean."""
    if any("handshake operation timed out" in str(each) for each in _behind(error)):
        return "nobody answers in TLS there; without TLS the URL is redis://"
    if any(isinstance(each, ssl.SSLEOFError) for each in _behind(error)):
        # A server that refuses our certificate may be gone before its reason is read.
        return f"the server ended TLS; if it does so always, see ssl_certfile, ssl_keyfile: {error}"
    return str(error)


def is_distrust(error: Exception) -> bool:
    """Whether the two ends do not agree on TLS."""
    return _distrust(error) is not None


def _distrust(error: BaseException) -> str | None:
    for each in _behind(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return _VERIFIED.get(each.verify_code, each.verify_message)
        if isinstance(each, ssl.SSLEOFError):
            return None  # a server that dies ends like this, too
        if isinstance(each, ssl.SSLError) and each.reason is not None:
            return _HANDSHAKE.get(each.reason, each.reason.replace("_", " ").lower())
    return None


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
