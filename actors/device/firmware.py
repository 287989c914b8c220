"""What a light's software can do: whether it answers, and whether it takes the sixth byte.

Some software refuses a colour with the sixth byte (the request for a status), against the vendor's
document. Once 0601 is set the light answers without it, so that every second attempt goes without;
a software revision that took a colour only so is remembered, in the record of the light and, as
long as this process runs, for all lights of the same revision.

To leave the byte out costs nothing where 0601 is set, so a wrong guess does no harm; where the
settings are not proven the byte stays.
"""

import math
from dataclasses import dataclass, fields

from actors.device.model import Attempt, Device, Pursuit
from actors.device.policy import Policy
from actors.link.knowledge import NOTHING_KNOWN, Knowledge
from actors.replace import replace
from lorawan.kuando import answers_downlinks, wants_reply
from lorawan.kuando.frames import Frame, RequestStatus, SetLight, StatusInterval


@dataclass(frozen=True, slots=True)
class TaughtPolicy(Policy):
    """The policy, and what the lights taught: no setting, so it is not part of `Policy`."""

    knowledge: Knowledge = NOTHING_KNOWN
    listening_since: float = -math.inf
    """Since when (Unix seconds) anything heard of a light would have been told."""


def listening_since(policy: Policy) -> float:
    """Since when a light's silence means something; minus infinity where that is not known."""
    return policy.listening_since if isinstance(policy, TaughtPolicy) else -math.inf


def knowledge_in(policy: Policy) -> Knowledge:
    """What the lights taught, where the policy comes with it."""
    return policy.knowledge if isinstance(policy, TaughtPolicy) else NOTHING_KNOWN


def taught_policy(policy: Policy, knowledge: Knowledge, since: float) -> TaughtPolicy:
    """The policy with this knowledge, silences counting from `since` on."""
    given = {one.name: getattr(policy, one.name) for one in fields(Policy)}
    return TaughtPolicy(**given, knowledge=knowledge, listening_since=since)


WITHOUT_PROVEN = 2
"""Pursuits in a row that only a colour without the byte ended: two losses in a row at the same
place are a chance of 1 in 100 at 10 % loss."""


def heartbeat_only(device: Device) -> bool:
    """Software before 5.6: no downlink is answered, the next status says what became of it."""
    return device.report is not None and not answers_downlinks(device.report.sw_rev)


def upkeep_frame(device: Device, policy: Policy) -> Frame:
    """What makes the light speak, or at least feeds its watchdog (before software 5.6)."""
    if device.report is None or heartbeat_only(device):
        return StatusInterval(policy.status_interval_min)
    return RequestStatus()


def wanted_interval_min(device: Device, policy: Policy) -> int:
    """The status interval that a light shall have now, in minutes."""
    quick = heartbeat_only(device) and device.command is not None
    usual_min = policy.status_interval_min
    return min(policy.quick_interval_min, usual_min) if quick else usual_min


def interval_first(device: Device, policy: Policy) -> bool:
    """Whether a light that cannot answer is to be told a shorter interval before its colour."""
    session = device.session
    return (
        heartbeat_only(device)
        and device.command is not None
        and session is not None
        and session.interval_min != wanted_interval_min(device, policy)
    )


def with_reply(device: Device, goal: Pursuit, policy: Policy) -> bool:
    """Whether the next colour carries the sixth byte."""
    sw_rev = device.report.sw_rev if device.report is not None else None
    if not wants_reply(policy.reply_policy, sw_rev):
        return False
    session = device.session
    if session is None or not session.set_up or sw_rev is None:
        return True
    known = device.refuses_reply == sw_rev or sw_rev in knowledge_in(policy).refusing_reply
    return not (known or goal.attempts % 2 == 1)


def refused_reply(device: Device, sent: Attempt) -> bool:
    """Whether the newest status shows that a colour with the byte arrived and changed nothing."""
    report, frame = device.report, sent.frame
    return (
        report is not None
        and isinstance(frame, SetLight)
        and frame.reply
        and report.light != frame.light
        and report.downlinks_received > sent.baseline
    )


def learned(device: Device, goal: Pursuit, sent: Attempt | None) -> Device:
    """The record after a colour was proven by `sent`."""
    frame = sent.frame if sent is not None else None
    if device.report is None or not isinstance(frame, SetLight) or goal.attempts == 0:
        return device
    if frame.reply:
        return replace(device, without_proven=0)
    proven = device.without_proven + 1
    if goal.refused_reply or proven >= WITHOUT_PROVEN:
        return replace(device, without_proven=0, refuses_reply=device.report.sw_rev)
    return replace(device, without_proven=proven)


class Taught:
    """What is known now, and the policy with it. Shared by all lights."""

    def __init__(
        self, knowledge: Knowledge = NOTHING_KNOWN, listening_since: float = -math.inf
    ) -> None:
        self.knowledge = knowledge
        self.listening_since = listening_since
        self._with: tuple[Policy, Knowledge, float, Policy] | None = None

    def note(self, device: Device) -> None:
        """Take over what this light's record says of its software."""
        known, revision = self.knowledge, device.refuses_reply
        if revision is not None and revision not in known.refusing_reply:
            self.knowledge = replace(known, refusing_reply=known.refusing_reply | {revision})

    def learned(self, knowledge: Knowledge) -> None:
        """Use this from now on; what refuses the sixth byte stays known."""
        refusing = knowledge.refusing_reply | self.knowledge.refusing_reply
        self.knowledge = replace(knowledge, refusing_reply=refusing)

    def known_to(self, policy: Policy) -> Policy:
        """The policy with what is known."""
        known, since = self.knowledge, self.listening_since
        if known is NOTHING_KNOWN and since == -math.inf:
            return policy
        made = self._with
        if made is None or made[0] is not policy or made[1] is not known or made[2] != since:
            made = self._with = (policy, known, since, taught_policy(policy, known, since))
        return made[3]
