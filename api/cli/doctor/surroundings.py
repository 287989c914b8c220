"""What can be seen without ChirpStack: our files, our own service, the webhook.

Nothing is created or changed.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx2
import trio

from api.cli.doctor.finding import Diagnosis, ok, problem, warning
from api.http.auth import Scope
from api.http.problems import MEDIA_TYPE
from api.service import claim_address
from api.settings.model import ApiSettings, Web
from lamplighter.client.http import trusted
from store.open import files_of

HTTP_S = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 compared, not bound


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


async def service(settings: ApiSettings) -> list[Diagnosis]:
    """Whether our own service runs here, and is ready; else whether its address can be had."""
    web = settings.web
    place = f"{web.bind} port {web.port}"
    url, headers = of_our_service(web, "/readyz")
    try:
        async with asking(url) as http:
            response = await http.get(url, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return list(await _not_running(web, place))
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "ready" not in body:
        return [
            problem(
                "service",
                f"something else answers at {place}: `serve` could not have that port",
                "stop it, or set web.port",
            )
        ]
    if response.status_code == 200:
        return [ok("service", f"it runs at {place} and is ready")]
    told = "; ".join(map(str, body.get("problems", [])))
    return [problem("service", f"it runs but is not ready: {told}", "see its log")]


def of_our_service(web: Web, path: str) -> tuple[httpx2.URL, dict[str, str]]:
    """Where our own service would be asked for this, and with which headers."""
    host = _EVERYWHERE.get(web.bind, web.bind)
    url = httpx2.URL(scheme="http", host=host, port=web.port, path=path)
    known = [
        token.secret.get_secret_value()
        for scope, name, token in web.tokens.named()
        if scope is not Scope.WEBHOOK and not token.hashed and name not in web.sight
    ]
    return url, {"Authorization": f"Bearer {known[0]}"} if known else {}


def asking(url: httpx2.URL | str) -> httpx2.AsyncClient:
    """A client for this address alone."""
    return httpx2.AsyncClient(timeout=HTTP_S, trust_env=False, verify=trusted(str(url)))


async def _not_running(web: Web, place: str) -> Iterator[Diagnosis]:
    try:
        with trio.fail_after(HTTP_S):
            await trio.to_thread.run_sync(claim_address, web, abandon_on_cancel=True)
    except trio.TooSlowError:
        return iter([problem("service", f"the name {web.bind} is not found", "correct web.bind")])
    except OSError as error:
        remedy = "stop what holds it, or set web.bind and web.port to an address of this machine"
        return iter([problem("service", f"{error.strerror or error}", remedy)])
    told = f"it does not run at {place}; the address is free"
    return iter([warning("service", told, "start `lamplighter serve`")])


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
