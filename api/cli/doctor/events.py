"""Whether events are read from ChirpStack's own stream, and whether that keeps them long enough."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import trio

from api.cli.doctor.finding import Diagnosis, Level, ok, problem, unknown, warning
from api.settings.model import ApiSettings
from lorawan.stream.errors import StreamError, StreamRefused
from lorawan.stream.inspection import Kept, StreamFacts, inspect
from lorawan.stream.redis_source import ALL_EVENTS, addresses_of
from store.engine.redis.errors import error_of
from store.engine.redis.tls_or_not import other_way, refused_certificate

CHECK = "events"
STOP_S = 3_600.0
"""A stop that a history should outlast: an update that went wrong."""
QUIET_S = 3_600.0
"""Even one light at rest makes some four events an hour."""
OF_ONE_LEAST = 50
"""A light makes some four events an hour at rest, and thirty while it is commanded."""

COMPARE = (
    "compare chirpstack.events with [redis] in chirpstack.toml (servers, key_prefix), and"
    " device_event_log_max_history under [monitoring], where 0 is off"
)
ADVICE = (
    "set device_event_log_max_history=100000 and per_device_event_log_max_history=100 under"
    " [monitoring] in chirpstack.toml, and restart ChirpStack"
)


async def events(settings: ApiSettings) -> list[Diagnosis]:
    """All that is to be said of it."""
    url, prefix = settings.chirpstack.events.address()
    if not url:
        return [
            Diagnosis(
                CHECK,
                Level.OK,
                "they come by webhook only: those of a stop of this service are asked for later, "
                "light by light",
                "where ChirpStack's Redis can be reached, set chirpstack.events.url: then none is "
                "lost (docs/operations.md)",
            )
        ]
    try:
        facts = await trio.to_thread.run_sync(inspect, url, prefix, abandon_on_cancel=True)
    except StreamRefused as error:
        remedy = "check user, password and rights of chirpstack.events.url (docs/operations.md)"
        if "WRONGTYPE" in str(error):
            key = prefix + ALL_EVENTS
            remedy = f"{key} is no stream there: name ChirpStack's own Redis, database and prefix"
        return [problem(CHECK, str(error), remedy)]
    except StreamError as error:
        wrong = await trio.to_thread.run_sync(_wrong_about_tls, url, abandon_on_cancel=True)
        if wrong is not None:
            return [problem(CHECK, wrong, "correct chirpstack.events.url")]
        return [problem(CHECK, str(error), "check chirpstack.events.url, and that it runs")]
    return list(judged(facts))


def _wrong_about_tls(url: str) -> str | None:
    parts, addresses = urlsplit(url), addresses_of(url)
    wrong = other_way(addresses, parts.scheme)
    if wrong is not None or not parts.scheme.startswith("rediss"):
        return wrong
    options = dict(parse_qsl(parts.query))
    trusts_any = options.get("ssl_cert_reqs", "required") != "required"
    with suppress(OSError):  # a file that cannot be read: what was said before tells it
        if refusal := refused_certificate(addresses, options, trusts_any=trusts_any):
            return str(error_of(refusal))
    return None


def judged(facts: StreamFacts) -> Iterator[Diagnosis]:
    """What the facts mean. Pure."""
    if facts.all_events is None:
        yield warning(
            CHECK,
            f"there is no stream {facts.key}: no event was written yet, or this is another Redis "
            "or database than ChirpStack's",
            COMPARE,
        )
    else:
        quiet_s = facts.now_at - facts.all_events.newest_at
        if quiet_s > QUIET_S:
            yield warning(
                CHECK,
                f"ChirpStack's stream was written last {_words(quiet_s)} ago: no device was heard "
                "since, or ChirpStack writes elsewhere now",
                COMPARE,
            )
        else:
            yield _all(facts.all_events)
        if (of_one := facts.of_one_device) is not None and _short(of_one):
            yield warning(
                CHECK,
                f"ChirpStack keeps {of_one.entries} events of one device: where the stream of all "
                "forgot some, more cannot be found",
                ADVICE,
            )
        if facts.of_one_device is None:
            yield warning(CHECK, "ChirpStack keeps no events of single devices", ADVICE)
    if facts.appendonly is None:
        yield unknown(CHECK, "CONFIG is not permitted: whether Redis keeps the stream is unknown")
    elif not facts.appendonly:
        yield warning(
            CHECK,
            "ChirpStack's Redis writes to disk only now and then: a crash of it loses the newest "
            "events"
            if facts.saves
            else "ChirpStack's Redis does not write to disk: a restart of it empties the stream",
            "set `appendonly yes` there",
        )
    if facts.evicts:
        yield warning(
            CHECK,
            "ChirpStack's Redis drops keys when its memory is used up, streams included",
            "set `maxmemory-policy noeviction`, or volatile-ttl, there",
        )


def _all(kept: Kept) -> Diagnosis:
    span = _words(kept.spans_s)
    if kept.forgot is False:
        return ok(
            CHECK, f"ChirpStack's stream holds {kept.entries} events of {span}, and lost none"
        )
    if kept.spans_s < STOP_S:
        return warning(
            CHECK,
            f"ChirpStack's stream holds the newest {kept.entries} events, of {span}: after a longer"
            " stop they are looked for light by light",
            ADVICE,
        )
    return ok(CHECK, f"ChirpStack's stream holds the newest {kept.entries} events, of {span}")


def _short(kept: Kept) -> bool:
    return kept.forgot is not False and kept.entries < OF_ONE_LEAST


def _words(span_s: float) -> str:
    if span_s < 120:
        return f"{span_s:.0f} s"
    if span_s < 2 * 3_600:
        return f"{span_s / 60:.0f} min"
    if span_s < 2 * 86_400:
        return f"{span_s / 3_600:.0f} h"
    return f"{span_s / 86_400:.0f} days"
