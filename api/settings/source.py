"""Read the files that the settings name: the TOML file itself, and certificates.

Whatever is at a path (a folder, a device, a picture, nothing), the operator is told what is wrong.
"""

import ssl
import tomllib
from pathlib import Path
from typing import Any

FILE_BYTES_MOST = 1_000_000
"""All settings written out are 5 kB. /dev/zero has no end."""

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


class UnreadableFile(Exception):
    """Why a file cannot be used, to be written behind its name."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, with or without a byte order mark. Raises UnreadableFile."""
    data = _bytes(path)
    if data.startswith(_WIDE_MARKS):
        raise UnreadableFile("is UTF-16: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnreadableFile(f"is not UTF-8 (line {line})") from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise UnreadableFile("is not TOML that can be read: it is nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        raise UnreadableFile(f"is not TOML: {error}") from None


def readable_authorities(file: str, *, any_pem: bool = False) -> str:
    """What is wrong with a PEM file of certificates; empty when nothing is. `any_pem` takes a key
    or one's own certificate, too, of which only the reading is tried."""
    try:
        data = _bytes(Path(file))
    except UnreadableFile as error:
        return str(error)
    if b"-----BEGIN " not in data:
        return "is no PEM file"
    if any_pem:
        return ""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=data.decode("ascii", "replace")
        )
    except ssl.SSLError:
        return "holds no certificate that can be read"
    return ""


def secret_line(file: str) -> str:
    """The first line of a file that holds a secret. Raises UnreadableFile."""
    try:
        text = _bytes(Path(file)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile("is not UTF-8") from None
    line = text.partition("\n")[0].rstrip("\r")
    if not line:
        raise UnreadableFile("has no secret in its first line")
    return line


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MOST + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the name
        raise UnreadableFile("is no name of a file") from None
    if len(data) > FILE_BYTES_MOST:
        raise UnreadableFile(f"is larger than {FILE_BYTES_MOST // 1000} kB, which no settings are")
    return data
