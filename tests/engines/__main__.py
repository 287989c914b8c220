"""Holds every engine that Debian has against the tests of the engine, and prints a table.

python -m tests.engines [NAME...]      part of a name, as `trixie` or `valkey`; all by default

Servers are fetched into build/engines by Debian's tools; nothing is installed.
The server of the other tests is held against the same tests, in the first line.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import TextIO

from tests.engines.debian import TOO_OLD, TRIED, NotFetched, fetched, version
from tests.support.redis_server import ENVIRONMENT_VARIABLE, redis_binary

ROOT = Path(__file__).parents[2]
UNDER = ROOT / "build" / "engines"
WORKERS = "2"
TESTS = (
    "tests/store/engine",
    "tests/store/shards/test_real_server.py",
    "tests/actors/cluster/keeper/test_keeper_on_valkey.py",
    "tests/cli/test_doctor_cluster.py",
    "tests/lorawan/stream",
    "tests/e2e/test_serve_cluster.py",
)
OVER_TLS = "tests/engines/engines_over_tls.py"
REFUSED = "tests/engines/engines_too_old.py"
GROUPS = {
    "sentinel]": "Sentinel",
    "cluster]": "Cluster",
    "engine_open": "refusals",
    "doctor_cluster": "refusals",
    "engines_too_old": "refusals",
    "failovers": "fail-overs",
    "over_tls": "TLS",
    "engine_tls": "TLS",
    "stream": "events",
    "serve_cluster": "service",
    "": "one server",
}
"""What a group of tests has in its name; the first one counts."""
COLUMNS = (
    "one server",
    "Sentinel",
    "Cluster",
    "refusals",
    "fail-overs",
    "TLS",
    "events",
    "service",
)


def held(name: str, binary: Path, tests: tuple[str, ...]) -> tuple[dict[str, Counter[str]], float]:
    """How many tests of each group passed and failed, and the seconds that it took."""
    report = UNDER / f"{name}.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    with (UNDER / f"{name}.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-n", WORKERS, "--timeout", "180"),
                *("-k", "not memory", f"--junitxml={report}", *tests),
            ],
            cwd=ROOT,
            env=os.environ | {ENVIRONMENT_VARIABLE: str(binary)},
            stdout=log,
            stderr=log,
            check=False,
        )
    found: dict[str, Counter[str]] = {column: Counter() for column in COLUMNS}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own, of a moment ago
        whole = f"{case.get('classname')} {case.get('name')}"
        group = next(group for part, group in GROUPS.items() if part in whole)
        bad = case.find("failure") is not None or case.find("error") is not None
        found[group]["failed" if bad else "passed"] += 1
    return found, time.monotonic() - began


def say(line: str, where: TextIO = sys.stdout) -> None:
    """At once, because an engine takes minutes."""
    where.write(f"{line}\n")
    where.flush()


def row(words: list[str]) -> str:
    """One line of the table."""
    return "| " + " | ".join(words) + " |"


def counted(found: dict[str, Counter[str]]) -> list[str]:
    """One cell for each group: passed, or how many failed."""
    cells = []
    for column in COLUMNS:
        passed, failed = found[column]["passed"], found[column]["failed"]
        cells.append(f"{failed} of {passed + failed} failed" if failed else str(passed or "-"))
    return cells


def main(names: list[str]) -> int:
    """1 where a test failed, or an engine could not be had."""
    UNDER.mkdir(parents=True, exist_ok=True)
    bad = 0
    say(row(["engine", *COLUMNS, "s"]))
    say(row(["---"] * (len(COLUMNS) + 2)))
    engines = [None, *TRIED, TOO_OLD]
    for package in engines:
        name = "default" if package is None else package.folder
        if names and not any(each in name for each in names):
            continue
        try:
            binary = Path(redis_binary()) if package is None else fetched(package, UNDER)
            told = version(binary)
        except NotFetched as error:
            bad += 1
            say(f"{name}: {error}", sys.stderr)
            continue
        tests = (REFUSED,) if package is TOO_OLD else TESTS
        if package is not None and package is not TOO_OLD:
            tests = (*TESTS, OVER_TLS)
        found, took_s = held(name, binary, tests)
        failed = sum(each["failed"] for each in found.values())
        bad += bool(failed)
        say(row([f"{told} ({name})", *counted(found), f"{took_s:.0f}"]))
        if failed:
            say(f"{name}: see {UNDER / name}.log", sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
