"""What the facts of ChirpStack and the radio mean, in words with a remedy.

Pure: facts and the time come in, findings go out. Nothing is called right that was not checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from api.cli.doctor.finding import Diagnosis, ok, problem, unknown, warning
from api.cli.show.times import span
from api.webhooks.endpoint import KIND_BY_PATH
from lorawan.airtime import Region, downlink_airtime_s
from lorawan.chirpstack.inspection import ProfileInfo
from lorawan.chirpstack.integration import masked_url, split_urls
from lorawan.events.model import Modulation
from lorawan.network import (
    DeviceState,
    GatewayInfo,
    HttpIntegration,
    NetworkError,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkUnavailable,
)

COMMAND_BYTES = 6
"""A colour with the byte that asks for an answer."""
SLOW_PER_HOUR = 600
"""Below ten commands a minute and gateway, a rollout to a few hundred lights takes most of an
hour."""
CLOCK_S = 5.0
FASTER_SF = 9
NO_GRPC = ("Failed parsing HTTP/2", "http1.x server")
"""What gRPC says of a web server, and of a port that wants TLS, while it connects."""


def unreached(error: NetworkError, target: str, *, tls: bool, tenant_id: str | None) -> Diagnosis:
    """Why nothing can be asked of ChirpStack."""
    check = "ChirpStack"
    if isinstance(error, NetworkForbidden):
        if tenant_id is None:
            return problem(
                "API key",
                "ChirpStack refuses our API key for the list of tenants: it is a tenant's key, or"
                " was revoked",
                "set chirpstack.tenant_id to the id of that tenant, or make a new key",
            )
        return problem(
            "API key",
            f"ChirpStack refuses our API key for tenant {tenant_id}: revoked, or another tenant's",
            "make a key of that tenant, or correct chirpstack.tenant_id",
        )
    if isinstance(error, NetworkRefused):
        return problem(
            "API key",
            "ChirpStack refuses our API key",
            "make a new API key in ChirpStack and set chirpstack.api_key",
        )
    if isinstance(error, NetworkIntermediary) or any(part in str(error) for part in NO_GRPC):
        return problem(
            check,
            f"what answers at {target} is not ChirpStack: {error}",
            "check chirpstack.target, whether a proxy there passes gRPC on to ChirpStack v4, and"
            " chirpstack.tls",
        )
    if isinstance(error, NetworkUnavailable):
        other = "the server may speak plain HTTP/2" if tls else "a proxy may want chirpstack.tls"
        return problem(
            check,
            f"{target} is not reached: {error}",
            f"check chirpstack.target (host:port of the gRPC API) and firewalls; {other}",
        )
    if isinstance(error, NetworkInvalid):
        return problem(
            check,
            f"what answers at {target} does not behave like ChirpStack v4: {error}",
            "check chirpstack.target and chirpstack.tenant_id",
        )
    return problem(check, f"it fails inside: {error}", "look into ChirpStack's own log")


def rights(may_write: bool | None) -> Diagnosis:
    """Whether the key may send; None: there is no light to ask about."""
    check = "API key"
    if may_write is None:
        return unknown(check, "it may read; its right to write cannot be probed without a light")
    if may_write:
        return ok(check, "it may read and write (probed with a request that is always refused)")
    return problem(
        check,
        "it is read-only: no downlink can be queued with it",
        "make an API key that may write; read-only is a tick box when it is made",
    )


def profiles(found: Sequence[ProfileInfo], region: str) -> Iterator[Diagnosis]:
    """Whether the lights' profiles make them Class C."""
    for profile in found:
        check, name = "profile", f"{profile.name!r}"
        if not profile.class_c:
            yield problem(
                check,
                f"{name} does not have Class C enabled: lights hear nothing between uplinks",
                "enable Class C in the profile, then let every light join again (power it off)",
            )
        elif profile.class_b:
            yield problem(
                check,
                f"{name} has Class B ticked as well: the first uplink turns Class C off",
                "untick Class B in the profile, then let every light join again",
            )
        elif not profile.mac_version.startswith("LORAWAN_1_0"):
            yield warning(
                check,
                f"{name} is {profile.mac_version}; the lights speak LoRaWAN 1.0.x",
                "choose the LoRaWAN 1.0.3 MAC version in the profile",
            )
        elif profile.region != region:
            yield warning(
                check,
                f"{name} is of region {profile.region}, the settings say {region}",
                "set radio.region to the region of the network",
            )
        else:
            yield ok(
                check,
                f"{name}: Class C without Class B, {profile.mac_version}, {profile.region};"
                f" class_c_timeout {profile.class_c_timeout_s} s (for confirmed downlinks only,"
                " which are not used)",
            )


def lights(
    total: int, states: Sequence[DeviceState], now: float, silent_s: float, contains: str
) -> Iterator[Diagnosis]:
    """Whether there are lights, in Class C, and heard lately."""
    if not total:
        yield problem(
            "lights",
            f"no device has a profile whose name contains {contains!r}",
            "name the lights' profile so, or set chirpstack.profile_contains",
        )
        return
    if not states:
        yield unknown("lights", f"{total} listed; none could be looked at")
        return
    off = [each.name or each.dev_eui for each in states if each.disabled]
    if off:
        yield problem(
            "lights",
            f"disabled in ChirpStack, so nothing is sent to them: {_some(off)}",
            "enable them in ChirpStack, or delete them there",
        )
    states = [each for each in states if not each.disabled]
    if not states:
        return
    total -= len(off)
    part = "" if len(states) == total else f" (looked at {len(states)} of {total})"
    seen = [each.last_seen_at for each in states if each.last_seen_at is not None]
    silent = [at for at in seen if now - at > silent_s]
    never = len(states) - len(seen)
    heard = len(seen) - len(silent)
    counts = f"{heard} of {len(states)} heard in the last {span(silent_s)}{part}"
    details = f"{counts}, {len(silent)} silent, {never} never heard"
    if not heard:
        yield problem("lights", details, "check power, join keys and gateways of the lights")
    elif silent or never:
        yield warning("lights", details, "`lamplighter devices --sort heard` names them")
    else:
        yield ok("lights", counts)
    joined = [each for each in states if each.last_seen_at is not None]
    wrong = [each.dev_eui for each in joined if each.device_class != "CLASS_C"]
    if wrong:
        yield problem(
            "Class C",
            f"not active at {_some(wrong)}",
            "they joined before Class C was enabled: power them off and on",
        )
    elif joined:
        yield ok("Class C", f"active at all {len(joined)} that were heard")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def rx2(
    region: Region,
    dr: int | None,
    seen: Mapping[Modulation, int],
    elsewhere: Mapping[int, int] = MappingProxyType({}),
) -> Iterator[Diagnosis]:
    """What RX2 costs. `seen` counts what ChirpStack really sent in RX2 lately, `elsewhere` what it
    sent on other frequencies (Hz)."""
    assumed = region.rx2(dr)
    number = region.rx2_dr if dr is None else dr
    airtime_s = downlink_airtime_s(COMMAND_BYTES, assumed)
    label = f"DR{number} (SF{assumed.spreading_factor})"
    if region.duty_cycle is None:
        yield ok(
            "RX2", f"{label}: {airtime_s * 1000:.0f} ms a command; {region.name} has no duty cycle"
        )
    else:
        per_hour = int(3600 * region.duty_cycle / airtime_s)
        says = (
            f"{label}: {airtime_s * 1000:.0f} ms a command, {per_hour} commands an hour and"
            f" gateway at {100 * region.duty_cycle:.3g} %"
        )
        faster = _faster(region)
        better = int(
            3600 * region.duty_cycle / downlink_airtime_s(COMMAND_BYTES, region.rx2(faster))
        )
        if per_hour < SLOW_PER_HOUR and better > per_hour:
            yield warning(
                "RX2",
                says,
                f"set rx2_dr={faster} in ChirpStack's region file and radio.rx2_dr = {faster}:"
                f" {better} an hour. A light takes it over with the answer to its next uplink, and"
                " ChirpStack with the uplink after that: between the two it hears no command",
            )
        else:
            yield ok("RX2", says)
    yield _rx2_in_use(region, assumed, seen, elsewhere)


def _faster(region: Region) -> int:
    """The data rate of SF9, which still reaches about twice as far as SF7."""
    rates = region.downlink_data_rates.items()
    return next(dr for dr, rate in sorted(rates) if rate.spreading_factor == FASTER_SF)


def _rx2_in_use(
    region: Region,
    assumed: Modulation,
    seen: Mapping[Modulation, int],
    elsewhere: Mapping[int, int],
) -> Diagnosis:
    check = "RX2 in use"
    if seen:
        if set(seen) == {assumed}:
            return ok(check, f"the last {sum(seen.values())} downlinks went out like that")
        used = ", ".join(sorted(map(_rate, seen)))
        return problem(
            check,
            f"ChirpStack sends with {used}, the settings reckon with {_rate(assumed)}",
            "set radio.rx2_dr to what the network uses: airtime is reckoned wrongly. Just after a"
            " change in ChirpStack both are seen until every light has sent an uplink",
        )
    if elsewhere:
        most = max(elsewhere, key=lambda frequency_hz: elsewhere[frequency_hz])
        return warning(
            check,
            f"none of the last {sum(elsewhere.values())} downlinks was sent on"
            f" {region.rx2_frequency_hz} Hz, most on {most} Hz",
            f"if ChirpStack's region file says so, set radio.rx2_frequency_hz = {most}",
        )
    return unknown(check, "ChirpStack keeps no downlink of late to compare with")


def _rate(modulation: Modulation) -> str:
    width = modulation.bandwidth_hz // 1000
    return f"SF{modulation.spreading_factor}" + ("" if width == 125 else f" at {width} kHz")


def integrations(found: Mapping[str, HttpIntegration | None]) -> Iterator[Diagnosis]:
    """Whether the applications (by name) send their events to a webhook of ours."""
    setup = "run `lamplighter setup --url https://THIS-SERVICE/api/v1/webhooks/chirpstack`"
    for name, integration in found.items():
        if integration is None:
            yield problem("integration", f"application {name!r} has no HTTP integration", setup)
            continue
        ours = our_urls(integration)
        if not ours:
            urls = ", ".join(map(masked_url, split_urls(integration.event_endpoint_url))) or "none"
            yield problem("integration", f"application {name!r} sends to {urls}, not to us", setup)
        elif len(ours) > 1:
            yield warning(
                "integration",
                f"application {name!r} sends every event to us {len(ours)} times",
                "remove the older URLs in ChirpStack",
            )
        else:
            yield ok("integration", f"application {name!r} sends to {masked_url(ours[0])}")


def our_urls(integration: HttpIntegration) -> list[str]:
    """Those of its URLs that end like our webhook's path, a prefix of a proxy allowed."""
    paths = tuple(KIND_BY_PATH)
    urls = split_urls(integration.event_endpoint_url)
    return [url for url in urls if _path(url).rstrip("/").endswith(paths)]


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # what others wrote there need not be a URL
        return ""


def webhook(url: str, status: int | None, error: str, *, ours: bool = True) -> Diagnosis:
    """How our webhook answered an empty delivery with the integration's own headers. `ours` tells
    whether the answer is a problem as we write them: somebody else refuses such a request, too."""
    check, place = "webhook", masked_url(url)
    if status is None:
        return problem(
            check,
            f"{place} does not answer from here: {error}",
            "start `lamplighter serve`; from ChirpStack's machine try `curl -X POST` on it",
        )
    if 300 <= status < 400:
        return problem(
            check,
            f"{place} answers with a redirect ({status}): ChirpStack follows it, mostly with GET,"
            " and the event is lost",
            "run `lamplighter setup` with the address that the redirect names",
        )
    if status >= 400 and not ours:
        return problem(
            check, f"{place} answers {status}, which is not ours", "check proxy and path"
        )
    if status == 401:
        return problem(check, f"{place} refuses the token", "run `lamplighter setup` again")
    if status == 403:
        return problem(
            check, f"{place} refuses: the token is not of scope webhook", "run `lamplighter setup`"
        )
    if status in {400, 422}:
        return ok(check, f"{place} answers, and accepts the token (seen from here)")
    return problem(check, f"{place} answers {status}, which is not ours", "check proxy and path")


def gateways(found: Sequence[GatewayInfo], now: float, offline_s: float) -> Diagnosis:
    """Whether gateways are online."""
    if not found:
        return problem("gateways", "ChirpStack lists none for this key", "check tenant_id and key")
    seen = {each.gateway_id: each.last_seen_at for each in found}
    off = [
        each.name or each.gateway_id
        for each in found
        if each.last_seen_at is None or now - each.last_seen_at > offline_s
    ]
    if len(off) == len(seen):
        return problem("gateways", f"all {len(off)} are offline", "check power, network and broker")
    if off:
        names = ", ".join(off[:5]) + (" ..." if len(off) > 5 else "")
        return warning(
            "gateways", f"{len(off)} of {len(seen)} offline: {names}", "check power and network"
        )
    return ok("gateways", f"all {len(seen)} online")


def clock(found: Sequence[GatewayInfo], states: Sequence[DeviceState], now: float) -> Diagnosis:
    """ChirpStack's newest time stamp cannot lie in the future of a right clock."""
    seen = [each.last_seen_at for each in found] + [each.last_seen_at for each in states]
    stamps = [at for at in seen if at is not None]
    if not stamps:
        return unknown("clock", "ChirpStack has no time stamp to compare with")
    ahead = max(stamps) - now
    if ahead > CLOCK_S:
        return problem(
            "clock",
            f"ChirpStack's newest time stamp lies {span(ahead)} in the future",
            "one of the two clocks is wrong: run NTP on both machines",
        )
    return ok("clock", f"ChirpStack's newest time stamp is {span(-ahead)} old")


def version(lists_profiles: bool | None) -> Diagnosis:
    """What can be told of the version; an API key may not ask for it."""
    check = "version"
    if lists_profiles is None:
        return unknown(check, "nothing to infer it from (API keys may not ask)")
    if lists_profiles:
        return unknown(
            check,
            "4.12 or newer (API keys may not ask for more); below 4.19 gateways are chosen by the"
            " last uplink only",
        )
    return warning(
        check,
        "older than 4.12: profiles cannot be listed; before 4.10.1 expiry is ignored, and an item"
        " that cannot be sent blocks its queue for ever",
        "update ChirpStack to 4.12 or newer",
    )
