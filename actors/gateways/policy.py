"""The numbers of the gateway watcher and why they are so; two of them are settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """Times in seconds."""

    poll_s: float = 30.0
    """The usual interval of a gateway's own stats: more often tells nothing new."""
    silent_poll_s: float = 2.0
    """While a gateway is silent: its return is noticed so soon. A list costs the server one
    query."""
    silent_after_s: float = 90.0
    """Three stats missed: looked for at the pace above, and its next sign of life is told to the
    lights whose frames nobody took. Two lost stats are no silence. Of one whose stats come less
    often than every 30 s it is three of its intervals."""
    unreachable_poll_s: float = 5.0
    """While ChirpStack gives no list: its return is noticed, and what was held for it goes on, so
    much later at most."""
    given_up_after_s: float = 86_400.0
    """One silent for longer is looked for at the usual pace: it may be down for good."""
    poll_timeout_s: float = 20.0
    """Below `poll_s`, so that a hanging list never delays the next one."""
    first_poll_timeout_s: float = 10.0
    """The start waits for the first list, so that the first frames go to gateways that are
    online."""
    patience: float = 450.0
    """One that is away for long is looked for less often: every 1/450 of that time, which is 2 s
    within a quarter of an hour and the usual pace after four hours."""
    offline_after_s: float = 300.0
    """Ten stats missed: a gateway behind a poor backhaul loses a few of them now and then. Of one
    whose stats come less often than every 86 s it is three and a half of its intervals."""
    unlisted_kept_s: float = 86_400.0
    """A gateway that is not in the server's list is forgotten so long after its last uplink."""
    unlisted_most: int = 1_000
    """Of those, at about 500 bytes each."""
