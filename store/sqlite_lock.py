"""One process at a time: the locks of a SQLite file, and whether it is still at its path.

Three locks work together, because each of them alone can be circumvented.

- `<file>.lock` is locked: it names who holds the store, and versions before 0.2 know only this.
- The file itself is locked (flock, which does not touch SQLite's own locks): this holds whatever
  path leads to it (a hard link, a symbolic link, a bind mount) and also when `.lock` was deleted.
- The database itself holds a token of whoever opened it last (`sqlite_files.py`): it is seen also
  where locks do not reach, as between two machines, or when content was copied over it.

The kernel releases the locks with the process, however it ends.
"""

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from store.errors import StoreCorrupt, StoreRefused, StoreTaken, StoreUnavailable

PRIVATE = 0o600
MAGIC = b"SQLite format 3\0"

Identity = tuple[int, int]
"""Device and inode."""

_ours: set[Identity] = set()
"""Files locked by this process. Closing any descriptor of such a file would drop SQLite's own locks
on it, so a second opening here must be refused before it opens one."""


class Lock:
    """Both locks, held until `release`; makes the file, private, where there is none.

    Raises StoreTaken when another process has it, StoreRefused when `.lock` cannot be made,
    StoreUnavailable when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._side = _lock_side(self._path)
        self.created = False
        self._file = -1
        try:
            self._file, self.created = _lock_file(self._path, self._holder())
        except BaseException:
            os.close(self._side)
            raise
        self.identity = _identity(os.fstat(self._file))
        _ours.add(self.identity)
        self._size = 0

    def tokens(self) -> tuple[str, ...]:
        """Which tokens the database may hold: the last holder's, and while it is being opened also
        that of the one before."""
        words = os.pread(self._side, 4096, 0).decode("ascii", "replace").split()
        return tuple(words[1:])

    def write_tokens(self, *tokens: str) -> None:
        """Write into `.lock` who holds it, and which tokens the database may hold."""
        words = "\n".join([str(os.getpid()), *tokens, ""]).encode("ascii")
        os.pwrite(self._side, words, 0)
        os.ftruncate(self._side, len(words))

    def check_path(self) -> None:
        """Raise unless the path still leads to our file.

        StoreUnavailable where it may come back, StoreCorrupt where our file was truncated.
        """
        try:
            found = os.stat(self._path)
        except FileNotFoundError as error:
            raise StoreUnavailable(
                f"{self._path}: the store's file was removed, or its disk unmounted; "
                "put it back, or stop the service and restore a backup"
            ) from error
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: cannot be reached: {error.strerror}") from error
        if _identity(found) != self.identity:
            raise StoreUnavailable(
                f"{self._path}: another file stands in the place of the store's; "
                "put ours back, or stop the service and start it with the new one"
            )
        if found.st_size < self._size:
            raise StoreCorrupt(f"{self._path}: the file was cut while in use")
        self._size = found.st_size

    def check_content(self) -> None:
        """`check_path`, the beginning of the content, and whether it could be written."""
        self.check_path()
        if os.statvfs(self._path).f_flag & os.ST_RDONLY:
            raise StoreUnavailable(f"{self._path}: its file system is read-only")
        if os.pread(self._file, len(MAGIC), 0) != MAGIC:
            raise StoreCorrupt(f"{self._path}: its content was overwritten while in use")

    def release(self) -> None:
        """Let others have it. SQLite's connections must be closed by now."""
        _ours.discard(self.identity)
        os.close(self._file)
        os.close(self._side)

    def _holder(self) -> str:
        return os.pread(self._side, 32, 0).decode("ascii", "replace").partition("\n")[0]


def exposed(path: Path) -> list[str]:
    """Which files of a store others on this machine may read or write, in words."""
    found = []
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", ".lock"))):
        try:
            mode = stat.S_IMODE(one.stat().st_mode)
        except OSError:
            continue
        if mode & 0o077:
            found.append(f"{one} has mode {mode:04o}: others may read it; `chmod 600 {one}`")
    return found


def create_private(path: Path) -> int:
    """A new file, 0600 whatever the umask; its descriptor. Raises FileExistsError, OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    os.fchmod(descriptor, PRIVATE)
    hand_over(descriptor, path.parent)
    return descriptor


def hand_over(descriptor: int, like: Path) -> None:
    """As root: give a file to whom `like` belongs, the service that is to open it."""
    if os.geteuid() == 0:
        owner = like.stat()
        with suppress(OSError):  # not every file system has owners
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _lock_side(path: Path) -> int:
    """A file of its own, never removed: a lock on a removed file would exclude nobody."""
    side = path.with_name(f"{path.name}.lock")
    try:
        try:
            descriptor = create_private(side)
        except FileExistsError:
            descriptor = os.open(side, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise StoreRefused(f"{side}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").partition("\n")[0]
        os.close(descriptor)
        raise _taken(path, holder) from error
    return descriptor


def _lock_file(path: Path, holder: str) -> tuple[int, bool]:
    while True:
        try:
            if _identity(path.stat()) in _ours:
                raise _taken(path, str(os.getpid()))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreUnavailable(f"{path}: unable to open: {error.strerror}") from error
        try:
            descriptor, created = _open(path)
        except OSError as error:
            raise StoreUnavailable(f"{path}: unable to open: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise StoreUnavailable(f"{path}: cannot be locked: {error.strerror}") from error
            raise _taken(path, "" if holder == str(os.getpid()) else holder) from error
        try:
            if _identity(os.fstat(descriptor)) == _identity(path.stat()):
                return descriptor, created
        except FileNotFoundError:
            pass
        os.close(descriptor)  # it was replaced between opening and locking: the next one then


def _open(path: Path) -> tuple[int, bool]:
    try:
        return create_private(path), True
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC), False


def _taken(path: Path, holder: str) -> StoreTaken:
    return StoreTaken(
        f"{path}: in use by another process (pid {holder.strip() or 'unknown'}); one at a time"
    )


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino
