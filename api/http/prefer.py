"""The `Prefer` header (RFC 7240), as far as a command knows it: `respond-async` and `wait`.

The rule it keeps: a preference that is not understood is passed over, as the RFC demands.
"""

import re
from collections.abc import Sequence

import msgspec

# Quoted strings may hold commas; nothing we look for does.
_TOKEN = re.compile(r'\s*([A-Za-z0-9-]+)\s*(?:=\s*"?([^",;]*)"?)?[^,]*')


class Preferences(msgspec.Struct, frozen=True):
    """What the caller prefers."""

    respond_async: bool = False
    wait_s: float | None = None

    def applied(self, waited_s: float) -> str:
        """For `Preference-Applied`, where so long was waited at most; empty when nothing was asked
        for, or nothing of it was done."""
        words = ["respond-async"] if self.respond_async else []
        if self.wait_s is not None and (waited_s > 0 or self.wait_s == 0):
            words.append(f"wait={waited_s:g}")
        return ", ".join(words)


def read_preferences(headers: Sequence[str]) -> Preferences:
    """Read every `Prefer` header; the first mention of a preference counts."""
    respond_async, wait_s = False, None
    for part in ",".join(headers).split(","):
        found = _TOKEN.match(part)
        if found is None:
            continue
        name, value = found[1].lower(), (found[2] or "").strip()
        if name == "respond-async":
            respond_async = True
        elif name == "wait" and wait_s is None and value.isascii() and value.isdigit():
            wait_s = float(value)
    return Preferences(respond_async, wait_s)
