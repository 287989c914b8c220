"""What the dispatcher was told and has not yet taken up: to put something in never fails.

Bounds: one submission, one answer, one refusal and one set of hearings for each light, one word on
each gateway, and TOLD_MOST.
"""

from collections import deque
from collections.abc import Sequence

from actors.device.events import Inquired, ItemDropped, Transmitted
from actors.device.model import Attempt, Hearing
from actors.downlink.planner import Planner
from actors.link.judgement import AttemptJudged
from actors.messaging.latest_per_key import LatestPerKey

TOLD_MOST = 10_000
"""txacks and dropped items not yet taken up. One task takes them up within a millisecond; while it
restarts (10 s at most) 100 gateways send some thousand. The oldest give way: a look finds out what
they told."""

Submission = tuple[Attempt, Sequence[Hearing]]


class Inbox:
    """It outlives the incarnations of the dispatcher. `offline` are the gateways that are away."""

    def __init__(self) -> None:
        self.submissions: LatestPerKey[str, Submission | None] = LatestPerKey()
        self.told: deque[tuple[str, Transmitted | ItemDropped]] = deque(maxlen=TOLD_MOST)
        self.told_late: deque[tuple[str, Transmitted]] = deque(maxlen=TOLD_MOST)
        self.answers: LatestPerKey[str, Inquired] = LatestPerKey()
        self.refusals: LatestPerKey[str, str] = LatestPerKey()
        self.gateways: LatestPerKey[str, bool] = LatestPerKey()
        self.heard: LatestPerKey[str, float] = LatestPerKey()
        self.hearings: LatestPerKey[str, Sequence[Hearing]] = LatestPerKey()
        self.judged: deque[tuple[str, AttemptJudged]] = deque(maxlen=TOLD_MOST)
        self.flushed: set[str] = set()  # at most one entry for each light
        self.offline: set[str] = set()
        self.returned = False

    def take_up(self, planner: Planner, now: float, date_ahead_s: float) -> None:
        """Tell the planner all of it; dates of events are `date_ahead_s` ahead of steady time."""
        while (told_of := self.gateways.first()) is not None:
            gateway_id, online = told_of
            (self.offline.discard if online else self.offline.add)(gateway_id)
            planner.gateway_changed(gateway_id, now, online=online)
            self.gateways.remove(gateway_id, online)
        while self.flushed:
            planner.queue_flushed(self.flushed.pop(), now)
        if self.returned:
            self.returned = False
            planner.network_returned(now)
        while self.told:
            dev_eui, event = self.told.popleft()
            if isinstance(event, Transmitted):
                planner.transmitted(dev_eui, event, now, date_ahead_s)
            else:
                planner.dropped(dev_eui, event, now)
        while self.told_late:
            dev_eui, told = self.told_late.popleft()
            planner.transmitted_before(dev_eui, told, date_ahead_s, now)
        for dev_eui, hearings in self.hearings.take_all():
            planner.heard_by(dev_eui, hearings, now)
        for dev_eui, at in self.heard.take_all():
            planner.heard(dev_eui, at)
        while self.judged:
            planner.judged(*self.judged.popleft(), now)
        for dev_eui, answer in self.answers.take_all():
            planner.inquired(dev_eui, answer, date_ahead_s, now)
        for dev_eui, problem in self.refusals.take_all():
            planner.refused(dev_eui, problem, now)
        for dev_eui, submission in self.submissions.take_all():
            if submission is None:
                planner.withdraw(dev_eui)
            else:
                planner.submit(dev_eui, *submission, now)
