"""What can be seen without ChirpStack: the store, our own service, the webhook.

The rule it keeps: nothing is created, and a running service's store is not taken from it.
"""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import httpx2
import trio

from api.cli.doctor.finding import Finding, ok, problem, warning
from api.settings import ApiSettings
from store.errors import StoreError
from store.open import store_from_url
from store.redis import RedisStore
from store.sqlite import SqliteStore

HTTP_S = 5.0
FREE_BYTES = 500_000_000


async def service(settings: ApiSettings) -> Finding:
    """Whether our own service runs here, and is ready."""
    web = settings.web
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(web.bind, web.bind)  # noqa: S104 compared
    url = f"http://{host}:{web.port}/readyz"
    tokens = (*web.tokens.viewer, *web.tokens.operator)
    headers = {"Authorization": f"Bearer {tokens[0].get_secret_value()}"} if tokens else {}
    try:
        async with httpx2.AsyncClient(timeout=HTTP_S, trust_env=False) as http:
            response = await http.get(url, headers=headers)
        body = response.json()
    except (httpx2.HTTPError, ValueError):
        return warning(
            "service", f"it does not run at {host} port {web.port}", "start `lamplighter serve`"
        )
    if response.status_code == 200:
        return ok("service", f"it runs at {host} port {web.port} and is ready")
    told = "; ".join(map(str, body.get("problems", []))) if isinstance(body, dict) else ""
    return problem("service", f"it runs but is not ready: {told}", "see its log")


async def store(settings: ApiSettings) -> list[Finding]:
    """Whether the store can be written, and keeps what it was given."""
    try:
        found = store_from_url(settings.store.url.get_secret_value())
    except StoreError as error:
        return [problem("store", str(error), "correct store.url")]
    if isinstance(found, SqliteStore):
        await found.close()
        path = settings.store.url.get_secret_value().removeprefix("sqlite:///")
        return [await trio.to_thread.run_sync(_sqlite, Path(path))]
    if isinstance(found, RedisStore):
        try:
            warnings = await found.look()
        except StoreError as error:
            return [problem("store", str(error), "check store.url and the Redis server")]
        finally:
            with trio.move_on_after(HTTP_S, shield=True):
                await found.close()
        remedy = "set `appendonly yes`, `appendfsync always` and `maxmemory-policy noeviction`"
        told = [warning("store", each, remedy) for each in warnings]
        return told or [ok("store", "Redis answers and keeps every commit")]
    await found.close()
    return [
        warning("store", "memory: nothing survives a restart", "set store.url to sqlite:///...")
    ]


def _sqlite(path: Path) -> Finding:
    folder = path.absolute().parent
    if not folder.is_dir():
        return problem("store", f"the folder {folder} does not exist", "create it")
    if not os.access(folder, os.W_OK):
        return problem("store", f"the folder {folder} cannot be written", "give it to our user")
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < FREE_BYTES:
        free = disk.f_bavail * disk.f_frsize // 1_000_000
        return warning("store", f"only {free} MB are free at {folder}", "make room")
    if not path.exists():
        return ok("store", f"{path} will be created; its folder can be written")
    if not os.access(path, os.W_OK):
        return problem("store", f"{path} cannot be written", "give it to our user")
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            database.close()
    except sqlite3.Error as error:
        return problem("store", f"{path} cannot be read: {error}", "restore it from a backup")
    return ok("store", f"{path} can be read and written, and keeps every commit")


async def probe(url: str, headers: Mapping[str, str]) -> tuple[int | None, str]:
    """The status that our webhook answers an empty delivery with, which it never takes."""
    try:
        async with httpx2.AsyncClient(timeout=HTTP_S, trust_env=False) as http:
            body = {"content-type": "application/json"}
            response = await http.post(url, content=b"", headers={**headers, **body})
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return None, str(error) or type(error).__name__
    return response.status_code, ""
