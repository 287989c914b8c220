"""Write the settings file whole or not at all, readable by nobody else."""

import os
import secrets
from pathlib import Path
from typing import Self

MODE = 0o600


class NotWritten(Exception):
    """Why the file is not there, in words."""


def check_free(path: Path, *, force: bool) -> None:
    """Raise NotWritten where the file may not be written, before anybody is asked anything."""
    if not path.parent.is_dir():
        raise NotWritten(f"the folder {path.parent} does not exist: create it first")
    if path.is_dir():
        raise NotWritten(f"{path} is a folder: name a file")
    if path.exists() and not force:
        raise NotWritten(f"{path} is there already: --force replaces it")
    if not os.access(path.parent, os.W_OK):
        raise NotWritten(f"the folder {path.parent} cannot be written")


class NewFile:
    """A file beside the wanted one, which takes its place at once or vanishes. A context manager;
    whatever ends the block, no half of a file stays."""

    def __init__(self, path: Path, *, force: bool) -> None:
        self._path = path
        self._force = force
        self.draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.draft.unlink(missing_ok=True)

    def write(self, text: str) -> None:
        """The draft, to be looked at. Raises NotWritten."""
        try:
            descriptor = os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NotWritten(f"{self._path} cannot be written: {error.strerror}") from None

    def keep(self) -> None:
        """The draft becomes the file. Raises NotWritten, also where another one came meanwhile."""
        try:
            if self._force or not self._linked():
                self.draft.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError:
            raise NotWritten(f"{self._path} is there already: --force replaces it") from None
        except OSError as error:
            raise NotWritten(f"{self._path} cannot be written: {error.strerror}") from None

    def _linked(self) -> bool:
        """Whether the draft has the name now; unlike a rename this replaces nothing. Raises
        FileExistsError; False where the file system has no second names."""
        try:
            os.link(self.draft, self._path)
        except FileExistsError:
            raise
        except OSError:
            if self._path.exists():
                raise FileExistsError from None
            return False
        return True
