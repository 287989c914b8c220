"""`lamplighter simulate` as a person and as a program use it."""

import json
import subprocess
import sys

from typer.testing import CliRunner

from api.cli.app import app
from tests.simulation.hunt import PLANTED

runner = CliRunner()


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "simulate", *arguments],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )


def test_a_person_gets_a_summary_and_a_program_json() -> None:
    words = ["--seed", "1", "--faults", "city", "--hours", "0.2"]
    person = runner.invoke(app, ["simulate", *words])
    assert person.exit_code == 0, person.output
    for word in ("runs", "device-hours", "trace", "time to verify", "faults"):
        assert word in person.stdout
    program = simulate("--seed", "3", "--seeds", "3", "--hours", "0.1", "--jobs", "2", "--json")
    assert program.returncode == 0, program.stderr
    said = json.loads(program.stdout)
    assert (said["runs"], said["ok"], said["violations"]) == (3, True, [])
    assert said["device_hours"] > 0


def test_fresh_seeds_are_named_so_that_they_can_be_run_again() -> None:
    done = runner.invoke(app, ["simulate", "--faults", "calm", "--hours", "0.05"])
    assert done.exit_code == 0
    assert "Fresh seeds from" in done.output


def test_a_broken_truth_comes_with_its_command_and_its_last_events() -> None:
    with PLANTED["an echo is proof whatever its counter"]():
        done = runner.invoke(app, ["simulate", "--seed", "1"])
    assert done.exit_code == 1
    assert "broke a truth" in done.output
    assert "Again: lamplighter simulate --seed 1 --faults swarm --devices" in done.output
    assert "VIOLATION" in done.output


def test_what_makes_no_sense_is_told_in_words() -> None:
    for wrong in (["--faults", "drizzle"], ["--devices", "0"], ["--hours", "-1"], ["--seed", "x"]):
        done = runner.invoke(app, ["simulate", *wrong])
        assert done.exit_code == 2, wrong
    assert "drizzle" in runner.invoke(app, ["simulate", "--faults", "drizzle"]).output
