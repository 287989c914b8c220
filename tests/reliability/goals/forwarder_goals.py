"""Goals of one order to everybody through what gateways really run, known and met for the first
time."""

from simulation.world.forwarder import BASICS_STATION, CONCENTRATORD_4_5_2, REAL_FORWARDERS
from tests.reliability.delays import MODELS, QUICK, SLOW, STEADY
from tests.reliability.goals import limits, pushes
from tests.reliability.goals.building import Building
from tests.reliability.goals.cell import Cell, Found, Goal, Row, mean_row, pieces, quantile_row
from tests.reliability.goals.push_goals import pooled_pushes

LAG_MOST_S = 0.5
LIGHTS = 100
COLD = tuple(
    (forwarder, delay)
    for forwarder in (CONCENTRATORD_4_5_2.name, "concentratord 4.5.1", BASICS_STATION.name)
    for delay in (QUICK, STEADY, SLOW)
)
"""Met for the first time; each such push needs a service of its own."""


def _building(forwarder: str, delay: str) -> Building:
    return Building(LIGHTS, delay=delay, tick_s=0.1, forwarder=forwarder)


def _cells(quick: bool) -> list[Cell]:
    made = [
        Cell(
            f"known {forwarder.name}, {delay}",
            (_building(forwarder.name, delay), 0.05, True, 2 if quick else 6, pushes.LIMIT_S),
            pieces(1),
        )
        for forwarder in REAL_FORWARDERS
        for delay in MODELS
    ]
    made += [
        Cell(
            f"cold {forwarder}, {delay}",
            (_building(forwarder, delay), 0.05, False, 1, pushes.LIMIT_S),
            pieces(2 if quick else 5),
        )
        for forwarder, delay in COLD
    ]
    return made


def _rows(found: Found) -> list[Row]:
    rows: list[Row] = []
    for forwarder in REAL_FORWARDERS:
        for delay in MODELS:
            key = f"known {forwarder.name}, {delay}"
            if key not in found:
                continue
            whole = pooled_pushes(found[key])
            what = f"{forwarder.name}, answers after {delay}"
            limit_s = None
            if delay == QUICK and forwarder is BASICS_STATION:
                limit_s = limits.STATION_S
            elif delay == QUICK and forwarder.lag_s > LAG_MOST_S:
                limit_s = limits.LAGGING_S
            known = quantile_row(
                key, f"{what}: 99.9 %", whole["late_s"], whole["n"], 0.999, limit_s
            )
            rows.append(known)
            if forwarder is BASICS_STATION:
                rows.append(
                    mean_row(
                        f"dropped {key}",
                        f"{what}: frames dropped, for each light",
                        whole["dropped"],
                        whole["dropped"] * (1.0 + whole["dropped"] / whole["n"]),  # Poisson
                        whole["n"],
                        limits.STATION_DROPS if delay == QUICK else None,
                        "frames",
                    )
                )
            if f"cold {forwarder.name}, {delay}" in found:
                rows.append(_cold_row(found, forwarder.name, delay, known.measured))
    return rows


def _cold_row(found: Found, forwarder: str, delay: str, known_s: float) -> Row:
    key = f"cold {forwarder}, {delay}"
    whole = pooled_pushes(found[key])
    return quantile_row(
        key,
        f"{forwarder}, answers after {delay}: 99.9 %, neither known before",
        whole["late_s"],
        whole["n"],
        0.999,
        round(known_s + limits.COLD_MORE_S),
    )


FORWARDER_KINDS = Goal(
    "Whatever forwarder a gateway runs, and whatever is known of it",
    """100 lights, one gateway, SF9, ChirpStack's tick 0.1 s, 5 % of the frames lost in each
direction. Semtech's packet_forwarder 4 and ChirpStack's concentratord up to 4.5.1 send a second
after they were told to, sx1302_hal 2 and concentratord since 4.5.2 after 80 ms; Basics Station
shuts its band for ten airtimes after each frame, and drops without a word what then finds no room.
Where neither is known before, the service has its lights' records and nothing learned, and finds
out while it works; it may take 40 s longer than one that knows.""",
    _cells,
    {"known": pushes.measure, "cold": pushes.measure},
    _rows,
)
