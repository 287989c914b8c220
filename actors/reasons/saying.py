"""Makes the sentence of a reason: the one place where words and values come together. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from actors.reasons.reason import GatewayTold, Reason, Value
from actors.reasons.sentences import DATES, MINUTES, SECONDS, SENTENCES, Sentence

FAR_S = 43_200.0
"""A moment so far from now is told with its day."""
MOMENTS = MINUTES | SECONDS | DATES


class _Words(dict[str, str]):
    """What goes into a sentence; of a record of another version something may be missing."""

    def __missing__(self, name: str) -> str:
        return ""


def text_of(reason: Reason, now: float) -> str:
    """The sentence, without a capital letter or a full stop; its moments are dates in UTC, with
    the day where they are far from `now`."""
    sentence = SENTENCES[reason.code]
    words = _Words()
    text = sentence.text
    for name, value in zip(sentence.names, reason.values, strict=False):
        words[name] = _word(sentence, name, value, now)
        if sentence.bare is not None and value in ("", ()):
            text = sentence.bare
    return text.format_map(words)


def dated(reason: Reason, ahead_s: float) -> Reason:
    """The reason with its steady moments as dates, which are `ahead_s` ahead of them."""
    names = SENTENCES[reason.code].names
    values = tuple(
        _shifted(name, value, ahead_s) for name, value in zip(names, reason.values, strict=False)
    )
    return reason if values == reason.values else Reason(reason.code, values)


def named(reason: Reason) -> dict[str, Any]:
    """Its values by their names, as programs are given them; a reason within has its own code."""
    names = SENTENCES[reason.code].names
    return {name: _plain(value) for name, value in zip(names, reason.values, strict=False)}


# ------------------------------------------------------------------ how


def _word(sentence: Sentence, name: str, value: Value, now: float) -> str:
    match value:
        case str():
            return value
        case Reason():
            return text_of(value, now)
        case tuple():
            each = sentence.each.get(name, "{name}")
            return sentence.between.get(name, ", ").join(_told(each, value, now))
        case 1 if name == "lights":
            return "1 light"
        case _ if name == "lights":
            return f"{value} lights"
        case _ if name in MOMENTS:
            return moment(value, now, to_the_second=name in SECONDS, whole=name in DATES)
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)


def _told(each: str, some: Iterable[GatewayTold | str], now: float) -> Iterable[str]:
    for one in some:
        if isinstance(one, str):
            yield one
            continue
        frames = "1 frame" if one.frames == 1 else f"{one.frames} frames"
        since = "" if one.since is None else moment(one.since, now)
        yield each.format(name=one.name, frames=frames, since=since)


def moment(at: float, now: float, *, to_the_second: bool = False, whole: bool = False) -> str:
    """`10:42 UTC`, with the day when it is far from `now`; `whole` has day and seconds."""
    try:
        when = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return "some time"
    if whole:
        return f"{when:%Y-%m-%d %H:%M:%S} UTC"
    if abs(at - now) >= FAR_S:
        return f"{when:%Y-%m-%d %H:%M} UTC"
    return f"{when:%H:%M:%S} UTC" if to_the_second else f"{when:%H:%M} UTC"


def _shifted(name: str, value: Value, ahead_s: float) -> Value:
    match value:
        case Reason():
            return dated(value, ahead_s)
        case tuple():
            return tuple(_gateway_shifted(one, ahead_s) for one in value)
        case int() | float() if name in MOMENTS:
            return value + ahead_s
        case _:
            return value


def _gateway_shifted(one: GatewayTold | str, ahead_s: float) -> GatewayTold | str:
    if isinstance(one, str) or one.since is None:
        return one
    return msgspec.structs.replace(one, since=one.since + ahead_s)


def _plain(value: Value) -> Any:
    match value:
        case Reason():
            return {"code": value.code.value, "values": named(value)}
        case tuple():
            return [one if isinstance(one, str) else msgspec.to_builtins(one) for one in value]
        case _:
            return value
