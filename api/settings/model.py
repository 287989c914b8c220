"""All that an operator can set, with defaults that are safe.

Making a settings object reads nothing but its arguments; `file.py` reads the file and the
environment. Secrets are SecretStr and never show. Times are seconds.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from actors.alerts.finding import AlertKind
from actors.device.policy import Policy
from api.http.auth import Credential, People
from api.settings.callers import HeaderName, Sights, Tokens, Users, people_of
from api.settings.hooks import HooksSection
from api.settings.mqtt import MqttSection
from api.settings.section import Section
from api.settings.values import (
    ApiKey,
    AppriseUrls,
    Bind,
    Hosts,
    Networks,
    Number,
    Origins,
    PathPrefix,
    PolicyValue,
    RegionName,
    Seconds,
    StoreUrl,
    StreamUrl,
    Target,
    Text,
    Whole,
    a_time_zone,
    is_loopback,
)
from lorawan.airtime import Region, region
from lorawan.chirpstack.settings import ChirpStackSettings


class EventStreamSection(Section):
    """ChirpStack's own stream of events, in its Redis."""

    url: StreamUrl | None = None
    """ChirpStack's Redis or Valkey, as `[redis] servers` of chirpstack.toml names it: redis://,
    rediss://, unix://, or redis+cluster://HOST:PORT,HOST:PORT; it may hold a password. Events are
    then read from there, and none is lost while the service is down; webhooks may stay."""
    prefix: str = Field(default="", max_length=100, pattern=r"^[ -~]*$")
    """`key_prefix` of ChirpStack's `[redis]` section."""

    def address(self) -> tuple[str, str]:
        """URL (empty where none is set) and prefix."""
        return (self.url.get_secret_value() if self.url is not None else ""), self.prefix


class ChirpStack(Section):
    """The network server."""

    target: Target
    """`host:port` of ChirpStack's gRPC API, without a scheme."""
    api_key: ApiKey
    """An API key of the tenant or of the server; it must be allowed to write."""
    tls: bool = False
    """Whether to speak TLS to ChirpStack, as behind a proxy that ends it."""
    ca_file: Text | None = None
    """PEM file with the authorities that are trusted instead of the system's; needs `tls`."""
    tenant_id: Text | None = None
    """The tenant whose devices and gateways are used; needed with a tenant's API key."""
    profile_contains: Text = "kuando"
    """Lights are the devices whose profile's name contains this, in any case of letters."""
    events: EventStreamSection = EventStreamSection()
    """Where events are read from besides the webhooks."""

    def connection(self) -> ChirpStackSettings:
        """The same for the client of the network server."""
        return ChirpStackSettings(
            target=self.target,
            api_key=self.api_key.get_secret_value(),
            tls=self.tls,
            ca_file=self.ca_file,
            tenant_id=self.tenant_id,
        )


class StoreSettings(Section):
    """Where state is kept."""

    url: StoreUrl = SecretStr("sqlite:///lamplighter.db")
    """`sqlite:///PATH` for one process; for any number (docs/cluster.md)
    `redis://HOST:PORT/DATABASE`, `unix:///PATH`, `redis+sentinel://HOST:PORT,.../NAME/DATABASE` or
    `redis+cluster://HOST:PORT,...`, over TLS with `rediss`; it may hold a password."""
    audit_days: Whole = Field(default=90, ge=1, le=3_660)
    """Days after which who did what (the audit) is deleted."""


class ClusterSection(Section):
    """This process as one of those that serve a fleet together; only with a store that processes
    share (Redis or Valkey)."""

    name: Text | None = None
    """Of this process, for people; unless given the host's name."""
    processes: Whole | None = Field(default=None, ge=1, le=100)
    """How many there should be, the same for all of them; an alert tells when fewer are alive."""
    need: Whole | None = Field(default=None, ge=0, le=5)
    """Replicas that confirm each commit; unless given none of a server alone, else one."""
    unsafe: bool = False
    """Start also where the engine may lose what it acknowledged."""


class Web(Section):
    """The HTTP server. Without tokens it serves loopback only."""

    bind: Bind = "127.0.0.1"
    """Address or host name to listen on; one that is not loopback needs tokens."""
    port: Whole = Field(default=8090, ge=0, le=65_535)
    """TCP port to listen on; 0 takes a free one."""
    tokens: Tokens = Tokens()
    origins: Origins = ()
    """Origins (`https://host[:port]`) besides our own whose pages may act: where a proxy in front
    changes the Host."""
    base_path: PathPrefix = ""
    """A path prefix that a proxy in front leaves on what it hands to us, as `/lamp`."""
    hosts: Hosts = ()
    """Names besides localhost under which we are reached, asked only while there is no token."""
    trusted_proxies: Networks = ()
    """Addresses or networks of proxies whose X-Forwarded-For, -Host and -Port (or Forwarded) are
    trusted. A proxy named here has to set or remove these headers itself."""
    trusted_user_header: HeaderName | None = None
    """The header by which such a proxy names the person whom it signed in, as `X-Forwarded-User` or
    `Remote-User`. From anybody else it is as if it were not there. The proxy has to set or remove
    it itself."""
    users: Users = Field(default={})
    """What these people may do, by name: `viewer` or `operator`."""
    users_others: Literal["none", "viewer", "operator"] = "none"
    """What people may do whom the proxy signed in and `users` does not name."""
    sight: Sights = Field(default={})
    """The lights that a token or a person of this name may see, by `applications` (id or name),
    `tags` (`key=value`) and `dev_euis`: one value of each kind that is given has to fit. All others
    do not exist for it; a name that is not here sees all."""
    rate_per_s: Number = Field(default=20.0, ge=0.001, le=1_000_000)
    """Requests of one address (of IPv6 a /64) in the long run that show no valid token."""
    rate_burst: Whole = Field(default=100, ge=1, le=1_000_000)
    """Requests of one address at once that show no valid token. Pages and webhooks are free."""
    token_rate_per_s: Number = Field(default=200.0, ge=0.001, le=1_000_000)
    """Requests of one token from one address in the long run: a fifth of what one core answers."""
    token_rate_burst: Whole = Field(default=1_000, ge=1, le=1_000_000)
    """Requests of one token from one address at once: 25 dashboards behind one proxy that open
    together make 250."""
    connections_most: Whole = Field(default=4_000, ge=10, le=100_000)
    """Open connections: twenty times `live_clients_most`, at 20 to 40 kB each. When there are more,
    one that never showed a valid token is closed for each that comes."""
    connections_unproven_most: Whole = Field(default=2_000, ge=1, le=100_000)
    """Of those, from one address without a valid token. Half of all, so that one address does not
    push out the others; not less, since to keep an idle connection costs less than to close it and
    accept the next one."""
    wait_default_s: Number = Field(default=120.0, ge=0.05, le=3600)
    """How long a command's caller waits for the verdict unless the request says otherwise."""
    wait_most_s: Number = Field(default=180.0, ge=0.05, le=3600)
    """The longest that a command's caller may wait for the verdict."""
    handler_s: Number = Field(default=12.0, ge=0.05, le=3600)
    """Every other request is answered within this: what it asks for takes about 10 s at most."""
    graceful_s: Number = Field(default=4.0, ge=0.05, le=3600)
    """At shutdown, for requests that are being answered; what still runs then is answered 503. With
    everything else that ends, a stop takes less than 10 s, as one of several processes less than
    17 s, whatever hangs."""
    body_bytes_most: Whole = Field(default=256_000, ge=1_024, le=16_000_000)
    """Largest body of a request: an uplink heard by 50 gateways is 30 kB."""
    body_timeout_s: Seconds = 10.0
    """A body that has not arrived whole within this is refused."""
    keep_alive_s: Seconds = 10.0
    """An idle connection, and one that drips its headers, is closed after this."""
    unread_s: Number = Field(default=10.0, ge=0.5, le=600)
    """A peer that takes no data for so long is disconnected (TCP_USER_TIMEOUT)."""
    ping_s: Seconds = 20.0
    """Between pings on an open websocket."""
    live_clients_most: Whole = Field(default=200, ge=1, le=10_000)
    """Live websockets open at once; one more is refused."""
    live_queue: Whole = Field(default=1_000, ge=1, le=10_000)
    """Changes waiting for one live client; one that falls behind further is dropped."""

    def gatekeeper(self) -> tuple[list[Credential], People | None]:
        """Who may come in: tokens, and people where a proxy signs them in."""
        signs_in = self.trusted_user_header is not None
        people = people_of(self.users, self.users_others, self.sight) if signs_in else None
        return self.tokens.credentials(self.sight), people

    @property
    def guarded(self) -> bool:
        """Whether anybody is asked who they are."""
        return self.tokens.configured or self.trusted_user_header is not None

    @property
    def loopback(self) -> bool:
        """Whether `bind` is reached from this machine only."""
        return is_loopback(self.bind)


class RadioSettings(Section):
    """The region's airtime rules."""

    region: RegionName = "EU868"
    """LoRaWAN region of the lights' profile, by the Alliance's name (`AS923-2`) or ChirpStack's id
    (`as923_2`); its airtime rules hold."""
    rx2_dr: Whole | None = Field(default=None, ge=0, le=15)
    """Data rate of RX2 where ChirpStack's region file differs from the plan (EU868: DR0)."""
    rx2_frequency_hz: Whole | None = Field(default=None, ge=1, le=2_500_000_000)
    """Frequency of RX2 where ChirpStack's region file differs from the plan."""
    duty: Number | None = Field(default=None, gt=0, le=1)
    """Share of an hour that one gateway may send; unless given that of RX2's band (EU868: 0.1)."""

    def plan(self) -> Region:
        """The region with what the operator changed. Raises UnknownRegion for a frequency that
        lies outside it."""
        plan = region(self.region)
        if self.rx2_frequency_hz is not None:
            plan = plan.at(self.rx2_frequency_hz)
        return plan if self.duty is None else plan.with_duty(self.duty)


class Gateways(Section):
    """The gateway watcher."""

    poll_s: Seconds = 30.0
    """Time between two lists of gateways asked of ChirpStack while all is well."""
    offline_after_s: Seconds = 300.0
    """A gateway without a sign of life for so long, or for three and a half of its own statistics
    intervals where that is longer, counts as offline."""


class DispatchSettings(Section):
    """How fast frames go out."""

    pace: Literal["measured", "fixed"] = "measured"
    """`measured`: as fast as what was learned of lights and gateways allows, slower on evidence;
    `fixed`: one frame at a time, with `answer_delay_s`."""
    answer_delay_s: Number = Field(default=0.35, ge=0.0, le=60)
    """With a fixed pace: room for each answer to begin, counted from the end of its frame."""
    tick_s: Number = Field(default=1.0, ge=0.01, le=60)
    """Interval of ChirpStack's scheduler (`[network.scheduler] interval`), until it is measured."""


class CalibrationSection(Section):
    """Measuring how soon lights answer and how long forwarders wait."""

    automatic: bool = True
    """Whether a new firmware or forwarder is probed by itself while nothing waits to be sent: five
    lights are sent twice the colour that they show. `lamplighter calibrate` works in any case."""


class Alerts(Section):
    """Where alerts are sent, and how often while they last."""

    urls: AppriseUrls = ()
    """Apprise URLs (webhooks, mail, chat) that every alert is sent to; they may hold secrets."""
    repeat_s: Seconds = 3_600.0
    """An alert that stays open, and that nobody acknowledged, is told again after this."""
    light_at_risk: bool = True
    """Whether a light that a rule warns of is alerted; it is shown with its warning in any case."""
    gateway_poor: bool = True
    """Whether a gateway that is graded D is alerted; its grade is shown in any case."""

    def off(self) -> frozenset[AlertKind]:
        """The kinds that are not wanted."""
        wanted = {
            AlertKind.LIGHT_AT_RISK: self.light_at_risk,
            AlertKind.GATEWAY_POOR: self.gateway_poor,
        }
        return frozenset(kind for kind, on in wanted.items() if not on)


class Site(Section):
    """The place where the lights are."""

    time_zone: Annotated[str, AfterValidator(a_time_zone)] = "UTC"
    """IANA name (`Europe/Berlin`): schedules go by it, daylight saving included, unless they have
    one of their own."""


class Logs(Section):
    """What is logged to standard error, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe lines that are written."""
    format: Literal["auto", "console", "json"] = "auto"
    """`console` is for people, `json` for programs; `auto` is `console` on a terminal and `json`
    elsewhere."""


class Tables(Section):
    """All tables, each right by itself. Raises pydantic.ValidationError with every mistake."""

    chirpstack: ChirpStack
    store: StoreSettings = StoreSettings()
    cluster: ClusterSection = ClusterSection()
    web: Web = Web()
    radio: RadioSettings = RadioSettings()
    gateways: Gateways = Gateways()
    dispatch: DispatchSettings = DispatchSettings()
    policy: PolicyValue = Policy()
    calibration: CalibrationSection = CalibrationSection()
    alerts: Alerts = Alerts()
    mqtt: MqttSection = MqttSection()
    hooks: HooksSection = HooksSection()
    site: Site = Site()
    logs: Logs = Logs()


class ApiSettings(Tables):
    """All settings, right also together. Raises pydantic.ValidationError."""

    @model_validator(mode="after")
    def _together(self) -> "ApiSettings":
        from api.settings.consistency import clashes

        found = [
            InitErrorDetails(
                # braces would be taken for a template's
                type=PydanticCustomError("together", "{problem}", {"problem": clash.problem}),
                loc=tuple(clash.field.split(".")),
                input=None,
            )
            for clash in clashes(self)
        ]
        if found:
            raise ValidationError.from_exception_data("ApiSettings", found, hide_input=True)
        return self
