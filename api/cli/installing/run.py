"""`lamplighter init` from the first question to the doctor's findings.

The settings file is written once everything was tried; what comes after it (ChirpStack's
integration, the examination) can be repeated by verbs of its own.
"""

import getpass
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.cli.chirpstack_setup import run_setup
from api.cli.console import console
from api.cli.doctor.finding import Diagnosis, Level, ok, unknown
from api.cli.exits import Exit
from api.cli.installing.answers import Answers, Place, settings_text
from api.cli.installing.dialogue import (
    Ended,
    Given,
    Person,
    ask_for_chirpstack,
    ask_for_place,
    say,
    wrong,
)
from api.cli.installing.file import NewFile, NotWritten, check_free
from api.cli.installing.reach import Reached
from api.cli.installing.trial import Found
from api.cli.verbs.doctor import look, problems_in, tell
from api.http.tokens import RANDOM_BYTES, hash_of, token_from
from api.settings.callers import checked_name
from api.settings.file import SettingsError, load_settings
from lorawan.chirpstack.integration import masked_url
from lorawan.chirpstack.settings import ChirpStackSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done with the answers."""

    path: Path
    force: bool
    """Whether a file that is there is replaced."""
    change: bool
    """Whether ChirpStack's integration is set up."""
    store_url: str | None
    operator: str | None


def run_init(given: Given, plan: Plan, person: Person) -> Exit:
    """Do it; the exit code: 0 when nothing is left to mend, 1 when the world does not do, 2 for a
    mistake of the person."""
    try:
        operator = checked_name(plan.operator or _who())
        check_free(plan.path, force=plan.force)
        settings, contains, found = ask_for_chirpstack(given, person)
        say(f"✓ {_seen(found)}")
        place, reached = ask_for_place(given, settings.target, person)
        token = _written(plan, settings, contains, found, place, operator)
    except Ended as ended:
        return ended.code
    except (NotWritten, ValueError) as error:
        wrong(str(error))
        return Exit.MISTAKE
    except SettingsError as error:
        wrong(str(error))
        return Exit.MISTAKE
    out = console()
    out.print(f"Written: {plan.path} (for you alone; it holds secrets)", markup=False)
    out.print(f"Token of {operator}, shown this once: {token}", markup=False, soft_wrap=True)
    done = _set_up(plan, found, place, person)
    findings = _examined(plan.path, place, reached)
    out.print()
    tell(out, findings)
    _next(plan.path, place, token)
    return Exit.FAILED if not done or problems_in(findings) else Exit.OK


def _who() -> str:
    """The name of whoever is at the keyboard; a service or root is nobody."""
    try:
        name = checked_name(getpass.getuser())
    except (ValueError, OSError, KeyError):
        return "admin"
    return "admin" if name == "root" else name


def _seen(found: Found) -> str:
    tls = " by TLS" if found.tls else ""
    lights = "no light yet" if not found.lights else f"{found.lights} lights"
    where = f" in {', '.join(found.applications[:3])}" if found.applications else ""
    return f"ChirpStack answers{tls}, the key will do: {lights}{where}, {found.gateways} gateways"


def _written(
    plan: Plan,
    settings: ChirpStackSettings,
    contains: str,
    found: Found,
    place: Place,
    operator: str,
) -> str:
    """Write the file; the operator's token. Raises NotWritten, SettingsError."""
    token = token_from(secrets.token_bytes(RANDOM_BYTES))
    store = plan.path.absolute().parent / "lamplighter.db"
    answers = Answers(
        target=settings.target,
        api_key=settings.api_key,
        tls=found.tls,
        ca_file=str(Path(settings.ca_file).absolute()) if settings.ca_file else None,
        tenant_id=settings.tenant_id,
        profile_contains=contains,
        region=found.region,
        place=place,
        store_url=plan.store_url or f"sqlite:///{store}",
        operator=operator,
        operator_hash=hash_of(token),
        webhook_token=token_from(secrets.token_bytes(RANDOM_BYTES)),
    )
    text = settings_text(answers, time.strftime("%Y-%m-%d"))
    with NewFile(plan.path, force=plan.force) as file:
        file.write(text)
        load_settings(file.draft, {})  # as the service would read it
        file.keep()
    return token


def _set_up(plan: Plan, found: Found, place: Place, person: Person) -> bool:
    """Whether ChirpStack sends its events to us now, or somebody does it later on purpose."""
    later = f"lamplighter setup --config {plan.path} --url {place.webhook}"
    if not found.lights:
        say(f"ChirpStack has no light yet. Once it has: {later}")
        return True
    question = f"Have ChirpStack send the events of {found.lights} lights to {place.webhook}?"
    if not plan.change or not person.agrees(question, otherwise=True):
        say(f"ChirpStack is as it was. To set it up: {later}")
        return True
    settings = load_settings(plan.path, os.environ)
    if run_setup(settings, place.webhook, (), dry_run=False) == 0:
        return True
    say(f"Again with: {later}")
    return False


def _examined(path: Path, place: Place, reached: Reached) -> Sequence[Diagnosis]:
    """The doctor's findings; that nothing answers at the webhook is no news before the start."""
    findings = look(path, dict(os.environ))
    if any(each.check == "service" and each.level is Level.OK for each in findings):
        return findings
    ours = f"{masked_url(place.webhook)} does not answer"
    tried = (
        ok("webhook", f"{reached.says}; nothing runs there yet")
        if reached.well
        else unknown("webhook", f"{reached.says}; look again once the service runs")
    )
    return [
        tried if each.check == "webhook" and each.says.startswith(ours) else each
        for each in findings
    ]


def _next(path: Path, place: Place, token: str) -> None:
    say("")
    say(f"Start it:    lamplighter serve --config {path}")
    say(f"Dashboard:   {place.url}/ (it asks for the token)")
    option = "" if place.url == "http://127.0.0.1:8090" else f" --at {place.url}"
    say(f"First light: LAMPLIGHTER_TOKEN={token[:8]}... lamplighter devices{option}")
