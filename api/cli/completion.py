"""What a shell offers for a light or a gateway: asked of the running service, in bounded time, and
nothing at all where that does not answer.

The shells' scripts evaluate what is offered, zsh's even as code, and names come from ChirpStack: a
name with any character that means something to a shell is offered by its id only.
"""

import os
import re
from typing import Any

import typer

from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.show.natural import fold, natural

COMPLETE_S = 2.0
"""A shell that waits longer for a completion is no help."""
COMPLETE_MOST = 200

# Letters and digits of any script, blanks, and signs that no shell reads anything into.
_HARMLESS = re.compile(r"(?:[^\W_]|[ _.,+/-])+")


class Word(str):
    """What is inserted. Typer leaves out what does not begin with the letters that were typed; we
    compare without case, and bash has blanks escaped."""

    __slots__ = ()

    def startswith(self, *_: object) -> bool:
        """It was chosen already."""
        return True


Offer = tuple[Word, str]
"""What is inserted, and what the shell says of it, if it does."""


def complete_light(context: typer.Context, incomplete: str) -> list[Offer]:
    """Names and DevEUIs of lights that begin like this."""
    return _asked(context, _lights_like, incomplete)


def complete_gateway(context: typer.Context, incomplete: str) -> list[Offer]:
    """Names and ids of gateways that begin like this."""
    return _asked(context, _gateways_like, incomplete)


def _asked(context: typer.Context, question: Any, incomplete: str) -> list[Offer]:
    import trio

    given = context.params
    try:
        place = Place.of(given.get("at") or DEFAULT_AT, given.get("token"))
        return trio.run(_within, question, place, incomplete)
    except Exception:  # noqa: BLE001 whatever it is, a completion must not write on the prompt
        return []


async def _within(question: Any, place: Place, incomplete: str) -> list[Offer]:
    import trio

    client = Client(place)  # imports what it needs
    with trio.fail_after(COMPLETE_S):
        async with client:
            return offers(await question(client, incomplete), incomplete)


async def _lights_like(client: Any, incomplete: str) -> dict[str, str]:
    query = {"search": incomplete.strip()[:100] or None, "limit": COMPLETE_MOST}
    page = await client.get("/devices", query)
    return {one["dev_eui"]: one["name"] for one in page["devices"]}


async def _gateways_like(client: Any, incomplete: str) -> dict[str, str]:
    found = await client.get("/gateways")
    return {one["gateway_id"]: one["name"] for one in found["gateways"]}


def offers(known: dict[str, str], incomplete: str) -> list[Offer]:
    """What to insert and what to say of it, of these names by id. A name goes before an id."""
    wanted = fold(incomplete)
    names: dict[str, list[str]] = {}
    for one, name in known.items():
        if harmless(name) and fold(name).startswith(wanted):
            names.setdefault(name, []).append(one)
    found = [(name, ids[0]) for name, ids in sorted(names.items(), key=_by_name) if len(ids) == 1]
    named = {one for _, one in found}
    by_id = [
        (one, known[one] if harmless(known[one]) else "")
        for one in sorted(known)
        if one.startswith(wanted) and (incomplete or one not in named)
    ]
    return [(Word(_written(name)), said) for name, said in [*found, *by_id]][:COMPLETE_MOST]


def harmless(name: str) -> bool:
    """Whether every shell takes this for a word, and `lamplighter` not for an option."""
    return _HARMLESS.fullmatch(name) is not None and name == name.strip() and name[0] != "-"


def _by_name(found: tuple[str, list[str]]) -> Any:
    return natural(found[0]), found[0]


def _written(name: str) -> str:
    """As it has to stand on the line: bash alone inserts what it is given as it is."""
    if " " not in name or not os.environ.get("_LAMPLIGHTER_COMPLETE", "").endswith("bash"):
        return name
    words = os.environ.get("COMP_WORDS", "").splitlines()
    at = os.environ.get("COMP_CWORD", "")
    word = words[int(at)] if at.isdigit() and int(at) < len(words) else ""
    return name if word[:1] in {"'", '"'} else name.replace(" ", "\\ ")
