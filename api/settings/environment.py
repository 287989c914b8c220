"""The LAMPLIGHTER_ variables of the environment as nested tables.

A variable of ours that means nothing is a mistake, because it is most likely a misspelt one. Those
that Kubernetes (and Docker's links) put beside a Service or container whose name begins with
`lamplighter` are not ours, and are ignored.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from api.validation import Mistake

PREFIX = "LAMPLIGHTER_"
_BETWEEN = "__"
# table, key, and a scope in web.tokens: deeper there is nothing
_PARTS_MOST = 3

# From the field: kubernetes.io/docs/concepts/services-networking/service, "Environment variables":
# {NAME}_SERVICE_HOST, {NAME}_SERVICE_PORT[_{PORT}], {NAME}_PORT=tcp://... and
# {NAME}_PORT_{number}_{protocol}[_PROTO|_PORT|_ADDR].
_SERVICE_LINK = re.compile(
    r"LAMPLIGHTER(_[A-Z0-9_]*)?"
    r"(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://\S+")


def environment(
    environ: Mapping[str, str],
    tables: Collection[str],
    others: Collection[str],
    mistakes: list[Mistake],
) -> dict[str, Any]:
    """`LAMPLIGHTER_WEB__PORT=1` as `{"web": {"port": "1"}}`; what means nothing joins `mistakes`.

    `tables` are the known ones in small letters, `others` our variables that are no settings.
    """
    found: dict[str, Any] = {}
    for name, value in sorted(environ.items()):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in others or _is_service_link(upper, value):
            continue
        parts = upper.removeprefix(PREFIX).lower().split(_BETWEEN)
        if parts[0] not in tables or not 2 <= len(parts) <= _PARTS_MOST or not all(parts):
            mistakes.append(Mistake(name, "is not a known setting"))
        elif not _put(found, parts, value):
            mistakes.append(Mistake(name, "stands twice, in another spelling or as a table"))
    return found


def _is_service_link(upper: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(upper):
        return True
    return upper.endswith("_PORT") and _SERVICE_ADDRESS.fullmatch(value) is not None


def _put(found: dict[str, Any], parts: list[str], value: str) -> bool:
    """Whether there was room for it."""
    for part in parts[:-1]:
        inner = found.setdefault(part, {})
        if not isinstance(inner, dict):
            return False
        found = inner
    if parts[-1] in found:
        return False
    found[parts[-1]] = value
    return True
