"""The numbers of the device machine, each a setting (`policy.*`); the defaults are argued here.

A plain frozen value, so that the machine stays a function of its arguments.
"""

from dataclasses import dataclass
from enum import StrEnum

from lorawan.kuando import ReplyPolicy


class RetryPlan(StrEnum):
    """How a light that did not answer is tried again; `retry_plan.py` says it in numbers."""

    LEARNED = "learned"
    """By what is known of the light and of its software."""
    FIXED = "fixed"
    """`window_s`, `backoff_first_s`, `backoff_factor` and `attempts_most`."""
    CLASSIC = "classic"
    """30 s for an answer, then three retries after 10, 20 and 40 s."""


FIXED_PLAN = frozenset({"window_s", "attempts_most", "backoff_first_s", "backoff_factor"})
"""The settings that make the fixed plan."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Timing and limits of one device actor."""

    plan: RetryPlan = RetryPlan.LEARNED
    """How a light that did not answer is tried again. `learned` retries as soon as no answer can
    come any more, and as often as it is worth its air; `fixed` goes by the settings `window_s`,
    `attempts_most`, `backoff_first_s` and `backoff_factor`, and is meant where one of these is set
    and no plan; `classic` waits 30 s for an answer and retries after 10, 20 and 40 s."""
    window_s: float = 30.0
    """Fixed plan: verification window, from the estimated end of transmission. A status at SF12
    takes 2 s, the scheduler up to 6 s after an uplink, webhooks a few; past that an answer no
    longer comes."""
    attempts_most: int = 3
    """Fixed plan: timed attempts. After three failures the odds are about 97:3 that it is an
    outage, not bad luck (prior 3 % outage, 5 % loss per frame), so luck is not tried a fourth
    time."""
    setup_rounds_most: int = 5
    """Rounds of settings. A round needs three frames and an answer: at 10 % loss each it succeeds
    in 66 %, so five leave 0.5 % of the lights to evidence; three would leave 4 %."""
    backoff_first_s: float = 10.0
    """Fixed plan: wait after the first attempt that was not proven, before the next. In every plan
    the wait after the first item that no gateway took."""
    backoff_factor: float = 2.0
    """Each further one of these waits is the one before times this."""
    jitter: float = 0.1
    """A delay is drawn from (1 +- jitter) times the nominal one, so that many lights do not send at
    one moment."""
    spacing_s: float = 10.0
    """Least time between two frames to one light: a second downlink 1-3 s after the first is lost
    while the light still answers the first. The learned plan takes 5 s for software for which that
    is proven safe."""
    item_ttl_s: float = 30.0
    """Life of an item in ChirpStack's queue: a server re-sends an unacknowledged item every 5-6 s,
    so a silent gateway costs at most about six frames per item."""
    item_grace_s: float = 5.0
    """After an item's expiry, before the dispatcher asks what became of it."""
    unsent_backoff_most_s: float = 300.0
    """Longest wait between two items of which no gateway took the frame; the waits grow up to it
    like those between attempts."""
    evidence_gap_most_s: float = 900.0
    """Longest wait between two attempts that evidence starts; they grow up to it, doubling from
    `spacing_s`. About one status interval: a light that answers wrongly for ever gets one frame
    in each."""
    inquiry_timeout_s: float = 20.0
    """For one inquiry at ChirpStack, which sends retained events ten a second and keeps up to about
    a hundred of a light."""
    inquiry_again_s: float = 45.0
    """An inquiry that was not answered by then is given up. What is in the queue is submitted again
    when the dispatcher has not told what became of it so long after it could."""
    evidence_asked_s: float = 600.0
    """Where only evidence goes on, ChirpStack is asked for it so often, should it have been lost:
    an inquiry costs no airtime."""
    resubmit_after_s: float = 600.0
    """An attempt of which the dispatcher said nothing for so long is submitted again."""
    command_ttl_s: float = 86_400.0
    """How long a command is pursued that names no time to live."""
    reply_policy: ReplyPolicy = ReplyPolicy.AUTO
    """Whether a colour asks for a status in reply by its sixth byte; `auto` asks lights of software
    5.8 and later."""
    status_interval_min: int = 15
    """How often a light is told to report by itself."""
    quick_interval_min: int = 2
    """How often a light before software 5.6 is told to report while a command is open: only its
    status can prove the command."""
    silent_after_s: float = 2_700.0
    """A light without an uplink for so long is called silent, and ChirpStack is asked about it:
    three status intervals."""
    refresh_after_s: float = 90_000.0
    """A light that was sent nothing for so long is asked for a status, or (before software 5.6)
    told its interval again: older firmware restarts after 240 uplinks without a downlink, which is
    60 h at a 15 min interval and 40 h at 10 min."""
    hearing_kept_s: float = 86_400.0
    """A gateway that did not hear a light for so long no longer counts among those that do."""
    hearings_most: int = 8
    """Gateways remembered of one light, the newest and strongest."""
    timeline_most: int = 100
    """Steps kept in one command's timeline; of a longer one those in its middle go."""
