"""Fetches servers from Debian's archive, of releases older and newer than this machine's.

Nothing is installed: the packages of a server and its libraries are fetched with lists of apt's own
kept under `build/engines`, and unpacked there. A script starts the server with the loader and the
libraries of its own release, so that it runs whatever this machine has.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FETCH_S = 300.0
LIBRARIES = ("lib", "zlib", "lua", "redis", "valkey")
"""What the names of packages begin with that are unpacked."""


class Package(NamedTuple):
    """A server by its package; `also` is another release that its libraries come from."""

    release: str
    name: str
    also: str = ""

    @property
    def folder(self) -> str:
        """For its files, and for people."""
        return f"{self.release}-{self.name.removesuffix('-server')}"


TRIED = (
    Package("bookworm", "redis-server"),
    Package("trixie", "redis-server"),
    Package("forky", "redis-server"),
    Package("bookworm-backports", "valkey-server", "bookworm"),
    Package("trixie", "valkey-server"),
    Package("forky", "valkey-server"),
)
TOO_OLD = Package("bullseye", "redis-server")


class NotFetched(Exception):
    """Debian's archive could not be asked, or has no such package (any more)."""


def fetched(package: Package, under: Path) -> Path:
    """The script that starts the server. Raises NotFetched."""
    folder = under / package.folder
    script = folder / package.name
    if script.exists():
        return script
    apt = _lists(package, folder)
    words = ("--no-install-recommends", "--download-only", "-y", "install", package.name)
    _run("apt-get", *apt, *words)
    root = folder / "root"
    root.mkdir(exist_ok=True)
    for archive in sorted((folder / "apt/cache/archives").glob("*.deb")):
        if archive.name.startswith(LIBRARIES):
            _run("dpkg-deb", "-x", str(archive), str(root))
    script.write_text(_script(root, package.name), encoding="utf-8")
    script.chmod(0o755)
    shutil.rmtree(folder / "apt")
    return script


def version(script: Path) -> str:
    """As the server tells it: Redis 7.0.15, say."""
    words = _run(str(script), "--version").split()
    number = next(word for word in words if word.startswith("v=")).removeprefix("v=")
    return f"{words[0]} {number}"


def _lists(package: Package, folder: Path) -> list[str]:
    """Options of apt for lists and archives of our own, as if nothing were installed here."""
    apt = folder / "apt"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    archive = _archive()
    (apt / "sources.list").write_text(
        "".join(
            f"deb [signed-by={KEYRING}] {archive} {release} main\n"
            for release in (package.release, package.also)
            if release
        ),
        encoding="utf-8",
    )
    options = {
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "yes",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    _run("apt-get", *words, "update")
    return words


def _archive() -> str:
    """The archive of Debian that this machine uses itself."""
    form = "$(ORIGIN) $(REPO_URI)"
    for line in _run("apt-get", "indextargets", "--format", form, "Created-By: Packages").split(
        "\n"
    ):
        origin, _, address = line.partition(" ")
        if origin == "Debian" and "security" not in address:
            return address
    raise NotFetched("apt knows no archive of Debian here")


def _script(root: Path, name: str) -> str:
    found = [each for each in root.glob("**/ld-*.so*") if each.is_file()]
    if not found:
        raise NotFetched(f"{root} has no loader")
    loader = min(found, key=lambda each: (each.is_symlink(), str(each)))
    folders = sorted({str(each.parent) for each in root.glob("**/*.so*")})
    server = root / "usr/bin" / name
    return f'#!/bin/sh\nexec {loader} --library-path {":".join(folders)} {server} "$@"\n'


def _run(*words: str) -> str:
    try:
        done = subprocess.run(
            words,
            check=True,
            capture_output=True,
            text=True,
            timeout=FETCH_S,
            env=os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except FileNotFoundError as error:
        raise NotFetched(f"{words[0]} is missing: only Debian's own tools fetch them") from error
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{words[0]} took longer than {FETCH_S:g} s") from error
    except subprocess.CalledProcessError as error:
        raise NotFetched(f"{words[0]}: {error.stderr.strip()[-300:]}") from error
    return done.stdout
