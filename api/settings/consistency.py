"""Whether settings that are each right by themselves also work together.

A clash names the settings that it comes from, so that it is not reported where one of them is wrong
by itself already, and is reported beside all other mistakes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from api.settings.model import RadioSettings, Tables, Web
from lorawan.airtime import UnknownRegion, downlink_airtime_s, region
from lorawan.kuando import FRAME_BYTES_MOST

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
    yield from _web(tables.web)
    yield from _radio(tables.radio)


def _web(web: Web) -> Iterator[Clash]:
    tokens = ("web.tokens.viewer", "web.tokens.operator", "web.tokens.webhook")
    if not web.loopback and not web.tokens.configured:
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
        each = [one.digest for one in web.tokens.credentials()]
        if len(each) != len(set(each)):
            problem = "the same token stands twice; every scope needs its own"
            yield Clash("web.tokens", problem, tokens)


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
