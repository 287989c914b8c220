"""The models of a light's answer delay by the names under which figures are shown.

Nobody has measured it on a real light. 0.05-0.3 s is what version 0.1.0 took for granted, 1 s is an
integrator's word; the other two are slow and uneven.
"""

from simulation.world.answer_delay import ANSWER_DELAYS, AnswerDelay, Uniform
from simulation.world.station import Station

MODELS = QUICK, STEADY, SLOW, UNEVEN = tuple(ANSWER_DELAYS)
DELAYS: dict[str, AnswerDelay] = {
    **ANSWER_DELAYS,
    "0.2 s": Uniform(0.2, 0.2),
    "4 s": Uniform(4.0, 4.0),
}


def set_delay(station: Station, model: str) -> None:
    """From now on this light answers so."""
    station.answer_delay = DELAYS[model]
