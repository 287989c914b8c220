"""The version that every record carries, so that a program knows what it cannot know.

The number stands first in the JSON object. It is raised when an older program would misread what a
newer one wrote. Fields with defaults do not need that; nor does a new word of an enumeration, which
an older program refuses (it keeps the record as it is, and tells), while a raised number would have
it refuse every record. A record without one was written by 0.1.0.
"""

import re

import msgspec

VERSION = 1

_PREFIX = b'{"v":%d,' % VERSION
_FOUND = re.compile(rb'\{"v":(\d{1,9})[,}]')


class RecordTooNew(msgspec.ValidationError):
    """A newer version wrote this record."""


def stamped(encoded: bytes) -> bytes:
    """A JSON object with its version."""
    return _PREFIX + encoded[1:]


def checked(value: bytes) -> bytes:
    """The same bytes. Raises RecordTooNew for a version above ours."""
    found = _FOUND.match(value)
    if found is not None and int(found[1]) > VERSION:
        raise RecordTooNew(f"version {int(found[1])} of a newer program; this one knows {VERSION}")
    return value
