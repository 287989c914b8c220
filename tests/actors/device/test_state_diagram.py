"""The documentation shows the machine as it is."""

from pathlib import Path

import pytest

from actors.device.diagram import mermaid, redraw

DOCUMENT = Path(__file__).parents[3] / "docs" / "architecture.md"


def test_the_committed_diagram_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert redraw(text) == text, "run `make docs`"


def test_every_phase_is_drawn() -> None:
    drawn = mermaid()
    for phase in ("uninitialized", "initializing", "idle", "awaiting_verify", "retrying", "failed"):
        assert f"{phase} -->" in drawn


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        redraw("nothing here")
