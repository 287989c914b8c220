"""Whether settings that are each right by themselves also work together.

A clash names the settings that it comes from, so that it is not reported where one of them is wrong
by itself already, and is reported beside all other mistakes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from api.http.auth import Scope
from api.settings.model import RadioSettings, Tables, Web
from api.settings.mqtt import MqttSection
from lorawan.airtime import UnknownRegion, downlink_airtime_s, region
from lorawan.kuando import FRAME_BYTES_MOST
from store.engine.open import is_shared

HOUR_S = 3_600


class Clash(NamedTuple):
    """Settings that exclude each other; `field` is where it is reported, dotted as in the file."""

    field: str
    problem: str
    between: tuple[str, ...]


def clashes(tables: Tables) -> Iterator[Clash]:
    """Everything that cannot work together."""
    chirpstack = tables.chirpstack
    if chirpstack.ca_file is not None and not chirpstack.tls:
        yield Clash(
            "chirpstack",
            "ca_file without tls would trust nobody and protect nothing",
            ("chirpstack.ca_file", "chirpstack.tls"),
        )
    yield from _store(tables)
    yield from _web(tables.web)
    yield from _radio(tables.radio)
    yield from mqtt_clashes(tables.mqtt)


def _store(tables: Tables) -> Iterator[Clash]:
    """Several processes, each on a store of its own, would command the same lights."""
    if is_shared(tables.store.url.get_secret_value()):
        return
    cluster = tables.cluster
    if (cluster.processes or 1) > 1 or cluster.need:
        yield Clash(
            "cluster",
            "several processes, or replicas that confirm, need a store that processes share, and "
            "store.url names one of a single process: see docs/cluster.md",
            ("store.url", "cluster.processes", "cluster.need"),
        )


def mqtt_clashes(mqtt: MqttSection) -> Iterator[Clash]:
    """Of the bridge."""
    return (Clash(*each) for each in mqtt.clashes())


def _web(web: Web) -> Iterator[Clash]:
    tokens = ("web.tokens.viewer", "web.tokens.operator", "web.tokens.webhook")
    yield from _callers(web)
    if not web.loopback and not web.guarded:
        yield Clash(
            "web",
            f"bind {web.bind} is reached from outside and no token is configured: set tokens, "
            "or bind 127.0.0.1",
            ("web.bind", *tokens),
        )
    if web.wait_most_s < web.wait_default_s:
        yield Clash(
            "web",
            "wait_most_s must not be below wait_default_s",
            ("web.wait_most_s", "web.wait_default_s"),
        )
    if web.tokens.configured:
        for scope in ("operator", "webhook"):
            if not getattr(web.tokens, scope):
                problem = f"has tokens but none of scope {scope}, which nobody could use"
                yield Clash("web.tokens", problem, tokens)
        each = [one.digest for one in web.tokens.credentials({})]
        if len(each) != len(set(each)):
            problem = "the same token stands twice; every scope needs its own"
            yield Clash("web.tokens", problem, tokens)


def _callers(web: Web) -> Iterator[Clash]:
    """Names, and who is trusted to tell them."""
    tokens = ("web.tokens.viewer", "web.tokens.operator", "web.tokens.webhook")
    scopes: dict[str, set[Scope]] = {}
    for scope, name, _ in web.tokens.named():
        scopes.setdefault(name.lower(), set()).add(scope)
    for name, several in sorted(scopes.items()):
        if len(several) > 1:
            where = " and ".join(sorted(several))
            problem = f"{name} is the name of a token of {where}; each needs a name of its own"
            yield Clash("web.tokens", problem, tokens)
    header = ("web.trusted_user_header", "web.trusted_proxies")
    if web.trusted_user_header is None:
        if web.users or web.users_others != "none":
            problem = "nobody signs people in: set trusted_user_header, or leave users out"
            yield Clash("web.users", problem, (*header, "web.users", "web.users_others"))
    elif not web.trusted_proxies:
        problem = "anybody could write this header: name the proxy in trusted_proxies"
        yield Clash("web.trusted_user_header", problem, header)
    elif not web.users and web.users_others == "none":
        problem = "nobody could come in by it: name people in users, or set users_others"
        between = (*header, "web.users", "web.users_others")
        yield Clash("web.trusted_user_header", problem, between)
    people = web.trusted_user_header is not None
    for name, sight in web.sight.items():
        field = f"web.sight.{name}"
        if not sight.sight().limited:
            yield Clash(field, "limits nothing: leave it out, or name lights", ("web.sight",))
        if scopes.get(name.lower()) == {Scope.WEBHOOK}:
            yield Clash(field, "is a webhook's token, which sees nothing anyway", ("web.sight",))
        known = any(name == one for _, one, _ in web.tokens.named())
        users = {one.casefold() for one in web.users}
        known |= people and (name.casefold() in users or web.users_others != "none")
        if not known:
            problem = "no token and no person has this name, so nobody would be limited"
            yield Clash(field, problem, ("web.sight", "web.users", *tokens))


def _radio(radio: RadioSettings) -> Iterator[Clash]:
    """In this order, as each needs the one before."""
    try:
        modulation = region(radio.region).rx2(radio.rx2_dr)
    except UnknownRegion as error:
        yield Clash("radio.rx2_dr", str(error), ("radio.rx2_dr", "radio.region"))
        modulation = None
    try:
        duty = radio.plan().duty_cycle
    except UnknownRegion as error:
        between = ("radio.rx2_frequency_hz", "radio.region")
        yield Clash("radio.rx2_frequency_hz", str(error), between)
        return
    if duty is None or modulation is None:
        return
    budget_s, frame_s = duty * HOUR_S, downlink_airtime_s(FRAME_BYTES_MOST, modulation)
    if budget_s < frame_s:
        yield Clash(
            "radio.duty",
            f"would allow {budget_s:.3g} s an hour, less than the {frame_s:.3g} s of one command",
            ("radio.duty", "radio.region", "radio.rx2_dr", "radio.rx2_frequency_hz"),
        )
