"""The page of the drill: what runs, buttons that hurt it, what callers see, and what happened."""

import time
from collections import deque
from pathlib import Path
from typing import Any

import trio
from quart import Response, jsonify, request
from quart.typing import ResponseReturnValue
from quart_trio import QuartTrio

from tests.drill.faults import Faults
from tests.drill.load import Load
from tests.drill.site import Site

PAGE = Path(__file__).with_name("page.html")
LINES_MOST = 200
ASKED_MOST = 20
"""Commands that each look at the page asks for."""


class Told:
    """What happened, the newest last."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=LINES_MOST)

    def __call__(self, line: str) -> None:
        """Keep it, and show it on the terminal."""
        stamped = f"{time.strftime('%H:%M:%S')} {line}"
        self.lines.append(stamped)
        print(stamped, flush=True)  # noqa: T201 a program for the terminal


def page_over(
    site: Site, load: Load, faults: Faults, told: Told, nursery: trio.Nursery
) -> QuartTrio:
    """The app. A fault is begun in the background, one at a time of each thing that is hurt."""
    app = QuartTrio("drill")
    verbs = {
        ("process", "kill"): faults.kill,
        ("process", "pause"): faults.pause,
        ("process", "end"): faults.leave,
        ("process", "start"): faults.start,
        ("server", "start"): faults.start_server,
        ("server", "kill"): faults.kill_server,
        ("server", "pause"): faults.pause_server,
    }
    busy: set[str] = set()

    async def carried_out(kind: str, verb: str, name: str) -> None:
        busy.add(name)
        try:
            await verbs[kind, verb](name)
        finally:
            busy.discard(name)

    @app.get("/")
    async def page() -> ResponseReturnValue:
        return Response(PAGE.read_text(encoding="utf-8"), content_type="text/html")

    @app.get("/state")
    async def state() -> ResponseReturnValue:
        return jsonify(await _state(site, load, told, busy))

    @app.post("/<kind>/<name>/<verb>")
    async def hurt(kind: str, name: str, verb: str) -> ResponseReturnValue:
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return jsonify(words="another page may not do that"), 403
        known = site.processes if kind == "process" else site.servers
        if (kind, verb) not in verbs or name not in known:
            return jsonify(words="there is no such thing"), 404
        if name in busy:
            return jsonify(words=f"{name} is busy"), 409
        nursery.start_soon(carried_out, kind, verb, name)
        return jsonify(words="begun"), 202

    return app


async def _state(site: Site, load: Load, told: Told, busy: set[str]) -> dict[str, Any]:
    cluster = await site.cluster()
    members = {one["name"]: one for one in (cluster or {}).get("members", ())}
    master = await site.master()
    figures = load.figures
    return {
        "processes": [
            {
                "name": name,
                "url": each.url,
                "state": each.state,
                "busy": name in busy,
                "shards": members.get(name, {}).get("shards", 0),
                "fleet": members.get(name, {}).get("fleet", False),
            }
            for name, each in site.processes.items()
        ],
        "servers": [
            {
                "name": name,
                "state": site.server_state(name),
                "busy": name in busy,
                "role": "master" if name == master else "replica",
            }
            for name in site.servers
        ],
        "unowned": None if cluster is None else cluster["shards_unowned"],
        "load": {
            "accepted": figures.accepted,
            "refused": figures.refused,
            "p50_s": figures.percentile_s(0.5),
            "p99_s": figures.percentile_s(0.99),
            "became": await load.look(ASKED_MOST),
        },
        "lines": list(told.lines),
    }
