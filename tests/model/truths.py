"""What holds of the machine after every step, whatever happened."""

from hypothesis.stateful import invariant

from actors.device.liveness import asleep
from actors.device.machine import next_due
from actors.device.model import Phase, Stage
from actors.device.retry_plan import spent
from tests.model.between import Between

ONLY_EVIDENCE = {Phase.UNINITIALIZED, Phase.FAILED}


class Truths(Between):
    """The invariants."""

    @invariant()
    def nobody_is_told_failed_while_it_shows(self) -> None:
        device = self.device
        if device.phase is Phase.FAILED and device.pursuit is not None:
            assert device.reported != device.pursuit.goal, "said to have failed"

    @invariant()
    def attempts_are_frames_on_air(self) -> None:
        device, command = self.device, self.device.command
        if device.pursuit is not None:
            # an item that no gateway took costs no attempt: the same one is tried again, timed
            over = spent(device.pursuit, self.policy) and not device.pursuit.unsent
            assert device.pursuit.next_at is None or not over
        if command is not None:
            on_air = self.on_air.get(command.id, 0)
            assert command.attempts <= on_air + self.foreign, "counted, but never on air"

    @invariant()
    def what_is_proven_is_said(self) -> None:
        device = self.device
        pursuit, report = device.pursuit, device.report
        if pursuit is None or pursuit.proof is None or report is None or device.setup is not None:
            return
        proof = pursuit.proof
        assert not (
            device.session is not None
            and device.session.dev_addr == report.dev_addr == proof.dev_addr
            and report.light == pursuit.goal
            and report.f_cnt >= proof.fence
            and report.downlinks_received > proof.baseline
        ), "the light said it, and nobody was told"

    @invariant()
    def settings_are_where_they_are_said_to_be(self) -> None:
        session, world = self.device.session, self.world
        if session is not None and session.set_up and session.dev_addr == world.dev_addr:
            old = world.sw_rev < 56
            assert old or world.auto or world.foreign_received, "settings the light never got"

    @invariant()
    def something_wakes_it(self) -> None:
        assert asleep(self.device, self.policy) is None
        assert self.device.healed == 0, "there was something to heal"

    @invariant()
    def nothing_is_stuck(self) -> None:
        device, sent = self.device, self.device.attempt
        if device.command is not None:
            assert device.pursuit is not None
            assert self.world.now < device.command.expires_at or next_due(device, self.policy)
        if sent is not None:
            assert sent.due_at is not None
            if sent.stage is Stage.HELD:
                pending, item = self.pending, self.followed
                holds = pending is not None and pending.number == sent.number
                follows = item is not None and item.queued.number == sent.number
                assert holds or follows, "held, but by nobody"
            return
        assert device.phase is not Phase.AWAITING_VERIFY
        if device.inquiry is not None or device.phase in ONLY_EVIDENCE:
            return
        if device.phase is Phase.INITIALIZING:
            assert device.setup is not None
            assert device.setup.next_at is not None
        if device.phase is Phase.RETRYING and device.setup is None:
            assert device.pursuit is not None
            over = spent(device.pursuit, self.policy)
            assert over or device.pursuit.next_at is not None, "no next attempt"
