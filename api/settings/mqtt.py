"""The `[mqtt]` table: where the broker is, who we are there, and what is bridged."""

import re
import ssl
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from actors.board.sight import Sight
from api.settings.section import Section
from api.settings.source import UnreadableFile, readable_authorities, secret_line
from api.settings.values import Number, Seconds, Text, Texts

PLAIN_PORT, TLS_PORT = 1883, 8883
# What a topic may hold, but for the wildcards + and #, and the $ of the broker's own.
_TOPIC = re.compile(r"[^+#$\x00-\x20\x7f/]+(/[^+#$\x00-\x20\x7f/]+)*")


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError("must be parts of a topic with / between, without + # $ and blanks")
    return value


def _topic_or_empty(value: str) -> str:
    return _topic(value) if value else value


def _broker_url(url: SecretStr) -> SecretStr:
    """Raises ValueError, whose text does not repeat what may hold a password."""
    try:
        parts = urlsplit(url.get_secret_value())
        port = parts.port
    except ValueError:
        raise ValueError("must be mqtt://HOST[:PORT], or mqtts:// with TLS") from None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or port == 0:
        raise ValueError("must be mqtt://HOST[:PORT], or mqtts:// with TLS")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("has nothing after the port; topics begin with mqtt.prefix")
    return url


BrokerUrl = Annotated[SecretStr, AfterValidator(_broker_url)]
TopicPrefix = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_topic)]
DiscoveryPrefix = Annotated[str, Field(max_length=100), AfterValidator(_topic_or_empty)]


class MqttSection(Section):
    """The bridge to an MQTT broker and Home Assistant; off without a URL."""

    url: BrokerUrl | None = None
    """The broker, as mqtt://HOST:1883, or mqtts://HOST:8883 with TLS; it may hold user and
    password."""
    username: Text | None = None
    """User at the broker, where the URL names none."""
    password: SecretStr | None = None
    """Its password."""
    password_file: Text | None = None
    """A file with the password in its first line, instead of `password`."""
    ca_file: Text | None = None
    """PEM file with the authorities that are trusted instead of the system's; needs mqtts."""
    cert_file: Text | None = None
    """PEM file with our own certificate, where the broker asks for one; needs `key_file`."""
    key_file: Text | None = None
    """PEM file with the key of our certificate."""
    version: Literal["auto", "5", "3.1.1"] = "auto"
    """Of MQTT; `auto` takes 5 where the broker speaks it."""
    client_id: Text | None = None
    """Our name at the broker, under which it keeps orders; unless given made of the prefix. Two
    bridges need two names."""
    prefix: TopicPrefix = "lamplighter"
    """How our topics begin."""
    discovery_prefix: DiscoveryPrefix = "homeassistant"
    """Where Home Assistant looks for devices; empty: nothing is told to it."""
    area_tag: str = Field(default="room", max_length=100)
    """The tag of a light (in ChirpStack) whose value Home Assistant suggests as its area."""
    by: str = Field(default="mqtt", min_length=1, max_length=100)
    """Who is named as the one who gave an order that came by MQTT."""
    applications: Texts = ()
    """Ids or names of the applications whose lights are bridged; empty: of all."""
    tags: Texts = ()
    """`key` or `key=value`: lights with one of these tags are bridged; empty: all."""
    dev_euis: Texts = ()
    """DevEUIs of the lights that are bridged; empty: all."""
    session_s: Seconds = 600.0
    """How long the broker keeps orders for us while we are away (MQTT 5; by 3.1.1 it has its own
    rule)."""
    pace_per_s: Number = Field(default=200.0, ge=1, le=10_000)
    """Messages a second, at most, that tell nothing new: all lights after a start of this service,
    of the broker or of Home Assistant."""

    @property
    def tls(self) -> bool:
        """Whether the broker is spoken to by TLS."""
        return self.url is not None and self.url.get_secret_value().startswith("mqtts:")

    @property
    def client(self) -> str:
        """Our name at the broker."""
        return self.client_id or re.sub(r"[^A-Za-z0-9_-]", "_", f"{self.prefix}-bridge")

    def where(self) -> tuple[str, int]:
        """Host and port. Raises ValueError where no URL is set."""
        if self.url is None:
            raise ValueError("mqtt.url is not set")
        parts = urlsplit(self.url.get_secret_value())
        return parts.hostname or "", parts.port or (TLS_PORT if self.tls else PLAIN_PORT)

    def credentials(self) -> tuple[str | None, str | None]:
        """User and password, of the URL or the settings. Raises UnreadableFile."""
        parts = urlsplit(self.url.get_secret_value() if self.url is not None else "")
        username = unquote(parts.username) if parts.username else self.username
        if parts.password:
            return username, unquote(parts.password)
        if self.password is not None:
            return username, self.password.get_secret_value()
        return username, secret_line(self.password_file) if self.password_file else None

    def context(self) -> ssl.SSLContext | None:
        """For TLS, None without. Raises UnreadableFile for a certificate or key that is none."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            try:
                context.load_cert_chain(self.cert_file, self.key_file)
            except (OSError, ssl.SSLError) as error:
                raise UnreadableFile(f"is no certificate with its key ({error.strerror})") from None
        return context

    def sight(self) -> Sight:
        """Which lights are bridged."""
        return Sight(self.applications, self.tags, tuple(one.lower() for one in self.dev_euis))

    def clashes(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """What cannot work together: field, problem, and the fields that it is between."""
        found: list[tuple[str, str, tuple[str, ...]]] = []
        if self.ca_file is not None and not self.tls:
            between = ("mqtt.ca_file", "mqtt.url")
            found.append(("mqtt", "ca_file without an mqtts:// URL protects nothing", between))
        if (self.cert_file is None) is not (self.key_file is None):
            between = ("mqtt.cert_file", "mqtt.key_file")
            found.append(("mqtt", "cert_file and key_file belong together", between))
        if self.password is not None and self.password_file is not None:
            between = ("mqtt.password", "mqtt.password_file")
            found.append(("mqtt", "give password or password_file, not both", between))
        return found

    def unreadable(self) -> list[tuple[str, str]]:
        """Files that cannot be used, by field."""
        found = []
        for name in ("ca_file", "cert_file", "key_file"):
            file = getattr(self, name)
            if file is not None and (
                problem := readable_authorities(file, any_pem=name != "ca_file")
            ):
                found.append((f"mqtt.{name}", problem))
        if self.password_file is not None:
            try:
                secret_line(self.password_file)
            except UnreadableFile as error:
                found.append(("mqtt.password_file", str(error)))
        return found
