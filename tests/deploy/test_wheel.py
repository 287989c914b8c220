"""What is installed brings one name with it, and works without a checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("actors", "api", "lorawan", "store", "simulation")
QUIET = ("--quiet", "--disable-pip-version-check", "--no-deps")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make wheel` does, from what is committed or about to be, in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    source = folder / "source"
    for name in files.decode().split("\0"):
        if name.split("/")[0] in {*PARTS, "lamplighter", "pyproject.toml", "setup.py", "README.md"}:
            there = source / name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", *QUIET, "--no-build-isolation"]
    subprocess.run([*pip, "-w", str(folder), str(source)], check=True, timeout=120)
    [built] = folder.glob("lamplighter-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A folder that holds nothing but the installed wheel."""
    target = wheel.parent / "installed"
    pip = [sys.executable, "-m", "pip", "install", *QUIET, "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True, timeout=120)
    return target


def run(installed: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Python, as it is where only the wheel is installed: this folder comes first in its path."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("LAMPLIGHTER_", "COVERAGE_"))}
    return subprocess.run(
        [sys.executable, *words],
        cwd=installed.parent,
        env=own | {"PYTHONPATH": str(installed), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )


def test_one_name_is_installed_and_no_other(wheel: Path, installed: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lamplighter"}
    for part in PARTS:
        ended = run(installed, "-c", f"import {part}")
        assert "ModuleNotFoundError" in ended.stderr, f"{part} can be imported by anybody"


def test_pages_and_scripts_are_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        [
            "git",
            "ls-files",
            "api/static",
            "api/guide/text",
            "api/guide/de",
            "store/engine/redis/scripts",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert len(tracked) > 50
    assert [one for one in tracked if f"lamplighter/service/{one}" not in names] == []


def test_the_program_runs_from_it(installed: Path) -> None:
    told = run(installed, "-m", "lamplighter", "simulate", "--seed", "7", "--hours", "0.02")
    assert told.returncode == 0, told.stderr
    assert "0 broken" in told.stdout
    where = "import lamplighter.run, sys; print(lamplighter.run.__file__)"
    assert str(installed) in run(installed, "-c", where).stdout


def test_the_client_is_in_it_typed_and_without_the_service(wheel: Path, installed: Path) -> None:
    assert "lamplighter/py.typed" in zipfile.ZipFile(wheel).namelist()
    told = run(
        installed,
        "-c",
        "import lamplighter.client as c, sys; c.Client('127.0.0.1:1'); c.AsyncClient;"
        " print(c.__file__, *{name.split('.')[0] for name in sys.modules} & {'api', 'actors'})",
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == [str(installed / "lamplighter" / "client" / "__init__.py")]
