"""Where servers are that tests start: beside this Python, where `make test` unpacks them, or where
Debian installs them, which is where only root looks for programs."""

import os
import shutil
import sys
from pathlib import Path

NOT_ON_THE_PATH = ("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin")


def server_program(name: str) -> str:
    """The path of this program."""
    beside = Path(sys.executable).parent / name
    path = os.pathsep.join((os.environ.get("PATH", ""), *NOT_ON_THE_PATH))
    found = str(beside) if beside.exists() else shutil.which(name, path=path)
    assert found is not None, f"{name} is missing: `make browser` fetches it, or apt install {name}"
    return found
