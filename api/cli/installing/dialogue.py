"""Asks a person, or takes what the options say; a wrong answer is told, and asked for again."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import trio
import typer

from actors.plain_text import one_line
from api.cli.console import errors
from api.cli.exits import Exit
from api.cli.installing.answers import PORT, Place, Unusable, place_at
from api.cli.installing.reach import Reached, own_address, try_place
from api.cli.installing.trial import Found, Refusal, try_chirpstack
from lorawan.chirpstack.settings import ChirpStackSettings, checked_api_key, checked_target

SAID_MOST = 2_000


class Ended(Exception):
    """There is nothing more to ask: it was said why. `code` is the exit code."""

    def __init__(self, code: Exit) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the options and the environment say; None: to be asked for, or found out."""

    target: str | None = None
    api_key: str | None = None
    tls: bool | None = None
    ca_file: str | None = None
    tenant_id: str | None = None
    profile_contains: str = "kuando"
    url: str | None = None
    bind: str | None = None
    port: int | None = None


class Person:
    """Who is asked. Without a terminal nobody is, and what is missing or wrong ends it."""

    def __init__(self) -> None:
        self.there = sys.stdin.isatty() and sys.stderr.isatty()

    def text(self, question: str, default: str | None = None, *, secret: bool = False) -> str:
        """An answer without blanks around it. Raises typer.Abort at Ctrl-C or the input's end."""
        shown = bool(default)
        answer = typer.prompt(
            question, default=default, hide_input=secret, show_default=shown, err=True
        )
        return str(answer).strip()

    def agrees(self, question: str, *, otherwise: bool) -> bool:
        """Yes or no; `otherwise` where nobody is there."""
        return bool(typer.confirm(question, default=True, err=True)) if self.there else otherwise


def say(text: str) -> None:
    """To the person, beside the results."""
    errors.print(one_line(text, SAID_MOST), markup=False)


def wrong(says: str, remedy: str = "") -> None:
    """What does not do, and what would."""
    say(f"✗ {says}")
    if remedy:
        say(f"  → {remedy}")


def ask_for_chirpstack(given: Given, person: Person) -> tuple[ChirpStackSettings, str, Found]:
    """Settings that work, the part of the profile's name, and what was found with them. Raises
    Ended."""
    missing = [
        option
        for option, value in (("--chirpstack", given.target), ("--api-key", given.api_key))
        if value is None
    ]
    if missing and not person.there:
        wrong(f"without a terminal nobody can be asked: give {' and '.join(missing)}")
        raise Ended(Exit.MISTAKE)
    target = _checked(given.target, "--chirpstack", checked_target, person)
    key = _checked(given.api_key, "--api-key", checked_api_key, person)
    tenant_id, contains = given.tenant_id, given.profile_contains
    while True:
        target = target or _asked("ChirpStack's gRPC API (host:port)", checked_target, person)
        key = key or _asked("API key (not shown)", checked_api_key, person, secret=True)
        settings = ChirpStackSettings(
            target=target,
            api_key=key,
            tls=given.ca_file is not None,
            ca_file=given.ca_file,
            tenant_id=tenant_id or None,
        )
        say(f"Trying {target} with this key ...")
        answer = trio.run(_tried, settings, contains, given.tls)
        if isinstance(answer, Found):
            if not answer.lights and person.there:
                other = _profile(contains, person)
                if other != contains:
                    contains = other
                    continue
            return replace(settings, tls=answer.tls), contains, answer
        wrong(answer.says, answer.remedy)
        if not person.there or answer.about == "ca":
            mistaken = answer.about != "target"
            raise Ended(Exit.MISTAKE if mistaken else Exit.FAILED)
        match answer.about:
            case "target":
                target = None
            case "tenant" if tenant_id is None:
                question = "Id of the key's tenant (Enter: another key instead)"
                tenant_id = person.text(question, "") or None
                key = key if tenant_id else None
            case _:
                key, tenant_id = None, given.tenant_id


async def _tried(settings: ChirpStackSettings, contains: str, tls: bool | None) -> Found | Refusal:
    return await try_chirpstack(settings, contains, tls=tls)


def _checked(
    value: str | None, option: str, check: Callable[[str], str], person: Person
) -> str | None:
    """What was given, if it can be; a person is asked for what cannot."""
    if value is None:
        return None
    try:
        return check(value.strip())
    except ValueError as error:
        wrong(f"{option}: {error}")
        if not person.there:
            raise Ended(Exit.MISTAKE) from None
        return None


def _asked(
    question: str, check: Callable[[str], str], person: Person, *, secret: bool = False
) -> str:
    while True:
        try:
            return check(person.text(question, secret=secret))
        except ValueError as error:
            wrong(str(error))


def _profile(contains: str, person: Person) -> str:
    wrong(f"No device of ChirpStack has a profile whose name contains {contains!r}.")
    question = "Part of the name of the lights' profile (Enter: there is no light yet)"
    return person.text(question, contains) or contains


def ask_for_place(given: Given, target: str, person: Person) -> tuple[Place, Reached]:
    """Where ChirpStack reaches us, and whether that arrives here. Raises Ended."""
    guess = own_address(target, given.port or PORT)
    url = given.url
    if url is None and not person.there:
        url = guess
    while True:
        text = url or person.text("Address at which ChirpStack reaches Lamplighter", guess)
        try:
            place = place_at(text, given.bind, given.port)
        except Unusable as error:
            wrong(f"{text!r}: {error}")
            if not person.there:
                raise Ended(Exit.MISTAKE) from None
            url = None
            continue
        found = trio.run(try_place, place)
        if found.well:
            say(f"✓ {found.says}")
            return place, found
        wrong(found.says, "start or correct what is in front, or name another address")
        if not person.there or person.agrees("Use it all the same?", otherwise=True):
            return place, found
        url = None
