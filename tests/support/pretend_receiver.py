"""A receiver of hooks in virtual time: takes events, or not, as the test says."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from actors.outgoing.model import Hook, Kind
from actors.outgoing.ports import Answer


@dataclass(frozen=True)
class Posted:
    """One event as it was posted."""

    id: str
    url: str
    body: Any
    secrets: tuple[str, ...]
    at: float
    """Virtual time."""
    status: int | None

    @property
    def data(self) -> Any:
        return self.body["data"]


@dataclass
class PretendReceiver:
    """`answer` says the status by body; None: there is no answer."""

    answer: Callable[[Any], int | None] = lambda body: 200
    took_s: float = 0.05
    wait_s: float | None = None
    posted: list[Posted] = field(default_factory=list)
    at_once: int = 0
    at_once_most: int = 0

    async def post(self, url: str, event_id: str, body: bytes, secrets: Sequence[str]) -> Answer:
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            await trio.sleep(self.took_s)
        finally:
            self.at_once -= 1
        read = json.loads(body)
        status = self.answer(read)
        now = trio.current_time()
        self.posted.append(Posted(event_id, url, read, tuple(secrets), now, status))
        taken = status is not None and 200 <= status < 300
        error = None if taken else "no answer" if status is None else f"answered {status}"
        return Answer(status, error, self.took_s, "" if taken else "no", self.wait_s)

    @property
    def taken(self) -> list[Posted]:
        return [one for one in self.posted if one.status is not None and one.status < 300]

    def types(self) -> list[str]:
        return [str(one.body["type"]) for one in self.taken]

    def verdicts(self) -> dict[str, list[str]]:
        """Ids of commands by light, each once, in the order of their first delivery."""
        found: dict[str, list[str]] = defaultdict(list)
        for one in self.taken:
            if one.body["type"] == "command.ended":
                told = found[one.data["dev_eui"]]
                if one.data["command_id"] not in told:
                    told.append(one.data["command_id"])
        return dict(found)


def a_hook(hook_id: str = "hook-1", kinds: Sequence[Kind] = (Kind.VERDICTS,), **more: Any) -> Hook:
    """A hook of everything, as somebody asks for it."""
    fields: dict[str, Any] = {
        "id": hook_id,
        "name": f"Hook {hook_id}",
        "url": f"https://receiver.example/{hook_id}",
        "kinds": tuple(kinds),
        "secret": "whsec_AAAA",
        "created_at": 0.0,
        "changed_at": 0.0,
    }
    return Hook(**(fields | more))
