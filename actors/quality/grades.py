"""A gateway's grade: its worst line, with that line as the reason. Pure.

An average would hide what is wrong: a gateway that hears well and sends nothing is no good gateway.
A line has a grade only where enough was seen, and a bad grade only where it is no bad luck: the
bounds of A to C are applied to the edge of what the numbers allow. The bounds are proposals.
"""

import math
from collections.abc import Callable, Iterable, Sequence

from actors.board.changes import GatewayView
from actors.quality.gateway_cells import GatewayCell, GatewayPast, lead_at
from actors.quality.luck import poisson_at_least
from actors.quality.model import GatewayGrade, Grade, GradeLine, Line
from actors.quality.sentence import number_of

FRAMES_LEAST = 20
WATCHED_LEAST_S = 3_600.0
UPLINKS_LEAST = 100.0
NOISES_LEAST = 20
LIGHTS_LEAST = 5
WEEK_TIMES = 2.0
"""The days to compare with hold at least so many times what the last one needs."""
LUCK = 2.0
"""Standard deviations that are granted before a grade below A is given."""
BAD_LUCK = 0.025
"""The same as a chance."""
PROVEN = 3.0
"""Standard deviations by which answers must be missing for a D."""
OUTAGES_MOST = 3

_GRADES = (Grade.A, Grade.B, Grade.C)


def _below(value: float, bounds: tuple[float, float, float]) -> Grade:
    for grade, bound in zip(_GRADES, bounds, strict=True):
        if value < bound:
            return grade
    return Grade.D


def _least(value: float, bounds: tuple[float, float, float]) -> Grade:
    for grade, bound in zip(_GRADES, bounds, strict=True):
        if value >= bound:
            return grade
    return Grade.D


def _allowed(missed: int, count: float, bounds: tuple[float, float, float]) -> Grade:
    """The best grade that such a gateway would miss so many of so many by no great bad luck."""
    for grade, bound in zip(_GRADES, bounds, strict=True):
        if poisson_at_least(missed, count * (1.0 - bound)) > BAD_LUCK:
            return grade
    return Grade.D


def _missing(line: Line, count: float, least: float, what: str) -> GradeLine:
    words = f"too few {what} to tell: {count:.0f} of {least:.0f}"
    return GradeLine(line, None, None, math.floor(count), words)


def _sum(cells: Iterable[GatewayCell], of: Callable[[GatewayCell], float]) -> float:
    return sum(of(cell) for cell in cells)


def away(cells: Sequence[GatewayCell]) -> GradeLine:
    """Minutes without a sign of life."""
    watched_s, away_s = _sum(cells, lambda c: c.watched_s), _sum(cells, lambda c: c.away_s)
    outages = sum(cell.outages for cell in cells)
    if watched_s < WATCHED_LEAST_S:
        return _missing(Line.AWAY, watched_s / 60.0, WATCHED_LEAST_S / 60.0, "minutes watched")
    minutes = away_s / 60.0
    grade = Grade.A if minutes == 0.0 and not outages else _below(max(minutes, 0.1), (0, 15, 120))
    if outages > OUTAGES_MOST:
        grade = Grade.D
    hours = number_of(round(watched_s / 3_600.0), "hour")
    words = f"never away in {hours}"
    if grade is not Grade.A:
        gone = number_of(math.ceil(minutes), "minute")
        words = f"away for {gone} of {hours}, {number_of(outages, 'outage')} begun"
    return GradeLine(Line.AWAY, grade, minutes, round(watched_s / 60.0), words)


def taken(cells: Sequence[GatewayCell], nothing_since: float | None) -> GradeLine:
    """Share of frames taken at the first try."""
    frames, at_once = _sum(cells, lambda c: c.frames), _sum(cells, lambda c: c.at_once)
    faults, count = _sum(cells, lambda c: c.faults), math.floor(frames)
    value = at_once / frames if frames > 0.0 else None
    if faults > 0.0:
        words = "it refused a frame for its power or frequency: its settings do not fit the region"
        return GradeLine(Line.TAKEN, Grade.D, value, count, words)
    if nothing_since is not None:
        words = "it acknowledges none of the frames given to it"
        return GradeLine(Line.TAKEN, Grade.D, value, count, words)
    if value is None or frames < FRAMES_LEAST:
        return _missing(Line.TAKEN, frames, FRAMES_LEAST, "frames")
    grade = _allowed(round(frames - at_once), frames, (0.995, 0.98, 0.95))
    words = f"{value * 100.0:.1f} % of {number_of(round(frames), 'frame')} taken at the first try"
    return GradeLine(Line.TAKEN, grade, value, count, words)


def answered(cells: Sequence[GatewayCell]) -> GradeLine:
    """Answers to first attempts, against what the lights' own records promise."""
    attempts, came = sum(c.attempts for c in cells), sum(c.answered for c in cells)
    promised = _sum(cells, lambda c: c.promised)
    if attempts < FRAMES_LEAST or promised <= 0.0:
        return _missing(Line.ANSWERED, attempts, FRAMES_LEAST, "first attempts")
    value, sigma = came / promised, math.sqrt(_sum(cells, lambda c: c.variance))
    grade = _least((came + LUCK * sigma) / promised, (0.97, 0.93, 0.85))
    if value < 0.85 and came < promised - PROVEN * sigma:
        grade = Grade.D
    elif grade is Grade.D:
        grade = Grade.C
    words = f"{came} of {number_of(attempts, 'first attempt')} answered, {promised:.0f} promised"
    return GradeLine(Line.ANSWERED, grade, value, attempts, words)


def lead(cells: Sequence[GatewayCell], tick_s: float) -> GradeLine:
    """From an order to its txack, beyond the scheduler's tick."""
    leads: dict[int, int] = {}
    for cell in cells:
        for bucket, seen in cell.leads.items():
            leads[bucket] = leads.get(bucket, 0) + seen
    count = sum(leads.values())
    if count < FRAMES_LEAST:
        return _missing(Line.LEAD, count, FRAMES_LEAST, "txacks")
    value = max(0.0, lead_at(leads, 0.95) - tick_s)
    words = (
        f"95 % of {number_of(count, 'txack')} come within {value + tick_s:.1f} s of the order,"
        f" {value:.1f} s beyond the scheduler's interval"
    )
    return GradeLine(Line.LEAD, _below(value, (0.3, 0.6, 1.2)), value, count, words)


def uplinks(cells: Sequence[GatewayCell], week: Sequence[GatewayCell]) -> GradeLine:
    """Share heard of what the lights in its reach sent, against its seven days before."""
    sent, heard = _sum(cells, lambda c: c.sent), _sum(cells, lambda c: c.heard)
    sent_before, heard_before = _sum(week, lambda c: c.sent), _sum(week, lambda c: c.heard)
    if sent < UPLINKS_LEAST:
        return _missing(Line.UPLINKS, sent, UPLINKS_LEAST, "uplinks in its reach")
    if sent_before < WEEK_TIMES * UPLINKS_LEAST or heard_before <= 0.0:
        least = WEEK_TIMES * UPLINKS_LEAST
        return _missing(Line.UPLINKS, sent_before, least, "uplinks on the days before")
    share, before = heard / sent, heard_before / sent_before
    sigma = math.sqrt(before * (1.0 - before) * (1.0 / sent + 1.0 / sent_before))
    value = 1.0 - share / before
    grade = _below(1.0 - (share + LUCK * sigma) / before, (0.03, 0.06, 0.12))
    words = (
        f"heard {share * 100.0:.0f} % of {sent:.0f} uplinks in its reach,"
        f" {before * 100.0:.0f} % on the days before"
    )
    return GradeLine(Line.UPLINKS, grade, value, round(sent), words)


def noise(cells: Sequence[GatewayCell], week: Sequence[GatewayCell]) -> GradeLine:
    """How strong the noise is, against its seven days before."""
    count, before = sum(c.noises for c in cells), sum(c.noises for c in week)
    if count < NOISES_LEAST:
        return _missing(Line.NOISE, count, NOISES_LEAST, "uplinks below 0 dB")
    if before < WEEK_TIMES * NOISES_LEAST:
        least = WEEK_TIMES * NOISES_LEAST
        return _missing(Line.NOISE, before, least, "uplinks below 0 dB on the days before")
    now_dbm = _sum(cells, lambda c: c.noise_db) / count
    before_dbm = _sum(week, lambda c: c.noise_db) / before
    value = now_dbm - before_dbm
    words = f"noise {now_dbm:.0f} dBm, {before_dbm:.0f} dBm on the days before"
    return GradeLine(Line.NOISE, _below(value, (2.0, 4.0, 7.0)), value, count, words)


def airtime(cells: Sequence[GatewayCell], budget_s: float | None) -> GradeLine:
    """Highest share of an hour's airtime that our frames used."""
    value, held = max((c.airtime for c in cells), default=0.0), sum(c.held for c in cells)
    watched_s = _sum(cells, lambda c: c.watched_s)
    if budget_s is None:
        return GradeLine(Line.AIRTIME, Grade.A, None, 0, "its airtime has no limit")
    if watched_s < WATCHED_LEAST_S:
        return _missing(Line.AIRTIME, watched_s / 60.0, WATCHED_LEAST_S / 60.0, "minutes watched")
    grade = Grade.D if held else min(_below(value, (0.5, 0.75, 0.95)), Grade.C)
    words = f"at most {value * 100.0:.0f} % of an hour's airtime used"
    if held:
        words += "; frames waited for more"
    return GradeLine(Line.AIRTIME, grade, value, round(watched_s / 60.0), words)


def alone(only: int, lights: int) -> GradeLine:
    """Share of its lights that nobody else hears."""
    if lights < LIGHTS_LEAST:
        return _missing(Line.ALONE, lights, LIGHTS_LEAST, "lights")
    value = only / lights
    grade = min(_below(value, (0.1, 0.5, math.inf)), Grade.C)
    words = f"{only} of its {number_of(lights, 'light')} are heard by no other gateway"
    if only == 1:
        words = f"1 of its {number_of(lights, 'light')} is heard by no other gateway"
    return GradeLine(Line.ALONE, grade, value, lights, words)


def grade_of(
    gateway: GatewayView,
    past: GatewayPast,
    *,
    only: int,
    lights: int,
    tick_s: float,
    now: float,
) -> GatewayGrade:
    """Every line, and the worst of them."""
    cells, week = list(past.day(now)), list(past.week(now))
    lines = (
        away(cells),
        taken(cells, gateway.takes_nothing_since),
        answered(cells),
        lead(cells, tick_s),
        uplinks(cells, week),
        noise(cells, week),
        airtime(cells, gateway.airtime_budget_s),
        alone(only, lights),
    )
    graded = [(line.grade, line) for line in lines if line.grade is not None]
    if not graded:
        return GatewayGrade(gateway.gateway_id, None, "too little was seen of it yet", None, lines)
    grade, worst = max(graded, key=lambda one: one[0].value)  # the first of the worst
    if grade is Grade.A:
        return GatewayGrade(gateway.gateway_id, grade, "nothing is wrong with it", None, lines)
    return GatewayGrade(gateway.gateway_id, grade, worst.words, worst.line, lines)
