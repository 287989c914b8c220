"""What a picture is by its content, and what of it is refused before anything is decoded."""

import base64

import pytest

from actors.plans.model import PICTURE_BYTES_MOST
from api.plans.picture import checked
from api.plans.refusal import FileRefused, TooLarge, UnknownType
from tests.api.plans.pictures import SVG, chunk, jpeg, png, svg


def of(inner: str) -> str:
    """What is kept of a drawing with this in it, without its own element."""
    text = checked(svg(inner)).content.decode()
    return text.partition(">")[2].removesuffix("</svg>")


@pytest.mark.parametrize(
    ("content", "media_type", "size"),
    [
        (png(), "image/png", (4, 3)),
        (png(16_000, 2_000), "image/png", (16_000, 2_000)),
        (jpeg(640, 480), "image/jpeg", (640, 480)),
        (SVG, "image/svg+xml", (400, 300)),
        (b"\xef\xbb\xbf \n" + SVG, "image/svg+xml", (400, 300)),
        (SVG.decode().encode("utf-16"), "image/svg+xml", (400, 300)),
    ],
)
def test_the_content_tells_type_and_size(
    content: bytes, media_type: str, size: tuple[int, int]
) -> None:
    if content.startswith(b"\xef\xbb\xbf "):
        content = content.replace(b" \n", b"")
    found = checked(content).picture
    assert (found.media_type, (found.width, found.height)) == (media_type, size)
    assert len(found.digest) == 64


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", UnknownType, "is empty"),
        (b"GIF89a....", UnknownType, "is a GIF"),
        (b"%PDF-1.7", UnknownType, "is a PDF"),
        (b"\x1f\x8b....", UnknownType, "SVGZ"),
        (b"hello", UnknownType, "no picture"),
        (b"<html/>", FileRefused, "no SVG: its root is <html>"),
        (png()[:-12], FileRefused, "its end is missing"),
        (png()[:20], FileRefused, "header is missing"),
        (png().replace(b"\0\0\0\x04\0\0\0\x03", b"\0\0\0\x05\0\0\0\x03"), FileRefused, "checksum"),
        (png(4, 3, chunk(b"acTL", bytes(8))), FileRefused, "animated"),
        (png(0, 3), FileRefused, "has no size"),
        (png(60_000, 60_000), TooLarge, "60000 x 60000 pixels"),
        (png(16_385, 1), TooLarge, "16385 x 1 pixels"),
        (jpeg(8_000, 8_000), TooLarge, "8000 x 8000 pixels"),
        (jpeg()[:30], FileRefused, "damaged JPEG"),
        (b"\xff\xd8\xff\xe0", FileRefused, "damaged JPEG"),
        (png() + bytes(PICTURE_BYTES_MOST), TooLarge, f"{PICTURE_BYTES_MOST} at most"),
        (svg("", ""), FileRefused, "does not tell its size"),
        (svg("", 'viewBox="0 0 9000 1"'), FileRefused, "200 times"),
        (SVG[:-3], FileRefused, "no XML that can be read"),
        (b'<?xml version="1.0" encoding="x-none"?>' + SVG, FileRefused, "encoding|read"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(
    content: bytes, kind: type[FileRefused], words: str
) -> None:
    with pytest.raises(FileRefused, match=words) as refused:
        checked(content)
    assert type(refused.value) is kind


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE svg SYSTEM "http://outside.example/x.dtd">',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE svg>",
    ],
)
def test_entities_and_document_types_are_refused(before: str) -> None:
    with pytest.raises(FileRefused, match="take its <!DOCTYPE"):
        checked(before.encode() + svg("<text>&b;</text>" if "ENTITY b" in before else ""))


@pytest.mark.parametrize(
    ("inner", "kept"),
    [
        ("<script>alert(1)</script>", ""),
        ('<rect onclick="x()" onload="x()" x="1"/>', '<rect x="1" />'),
        ("<foreignObject><p>hi</p></foreignObject>", ""),
        ('<a href="https://outside.example"><rect/></a>', ""),
        ('<use href="https://outside.example/#a"/>', "<use />"),
        ('<use xlink:href="#a"/>', '<use href="#a" />'),
        ('<image href="https://outside.example/a.png"/>', "<image />"),
        ('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>', "<image />"),
        ('<rect fill="url(https://outside.example/#a)"/>', "<rect />"),
        ('<rect fill="url(#a)"/>', '<rect fill="url(#a)" />'),
        ('<rect style="fill:url(#a);stroke:red"/>', '<rect fill="url(#a)" style="stroke:red" />'),
        ('<rect style="fill:url(//outside.example/a)"/>', "<rect />"),
        (r'<rect style="fill:u\72l(//outside.example/a)"/>', "<rect />"),
        ("<style>@import 'https://outside.example'</style>", "<style />"),
        ("<style>.a{background:url(//outside.example)}</style>", "<style />"),
        ("<style>@keyframes a{}</style>", "<style />"),
        ("<style>.a{fill:red}</style>", "<style>.a{fill:red}</style>"),
        ('<animate attributeName="x" to="9"/><set attributeName="href" to="x"/>', ""),
        ('<filter id="f"><feImage href="x"/></filter>', ""),
        ("<metadata><rdf xmlns='urn:x'/></metadata>", ""),
        ("<g xmlns:i='urn:i' i:label='x'><i:note/>a<i:b/>b</g>", "<g>ab</g>"),
        ("<iframe/><svg xmlns='urn:not-svg'><script/></svg>", ""),
        ("<?php echo 1 ?><!-- --><text>one</text>", "<text>one</text>"),
        ("<text>a &lt;script&gt;</text>", "<text>a &lt;script&gt;</text>"),
    ],
)
def test_only_what_can_be_looked_at_is_kept_of_a_drawing(inner: str, kept: str) -> None:
    assert of(inner) == kept


def test_what_is_kept_is_kept_as_it_is_when_it_is_sent_again() -> None:
    once = checked(svg('<g style="fill:url(#a)"><text>x</text>y</g><style>.a{fill:red}</style>'))
    assert checked(once.content).content == once.content
    assert once.left_out == ()


def test_what_was_left_out_is_told() -> None:
    told = checked(svg('<script/><rect onclick="x"/><image href="http://a"/>')).left_out
    assert told == ("<script>", "onclick", "href of <image>")


def test_an_embedded_picture_is_held_to_what_one_sent_alone_is() -> None:
    good = base64.b64encode(png()).decode()
    bomb = base64.b64encode(png(60_000, 60_000)).decode()
    assert 'href="data:' in of(f'<image href="data:image/png;base64,{good}"/>')
    assert of(f'<image href="data:image/png;base64,{bomb}"/>') == "<image />"


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<g id="a"><use href="#a"/></g>', "uses a part of itself"),
        ('<pattern id="a"><rect fill="url(#a)"/></pattern>', "uses a part of itself"),
        (
            "".join(f'<g id="a{n}">{f"""<use href="#a{n + 1}"/>""" * 10}</g>' for n in range(9))
            + '<g id="a9"/>',
            "once every <use> is followed",
        ),
        ("<g>" * 100 + "</g>" * 100, "nested more than"),
        ("<g/>" * 60_001, "more than 60,000 elements"),
    ],
)
def test_a_drawing_that_would_be_drawn_without_end_is_refused(inner: str, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        checked(svg(inner))


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="420mm" height="297mm"', (1587, 1123)),
        ('viewBox="0 0 1 2"', (1000, 2000)),
        ('viewBox="0,0,800,400" width="100%"', (800, 400)),
        ('viewBox="0 0 1e7 1e7"', (2000, 2000)),
    ],
)
def test_a_drawing_gets_a_size_that_a_screen_has(attributes: str, size: tuple[int, int]) -> None:
    found = checked(svg("", attributes))
    assert (found.picture.width, found.picture.height) == size
    assert b"viewBox=" in found.content
