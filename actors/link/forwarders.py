"""What is known of each gateway's forwarder, and of each software revision's answer delay.

Learned from whatever passes: every txack and every status go through here. Of a frame that left in
a receive window (Class A) gateway and light agree on the moment to the microsecond, so its answer
tells the light's delay without the forwarder's lag; of any other frame the answer tells the sum of
both (`lag.py`). The probe (`actors/device/probing.py`) makes such a pair on purpose.

A txack tells a kind of forwarder, too: Basics Station acknowledges what is on the air, all others
what they put into their queue. Of a frame that waits for its window the first acknowledgement comes
after the window has opened, the other before. Basics Station may have used RX2 though its txack
names RX1: the bridge names the first of the two. Then its own time tells.

All times are ChirpStack's own, as it told them: only their differences are used. Pure; the store
writer gets the records from `unsaved`, and `restore` takes them in again.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec
import structlog

from actors.link.forwarder_records import (
    ANSWERS_MOST,
    LEADS_MOST,
    SLOTS_MOST,
    TICK_SPREAD_S,
    TXACKS_KEPT,
    Answer,
    FirmwareRecord,
    ForwarderRecord,
    acknowledged_from_air,
    middle,
    since_changed,
)
from actors.link.lag import (
    BOUND_SAMPLES,
    REFUSED_SIGMAS,
    SURE_SIGMAS,
    Basis,
    Delay,
    Lag,
    SlotDelay,
    beyond_s,
    delay_of,
    lag_of,
)
from actors.storage.record_version import checked

log = structlog.get_logger()

LIGHTS_MOST = 4_000
"""Lights of which the newest status is remembered: a quarter of an hour of heartbeats of so many,
some 300 bytes each. Of those beyond a frame teaches nothing."""
GATEWAYS_MOST = 1_000
REVISIONS_MOST = 32
"""Software revisions; the vendor's documents name eight."""
ANSWER_MOST_S = 15.0
"""A later status is a heartbeat, or held back by the light's off-time: neither is a delay."""
RX2_AFTER_S = 1.0
"""From the opening of RX1 to that of RX2. Source: LoRaWAN 1.0.3, RECEIVE_DELAY2."""
WINDOWS_S = 1.1
"""From the opening of RX1 until a light may speak again: RX2 stays open for some 0.1 s."""
EARLY_S = 0.05
"""An answer cannot begin before its frame has ended; by so much times may be rounded."""
LEAD_MOST_S = 1.6
"""ChirpStack's tick and the way to the gateway; a frame that took longer waited for a lock."""
FROM_AIR = Lag(0.0, Basis.ACKNOWLEDGED)

FORWARDER, FIRMWARE = "forwarder:", "firmware:"
"""Begin the keys of the records."""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A gateway took a frame; `airtime_s` is the frame's, `rx_delay_s` None for Class C."""

    gateway_id: str
    at: float
    airtime_s: float
    rx_delay_s: float | None = None


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A status arrived at `at`; `airtime_s` is its own."""

    at: float
    dev_addr: str
    f_cnt: int
    downlinks_received: int
    sw_rev: int
    airtime_s: float


class ForwarderFacts(msgspec.Struct, frozen=True):
    """What follows for one gateway. `slow_tick`: its frames leave up to a second after their
    orders, as ChirpStack's scheduler does unless set otherwise."""

    gateway_id: str
    lag: Lag | None
    basics_station: bool | None
    answers: int
    order_to_txack_s: tuple[float, float] | None
    slow_tick: bool


class FirmwareFacts(msgspec.Struct, frozen=True):
    """What follows for one software revision."""

    sw_rev: int
    delay: Delay | None
    samples: int


class Forwarders:
    """Learns, and answers. Part of what the dispatcher paces by (`air_facts.py`)."""

    def __init__(self) -> None:
        self._gateways: dict[str, ForwarderRecord] = {}
        self._firmware: dict[int, FirmwareRecord] = {}
        self._heard: OrderedDict[str, Heard] = OrderedDict()
        self._taken: dict[str, list[Taken]] = {}
        """Frames since the newest status, two at most, of lights in `_heard`."""
        self._unsaved: dict[str, ForwarderRecord | FirmwareRecord] = {}
        self._lags: dict[str, Lag | None] = {}
        self._rx2_airtime_s: dict[str, float] = {}
        """Of the newest Class C frame of each gateway."""
        self._beyond: dict[tuple[str, str], float | None] = {}  # until something is learned

    # ---------------------------------------------------------------- what is seen

    def ordered(self, gateway_id: str, lead_s: float) -> None:
        """The txack of a Class C frame came so long after its order, by our own clock."""
        if not (gateway_id and 0.0 <= lead_s <= LEAD_MOST_S):
            return
        record = self._gateway(gateway_id)
        if record is not None:
            leads_s = (*record.leads_s, round(lead_s, 3))[-LEADS_MOST:]
            record = msgspec.structs.replace(record, leads_s=leads_s)
            self._gateways[gateway_id] = self._unsaved[_key(gateway_id)] = record

    def taken(self, dev_eui: str, frame: Taken) -> None:
        """A gateway took a frame for this light."""
        before = self._heard.get(dev_eui)
        if before is None or not frame.gateway_id:
            return
        if frame.rx_delay_s is None and frame.gateway_id in self._gateways:
            self._rx2_airtime_s[frame.gateway_id] = frame.airtime_s
        self._taken.setdefault(dev_eui, []).append(frame)
        del self._taken[dev_eui][:-2]
        if frame.rx_delay_s is not None and before.at <= frame.at < before.at + ANSWER_MOST_S:
            early = frame.at < before.at + frame.rx_delay_s
            self._acknowledged(frame.gateway_id, "q" if early else "a")

    def heard(self, dev_eui: str, status: Heard) -> SlotDelay | Answer | None:
        """A status of this light arrived; what it taught, if anything."""
        taught: SlotDelay | Answer | None = None
        before = self._heard.get(dev_eui)
        frames = self._taken.pop(dev_eui, [])
        if before is not None and before.dev_addr == status.dev_addr:
            if status.f_cnt <= before.f_cnt:
                return None  # late, or once more
            one = status.f_cnt == before.f_cnt + 1 and len(frames) == 1
            if one and status.downlinks_received == before.downlinks_received + 1:
                taught = self._learn(before, frames[0], status)
        self._heard[dev_eui] = status
        self._heard.move_to_end(dev_eui)
        if len(self._heard) > LIGHTS_MOST:
            oldest, _ = self._heard.popitem(last=False)
            self._taken.pop(oldest, None)
        return taught

    def forget_light(self, dev_eui: str) -> None:
        """It is known no longer."""
        self._heard.pop(dev_eui, None)
        self._taken.pop(dev_eui, None)

    # ---------------------------------------------------------------- what is known

    def lag_s(self, gateway_id: str) -> float | None:
        """From a gateway's txack to its frame's start, seconds; 0 where the txack comes from the
        air; None while unknown."""
        lag = self._lag(gateway_id)
        return None if lag is None else lag.lag_s

    def is_basics_station(self, gateway_id: str) -> bool:
        """Whether its txacks come from the air, which of all forwarders Basics Station alone does;
        it shuts its band after each frame and drops what finds no slot, without a word."""
        return self._from_air(gateway_id) is True

    def lag_beyond_s(self, gateway_id: str, other_id: str) -> float | None:
        """By how much the lag of the one is longer than the other's, at most; None while unknown.

        Lags are subtracted that are beyond doubt. Else lights of one software revision tell, heard
        through both: their delay is the same, so that the sums differ by the lags alone.
        """
        pair = (gateway_id, other_id)
        if pair not in self._beyond:
            self._beyond[pair] = self._look_beyond(gateway_id, other_id)
        return self._beyond[pair]

    def sums_s(self, sw_rev: int, gateway_id: str) -> Sequence[float]:
        """Lag and delay in one of lights with this software revision through this gateway, probes
        included, ascending; 60 at most."""
        record = self._gateways.get(gateway_id)
        some = () if record is None else record.answers
        return sorted(answer.sum_s for answer in some if answer.sw_rev == sw_rev)

    def delay(self, sw_rev: int) -> Delay | None:
        """How soon lights of this software revision answer, without any lag."""
        record = self._firmware.get(sw_rev)
        return None if record is None else delay_of(record.slots)

    def slots(self, sw_rev: int) -> int:
        """How many answers without lag were seen of this software revision."""
        record = self._firmware.get(sw_rev)
        return 0 if record is None else len(record.slots)

    def gateways(self) -> Sequence[ForwarderFacts]:
        """Of every gateway of which anything is known, by id."""
        return [self.gateway(gateway_id) for gateway_id in sorted(self._gateways)]

    def gateway(self, gateway_id: str) -> ForwarderFacts:
        """Of one gateway."""
        record = self._gateways.get(gateway_id) or ForwarderRecord(gateway_id)
        from_air = self._from_air(gateway_id)
        lead = middle(record.leads_s)
        slow = lead is not None and lead[1] - lead[0] >= TICK_SPREAD_S and from_air is not True
        return ForwarderFacts(
            gateway_id=gateway_id,
            lag=self._lag(gateway_id),
            basics_station=from_air,
            answers=len(record.answers),
            order_to_txack_s=lead,
            slow_tick=slow,
        )

    def revisions(self) -> Sequence[FirmwareFacts]:
        """Of every software revision of which anything is known."""
        return [
            FirmwareFacts(sw_rev, delay_of(record.slots), len(record.slots))
            for sw_rev, record in sorted(self._firmware.items())
        ]

    # ---------------------------------------------------------------- the store

    def unsaved(self) -> dict[str, bytes]:
        """Records changed since the last call, by key."""
        changed, self._unsaved = self._unsaved, {}
        return {key: msgspec.json.encode(record) for key, record in changed.items()}

    def restore(self, records: Iterable[tuple[str, bytes]]) -> None:
        """Take in what an earlier run saved; what cannot be read is learned anew."""
        for key, value in records:
            try:
                if key.startswith(FORWARDER):
                    gateway = msgspec.json.decode(checked(value), type=ForwarderRecord)
                    self._gateways[gateway.gateway_id] = gateway
                elif key.startswith(FIRMWARE):
                    firmware = msgspec.json.decode(checked(value), type=FirmwareRecord)
                    self._firmware[firmware.sw_rev] = firmware
            except msgspec.MsgspecError as error:
                log.warning("stored facts are unreadable", key=key, error=str(error))
        self._lags.clear()
        self._beyond.clear()

    # ---------------------------------------------------------------- how

    def _learn(self, before: Heard, frame: Taken, status: Heard) -> SlotDelay | Answer | None:
        if frame.rx_delay_s is not None:
            return self._learn_slot(before, frame, frame.rx_delay_s, status)
        sum_s = status.at - frame.at - frame.airtime_s - status.airtime_s
        if not -EARLY_S <= sum_s <= ANSWER_MOST_S:
            return None
        answer = Answer(status.sw_rev, round(max(0.0, sum_s), 3))
        self._answer(frame.gateway_id, answer)
        return answer

    def _learn_slot(
        self, before: Heard, frame: Taken, rx_delay_s: float, status: Heard
    ) -> SlotDelay | None:
        airtime_s: float | None = frame.airtime_s
        windows_s = WINDOWS_S
        if frame.at >= before.at + rx_delay_s + RX2_AFTER_S:  # from the air, and out of RX2
            airtime_s = self._rx2_airtime_s.get(frame.gateway_id)
            rx_delay_s, windows_s = rx_delay_s + RX2_AFTER_S, WINDOWS_S - RX2_AFTER_S
        if airtime_s is None:
            return None
        delay_s = status.at - before.at - rx_delay_s - airtime_s - status.airtime_s
        if not -EARLY_S <= delay_s <= ANSWER_MOST_S:
            return None
        floor_s = max(0.0, windows_s - airtime_s)
        slot = SlotDelay(round(max(0.0, delay_s), 3), round(floor_s, 3))
        self._slot(status.sw_rev, slot)
        return slot

    def _answer(self, gateway_id: str, answer: Answer) -> None:
        record = self._gateway(gateway_id)
        if record is None:
            return
        answers = (*record.answers, answer)[-ANSWERS_MOST:]
        if (kept := since_changed(answers)) is not None:
            log.info("the forwarder of a gateway behaves differently now", gateway_id=gateway_id)
            answers = kept
        self._keep(msgspec.structs.replace(record, answers=answers))

    def _acknowledged(self, gateway_id: str, kind: str) -> None:
        record = self._gateway(gateway_id)
        if record is None:
            return
        txacks = (record.txacks + kind)[-TXACKS_KEPT:]
        flipped = (
            acknowledged_from_air(record.txacks) is False and acknowledged_from_air(txacks) is True
        )
        answers = () if flipped else record.answers
        if record.txacks != txacks or flipped:
            self._keep(msgspec.structs.replace(record, txacks=txacks, answers=answers))

    def _slot(self, sw_rev: int, slot: SlotDelay) -> None:
        record = self._firmware.get(sw_rev)
        if record is None:
            if len(self._firmware) >= REVISIONS_MOST:
                return
            record = FirmwareRecord(sw_rev)
        record = msgspec.structs.replace(record, slots=(*record.slots, slot)[-SLOTS_MOST:])
        self._firmware[sw_rev] = record
        self._unsaved[f"{FIRMWARE}{sw_rev}"] = record
        self._lags.clear()
        self._beyond.clear()

    def _gateway(self, gateway_id: str) -> ForwarderRecord | None:
        record = self._gateways.get(gateway_id)
        if record is None and len(self._gateways) < GATEWAYS_MOST:
            record = self._gateways[gateway_id] = ForwarderRecord(gateway_id)
        return record

    def _keep(self, record: ForwarderRecord) -> None:
        self._gateways[record.gateway_id] = record
        self._unsaved[_key(record.gateway_id)] = record
        self._lags.pop(record.gateway_id, None)
        self._beyond.clear()

    def _from_air(self, gateway_id: str) -> bool | None:
        record = self._gateways.get(gateway_id)
        return None if record is None else acknowledged_from_air(record.txacks)

    def _lag(self, gateway_id: str) -> Lag | None:
        if gateway_id not in self._lags:
            record = self._gateways.get(gateway_id)
            from_air = None if record is None else acknowledged_from_air(record.txacks)
            if from_air is True:
                self._lags[gateway_id] = FROM_AIR
            elif from_air is False and record is not None:
                self._lags[gateway_id] = self._lag_of(record.answers)
            else:
                self._lags[gateway_id] = None
        return self._lags[gateway_id]

    def _look_beyond(self, gateway_id: str, other_id: str) -> float | None:
        lag, other = self._sure_lag(gateway_id), self._sure_lag(other_id)
        if lag is not None and other is not None:
            return lag.lag_s - other.lag_s
        one, two = self._gateways.get(gateway_id), self._gateways.get(other_id)
        return None if one is None or two is None else _beyond(one.answers, two.answers)

    def _sure_lag(self, gateway_id: str) -> Lag | None:
        lag, record = self._lag(gateway_id), self._gateways.get(gateway_id)
        if lag is None or record is None or lag.basis is not Basis.EXCLUDED:
            return lag
        return self._lag_of(record.answers, SURE_SIGMAS)

    def _lag_of(
        self, answers: Sequence[Answer], refused_sigmas: float = REFUSED_SIGMAS
    ) -> Lag | None:
        """By the software revision of which most is known."""
        revisions = {answer.sw_rev for answer in answers}
        for sw_rev in sorted(revisions, key=lambda one: (-self.slots(one), one)):
            sums = [answer.sum_s for answer in answers if answer.sw_rev == sw_rev]
            firmware = self._firmware.get(sw_rev)
            slots = () if firmware is None else firmware.slots
            lag = lag_of(sums, slots, refused_sigmas=refused_sigmas)
            if lag is not None:
                return lag
        return None


def _beyond(answers: Sequence[Answer], others: Sequence[Answer]) -> float | None:
    for sw_rev in sorted({answer.sw_rev for answer in answers}):
        ours = [one.sum_s for one in answers if one.sw_rev == sw_rev]
        theirs = [one.sum_s for one in others if one.sw_rev == sw_rev]
        if min(len(ours), len(theirs)) >= BOUND_SAMPLES:
            return beyond_s(ours, theirs)
    return None


def _key(gateway_id: str) -> str:
    return f"{FORWARDER}{gateway_id}"
