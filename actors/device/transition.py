"""One step of the device machine in the making: the device being rewritten, and the effects.

It lives for one step only; the values it reads and leaves behind are immutable.
"""

from typing import Unpack

from actors.device import retry_plan
from actors.device.changes import AttemptChanges, CommandChanges, DeviceChanges
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.effects import (
    AnswerCaller,
    CommandChanged,
    Effect,
    Note,
    NoteKind,
    Submit,
    Withdraw,
)
from actors.device.events import Inquired
from actors.device.model import Attempt, Device, Phase, Probe, Stage
from actors.device.policy import Policy
from actors.reasons import Reason, ReasonCode, text_of
from actors.replace import replace
from lorawan.kuando.frames import Frame, SetLight


class Transition:
    """One event being dealt with: `device` is the newest version, `effects` what is to be done."""

    __slots__ = ("answering", "chance", "device", "effects", "happened_at", "now", "policy")

    def __init__(self, device: Device, now: float, chance: float, policy: Policy) -> None:
        self.device = device
        self.now = now
        self.chance = chance
        self.policy = policy
        self.effects: list[Effect] = []
        self.answering: Inquired | None = None
        """The inquiry's answer of which the events are being dealt with: they raise no new
        question, and they happened some time ago."""
        self.happened_at = now
        """When what is being dealt with happened: now, but for the events of an answer."""

    # -------------------------------------------------------------- the record

    def change(self, **fields: Unpack[DeviceChanges]) -> None:
        """Rewrite fields of the device."""
        self.device = replace(self.device, **fields)

    def enter(self, phase: Phase) -> None:
        """Change the phase; staying in it keeps its `since`."""
        if phase is not self.device.phase:
            self.note(NoteKind.PHASE, before=self.device.phase, after=phase)
            self.change(phase=phase, since=self.now)

    def emit(self, effect: Effect) -> None:
        """Ask the shell for something."""
        self.effects.append(effect)

    def note(self, kind: NoteKind, **detail: str | float | None) -> None:
        """Write a line into the device's history."""
        self.effects.append(Note(kind, detail))

    def note_event(
        self, kind: NoteKind, mark: str, at: float | None, **detail: str | float | None
    ) -> None:
        """Write an event of the network into the history, under its own time and id."""
        if self.answering is not None:
            detail["replayed"] = "yes"
        self.effects.append(Note(kind, detail, self.dated(at), f"{kind.value}-{mark}"))

    def dated(self, at: float | None) -> float:
        """The date of an event: ChirpStack's, but never in our future; now where unknown."""
        return self.now if at is None else min(at, self.now)

    def answer(self, text: str) -> None:
        """Tell whoever asked."""
        self.effects.append(AnswerCaller(text))

    def trouble(self, text: str) -> None:
        """Remember the newest thing that went wrong, for the inspection."""
        self.change(last_error=text, last_error_at=self.now)

    # -------------------------------------------------------------- the open command

    def command_step(
        self,
        kind: StepKind,
        status: CommandStatus | None = None,
        *,
        attempt: int | None = None,
        gateway_id: str | None = None,
        reason: Reason | None = None,
        **fields: Unpack[CommandChanges],
    ) -> None:
        """Write a step of the open command, if there is one, and announce it."""
        command = self.device.command
        if command is None:
            return
        newest_at = command.timeline[-1].at if command.timeline else self.happened_at
        at = max(self.happened_at, min(newest_at, self.now))
        text = None if reason is None else text_of(reason, self.now)
        cause = None if reason is None or reason.code is ReasonCode.OTHER else reason
        step = Step(at, kind, attempt, gateway_id, text, cause)
        status = status or command.status
        command = replace(command, status=status, reason=text, cause=cause, **fields)
        command = with_step(command, step, self.policy.timeline_most)
        self.change(command=None if command.status.final else command)
        if command.status.final and kind is not StepKind.WITHDRAWN:  # which has a line of its own
            self.note(NoteKind.COMMAND, command_id=command.id, became=kind.value, reason=text)
        self.emit(CommandChanged(command))

    def name_gateway(self, number: int, gateway_id: str) -> None:
        """Which gateway took the frame of this attempt was not known when that was written."""
        command = self.device.command
        if command is None:
            return
        timeline = tuple(
            replace(step, gateway_id=gateway_id)
            if (step.kind, step.attempt) == (StepKind.TRANSMITTED, number)
            else step
            for step in command.timeline
        )
        if timeline != command.timeline:
            command = replace(command, timeline=timeline)
            self.change(command=command)
            self.emit(CommandChanged(command))

    # -------------------------------------------------------------- the attempt

    def submit(
        self,
        frame: Frame,
        *,
        retry: bool,
        not_before: float = 0.0,
        probe: Probe = Probe.NO,
        life_s: float | None = None,
    ) -> None:
        """Give a frame to the dispatcher, in place of whatever it still holds for this light.

        `life_s` is for one that no command limits. The second frame of a probe is not spaced.
        """
        device, policy = self.device, self.policy
        spacing_s = retry_plan.spacing_s(device, policy)
        spaced = 0.0 if device.last_frame_at is None else device.last_frame_at + spacing_s
        start = self.now if probe is Probe.SECOND else max(self.now, spaced, not_before)
        number = device.attempts_made + 1
        command, goal = device.command, device.pursuit
        of_command = isinstance(frame, SetLight) and goal is not None and not goal.restoring
        attempt = Attempt(
            number=number,
            frame=frame,
            marker_us=int(self.chance * 1_000_000),
            submitted_at=self.now,
            not_before=start,
            retry=retry,
            baseline=device.session_report.downlinks_received if device.session_report else 0,
            expires_at=command.expires_at if command is not None and of_command else None,
            heard=device.session.f_cnt if device.session is not None else -1,
            due_at=start + policy.resubmit_after_s,
            probe=probe,
            sw_rev=device.report.sw_rev if device.report is not None else None,
            expected=retry_plan.success(device, policy),
            spacing_s=spacing_s,
            handed_over=1,
        )
        if life_s is not None:
            attempt = replace(attempt, expires_at=self.now + life_s)
        self.change(attempt=attempt, attempts_made=number)
        self.emit(Submit(attempt))

    def submit_again(self) -> None:
        """The same attempt once more, unless it is transmitted: the dispatcher forgot it, or may
        have, or what it told was lost. It answers with what became of it."""
        attempt, session = self.device.attempt, self.device.session
        if attempt is None or attempt.stage is Stage.TRANSMITTED:
            return
        if attempt.stage is Stage.QUEUED:
            attempt = replace(attempt, due_at=self.now + self.policy.inquiry_again_s)
            if not attempt.dev_addr and session is not None:  # a record of 0.1.0
                attempt = replace(attempt, dev_addr=session.dev_addr)
        else:
            due_at = max(self.now, attempt.not_before) + self.policy.resubmit_after_s
            attempt = replace(attempt, stage=Stage.SUBMITTED, due_at=due_at)
        attempt = replace(attempt, handed_over=attempt.handed_over + 1)
        self.change(attempt=attempt)
        self.emit(Submit(attempt))

    def hand_over_held(self) -> None:
        """A held attempt once more, and it goes on being held until the dispatcher says more."""
        attempt = self.device.attempt
        assert attempt is not None  # noqa: S101 - a broken rule of ours, not bad input
        due_at = self.now + self.policy.resubmit_after_s
        attempt = replace(attempt, due_at=due_at, handed_over=attempt.handed_over + 1)
        self.change(attempt=attempt)
        self.emit(Submit(attempt))

    def submit_held(self) -> None:
        """A held attempt once more: something that held it may be over."""
        if self.device.attempt is not None and self.device.attempt.stage is Stage.HELD:
            self.submit_again()

    def change_attempt(self, **fields: Unpack[AttemptChanges]) -> None:
        """Rewrite fields of the attempt; there must be one."""
        attempt = self.device.attempt
        assert attempt is not None  # noqa: S101 - a broken rule of ours, not bad input
        self.change(attempt=replace(attempt, **fields))

    def close_attempt(self) -> None:
        """Nothing is awaited of the attempt any more; the dispatcher may still hold it."""
        attempt = self.device.attempt
        if attempt is not None:
            if attempt.stage in {Stage.SUBMITTED, Stage.HELD}:
                self.emit(Withdraw())
            self.change(attempt=None)

    # -------------------------------------------------------------- numbers

    def backoff_s(self, failures: int, most_s: float = float("inf")) -> float:
        """Jittered delay after so many failures (1, 2, ...): first x factor^(n-1)."""
        policy, plan = self.policy, retry_plan.fixed(self.policy)
        nominal = plan.first_s * plan.factor ** max(0, min(failures, 64) - 1)
        return min(nominal, most_s) * (1.0 + policy.jitter * (2.0 * self.chance - 1.0))

    def retry_at(self, failures: int) -> float:
        """When the next attempt is due (Unix seconds) after so many failures (1, 2, ...)."""
        if not retry_plan.learned(self.policy):
            return self.now + self.backoff_s(failures)
        spacing_s = retry_plan.spacing_s(self.device, self.policy, failures)
        gap_s = retry_plan.gap_s(failures, spacing_s, self.chance)
        last_at = self.device.last_frame_at
        return self.now if last_at is None else max(self.now, last_at + gap_s)

    def evidence_gap(self, beyond: int) -> float:
        """Earliest next frame (Unix seconds): the gap to the last frame doubles with each attempt
        beyond the timed ones, for air is scarce even where evidence abounds."""
        last_at, policy = self.device.last_frame_at, self.policy
        if last_at is None or beyond <= 0:
            return 0.0
        return last_at + min(policy.spacing_s * 2.0 ** min(beyond, 16), policy.evidence_gap_most_s)

    def window_s(self) -> float:
        """How long after the end of the frame that is out an answer may take."""
        return retry_plan.window_s(self.device, self.device.attempt, self.policy)


def with_step(command: Command, step: Step, most: int) -> Command:
    """The command with one step more; of an overlong timeline the middle is dropped."""
    timeline = (*command.timeline, step)
    if len(timeline) <= most:
        return replace(command, timeline=timeline)
    head = most // 4
    return replace(
        command,
        timeline=timeline[:head] + timeline[head + 1 :],
        steps_omitted=command.steps_omitted + 1,
    )
