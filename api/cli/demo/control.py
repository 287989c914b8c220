"""One request to a running demo, which changes its pretend world.

Lights and gateways are meant by their names, too, as everywhere on the command line: the demo's own
service is asked for them.
"""

from collections.abc import Awaitable, Callable

import httpx2
import msgspec
import trio
from rich.console import Console

from api.cli.client.errors import ClientError, Mistaken
from api.cli.client.http import Client
from api.cli.client.place import Place
from api.cli.console import errors

Resolve = Callable[[Client, str], Awaitable[str]]
"""The id of what a text means: `names.light` or `names.gateway`."""


def control(at: str, meant: str, path: str, resolve: Resolve) -> int:
    """One POST to a running demo; the exit code. `path` has the id of what is meant as `{}`."""
    out = Console(highlight=False)
    try:
        found = trio.run(_resolved, Place.of(at), meant, resolve)
        response = httpx2.post(f"{at.rstrip('/')}/demo/{path.format(found)}", timeout=10.0)
    except _NoSuch as error:
        errors.print(f"the demo refused: {error}", markup=False)
        return 2
    except (ClientError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        errors.print(f"no demo answers at {at}: {error}", markup=False)
        return 1
    if response.is_error:
        errors.print(f"the demo refused: {_detail(response)}", markup=False)
        return 2
    out.print_json(response.text)
    return 0


class _NoSuch(Exception):
    """Nothing of this name is in the demo, or several are."""


async def _resolved(where: Place, meant: str, resolve: Resolve) -> str:
    async with Client(where) as client:
        try:
            return await resolve(client, meant)
        except Mistaken as error:
            raise _NoSuch(str(error)) from error


def _detail(response: httpx2.Response) -> str:
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.MsgspecError:
        return response.text
    return str(problem.get("detail") or problem.get("title")) if isinstance(problem, dict) else ""
