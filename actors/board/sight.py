"""Which lights a caller may see: all of them, or those of applications, tags or a list. Pure.

What a caller may not see does not exist for it. The three kinds of limits are combined as filters
are: a light has to satisfy each kind that is given, by any one of its values.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from actors.device.model import Device


class Sighted(Protocol):
    """What of a light decides whether it is seen."""

    @property
    def dev_eui(self) -> str:
        """In lower case."""
        ...

    @property
    def application_id(self) -> str:
        """As ChirpStack says."""
        ...

    @property
    def application_name(self) -> str:
        """Likewise."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """Likewise."""
        ...


class Sight(msgspec.Struct, frozen=True):
    """The lights that may be seen; without any limit all of them."""

    applications: tuple[str, ...] = ()
    """By id or name, as ChirpStack says."""
    tags: tuple[str, ...] = ()
    """`key=value`, or `key` alone for any value."""
    dev_euis: tuple[str, ...] = ()
    """In lower case."""

    @property
    def limited(self) -> bool:
        """Whether there may be lights that are not seen."""
        return bool(self.applications or self.tags or self.dev_euis)

    def sees(self, device: Sighted) -> bool:
        """Whether this light exists for the caller."""
        if self.dev_euis and device.dev_eui not in self.dev_euis:
            return False
        if self.applications and not (
            device.application_id in self.applications
            or device.application_name in self.applications
        ):
            return False
        return not self.tags or any(_bears(device, tag) for tag in self.tags)

    def sees_unknown(self, dev_eui: str) -> bool:
        """Whether a light that is known no longer, so without application and tags, is seen."""
        if self.applications or self.tags:
            return False
        return not self.dev_euis or dev_eui in self.dev_euis

    def of(self, devices: Iterable[Device]) -> Iterator[Device]:
        """Those of these lights that are seen."""
        return iter(devices) if not self.limited else (d for d in devices if self.sees(d))


EVERYTHING = Sight()
"""No limit."""


def _bears(device: Sighted, tag: str) -> bool:
    key, has_value, value = tag.partition("=")
    return key in device.tags and (not has_value or device.tags[key] == value)
