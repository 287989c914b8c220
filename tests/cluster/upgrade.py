"""A rolling upgrade, and back, and again: three real processes under load, of which one after the
other is ended by SIGTERM and started again as the other version.

python -m tests.cluster.upgrade COMMIT

COMMIT, in this repository, is the version before. Meanwhile commands are given to any process; none
that was accepted may be lost, and every process must tell what the lights show.
"""

import io
import logging
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import structlog
import trio

from tests.cluster.hurt import Trial, tried
from tests.support.processes import ROOT

LIGHTS = 6


def code_of(commit: str, folder: Path) -> Path:
    """The files of a commit, in a folder. Raises CalledProcessError for one that is not there."""
    words = ["git", "archive", "--format=tar", commit]
    packed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def say(line: str) -> None:
    """At once: each step takes seconds."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def upgrade(commit: str) -> None:
    """There, back, and there again. Raises AssertionError for what must not be."""
    with tempfile.TemporaryDirectory(prefix="before-") as name:
        before = code_of(commit, Path(name))

        async def roll(trial: Trial) -> None:
            for root in (ROOT, before, ROOT):
                for process in trial.here.processes:
                    say(f"{process} becomes the {'present' if root is ROOT else 'former'} version")
                    await trial.become(process, root)

        say(str(await tried(roll, 1, lights=LIGHTS, root=before, tell=say)))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    trio.run(upgrade, *sys.argv[1:2])
