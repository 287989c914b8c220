"""Names of lights and gateways, given in place of a DevEUI or an id: the one place that tells which
is meant.

An id is taken as it is. Else the service is asked, so that what a caller may not see does not exist
here either, and the name is, in this order, one that is exactly so, one that differs by case only,
or the only one that begins so. A beginning ends between two numbers, never within one: "Line 2" is
no beginning of "Line 20".
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from actors.plain_text import one_line
from api.cli.client.errors import Mistaken
from api.cli.client.http import Client
from api.cli.show.natural import fold, natural

ASKED_ONE_BY_ONE_MOST = 4
"""More names than these are looked up in one list of all lights."""
SEARCH_CHARS = 100
"""The longest search that a service takes."""
NAMED_MOST = 5
"""Names in a message."""
NEAR = 0.6
"""Likeness of a name that may have been meant, 1 being the same."""
ID_CHARS_LEAST = 4
"""Digits that an id is told by at least: fewer are the beginning of too much."""

_ID = re.compile(r"[0-9a-f]{16}")
_ID_BEGINS = re.compile(rf"[0-9a-f]{{{ID_CHARS_LEAST},15}}")


class Unknown(Mistaken):
    """Nothing of this name exists for who asks."""


def as_id(text: str) -> str | None:
    """The DevEUI or gateway id in the service's spelling, None for what is a name. Colons, dashes,
    dots and blanks between its digits are allowed."""
    written = re.sub(r"[-:. ]", "", text).lower()
    return written if _ID.fullmatch(written) else None


async def light(client: Client, text: str) -> str:
    """The DevEUI of the light that is meant. Raises Mistaken, Unanswered, Refused."""
    return (await lights(client, [text]))[0]


async def lights(client: Client, texts: Sequence[str]) -> list[str]:
    """The DevEUIs of the lights that are meant, in this order. Raises as `light`."""
    everything: dict[str, str] | None = None
    if sum(as_id(text) is None for text in texts) > ASKED_ONE_BY_ONE_MOST:
        everything = _names(await client.devices())
    found: list[str] = []
    for text in texts:
        dev_eui = as_id(text)
        if dev_eui is None and everything is None:
            search = one_line(text.strip(), SEARCH_CHARS)
            known = _names(await client.devices({"search": search})) if search else {}
            dev_eui = only(text, known, "light")
        if dev_eui is None:  # for a name that is spelt with accents apart, and for what is near
            if everything is None:
                everything = _names(await client.devices())
            dev_eui = only(text, everything, "light")
        if dev_eui is None:
            raise Unknown(unknown(text, everything or {}, "light"))
        found.append(dev_eui)
    return found


async def gateway(client: Client, text: str) -> str:
    """The id of the gateway that is meant. Raises as `light`."""
    if (gateway_id := as_id(text)) is not None:
        return gateway_id
    listed = (await client.get("/gateways"))["gateways"]
    known = {str(one["gateway_id"]): str(one["name"]) for one in listed}
    if (gateway_id := only(text, known, "gateway")) is None:
        raise Unknown(unknown(text, known, "gateway"))
    return gateway_id


async def resolved(client: Client, body: Mapping[str, Any]) -> dict[str, Any]:
    """A query or a body with ids where names were given: `gateway`, `dev_euis`, and those of what
    lies inside it. Raises as `light`."""
    made = dict(body)
    if made.get("gateway") is not None:
        made["gateway"] = await gateway(client, made["gateway"])
    if made.get("dev_euis"):
        made["dev_euis"] = await lights(client, made["dev_euis"])
    for inner in ("filter", "part"):
        if isinstance(made.get(inner), dict):
            made[inner] = await resolved(client, made[inner])
    if made.get("parts"):
        made["parts"] = [await resolved(client, part) for part in made["parts"]]
    return made


def only(text: str, known: Mapping[str, str], what: str) -> str | None:
    """The id of the one of these (names by id) that is meant; None where none is.

    Raises Mistaken where several are.
    """
    wanted = fold(text)
    if not wanted:
        raise Mistaken(f"the name of a {what} is not empty")
    alike = [one for one, name in known.items() if fold(name) == wanted]
    exact = [one for one in alike if known[one] == text]
    found = exact or alike or [one for one in known if _begins(one, known[one], wanted)]
    if len(found) > 1:
        raise Mistaken(_several(text, {one: known[one] for one in found}, what))
    return found[0] if found else None


def unknown(text: str, known: Mapping[str, str], what: str) -> str:
    """That there is none, and which may have been meant."""
    told = f"no {what} is called {one_line(text)!r}"
    by_fold: dict[str, str] = {fold(name): one for one, name in known.items() if name}
    near = get_close_matches(fold(text), by_fold, NAMED_MOST, NEAR)
    if not near:
        return f"{told}; `lamplighter {'devices' if what == 'light' else 'gateways'}` lists them"
    return f"{told}; near to it: {_listed({by_fold[one]: known[by_fold[one]] for one in near})}"


def _begins(one: str, name: str, wanted: str) -> bool:
    name = fold(name)
    cut_in_a_number = wanted[-1:].isdigit() and name[len(wanted) : len(wanted) + 1].isdigit()
    if name.startswith(wanted) and not cut_in_a_number:
        return True
    return _ID_BEGINS.fullmatch(wanted) is not None and one.startswith(wanted)


def _several(text: str, found: Mapping[str, str], what: str) -> str:
    alike = len({fold(name) for name in found.values()}) == 1
    many = f"{len(found)} {what}s are called" if alike else f"{len(found)} {what}s begin with"
    ids = "give the id of one" if what == "gateway" else "give the DevEUI of one"
    advice = ids if alike else "give more of the name"
    return f"{many} {one_line(text)!r}: {_listed(found)}; {advice}"


def _listed(found: Mapping[str, str]) -> str:
    ordered = sorted(found, key=lambda one: (natural(found[one]), one))
    shown = [f"{one_line(found[one])} ({one})" for one in ordered[:NAMED_MOST]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _names(devices: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str(one["dev_eui"]): str(one["name"]) for one in devices}
