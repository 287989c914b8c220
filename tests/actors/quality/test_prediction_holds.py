"""Quality over a month of virtual time on a small synthetic fleet: what it is worth.

The bounds are those of the project's goals, widened by what a fleet this small cannot tell; the
goals themselves are measured by `make reliability`.
"""

import pytest

from actors.quality.model import Rule
from tests.reliability.prediction import PredictionRun


@pytest.mark.timeout(300)
def test_a_month_of_a_small_fleet_is_foretold() -> None:
    run = PredictionRun(seed=7, lights=60, days=30.0)
    for one in run.lights:
        one.usual_db = min(one.usual_db, 14.0)  # so that there is something to lose
    for one in run.lights[:6]:
        one.kind, one.from_s, one.rate_db_per_day = "fades", 12 * 86_400.0, 1.5
    for one in run.lights[6:12]:
        one.kind, one.from_s, one.dead_s = "flaps", 15 * 86_400.0, 19 * 86_400.0
    for one in run.lights[12:]:
        one.kind, one.dead_s = "well", float("inf")
    figures = run.run()
    assert figures.skill >= 0.12
    assert figures.skill >= 0.5 * figures.skill_of_truth
    assert figures.calibration_error <= 0.02
    assert figures.silent["flaps"] == 6
    assert figures.warned_ahead["flaps"] >= 5
    assert figures.warned_ahead["fades"] >= 0.75 * figures.silent["fades"] > 0
    assert figures.light_months == pytest.approx(46.0, abs=4.0)
    for rule in Rule:
        assert figures.false_per_light_month[rule] <= 0.11, "four in 46 light-months"
    assert figures.switched_off == []
