"""Who may do what at the pretend server, refused with ChirpStack's own errors.

As in ChirpStack v4, a missing right is UNAUTHENTICATED with an empty text, a missing or wrong key
is UNAUTHENTICATED with a text.
Source: chirpstack/src/api/auth.
"""

import hmac
from enum import StrEnum
from typing import NoReturn

import grpc
import msgspec


class Rights(StrEnum):
    """What a key may do."""

    ADMIN = "admin"
    READ_ONLY = "read_only"
    """Everything may be read, nothing changed; since ChirpStack 4.17."""
    TENANT = "tenant"
    """Everything of its own tenant."""


class Access(msgspec.Struct, frozen=True):
    """The keys of the server; a key that is None exists not."""

    api_key: str
    read_only_key: str | None = None
    tenant_key: str | None = None

    def enter(self, context: grpc.ServicerContext, *, changes: bool = False) -> Rights:
        """The rights of the caller, or the call is refused."""
        rights = self._rights(context)
        if changes and rights is Rights.READ_ONLY:
            refuse(context)
        return rights

    def _rights(self, context: grpc.ServicerContext) -> Rights:
        metadata = dict(context.invocation_metadata())
        offered = metadata.get("authorization")
        if offered is None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "authorization metadata is missing")
        bearer = offered if isinstance(offered, str) else offered.decode("latin-1")
        scheme, _, key = bearer.partition(" ")
        if scheme != "Bearer":
            text = "authorization metadata must in format 'Bearer <TOKEN>"
            context.abort(grpc.StatusCode.UNAUTHENTICATED, text)
        known = (
            (self.api_key, Rights.ADMIN),
            (self.read_only_key, Rights.READ_ONLY),
            (self.tenant_key, Rights.TENANT),
        )
        matching = [rights for candidate, rights in known if candidate and _same(candidate, key)]
        if not matching:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidToken")
        return matching[0]


def refuse(context: grpc.ServicerContext) -> NoReturn:
    """No right: the empty text is ChirpStack's."""
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "")


def _same(candidate: str, key: str) -> bool:
    return hmac.compare_digest(candidate.encode(), key.encode())
