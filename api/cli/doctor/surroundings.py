"""What can be seen without ChirpStack: our settings and files, and the webhook.

Nothing is created or changed.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import httpx2

from api.cli.doctor.finding import Diagnosis, ok, warning
from api.cli.doctor.own_service import asking
from api.http.auth import Scope
from api.http.problems import MEDIA_TYPE
from api.settings.model import ApiSettings
from store.open import files_of


class ProbeAnswer(NamedTuple):
    """What an empty delivery to a webhook was answered with; `status` is None without an answer."""

    status: int | None
    problem: bool = False
    """Whether the answer is a problem of ours (RFC 9457)."""
    said: str = ""


async def times(settings: ApiSettings) -> list[Diagnosis]:
    """Whether times that work, as in a trial, would raise false alerts in daily use."""
    found = []
    gateways, policy = settings.gateways, settings.policy
    if gateways.offline_after_s <= gateways.poll_s:
        found.append(
            warning(
                "settings",
                "gateways.offline_after_s is not above gateways.poll_s: gateways that are well may"
                " seem offline",
                "set it to several times gateways.poll_s",
            )
        )
    if policy.silent_after_s <= 60 * policy.status_interval_min:
        found.append(
            warning(
                "settings",
                "policy.silent_after_s is not above the status interval: lights that are well seem"
                " silent between two reports",
                "set it to three times policy.status_interval_min (which is in minutes)",
            )
        )
    return found


async def tokens(settings: ApiSettings) -> list[Diagnosis]:
    """Whether the audit can say who did something, and whether this file gives tokens away."""
    people = [
        (name, token)
        for scope, name, token in settings.web.tokens.named()
        if scope is not Scope.WEBHOOK
    ]
    nameless = [name for name, token in people if not token.name]
    clear = [name for name, token in people if not token.hashed]
    if not people:
        return []
    if not nameless and not clear:
        return [ok("tokens", "each has a name, and only its hash is written down")]
    said = []
    if nameless:
        said.append(f"{len(nameless)} without a name, so that nobody knows who it was")
    if clear:
        said.append(f"{len(clear)} in clear, for whoever reads the settings")
    remedy = "make new ones with `lamplighter token new NAME --scope SCOPE`"
    return [warning("tokens", "; ".join(said), remedy)]


async def secrets(settings: ApiSettings, config: Path | None) -> list[Diagnosis]:
    """Whether files that hold secrets can be read by every user of this machine."""
    files = [] if config is None else [config]
    options = files_of(settings.store.url.get_secret_value())
    files += [Path(file) for name, file in options.items() if name == "ssl_keyfile"]
    open_files = [str(each) for each in files if _world_readable(each)]
    if open_files:
        names = " ".join(open_files)
        return [
            warning(
                "secrets",
                f"every user of this machine can read {names}",
                f"chmod o= {names}; what others may have seen (keys, tokens) is better made anew",
            )
        ]
    return [ok("secrets", f"{files[0]} is not for everybody")] if files else []


def _world_readable(file: Path) -> bool:
    try:
        return bool(os.stat(file).st_mode & stat.S_IROTH) and file.is_file()
    except OSError:
        return False


async def probe(url: str, headers: Mapping[str, str]) -> ProbeAnswer:
    """What our webhook answers to an empty delivery, which it never takes."""
    try:
        async with asking(url) as http:
            body = {"content-type": "application/json"}
            response = await http.post(url, content=b"", headers={**headers, **body})
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return ProbeAnswer(None, said=type(error).__name__ if "@" in str(error) else str(error))
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    return ProbeAnswer(response.status_code, problem=media_type == MEDIA_TYPE)
