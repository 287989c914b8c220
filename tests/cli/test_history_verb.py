"""`history` as a process: the newest last, by kind and time, followed, as JSON lines and CSV."""

import csv
import io
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from actors.storage.event_lines import decoded
from actors.storage.history import HistoryEntry
from api.cli.show.history import line
from tests.cli.test_verbs import served, until
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, a_light
from tests.support.processes import PATIENCE_S, Running

pytestmark = pytest.mark.timeout(120)

RAW = "9fffffff1c0000000700000009000000ff0000ff00380e01"


def a_line(entry: str, ago_s: float, kind: str, **detail: Any) -> HistoryEntry:
    return HistoryEntry(entry, NOW - ago_s, kind, decoded(kind, detail))


LINES = [
    a_line("e1", 10, "status", f_port=15, raw=RAW, f_cnt=7, heard=f"{GATEWAY},-97,7.5"),
    a_line("e2", 20, "command", command_id="c1", became="accepted", light="255,0,0,255,0"),
    a_line("e3", 30, "refused", reason="\x1b[2Jno such device", attempt=2),
    a_line("e4", 9_000, "join", dev_addr="01020304", replayed="yes"),
]


def test_a_line_says_what_happened_with_its_bytes_and_nothing_to_the_terminal() -> None:
    names = {GATEWAY: "Dach"}
    told = [line({"at": one.at, "kind": one.kind, "detail": one.detail}, names) for one in LINES]
    status, command, refused, join = (text.plain for text in told)
    assert "status        ●  red  -97 dBm, 7.5 dB by Dach, counter 7" in status
    assert status.endswith(RAW)
    assert "accepted, command c1" in command
    assert refused.endswith("attempt 2, [2Jno such device")
    assert join.endswith("DevAddr 01020304  (told later)")


async def test_a_history_is_shown_the_newest_last_and_followed(tmp_path: Path) -> None:
    async with served() as here:
        queries = here.application.queries
        queries.lines = list(LINES)
        done = await here.do("history", "desk 02", "--since", "2h")
        shown = done.stdout.splitlines()
        assert [row.split()[2] for row in shown] == ["refused", "command", "status"], done.stderr
        assert "by Roof" in shown[-1]
        joins = await here.do("history", DEV_EUI, "--kind", "join", "--since", "1 d", "--json")
        assert [json.loads(row)["entry"] for row in joins.stdout.splitlines()] == ["e4"]
        wrong = await here.do("history", DEV_EUI, "--since", "yesterday")
        assert (wrong.returncode, "is no time such as 2h" in wrong.stderr) == (2, True)
        told = await here.do("history", DEV_EUI, "--csv")
        rows = list(csv.DictReader(io.StringIO(told.stdout)))
        assert [row["kind"] for row in rows] == ["status", "command", "refused", "join"]
        with Running(tmp_path, "history", DEV_EUI, "--follow", "--json", env=here.env) as running:
            await until("it told what there is", lambda: '"entry":"e1"' in running.output)
            late = a_line("late", 15, "txack", gateway=GATEWAY, replayed="yes")
            queries.lines = [
                a_line("e0", 5, "join", dev_addr="01020305"),
                LINES[0],
                late,
                *LINES[1:],
            ]
            here.application.board.publish(a_light(uplinks=1))
            await until("it told what came", lambda: '"entry":"e0"' in running.output)
            running.send(signal.SIGINT)
            code = await running.until_ended(PATIENCE_S)
        told_rows = [json.loads(row)["entry"] for row in running.output.splitlines()]
        assert (code, told_rows) == (0, ["e4", "e3", "e2", "e1", "late", "e0"])


async def test_lights_and_the_audit_are_told_as_csv() -> None:
    async with served(3) as here:
        here.application.board.publish(a_light(name="=1+1"))
        lights = await here.do("devices", "--csv", "--search", "2020")
        rows = list(csv.DictReader(io.StringIO(lights.stdout)))
        assert len(rows) == 3, lights.stderr
        assert "'=1+1" in {row["name"] for row in rows}
        both = await here.do("devices", "--csv", "--json")
        assert both.returncode == 2
        await here.do("remove", "=1+1")
        told = await here.do("audit", "--csv", "--on", DEV_EUI)
        (entry,) = csv.DictReader(io.StringIO(told.stdout))
        assert entry["what"] == "remove"
