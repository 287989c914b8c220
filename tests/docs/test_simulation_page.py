"""docs/simulation.md against the simulation: its profiles and the bugs planted in it."""

from docs.generate.parts import ROOT
from simulation.harness.scenarios import PROFILE_NAMES
from tests.simulation.hunt import PLANTED

TEXT = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")


def test_every_planted_bug_is_in_the_table_and_no_other() -> None:
    table = TEXT.split("<!-- planted bugs: ")[1].split("<!-- end of planted bugs -->")[0]
    rows = [line.split(" | ")[0].strip("| ") for line in table.splitlines() if "|" in line][2:]
    assert sorted(rows) == sorted(PLANTED)


def test_every_profile_of_faults_is_named() -> None:
    assert [name for name in PROFILE_NAMES if f"`{name}`" not in TEXT] == []
