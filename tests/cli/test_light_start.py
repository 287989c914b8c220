"""A verb starts at once: what only the service needs is not imported for `--help` or a question."""

import subprocess
import sys

from tests.support.processes import PATIENCE_S, ROOT, environment

HEAVY = {"apprise", "grpc", "hypercorn", "pydantic", "quart", "redis", "simulation", "structlog"}
"""Most of a second of CPU, which every call of every verb would pay."""


def test_the_command_line_imports_nothing_that_only_the_service_needs() -> None:
    tell = "import api.cli.app, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", tell],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env=environment(),
        timeout=PATIENCE_S,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "typer" in imported
    assert imported & HEAVY == set()
