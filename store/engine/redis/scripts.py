"""The scripts that the server runs, from the files beside this one.

Every key that a script touches is declared: in a cluster a script with an undeclared key would stop
half-way while its slot moves, and what it wrote until then would stay. The server's cache of
scripts is volatile; a script that it does not know is sent whole.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files

import msgspec

Argument = str | bytes | int | float


class Script(msgspec.Struct, frozen=True):
    """One script, and the name by which the server's cache knows it."""

    name: str
    text: bytes
    sha: str


class Call(msgspec.Struct, frozen=True):
    """A script with its keys and arguments."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]

    def command(self, *, whole: bool = False) -> tuple[Argument, ...]:
        """What is sent: by name, or `whole` where the server does not know it."""
        head = ("EVAL", self.script.text) if whole else ("EVALSHA", self.script.sha)
        return (*head, len(self.keys), *self.keys, *self.arguments)


@cache
def script(name: str) -> Script:
    """A script by the name of its file."""
    folder = files("store.engine.redis") / "scripts"
    parts = (*_COMMON.get(name, ()), name)
    bodies = [(folder / f"{part}.lua").read_bytes() for part in parts]
    text = b"#!lua\n" + b"".join(bodies)
    return Script(name, text, sha1(text, usedforsecurity=False).hexdigest())


NAMES = ("take", "renew", "confirm", "give", "close", "commit", "accept", "post", "prune")
_COMMON = {
    "take": ("fields",),
    "renew": ("fields",),
    "confirm": ("fields",),
    "commit": ("fields",),
    "accept": ("inbox", "line"),
    "post": ("inbox", "line"),
}
