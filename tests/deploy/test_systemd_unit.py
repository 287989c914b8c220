"""The unit is one that systemd takes, gives the service little, and leaves it what it needs."""

import re
import subprocess
from pathlib import Path

UNIT = Path(__file__).parents[2] / "deploy" / "lamplighter.service"
EXPOSURE_MOST = 2.0
"""Of 10; systemd calls up to 2 OK, and an ordinary service is at 9.6."""


def analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=30, check=False
    )


def test_systemd_takes_it_without_a_warning(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    for theirs in ("/opt/lamplighter/bin/lamplighter", "/bin/kill"):
        assert theirs in text
        text = text.replace(theirs, "/bin/true")
    here = tmp_path / UNIT.name  # with programs and a user that this machine has
    here.write_text(
        re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE), encoding="utf-8"
    )
    told = analyze("verify", "--man=no", str(here))
    assert (told.returncode, told.stderr.strip()) == (0, "")


def test_whoever_breaks_into_the_service_has_little() -> None:
    told = analyze("security", "--offline=true", str(UNIT))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told.stdout)
    assert found is not None, told.stderr
    assert float(found[1]) <= EXPOSURE_MOST


def test_what_the_service_needs_is_not_taken_from_it() -> None:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    assert settings["Type"] == "notify"
    assert settings["RestartPreventExitStatus"] == "10"  # another service has the store
    assert settings["StateDirectory"] == "lamplighter"
    assert "ProcSubset" not in settings, "the boot id tells who has the store after a crash"
    assert "PrivateNetwork" not in settings
