"""The numbers of the device machine, all configurable; the defaults are argued here.

The rule it keeps: a plain frozen value, so that the machine stays a function of its arguments.
"""

from dataclasses import dataclass

from lorawan.kuando import ReplyPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """Timing and limits of one device actor."""

    window_s: float = 30.0
    """Verification window, from the estimated end of transmission: a status at SF12 takes 2 s, the
    scheduler up to 6 s after an uplink, webhooks a few; past that an answer no longer comes."""
    attempts_most: int = 3
    """Timed attempts: after three failures the odds are about 97:3 that it is an outage, not bad
    luck (prior 3 % outage, 5 % loss per frame), so luck is not tried a fourth time."""
    setup_rounds_most: int = 5
    """Rounds of settings. A round needs three frames and an answer: at 10 % loss each it succeeds
    in 66 %, so five leave 0.5 % of the lights to evidence; three would leave 4 %."""
    backoff_first_s: float = 10.0
    backoff_factor: float = 2.0
    jitter: float = 0.1
    """A delay is drawn from (1 +- jitter) times the nominal one, so lights do not march in step."""
    spacing_s: float = 10.0
    """Least time between two frames to one light: a second downlink 1-3 s after the first is lost
    while the light still answers the first."""
    item_ttl_s: float = 30.0
    """Life of an item in ChirpStack's queue: a server re-sends an unacknowledged item every 5-6 s,
    so a silent gateway costs at most about six frames per item."""
    item_grace_s: float = 5.0
    """After an item's expiry, before asking what became of it."""
    unsent_backoff_most_s: float = 300.0
    evidence_gap_most_s: float = 900.0
    """About one status interval: a light that answers wrongly for ever gets one frame each."""
    inquiry_timeout_s: float = 20.0
    """A server sends retained events ten a second, and keeps up to about a hundred of a light."""
    inquiry_again_s: float = 45.0
    """An inquiry that was not answered by then is given up."""
    evidence_asked_s: float = 600.0
    """Where only evidence goes on, ChirpStack is asked for it so often, should it have been lost:
    an inquiry costs no airtime."""
    resubmit_after_s: float = 600.0
    """An attempt of which the dispatcher said nothing for so long is submitted again."""
    command_ttl_s: float = 86_400.0
    reply_policy: ReplyPolicy = ReplyPolicy.AUTO
    status_interval_min: int = 15
    quick_interval_min: int = 2
    """Of a light before software 5.6 while a command is open: only its status can prove it."""
    silent_after_s: float = 2_700.0
    """Three status intervals without an uplink: ask ChirpStack, and call the light silent."""
    refresh_after_s: float = 90_000.0
    """25 h without a downlink: older firmware restarts after 240 uplinks without one, which is
    60 h at a 15 min interval and 40 h at 10 min."""
    hearing_kept_s: float = 86_400.0
    hearings_most: int = 8
    timeline_most: int = 100
