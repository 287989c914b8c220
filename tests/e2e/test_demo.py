"""`lamplighter demo` from the outside: one process, its page, its API and its other verbs.

The tests share one demo and run in the order in which a newcomer would try things.
"""

import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.ports import free_port
from tests.support.processes import LOOK_S, Running, run

pytestmark = pytest.mark.timeout(120)

LIGHTS, GATEWAYS = 12, 2
RED = {"red": 255, "green": 0, "blue": 0}
BLUE = {"red": 0, "green": 0, "blue": 255}
# A light is powered within 4 s, joins within 15, and has its settings 20 s later.
SET_UP_S = 60.0
JSON = "application/json"


class Demo:
    """A running demo as seen by HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx2.Client(base_url=url, timeout=90.0)

    def get(self, path: str) -> Any:
        """JSON of a page that must be there."""
        response = self.http.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def devices(self) -> list[dict[str, Any]]:
        """All lights in short."""
        found: list[dict[str, Any]] = self.get("/api/v1/devices?limit=1000")["devices"]
        return found

    def shown(self, dev_eui: str) -> list[int]:
        """What a light really shows: red, green, blue."""
        colour: list[int] = self.get("/demo/state")["lights"][dev_eui]
        return colour


def wait_until(what: str, true: Callable[[], object], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until, f"not within {timeout_s} s: {what}"
        time.sleep(5 * LOOK_S)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    """A demo on a free port, whose temporary files stay apart from others'."""
    words = ["demo", "--port", "0", "--seed", "3", "--loss", "0"]
    words += ["--lights", str(LIGHTS), "--gateways", str(GATEWAYS)]
    with Running(folder, *words, env={"TMPDIR": str(folder)}) as process:
        found = process.wait_output(r"Dashboard +(http://127\.0\.0\.1:\d+)/\n[\s\S]*Stop with")
        here = Demo(found[1])
        yield here
        here.http.close()
        process.send(signal.SIGTERM)
        assert process.ended(20) == 0
        assert not list(folder.glob("lamplighter-demo-*"))
        assert "Traceback" not in process.errors


@pytest.fixture(scope="module")
def light(demo: Demo) -> str:
    """The first light that is ready."""
    ready: list[str] = []

    def look() -> bool:
        ready[:] = [d["dev_eui"] for d in demo.devices() if d["phase"] == "idle"]
        return bool(ready)

    wait_until("one light has its settings", look, SET_UP_S)
    return ready[0]


def test_it_gets_ready_and_lists_every_light(demo: Demo) -> None:
    wait_until("ready", lambda: demo.http.get("/readyz").status_code == 200, 10)
    wait_until("all lights", lambda: len(demo.devices()) == LIGHTS, 10)
    assert set(demo.get("/demo/state")["lights"]) == {d["dev_eui"] for d in demo.devices()}
    assert len(demo.get("/api/v1/gateways")["gateways"]) == GATEWAYS
    assert demo.http.get("/").headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "body", "status", "slug", "field"),
    [
        ("20202041", b"{}", 422, "invalid", "dev_eui"),
        ("ffffffffffffffff", b'{"red":1,"green":2,"blue":3}', 404, "unknown-device", None),
        ("2020204100000000", b'{"red":256,"green":0,"blue":0}', 422, "invalid", "red"),
        ("2020204100000000", b'{"red":"1","green":0,"blue":0}', 422, "invalid", "red"),
        ("2020204100000000", b'{"red":1,"green":0}', 422, "invalid", "blue"),
        ("2020204100000000", b'{"red":1,"green":0,"blue":0,"x":1}', 422, "invalid", "x"),
        ("2020204100000000", b"{red: 255}", 400, "unreadable", None),
        ("2020204100000000", b"", 400, "unreadable", None),
    ],
)
def test_wrong_input_is_told_precisely(
    demo: Demo, path: str, body: bytes, status: int, slug: str, field: str | None
) -> None:
    response = demo.http.post(
        f"/api/v1/downlink/{path}", content=body, headers={"content-type": JSON}
    )
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:lamplighter:problem:{slug}"
    assert problem["status"] == status
    assert problem["request_id"]
    fields = [mistake["field"] for mistake in problem.get("errors", [])]
    assert [name for name in fields if name] == ([field] if field else [])


def test_a_form_is_no_command(demo: Demo) -> None:
    """What curl sends without a header."""
    response = demo.http.post(
        "/api/v1/downlink/2020204100000000",
        content=b'{"red":255,"green":0,"blue":0}',
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 415
    assert response.json()["type"] == "urn:lamplighter:problem:wrong-media-type"


def test_its_verbs_tell_what_is_not_there(demo: Demo) -> None:
    unknown = run("demo", "stop-gateway", "0000000000000000", "--at", demo.url)
    assert unknown.returncode == 2
    assert "no such gateway" in unknown.stderr
    unheard = run("demo", "restart-light", "Nowhere 9", "--at", demo.url)
    assert unheard.returncode == 2
    assert "the demo refused: no light is called 'Nowhere 9'" in unheard.stderr
    nobody = run("demo", "stop-gateway", "x", "--at", f"http://127.0.0.1:{free_port()}")
    assert nobody.returncode == 1
    assert "no demo answers" in nobody.stderr
    nonsense = run("demo", "stop-gateway", "x", "--at", "http://[")
    assert nonsense.returncode == 1
    assert "Traceback" not in nonsense.stderr


def test_a_second_demo_on_its_port_is_refused_in_words(demo: Demo, folder: Path) -> None:
    port = demo.url.rpartition(":")[2]
    second = run("demo", "--port", port, "--lights", "1", env={"TMPDIR": str(folder)})
    assert second.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in second.stderr
    assert "Traceback" not in second.stderr
    assert len(list(folder.glob("lamplighter-demo-*"))) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    words = ("demo", "--port", "0", "--lights", "2", "--gateways", "1")
    with Running(tmp_path, *words, env={"TMPDIR": str(tmp_path)}) as process:
        process.wait_output("Stop with")
        assert len(list(tmp_path.glob("lamplighter-demo-*"))) == 1
        process.send(number)
        assert process.ended(20) == 0
        assert not list(tmp_path.glob("lamplighter-demo-*"))
        assert process.errors == ""


def test_a_command_is_answered_with_the_verdict(demo: Demo, light: str) -> None:
    response = demo.http.post(f"/api/v1/downlink/{light}", json=RED)
    assert response.status_code == 200, response.text
    command = response.json()
    assert command["status"] == "verified"
    assert command["light"] == {**RED, "on": 255, "off": 0}
    assert demo.shown(light) == [255, 0, 0]
    kinds = [step["kind"] for step in command["timeline"]]
    assert kinds[0] == "accepted"
    assert kinds[-1] == "verified"
    assert {"queued", "transmitted"} <= set(kinds)
    assert demo.get(response.headers["location"])["status"] == "verified"


def test_a_command_is_held_while_its_gateways_are_stopped_and_verified_afterwards(
    demo: Demo, light: str
) -> None:
    names = {g["gateway_id"]: g["name"] for g in demo.get("/api/v1/gateways")["gateways"]}
    for gateway_id, name in names.items():
        meant = gateway_id if gateway_id == min(names) else name.lower()
        done = run("demo", "stop-gateway", meant, "--at", demo.url)
        assert done.returncode == 0, done.stderr
        assert '"on": false' in done.stdout
    wait_until(
        "all gateways offline",
        lambda: not any(g["online"] for g in demo.get("/api/v1/gateways")["gateways"]),
        20,
    )
    response = demo.http.post(f"/api/v1/downlink/{light}", json=BLUE)
    assert response.status_code == 202, response.text
    command = response.json()
    assert command["status"] == "held"
    hearing = demo.get(f"/api/v1/devices/{light}")["device"]["gateways"]
    assert hearing
    assert all(names[gateway_id] in command["reason"] for gateway_id in hearing)
    assert command["attempts"] == 0
    assert demo.shown(light) != [0, 0, 255]
    for gateway_id in names:
        done = run("demo", "start-gateway", gateway_id, "--at", f"{demo.url}/")
        assert done.returncode == 0, done.stderr
    path = response.headers["location"]
    wait_until("verified", lambda: demo.get(path)["status"] == "verified", 60)
    assert demo.shown(light) == [0, 0, 255]


def test_a_light_restarted_from_the_command_line_loses_its_colour(demo: Demo, light: str) -> None:
    demo.http.post(f"/api/v1/downlink/{light}", json=BLUE)
    wait_until("it shows its colour", lambda: demo.shown(light) == [0, 0, 255], 60)
    name = demo.get(f"/api/v1/devices/{light}")["device"]["name"]
    done = run("demo", "restart-light", name, "--at", demo.url)
    assert done.returncode == 0, done.stderr
    wait_until("it lost its colour", lambda: demo.shown(light) != [0, 0, 255], 10)


def test_nothing_crashed_meanwhile(demo: Demo) -> None:
    tree = demo.get("/api/v1/supervisor?children=1000")
    assert tree["dead_letters"] == []
    assert tree["root"]["children_by_state"] == {"running": len(tree["root"]["children"])}
    lights = next(c for c in tree["root"]["children"] if c["id"] == "lights")
    assert lights["children_by_state"] == {"running": LIGHTS}
    assert sum(actor["restarts"] for actor in lights["children"]) == 0
    metrics = demo.http.get("/metrics").text
    assert re.search(r"^lamplighter_journal_failures_total 0\.0$", metrics, re.MULTILINE)
