"""All plans in one file: a ZIP with `plans.json` and the pictures, written and read here.

Whoever sends one is not trusted: what it says of itself is bounded before anything is unpacked, no
name in it becomes a path, and each picture is checked as if it had been sent alone.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from actors.board.plan import Picture
from actors.plans.model import (
    NAME_MOST,
    PICTURE_BYTES_MOST,
    PLACES_MOST,
    PLANS_MOST,
    Plan,
    Take,
)
from api.plans.picture import ENDINGS, checked
from api.plans.refusal import FileRefused, TooLarge

ARCHIVE_BYTES_MOST = 36 * 1024 * 1024
"""All pictures that may be stored, and what says where everything is."""
INDEX = "plans.json"
INDEX_BYTES_MOST = 16 * 1024 * 1024
"""50 plans with 5,000 places of 40 bytes each are 10 MB."""
FORMAT = "lamplighter-plans"
VERSION = 1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_DATE = (1980, 1, 1, 0, 0, 0)
"""The same plans make the same file."""

_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
_Eui = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MOST)]
_Id = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_-]{1,64}$")]


class _PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    id: _Id
    name: _Name
    order: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    picture: str | None = None
    """The name of its picture in the archive."""
    lights: dict[_Eui, tuple[_Share, _Share]] = {}
    gateways: dict[_Eui, tuple[_Share, _Share]] = {}


class _Index(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    version: int
    plans: Annotated[list[_PlanFile], msgspec.Meta(max_length=PLANS_MOST)]


_index = msgspec.json.Decoder(_Index)


def archive(plans: Sequence[Plan], pictures: Mapping[str, bytes]) -> bytes:
    """These plans as a file; `pictures` by digest."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        files = [_file(plan) for plan in plans]
        index = _Index(format=FORMAT, version=VERSION, plans=files)
        _write(packed, INDEX, msgspec.json.encode(index), compressed=True)
        written = set()
        for plan, file in zip(plans, files, strict=True):
            if file.picture is None or plan.picture is None or file.picture in written:
                continue
            written.add(file.picture)
            drawing = plan.picture.media_type == "image/svg+xml"
            _write(packed, file.picture, pictures[plan.picture.digest], compressed=drawing)
    return out.getvalue()


def unpacked(content: bytes) -> list[Take]:
    """The plans of such a file. Raises FileRefused, TooLarge. It takes up to some seconds."""
    if len(content) > ARCHIVE_BYTES_MOST:
        raise TooLarge(f"has {len(content)} bytes, {ARCHIVE_BYTES_MOST} at most")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _taken(packed)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise FileRefused(f"is no ZIP that can be read: {error}") from error


def _taken(packed: zipfile.ZipFile) -> list[Take]:
    members = {member.filename: member for member in packed.infolist()}
    if len(packed.infolist()) > PLANS_MOST + 1:
        raise TooLarge(f"has {len(packed.infolist())} files, {PLANS_MOST + 1} at most")
    if INDEX not in members:
        raise FileRefused(f"is no export of plans: it has no {INDEX}")
    try:
        index = _index.decode(_read(packed, members[INDEX], INDEX_BYTES_MOST))
    except msgspec.MsgspecError as error:
        raise FileRefused(f"has a {INDEX} that cannot be read: {error}") from error
    if index.format != FORMAT or index.version > VERSION:
        raise FileRefused(f"is of a format that is not known: {index.format} {index.version}")
    if len({plan.id for plan in index.plans}) < len(index.plans):
        raise FileRefused("names a plan twice")
    return [_take(packed, members, plan) for plan in index.plans]


def _take(packed: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], file: _PlanFile) -> Take:
    if len(file.lights) + len(file.gateways) > PLACES_MOST:
        raise TooLarge(f"has more than {PLACES_MOST} places on the plan {file.name!r}")
    plan = Plan(
        id=file.id,
        name=file.name,
        order=file.order,
        revision=0,
        lights=dict(file.lights),
        gateways=dict(file.gateways),
    )
    if file.picture is None:
        return Take(plan, None)
    member = members.get(file.picture)
    if member is None:
        raise FileRefused(f"lacks the picture of the plan {file.name!r}")
    try:
        found = checked(_read(packed, member, PICTURE_BYTES_MOST))
    except FileRefused as error:
        raise type(error)(f"has a picture of the plan {file.name!r} that {error}") from error
    return Take(msgspec.structs.replace(plan, picture=found.picture), found.content)


def _read(packed: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """One file of it, of which no more than `most` bytes are ever unpacked."""
    if member.flag_bits & 1:
        raise FileRefused("is encrypted")
    if member.compress_type not in _METHODS:
        raise FileRefused("is compressed by a method that is not known")
    if member.file_size > most:
        raise TooLarge(f"has a file of {member.file_size} bytes in it, {most} at most")
    with packed.open(member) as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise TooLarge(f"has a file in it that is larger than it says: {most} bytes at most")
    return content


def _file(plan: Plan) -> _PlanFile:
    picture = plan.picture
    return _PlanFile(
        id=plan.id,
        name=plan.name,
        order=plan.order,
        picture=None if picture is None else _name_of(picture),
        lights=plan.lights,
        gateways=plan.gateways,
    )


def _name_of(picture: Picture) -> str:
    return f"pictures/{picture.digest}.{ENDINGS[picture.media_type]}"


def _write(packed: zipfile.ZipFile, name: str, content: bytes, *, compressed: bool) -> None:
    member = zipfile.ZipInfo(name, _DATE)
    member.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    packed.writestr(member, content)
