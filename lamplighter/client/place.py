"""The address of a service, and the token that is sent to it.

An address that cannot work is refused before anything is sent, and the token is never shown.
"""

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from lamplighter.client.errors import BadAddress, BadToken

DEFAULT_AT = "http://127.0.0.1:8090"
API = "/api/v1"
# What an HTTP header can carry; the service itself asks for more.
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Place:
    """The address without a slash at its end, and the token, if any."""

    at: str
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, at: str, token: str | None = None) -> Self:
        """From what a person gave; `host:port` means http. Raises BadAddress, BadToken."""
        given = at.strip()
        address = given if "://" in given else f"http://{given}"
        try:
            parts = urlsplit(address)
            fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or parts.query or parts.fragment or "@" in parts.netloc or " " in address:
            raise BadAddress(f"{at!r} is no address such as {DEFAULT_AT}")
        if token is not None and not _TOKEN.fullmatch(token):
            raise BadToken("a token has no blanks and only printable ASCII characters")
        return cls(address.rstrip("/").removesuffix(API).rstrip("/"), token or None)

    @property
    def live(self) -> str:
        """The URL of the live websocket."""
        scheme, _, rest = self.at.partition("://")
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}{API}/live"

    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}
