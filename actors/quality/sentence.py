"""A light's risk as one sentence: the chance, and what it rests on, in plain English.

Nothing is said that was not measured, and counts are those that are left after fading, so "of the
last 40" are the newest.
"""

from collections.abc import Sequence

from actors.quality.model import LightWarning

STEADY_DB_PER_DAY = 0.1
"""A slope below that is not worth a word."""
NONE_BELOW = 0.05
"""Of a loss of so little is left by fading that it counts no more."""
NOTHING_KNOWN = "nothing known yet: no status was heard since this began to be counted"


def number_of(count: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def share(chance: float) -> str:
    """A chance in percent, as precisely as it matters: 97 %, 99.6 %, below 1 %."""
    if chance < 0.01:
        return "below 1 %"
    if chance >= 0.9995:
        return "above 99.9 %"
    if chance >= 0.99:
        return f"{chance * 100.0:.1f} %"
    return f"{min(chance, 0.98999) * 100.0:.0f} %"


def _lost_of(lost: float, counted: int, plural: str) -> str:
    """`3 of the last 40 statuses`, of two or more."""
    gone = min(round(lost), counted)
    if gone == counted:
        many = "all"
    elif gone == 0:
        many = "none" if lost < NONE_BELOW else "hardly any"
    else:
        many = str(gone)
    return f"{many} of the last {counted} {plural}"


def _lost(lost: float, counted: int, noun: str, plural: str) -> str:
    """The same as a clause of its own."""
    if counted == 1:
        return f"the last {noun} was {'lost' if lost >= 0.5 else 'not lost'}"
    return f"{_lost_of(lost, counted, plural)} {'was' if round(lost) == 1 else 'were'} lost"


def losses(uplinks: tuple[float, float], downlinks: tuple[float, float]) -> str | None:
    """What was lost both ways, each as (lost, counted); None where nothing was counted."""
    up, down = round(uplinks[1]), round(downlinks[1])
    if up >= 2 and down >= 2:
        statuses = _lost_of(uplinks[0], up, "statuses")
        return f"{statuses} and {_lost_of(downlinks[0], down, 'frames to it')} were lost"
    parts = []
    if up:
        parts.append(_lost(uplinks[0], up, "status", "statuses"))
    if down:
        parts.append(_lost(downlinks[0], down, "frame to it", "frames to it"))
    return ", and ".join(parts) or None


def margin(margin_db: float | None, db_per_day: float | None) -> str | None:
    """`margin 11 dB, falling 0.6 dB a day`."""
    if margin_db is None:
        return None
    text = f"margin {margin_db:.0f} dB"
    if db_per_day is None:
        return text
    if abs(db_per_day) < STEADY_DB_PER_DAY:
        return f"{text}, steady"
    way = "falling" if db_per_day < 0 else "rising"
    return f"{text}, {way} {abs(db_per_day):.1f} dB a day"


def sentence_of(
    chance: float | None,
    obstacle: str | None,
    evidence: Sequence[str | None],
    warnings: Sequence[LightWarning],
) -> str:
    """The whole. `obstacle` says what keeps every frame from the light, where something does."""
    known = [one for one in evidence if one is not None]
    if not known and obstacle is None:
        return NOTHING_KNOWN
    first = obstacle if obstacle is not None else None if chance is None else share(chance)
    told = "; ".join([*known, *(one.words for one in warnings)])
    if first is None:
        return told
    return f"{first}: {told}" if told else first
