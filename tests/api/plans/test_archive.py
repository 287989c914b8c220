"""All plans in one file, and files that only claim to be one."""

import io
import json
import zipfile
from typing import Any

import msgspec
import pytest

from actors.plans.model import Plan
from api.plans.archive import INDEX, archive, unpacked
from api.plans.picture import checked
from api.plans.refusal import FileRefused, TooLarge
from tests.api.plans.pictures import SVG, png, svg

LIGHT, GATEWAY = "2020203907290902", "0016c001f153a14c"


def packed(index: Any, *files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        if index is not None:
            made.writestr(INDEX, index if isinstance(index, bytes) else json.dumps(index))
        for name, content in files:
            made.writestr(name, content)
    return out.getvalue()


def index(*plans: dict[str, Any]) -> dict[str, Any]:
    return {"format": "lamplighter-plans", "version": 1, "plans": list(plans)}


def test_what_was_packed_is_unpacked() -> None:
    drawn, painted = checked(SVG), checked(png())
    plans = [
        Plan(id="a", name="Hall", order=1, revision=7, picture=drawn.picture,
             lights={LIGHT: (0.25, 0.5)}, gateways={GATEWAY: (1.0, 0.0)}),
        Plan(id="b", name="Yard", order=2, revision=1, picture=painted.picture),
        Plan(id="c", name="Roof", order=3, revision=2, picture=drawn.picture),
        Plan(id="d", name="Cellar", order=4, revision=2),
    ]  # fmt: skip
    pictures = {one.picture.digest: one.content for one in (drawn, painted)}
    made = archive(plans, pictures)
    assert made == archive(plans, pictures)
    assert len(zipfile.ZipFile(io.BytesIO(made)).namelist()) == 3
    taken = unpacked(made)
    assert [one.plan for one in taken] == [msgspec.structs.replace(p, revision=0) for p in plans]
    assert [one.content for one in taken] == [drawn.content, painted.content, drawn.content, None]


def test_a_picture_in_a_file_is_made_harmless_as_any_other() -> None:
    evil = svg("<script>alert(1)</script>")
    [taken] = unpacked(packed(index({"id": "a", "name": "A", "picture": "p"}), ("p", evil)))
    assert taken.content is not None
    assert b"script" not in taken.content


def bomb() -> bytes:
    return packed(index({"id": "a", "name": "A", "picture": "p"}), ("p", bytes(40_000_000)))


def lying() -> bytes:
    """An entry that says it is small, and unpacks to 40 MB."""
    made = bytearray(bomb())
    size = (40_000_000).to_bytes(4, "little")
    while (at := made.find(size)) >= 0:
        made[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(made)


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", FileRefused, "no ZIP"),
        (b"hello", FileRefused, "no ZIP"),
        (packed(index())[:-30], FileRefused, "no ZIP"),
        (packed(None), FileRefused, "has no plans.json"),
        (packed(b"{"), FileRefused, "plans.json that cannot be read"),
        (packed({"format": "other", "version": 1, "plans": []}), FileRefused, "format"),
        (packed({**index(), "version": 2}), FileRefused, "format"),
        (packed(index({"id": "../a", "name": "A"})), FileRefused, "cannot be read"),
        (packed(index({"id": "a", "name": ""})), FileRefused, "cannot be read"),
        (packed(index({"id": "a", "name": "A", "lights": {LIGHT: [2, 0]}})), FileRefused, "read"),
        (packed(index({"id": "a", "name": "A", "lights": {"x": [0, 0]}})), FileRefused, "read"),
        (packed(index({"id": "a", "name": "A"}, {"id": "a", "name": "B"})), FileRefused, "twice"),
        (packed(index({"id": "a", "name": "A", "picture": "p"})), FileRefused, "lacks the picture"),
        (packed(index({"id": "a", "name": "A", "picture": "p"}), ("p", b"GIF89a")), FileRefused,
         "picture of the plan 'A' that is a GIF"),
        (packed(index(), *((f"{n}", b"") for n in range(60))), TooLarge, "61 files, 51 at most"),
        (packed(index(), method=zipfile.ZIP_LZMA), FileRefused, "method"),
        (bomb(), TooLarge, "file of 40000000 bytes"),
        (lying(), FileRefused, "no ZIP|larger than it says"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_in_words(
    content: bytes, kind: type[FileRefused], words: str
) -> None:
    with pytest.raises(kind, match=words):
        unpacked(content)
