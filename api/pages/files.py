"""The files of the pages, read once: their bytes, as they are and compressed, types and ETags.

A page names its files below a folder that is called after what is in all of them
(`static/1f0c.../app/main.js`). So a browser keeps them without ever asking again, and no page of
one release runs with a file of another. Their own imports are relative, and lead into the same
folder; nothing has to be built. What a page names with a dot before (`./static/whole.js`) keeps
its plain name, which is there in every release.
Bounded by what is shipped: some 125 files, 600 kB, and a third of that once more, compressed.
"""

import gzip
import hashlib
from functools import cache, cached_property
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
"""By the end of a name: one that is missing here is no file of a page, and not served."""

_COMPRESSION = 6
"""Of 9: the last three save one hundredth more, and take twice as long."""


class StaticFile:
    """A file as it is sent."""

    def __init__(self, content_type: str, body: bytes) -> None:
        self.content_type = content_type
        self.body = body
        self.etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        """Strong, of what is sent as it is."""

    @cached_property
    def compressed(self) -> bytes | None:
        """By gzip, made when it is first asked for; None where that saves nothing."""
        made = gzip.compress(self.body, _COMPRESSION, mtime=0)
        return made if len(made) < len(self.body) else None

    @property
    def compressed_etag(self) -> str:
        """Other bytes need another strong one (RFC 9110, 8.8.3.3)."""
        return f'{self.etag[:-1]}-gzip"'


class StaticFiles:
    """All files of a folder: pages by their names (`index.html`), and what pages load, by theirs
    (`app/main.js`)."""

    def __init__(self, folder: Path) -> None:
        found = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in TYPES and path.is_file()
        }
        digest = hashlib.sha256()
        for name, body in found.items():
            digest.update(f"{name} {len(body)} ".encode())
            digest.update(body)
        self.version = digest.hexdigest()[:16]
        """Changes with every change of any of them."""
        below = f'"static/{self.version}/'.encode()
        self.pages: dict[str, StaticFile] = {}
        self.loaded: dict[str, StaticFile] = {}
        for name, body in found.items():
            made = StaticFile(TYPES[Path(name).suffix], body.replace(b'"static/', below))
            (self.pages if name.endswith(".html") else self.loaded)[name] = made

    def find(self, name: str) -> tuple[StaticFile | None, bool]:
        """What pages load by this name, and whether it was asked for below our version: then what
        is there never changes. None below another version, whose files are not ours to give."""
        version, _, rest = name.partition("/")
        if version == self.version:
            return self.loaded.get(rest), True
        return self.loaded.get(name), False


@cache
def static_files() -> StaticFiles:
    """Those that are shipped, read in some milliseconds; what is changed later shows after a new
    start."""
    return StaticFiles(STATIC)
