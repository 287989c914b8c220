"""Our own service, as this machine reaches it: whether it runs, and what it tells.

A service with tokens tells the most of it to who shows one. Where the settings hold only hashes,
the token of the command line is shown: LAMPLIGHTER_TOKEN.
"""

from collections.abc import Iterator

import httpx2
import trio

from api.cli.doctor.finding import Diagnosis, ok, problem, unknown, warning
from api.http.auth import Scope
from api.http.problems import MEDIA_TYPE
from api.http.tokens import problem_of
from api.service import claim_address
from api.settings.model import ApiSettings, Web
from lamplighter.client.http import trusted

HTTP_S = 5.0
SHOW_ONE = "set LAMPLIGHTER_TOKEN to a token of scope viewer or operator that may see all lights"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 compared, not bound
_UNAUTHENTICATED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404


async def service(settings: ApiSettings, token: str | None = None) -> list[Diagnosis]:
    """Whether our own service runs here, and is ready; else whether its address can be had."""
    web = settings.web
    place = f"{web.bind} port {web.port}"
    try:
        response = await ask(web, "/readyz", token)
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
    if not told:
        remedy = f"see its log, or {SHOW_ONE}"
        return [problem("service", "it runs but is not ready; why, it tells no stranger", remedy)]
    return [problem("service", f"it runs but is not ready: {told}", "see its log")]


async def ask(web: Web, path: str, token: str | None) -> httpx2.Response:
    """What our own service answers, shown a token of the settings, else this one, if any is to be
    had. Raises httpx2.HTTPError, httpx2.InvalidURL."""
    host = _EVERYWHERE.get(web.bind, web.bind)
    url = httpx2.URL(scheme="http", host=host, port=web.port, path=path)
    known = [
        one.secret.get_secret_value()
        for scope, name, one in web.tokens.named()
        if scope is not Scope.WEBHOOK and not one.hashed and name not in web.sight
    ]
    if token and not problem_of(token):
        known.append(token)
    headers = {"Authorization": f"Bearer {known[0]}"} if known else {}
    async with asking(url) as http:
        return await http.get(url, headers=headers)


def kept_back(check: str, response: httpx2.Response) -> list[Diagnosis]:
    """That our service did not tell what this check asked for, and why; nothing where that is told
    elsewhere: something else answers there."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    if media_type != MEDIA_TYPE or response.status_code == _NOT_FOUND:
        return []
    if response.status_code not in {_UNAUTHENTICATED, _FORBIDDEN}:
        told = f"the service answers {response.status_code}"
        return [unknown(check, told, "look again; if it stays, see its log")]
    shown = "Authorization" in response.request.headers
    told = "does not let this token see that" if shown else "tells it only to who has a token"
    return [unknown(check, f"the service {told}", SHOW_ONE)]


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
