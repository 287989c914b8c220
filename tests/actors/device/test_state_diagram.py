"""The documentation shows the machine as it is; that the page is current is seen in tests/docs."""

from actors.device.diagram import mermaid
from actors.device.model import Phase


def test_every_phase_is_drawn() -> None:
    drawn = mermaid()
    for phase in Phase:
        assert f"{phase} -->" in drawn
