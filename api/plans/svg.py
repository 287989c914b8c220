"""Makes a drawing harmless: only what is on the lists stays, and nothing of it leads outside.

Read by defusedxml, which refuses entities before they are expanded; a document type is refused as
a whole. A small drawing can ask for endless work by using its own parts again and again, so what it
draws once all uses are followed is counted, too.
"""

import base64
import binascii
import io
import math
import re
from collections.abc import Callable
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from api.plans.raster import SIDE_MOST, Size
from api.plans.refusal import FileRefused, TooLarge
from api.plans.svg_lists import ATTRIBUTES, ELEMENTS, REFERRING

NAMESPACE = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
ELEMENTS_MOST = 60_000
"""Ten times what a detailed drawing of a floor has; each is an object while it is read."""
DEPTH_MOST = 60
DRAWN_MOST = 200_000
"""Elements once every use is followed: some times what one may have without any."""
LEFT_OUT_MOST = 20
SHOWN_PX = 2_000
"""The longer side of a drawing that gives itself a size no screen has."""

_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(px|mm|cm|in|pt|pc|)\s*")
_UNITS = {"": 1.0, "px": 1.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "pt": 4 / 3, "pc": 16.0}
_OWN = re.compile(r"""\s*url\(\s*(["']?)#([^\s"'()\\<>]{1,200})\1\s*\)\s*(?:none\s*)?""")
"""A reference to a part of the same drawing, and nothing else."""
_LEADS_OUT = re.compile(r"url|image|src\s*\(|[@\\<]|expression|javascript|attr\s*\(", re.IGNORECASE)
"""In style sheets: whatever loads, imports, animates or hides what it says behind escapes."""
_FRAGMENT = re.compile(r"#([^\s\"'()\\<>]{1,200})")
_EMBEDDED = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]*)")

ImageSize = Callable[[bytes], object]


class Drawing(NamedTuple):
    """A drawing that is harmless, and what was left out of it."""

    content: bytes
    size: Size
    left_out: tuple[str, ...]


def sanitised(content: bytes, image_size: ImageSize) -> Drawing:
    """The harmless part of a drawing; `image_size` raises FileRefused for what may not be embedded.

    Raises FileRefused where it cannot be read or drawn, TooLarge.
    """
    found = _read(content)
    if found.tag not in {f"{{{NAMESPACE}}}svg", "svg"}:
        raise FileRefused(f"is XML, but no SVG: its root is <{_local(found.tag)[:40]}>")
    left_out: dict[str, None] = {}
    kept = Element("svg")
    _fill(kept, found, left_out, image_size)
    size = _sized(kept)
    if _drawn(kept) > DRAWN_MOST:
        raise TooLarge(
            f"draws more than {DRAWN_MOST:,} elements once every <use> is followed: simplify it"
        )
    kept.set("xmlns", NAMESPACE)
    names = tuple(left_out)[:LEFT_OUT_MOST]
    return Drawing(tostring(kept, encoding="utf-8", xml_declaration=False), size, names)


def _read(content: bytes) -> Element:
    depth = count = 0
    root: Element | None = None
    try:
        for event, element in iterparse(
            io.BytesIO(content), events=("start", "end"), forbid_dtd=True
        ):
            if event == "end":
                depth -= 1
                continue
            if root is None:
                root = element
            depth, count = depth + 1, count + 1
            if count > ELEMENTS_MOST:
                raise TooLarge(f"has more than {ELEMENTS_MOST:,} elements: simplify it")
            if depth > DEPTH_MOST:
                raise FileRefused(f"is nested more than {DEPTH_MOST} elements deep")
    except DefusedXmlException as error:
        raise FileRefused(
            "has a document type or entities: take its <!DOCTYPE ...> out, a drawing needs none"
        ) from error
    except ParseError as error:
        raise FileRefused(f"is no XML that can be read: {error}") from error
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise FileRefused("is in an encoding that cannot be read: save it as UTF-8") from error
    if root is None:
        raise FileRefused("is empty")
    return root


def _local(tag: object) -> str:
    """The name without its namespace; of a comment or an instruction there is none."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _fill(kept: Element, found: Element, left_out: dict[str, None], image_size: ImageSize) -> None:
    """Take over what may stay of `found` and of all below it."""
    name = kept.tag
    for key, value in found.attrib.items():
        _take_attribute(kept, key, value, left_out, image_size)
    if name == "style":
        text = "".join(found.itertext())
        if _LEADS_OUT.search(text):
            left_out["a <style> that loads, imports or animates"] = None
        else:
            kept.text = text
        return
    kept.text = found.text
    for child in found:
        local = _local(child.tag)
        own = child.tag in {f"{{{NAMESPACE}}}{local}", local}
        if own and local in ELEMENTS:
            made = SubElement(kept, local)
            _fill(made, child, left_out, image_size)
            made.tail = child.tail
        else:
            if own:  # what programs note for themselves in namespaces of their own is nothing drawn
                left_out[f"<{local[:40]}>"] = None
            last = kept[-1] if len(kept) else None
            if last is not None:
                last.tail = (last.tail or "") + (child.tail or "")
            else:
                kept.text = (kept.text or "") + (child.tail or "")


def _take_attribute(
    kept: Element, key: str, value: str, left_out: dict[str, None], image_size: ImageSize
) -> None:
    if key in {"href", f"{{{XLINK}}}href"}:
        if (kept.tag == "image" and _embedded(value, image_size)) or (
            kept.tag in REFERRING and _FRAGMENT.fullmatch(value)
        ):
            kept.set("href", value)
        else:
            left_out[f"href of <{kept.tag}>"] = None
    elif key == "style":
        _take_style(kept, value, left_out)
    elif key in ATTRIBUTES:
        if "url" not in value.lower() or _OWN.fullmatch(value) or key in {"id", "class"}:
            kept.attrib.setdefault(key, value)
        else:
            left_out[f"{key} that leads outside"] = None
    elif not key.startswith("{"):
        left_out[key[:40]] = None


def _take_style(kept: Element, value: str, left_out: dict[str, None]) -> None:
    """Declarations that lead nowhere stay; a reference to the drawing's own part becomes an
    attribute, where it is counted."""
    stay = []
    for declaration in value.split(";"):
        name, _, what = (part.strip() for part in declaration.partition(":"))
        if not what:
            continue
        if name in ATTRIBUTES and _OWN.fullmatch(what):
            kept.set(name, what)
        elif _LEADS_OUT.search(declaration):
            left_out[f"style that leads outside: {name[:40]}"] = None
        else:
            stay.append(f"{name}:{what}")
    if stay:
        kept.set("style", ";".join(stay))


def _embedded(value: str, image_size: ImageSize) -> bool:
    """Whether this is a picture within the drawing, itself one that may be shown."""
    found = _EMBEDDED.fullmatch(value)
    if found is None:
        return False
    try:
        image_size(base64.b64decode(found[1], validate=False))
    except (binascii.Error, FileRefused):
        return False
    return True


def _sized(root: Element) -> Size:
    """Give the drawing a size and a view box: an image without one has no proportions."""
    width, height = _length(root.get("width")), _length(root.get("height"))
    box = _box(root.get("viewBox"))
    if box is None and width and height:
        box = (0.0, 0.0, width, height)
        root.set("viewBox", f"0 0 {width:g} {height:g}")
    if box is None:
        raise FileRefused("does not tell its size: give it a viewBox, or width and height")
    if not width or not height:
        width, height = box[2], box[3]
    longer = max(width, height)
    scale = 1.0 if 100 <= longer <= SIDE_MOST / 2 else SHOWN_PX / longer
    size = Size(max(1, round(width * scale)), max(1, round(height * scale)))
    if max(size) > 200 * min(size):
        raise FileRefused("is more than 200 times as long as it is wide")
    root.set("width", str(size.width))
    root.set("height", str(size.height))
    return size


def _length(text: str | None) -> float:
    found = _LENGTH.fullmatch(text or "")
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    try:
        x, y, width, height = (float(part) for part in re.split(r"[\s,]+", (text or "").strip()))
    except ValueError:
        return None
    fine = all(map(math.isfinite, (x, y, width, height))) and width > 0 and height > 0
    return (x, y, width, height) if fine else None


def _drawn(root: Element) -> int:
    """Elements once all references are followed. Raises FileRefused for one that comes back to
    itself, or for a chain without end."""
    named: dict[str, Element] = {}
    for element in root.iter():
        if (name := element.get("id")) is not None:
            named.setdefault(name, element)
    counted: dict[Element, int] = {}
    open_: set[Element] = set()

    def count(element: Element, depth: int) -> int:
        if (known := counted.get(element)) is not None:
            return known
        if element in open_:
            raise FileRefused("uses a part of itself within that part")
        if depth > 4 * DEPTH_MOST:
            raise FileRefused("uses parts within parts without end")
        open_.add(element)
        total = 1 + sum(count(child, depth + 1) for child in element)
        for name in _references(element):
            if (target := named.get(name)) is not None:
                total += count(target, depth + 1)
        open_.discard(element)
        counted[element] = total = min(total, DRAWN_MOST + 1)
        return total

    return count(root, 0)


def _references(element: Element) -> list[str]:
    names = []
    for key, value in element.attrib.items():
        if key == "href" and value.startswith("#"):
            names.append(value[1:])
        elif (own := _OWN.fullmatch(value)) is not None:
            names.append(own[2])
    return names
