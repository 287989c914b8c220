"""The files of pages: what they are, and the folder that is called after what is in them."""

import gzip
import re
from pathlib import Path

from api.pages.files import STATIC, TYPES, StaticFiles, static_files

PAGE = b'<link href="static/look.css"><script type="module" src="static/app/main.js"></script>'


def a_folder(at: Path) -> Path:
    (at / "app").mkdir(parents=True)
    (at / "index.html").write_bytes(PAGE)
    (at / "app" / "main.js").write_bytes(b'import "./base.js";\n' * 40)
    (at / "look.css").write_bytes(b"a{}")
    (at / "notes.txt").write_bytes(b"not for pages")
    return at


def test_a_page_names_its_files_below_the_version(tmp_path: Path) -> None:
    files = StaticFiles(a_folder(tmp_path))
    below = f"static/{files.version}/"
    assert files.pages["index.html"].body.decode() == PAGE.decode().replace("static/", below)
    assert set(files.pages) == {"index.html"}
    assert set(files.loaded) == {"app/main.js", "look.css"}, "and nothing that has no type"


def test_every_change_of_a_file_is_another_version(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    versions = [StaticFiles(folder).version, StaticFiles(folder).version]
    assert versions[0] == versions[1]
    assert re.fullmatch("[0-9a-f]{16}", versions[0])
    (folder / "look.css").write_bytes(b"b{}")
    versions.append(StaticFiles(folder).version)
    (folder / "look.css").rename(folder / "looks.css")
    versions.append(StaticFiles(folder).version)
    (folder / "index.html").write_bytes(PAGE + b" ")
    versions.append(StaticFiles(folder).version)
    (folder / "notes.txt").write_bytes(b"something else")
    versions.append(StaticFiles(folder).version)
    assert len(set(versions)) == 4
    assert versions[-1] == versions[-2], "what is not served changes nothing"


def test_a_file_of_another_version_is_none_of_ours(tmp_path: Path) -> None:
    files = StaticFiles(a_folder(tmp_path / "a"))
    (folder := a_folder(tmp_path / "b")).joinpath("look.css").write_bytes(b"b{}")
    older = StaticFiles(folder)
    assert files.find(f"{files.version}/look.css") == (files.loaded["look.css"], True)
    assert files.find("look.css") == (files.loaded["look.css"], False)
    assert files.find(f"{older.version}/look.css") == (None, False)
    assert files.find(f"{files.version}/{files.version}/look.css") == (None, True)


def test_a_file_has_one_strong_etag_for_each_form(tmp_path: Path) -> None:
    files = StaticFiles(a_folder(tmp_path))
    main, look = files.loaded["app/main.js"], files.loaded["look.css"]
    assert main.compressed is not None
    assert gzip.decompress(main.compressed) == main.body
    assert len(main.compressed) < len(main.body)
    assert look.compressed is None, "three bytes are not made less"
    etags = {main.etag, main.compressed_etag, look.etag, look.compressed_etag}
    assert len(etags) == 4
    assert all(re.fullmatch(r'"[0-9a-f]{32}(-gzip)?"', each) for each in etags)


def test_what_is_shipped_is_served_and_small() -> None:
    files = static_files()
    shipped = {path for path in STATIC.rglob("*") if path.is_file()}
    assert {path.suffix for path in shipped} == set(TYPES)
    assert len(files.pages) + len(files.loaded) == len(shipped)
    held = [*files.pages.values(), *files.loaded.values()]
    assert sum(len(each.body) for each in held) < 900_000
    assert sum(len(each.compressed or b"") for each in held) < 300_000
    assert not [
        path for path in shipped if '"static/' in path.read_text("utf-8") and path.suffix != ".html"
    ]
