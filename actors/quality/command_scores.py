"""Which chance was said of each open command, and what came of it.

The 30 s run from the moment the command's first frame was given to ChirpStack: what waits in line
before that, in a rollout say, says nothing of the light. What was said before that is judged; what
came after is the outcome. Commands that were never sent, that a newer one replaced within the time,
or that were accepted in an earlier run of the service are not judged.
"""

from dataclasses import dataclass

from actors.device.command import Command, CommandStatus, StepKind
from actors.quality.chance import WITHIN_S
from actors.quality.chance_scores import ChanceScores

FRESH_S = 5.0
"""A command is seen within moments of its acceptance; one that is older was not seen then."""
SLACK_S = 5.0
"""So much longer is waited for word of a proof in time."""


@dataclass(slots=True)
class _Said:
    chance: float
    command: Command


class CommandScores:
    """Bound: one open command for each light."""

    __slots__ = ("_said", "scores")

    def __init__(self, scores: ChanceScores) -> None:
        self.scores = scores
        self._said: dict[str, _Said] = {}

    def __len__(self) -> int:
        return len(self._said)

    def is_new(self, command: Command, now: float) -> bool:
        """Whether a chance is to be said of it."""
        return (
            command.id not in self._said
            and not command.status.final
            and not command.heartbeat_only
            and now - command.accepted_at < FRESH_S
            and handed_out_at(command) is None
        )

    def said(self, command: Command, chance: float) -> None:
        """This chance was said of a new command."""
        self._said[command.id] = _Said(chance, command)

    def shown(self, command: Command, now: float) -> None:
        """A command took a step, or ended."""
        said = self._said.get(command.id)
        if said is None:
            return
        said.command = command
        if command.status.final:
            del self._said[command.id]
            ended_at = command.ended_at if command.ended_at is not None else now
            self._judge(said, ended_at)

    def look(self, now: float) -> None:
        """Judge those whose time is over."""
        for command_id, said in list(self._said.items()):
            since = handed_out_at(said.command)
            if since is not None and now - since > WITHIN_S + SLACK_S:
                del self._said[command_id]
                self.scores.judged(said.chance, verified=False)

    def clear(self) -> None:
        """The machine's clock was set: what is under way is not judged."""
        self._said.clear()

    def _judge(self, said: _Said, ended_at: float) -> None:
        since = handed_out_at(said.command)
        if since is None:
            return
        in_time = ended_at - since <= WITHIN_S
        match said.command.status:
            case CommandStatus.VERIFIED:
                self.scores.judged(said.chance, verified=in_time)
            case CommandStatus.REJECTED | CommandStatus.WITHDRAWN:
                pass  # by ChirpStack, or by a person, not by the air
            case _ if not in_time:
                self.scores.judged(said.chance, verified=False)
            case _:
                pass


def handed_out_at(command: Command) -> float | None:
    """When ChirpStack had its first frame; None while it waits."""
    for step in command.timeline:
        if step.kind in {StepKind.QUEUED, StepKind.TRANSMITTED}:
            return step.at
    return None
