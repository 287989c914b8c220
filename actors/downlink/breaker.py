"""The circuit breaker towards ChirpStack: while it does not answer, one question at a time.

One light's slow call is not an outage; the breaker opens only if no other call was answered since
the failed one began.
"""

from dataclasses import dataclass

from actors.downlink import hold_reasons
from actors.downlink.policy import DispatchPolicy
from actors.reasons import Reason


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing goes out, and since when (Unix seconds)."""

    since: float
    refusal: str | None = None
    """What the server said when it refused the API key; None while it does not answer at all."""
    enqueue_only: bool = False
    """Reading is allowed: the key is read-only, so only an enqueue that works ends the trouble."""
    instead: str | None = None
    """What something else answered in ChirpStack's place, at the first call that failed."""

    @property
    def key(self) -> tuple[str, float]:
        """The same for as long as the same trouble lasts."""
        return ("no answer" if self.refusal is None else "refused", self.since)

    @property
    def reason(self) -> Reason:
        """What all lights are told."""
        if self.refusal is not None:
            return hold_reasons.refused(self.refusal)
        return hold_reasons.no_answer(self.since, self.instead)


class Breaker:
    """Closed (no `trouble`), or open with a time for the next probe.

    A probe is one attempt on its way through look and enqueue, named by its stamp.
    """

    __slots__ = ("_answered_at", "_failures", "_policy", "probe", "probe_at", "trouble")

    def __init__(self, policy: DispatchPolicy) -> None:
        self._policy = policy
        self._answered_at = float("-inf")
        self._failures = 0
        self.probe: int | None = None
        self.trouble: Trouble | None = None
        self.probe_at = 0.0

    def may_probe(self, now: float) -> bool:
        """Whether an attempt may be tried although the breaker is open."""
        return self.trouble is not None and self.probe is None and now >= self.probe_at

    def probing(self, stamp: int) -> None:
        """This attempt is the probe."""
        self.probe = stamp

    def answered(self, now: float, *, enqueue: bool) -> None:
        """ChirpStack answered a look or an enqueue, whatever it said."""
        self._answered_at = now
        if self.trouble is None or not self.trouble.enqueue_only or enqueue:
            self._failures = 0
            self.probe = None
            self.trouble = None

    def unanswered(
        self,
        stamp: int,
        started_at: float,
        now: float,
        chance: float,
        *,
        instead: str | None = None,
    ) -> None:
        """A call that began at `started_at` got no answer, or not ChirpStack's own (`instead`);
        `chance` from [0, 1) is for jitter."""
        if self._answered_at > started_at:
            return
        if self.trouble is None:
            self._failures = 1
        elif stamp == self.probe:
            self._failures += 1
        else:
            return  # a call from before: the probe decides
        if self.trouble is None or self.trouble.refusal is not None:
            self.trouble = Trouble(started_at, instead=instead)
        self.probe = None
        self.probe_at = now + backoff_s(self._failures, self._policy, chance)

    def refused(self, text: str, now: float, *, enqueue: bool) -> None:
        """The API key is wrong: that concerns every light, and passes only by hand."""
        self._answered_at = now
        self.probe = None
        known = self.trouble is not None and self.trouble.refusal is not None
        since = self.trouble.since if self.trouble is not None and known else now
        self.trouble = Trouble(since, text, enqueue_only=enqueue)
        self.probe_at = now + self._policy.refused_again_s

    def returned(self, now: float) -> None:
        """ChirpStack answered somebody else's question: the next probe need not wait."""
        self.probe_at = min(self.probe_at, now)

    def abandon(self, stamp: int | None = None) -> None:
        """The probe (of this stamp, or whichever) will not be carried through: another may be."""
        if stamp is None or stamp == self.probe:
            self.probe = None


def backoff_s(
    failures: int, policy: DispatchPolicy, chance: float, most_s: float | None = None
) -> float:
    """Jittered delay after so many failures (1, 2, ...), doubling up to a limit."""
    nominal = policy.retry_first_s * 2.0 ** (min(failures, 32) - 1)
    return min(nominal, policy.retry_most_s if most_s is None else most_s) * (
        1.0 + policy.retry_jitter * (2.0 * chance - 1.0)
    )
