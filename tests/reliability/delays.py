"""How long a light takes from the end of a downlink to the start of its answer: four models.

Nobody has measured it on a real light. The first is what version 0.1.0 took for granted, the second
an integrator's word; the other two are slow and uneven.
"""

from simulation.world.answer_delay import ANSWER_DELAYS, AnswerDelay, Uniform

DELAYS: dict[str, AnswerDelay] = {
    **ANSWER_DELAYS,
    "0.2 s": Uniform(0.2, 0.2),
    "4 s": Uniform(4.0, 4.0),
}
MODELS = tuple(ANSWER_DELAYS)
QUICK, STEADY, SLOW, UNEVEN = MODELS
