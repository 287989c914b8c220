"""What evidence adds to timed attempts: shares of orders verified within hours.

The orders are those of the first goal: heartbeats every 15 min, and an order counts as never
verified only when its day is over.
"""

LOSSES = (0.01, 0.05, 0.10, 0.20, 0.30)
DAY_S = 86_400.0
HORIZONS_S = {"2 min": 120.0, "20 min": 1_200.0, "60 min": 3_600.0, "24 h": DAY_S}
GOALS = {
    (0.05, "20 min"): 0.9999,
    (0.10, "20 min"): 0.999,
    (0.20, "20 min"): 0.99,
    (0.30, "60 min"): 0.995,
    **{(loss, "24 h"): 1.0 for loss in LOSSES},
}
