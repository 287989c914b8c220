"""The goals by number, as they are asked for on the command line."""

from tests.reliability.goals.cell import Goal
from tests.reliability.goals.forwarder_goals import FORWARDER_KINDS
from tests.reliability.goals.order_goals import GIVEN_UP, ONE_ORDER, SLOWER_ANSWERS
from tests.reliability.goals.prediction_goals import PREDICTION
from tests.reliability.goals.push_goals import BURST, EVERYBODY, MIXED

GOALS: dict[int, Goal] = {
    1: ONE_ORDER,
    2: SLOWER_ANSWERS,
    3: GIVEN_UP,
    4: BURST,
    5: EVERYBODY,
    6: FORWARDER_KINDS,
    7: MIXED,
    8: PREDICTION,
}
