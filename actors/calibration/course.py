"""One probe as it is overheard, and what it comes to."""

from actors.calibration.listening import Overheard
from actors.calibration.model import Candidate, Outcome, ProbeResult
from actors.device.events import Transmitted
from actors.link.forwarder_records import Answer
from actors.link.lag import SlotDelay


class Course:
    """What was heard of one light since it was asked to be probed."""

    def __init__(self, light: Candidate) -> None:
        self._light = light
        self._gateway_id: str | None = None
        self._sum_s: float | None = None
        self._delay_s: float | None = None
        self._answers = 0
        self._in_slot = self._by_class_c = 0

    def hear(self, message: Overheard, taught: SlotDelay | Answer | None) -> None:
        """A txack or an uplink of this light."""
        if isinstance(message, Transmitted):
            if message.rx_delay_s is not None:
                self._in_slot += 1
            else:
                self._by_class_c += 1
                self._gateway_id = self._gateway_id or message.gateway_id or None
            return
        self._answers += message.status is not None
        if isinstance(taught, Answer) and self._sum_s is None:
            self._sum_s = taught.sum_s
        elif isinstance(taught, SlotDelay):
            self._delay_s = taught.delay_s

    def result(
        self, now: float, outcome: Outcome | None = None, reason: str | None = None
    ) -> ProbeResult:
        """How it ended; by what was heard, where nobody says otherwise."""
        return ProbeResult(
            dev_eui=self._light.dev_eui,
            name=self._light.name,
            sw_rev=self._light.sw_rev,
            gateway_id=self._gateway_id,
            outcome=outcome or self._outcome(),
            reason=reason,
            sum_s=self._sum_s,
            delay_s=self._delay_s,
            at=now,
        )

    def _outcome(self) -> Outcome:
        if self._delay_s is not None:
            return Outcome.MEASURED
        if not (self._by_class_c or self._in_slot):
            return Outcome.NOT_TAKEN
        if self._in_slot:
            return Outcome.SECOND_UNANSWERED
        return Outcome.NOT_IN_TIME if self._answers else Outcome.UNANSWERED
