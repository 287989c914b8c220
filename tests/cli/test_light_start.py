"""A verb starts at once: what only asking or the service needs is not imported for `--help`,
`--version` or a completion, and what only the service needs not for a question."""

import subprocess
import sys

from tests.support.processes import PATIENCE_S, ROOT, environment

ASKING = {"httpx2", "lamplighter.client.models", "msgspec", "trio", "wsproto", "zoneinfo"}
"""A quarter of a second of CPU, which every call of every verb would pay, and every completion."""
SERVICE = {"apprise", "grpc", "hypercorn", "pydantic", "quart", "redis", "simulation", "structlog"}
"""Most of a second."""
TYPERS = {"pydantic", "zoneinfo"}
"""What Typer imports once it reads the words of a call."""

IMPORTED = "import sys, api.cli.app; print(*sys.modules)"
SAID = """
import contextlib, io, os, sys
from api.cli.app import app

def said(*words, **environ):
    os.environ.update(environ)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        app(words, prog_name="lamplighter")
    return out.getvalue()

assert said("--version").startswith("lamplighter ")
assert "Makes sure that a light shows" in said("--help")
assert "COLOUR" in said("send", "--help")
shell = {"_LAMPLIGHTER_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
assert said(COMP_WORDS="lamplighter dev", **shell).split() == ["devices", "device"]
print(*sys.modules)
"""
ASKED = """
from api.cli.client import Client, Place
Client(Place.of("localhost"))
import sys
print(*sys.modules)
"""


def modules_after(code: str) -> set[str]:
    """The modules that a process has imported."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env=environment(),
        timeout=PATIENCE_S,
        check=True,
    )
    return set(done.stdout.split())


def test_the_command_line_imports_nothing_that_only_asking_or_the_service_needs() -> None:
    imported = modules_after(IMPORTED)
    assert "typer" in imported
    assert imported & (ASKING | SERVICE) == set()


def test_help_version_and_completion_import_no_more_than_typer_does() -> None:
    imported = modules_after(SAID)
    assert "typer" in imported
    assert imported & (ASKING | SERVICE) <= TYPERS


def test_a_question_imports_nothing_that_only_the_service_needs() -> None:
    imported = modules_after(ASKED)
    assert {"httpx2", "trio"} <= imported
    assert imported & SERVICE == set()
