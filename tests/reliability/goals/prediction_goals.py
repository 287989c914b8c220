"""Goals of prediction: how good the chances are that are told of each light, and what is warned of
in time."""

from collections.abc import Mapping
from dataclasses import asdict
from statistics import fmean
from typing import Any

from tests.reliability.goals import limits
from tests.reliability.goals.cell import Cell, Found, Goal, Row, pieces, share_row, spread_row
from tests.reliability.prediction import predict

LIGHTS, DAYS = 200, 60.0


def _cells(quick: bool) -> list[Cell]:
    return [Cell("prediction", (60, 20.0) if quick else (LIGHTS, DAYS), pieces(1 if quick else 3))]


def _predict(lights: int, days: float, seed: int) -> dict[str, Any]:
    return asdict(predict(seed, lights, days))


def _rows(found: Found) -> list[Row]:
    if "prediction" not in found:
        return []
    runs: list[Mapping[str, Any]] = found["prediction"]
    orders = round(sum(run["commands"] for run in runs))
    rows = [
        spread_row(
            "skill",
            "Brier skill against the fleet's mean",
            [run["skill"] for run in runs],
            orders,
            limits.SKILL,
            most=False,
        ),
        spread_row(
            "skill of truth",
            "the same, as a share of what knowing the true chance of each light would score",
            [run["skill"] / run["skill_of_truth"] for run in runs],
            orders,
            limits.SKILL_OF_TRUTH,
            most=False,
        ),
        spread_row(
            "calibration",
            "calibration error over ten bins",
            [run["calibration_error"] for run in runs],
            orders,
            limits.CALIBRATION_ERROR,
        ),
    ]
    for kind, what, limit in (
        ("fades", "lights whose signal faded: warned 12 h before they fell silent", limits.FADING),
        ("flaps", "lights that joined again and again: the same", limits.FLAPPING),
        ("dies", "lights that died at once: the same", None),
    ):
        silent = sum(run["silent"][kind] for run in runs)
        ahead = sum(run["warned_ahead"][kind] for run in runs)
        if silent:
            rows.append(share_row(f"ahead {kind}", what, ahead, silent, limit))
    for rule in runs[0]["false_per_light_month"]:
        rates = [run["false_per_light_month"][rule] for run in runs]
        months = sum(run["light_months"] for run in runs)
        rows.append(
            spread_row(
                f"false {rule}",
                f"false warnings per light and month, rule {rule}",
                [fmean(rates)] if len(rates) < 2 else rates,
                round(months),
                limits.FALSE_PER_LIGHT_MONTH,
            )
        )
    return rows


PREDICTION = Goal(
    "What is told of a light beforehand",
    """60 virtual days of 200 lights, three times, with the production's own estimates and warnings
over a made-up fleet: 86 % of the lights are well, 6 % fade by 0.5 to 3 dB a day from some day on,
4 % join again and again for some days and die, 4 % die at once. Of a light that dies at once
nothing can be known before. n counts orders, lights that fell silent, or light-months.""",
    _cells,
    {"prediction": _predict},
    _rows,
)
