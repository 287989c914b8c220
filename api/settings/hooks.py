"""The `[hooks]` table: where events may be posted to."""

import ipaddress
import ssl
from typing import Annotated

from pydantic import AfterValidator, Field

from api.hooks.guard import Guard
from api.settings.section import Section
from api.settings.source import UnreadableFile, readable_authorities
from api.settings.values import Number, Text, Texts


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    made = []
    for value in values:
        try:
            made.append(str(ipaddress.ip_network(value)))
        except ValueError:
            raise ValueError("must be networks like 10.1.0.0/16 or fd00::/8") from None
    return tuple(made)


class HooksSection(Section):
    """Where events may be posted to (`/api/v1/hooks`)."""

    allow_networks: Annotated[Texts, AfterValidator(_networks)] = ()
    """Networks, as 10.1.0.0/16, that may be posted to though they are private, loopback or the
    like; without them public addresses only."""
    allow_http: bool = False
    """Whether a receiver may be posted to without TLS, as http://."""
    ca_file: Text | None = None
    """PEM file with the authorities that are trusted instead of the system's."""
    timeout_s: Number = Field(default=10.0, ge=1.0, le=30.0)
    """How long a receiver has to answer."""

    def guard(self) -> Guard:
        """The rules."""
        networks = tuple(ipaddress.ip_network(one) for one in self.allow_networks)
        return Guard(networks, self.allow_http)

    def context(self) -> ssl.SSLContext:
        """Whom to trust. Raises OSError for a file that is gone meanwhile."""
        return ssl.create_default_context(cafile=self.ca_file)

    def unreadable(self) -> list[tuple[str, str]]:
        """Files that cannot be used, by field."""
        if self.ca_file is None:
            return []
        try:
            problem = readable_authorities(self.ca_file)
        except UnreadableFile as error:
            problem = str(error)
        return [("hooks.ca_file", problem)] if problem else []
