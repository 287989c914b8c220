"""Odd settings against the programs themselves: words and exit code 2, never a traceback."""

from pathlib import Path

import httpx2
import pytest
import trio

from api.service import serve
from api.settings.model import ApiSettings
from tests.support.processes import run_meanwhile

pytestmark = pytest.mark.timeout(120)

CHIRPSTACK = '[chirpstack]\ntarget = "127.0.0.1:1"\napi_key = "k"\n'
ODD = {
    "rx2": "[radio]\nrx2_dr = 8\n",
    "comma": '[alerts]\nurls = ["nosuch://u:p@example.org?to=a,b"]\n',
    "bind": '[web]\nbind = "127.0.0.1:80"\n',
    "sentinel": '[store]\nurl = "redis+sentinel://h/"\n',
    "infinite": "[web]\nhandler_s = inf\n",
    "nested": "a = " + "[" * 50_000,
    "huge": f"[policy]\nattempts_most = 1{'0' * 400}\n",
    "escape": '[web]\n"\\u001b[31m" = 1\n',
}


async def test_serve_and_doctor_refuse_each_in_words(tmp_path: Path) -> None:
    done: dict[tuple[str, str], tuple[int, str]] = {}
    limiter = trio.CapacityLimiter(2)

    async def one(verb: str, name: str) -> None:
        async with limiter:
            ended = await run_meanwhile(verb, "--config", str(tmp_path / f"{name}.toml"))
            done[verb, name] = ended.returncode, ended.stdout + ended.stderr

    for name, text in ODD.items():
        head = "" if name == "nested" else CHIRPSTACK
        (tmp_path / f"{name}.toml").write_text(head + text, encoding="utf-8")
    async with trio.open_nursery() as nursery:
        for name in ODD:
            nursery.start_soon(one, "serve", name)
        nursery.start_soon(one, "doctor", "rx2")
        nursery.start_soon(one, "doctor", "escape")
    for (verb, name), (code, output) in done.items():
        assert code == (2 if verb == "serve" else 1), (verb, name, output)
        assert "Traceback" not in output, (verb, name)
        assert "\x1b[31m" not in output, (verb, name)
        assert verb == "doctor" or "1 mistake in the settings" in output, (name, output)


@pytest.mark.parametrize("bind", ["::1", "[::1]", "localhost"])
async def test_it_serves_on_every_kind_of_loopback(bind: str) -> None:
    settings = ApiSettings(
        chirpstack={"target": "127.0.0.1:1", "api_key": "k"},
        store={"url": "memory:"},
        web={"bind": bind, "port": 0},
    )

    async def run(task_status: trio.TaskStatus[int]) -> None:
        await serve(settings, task_status=task_status)

    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(run)
        host = "localhost" if bind == "localhost" else "[::1]"
        async with httpx2.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"http://{host}:{port}/healthz")).status_code in {200, 204}
        nursery.cancel_scope.cancel(reason="seen")
