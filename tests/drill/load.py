"""A steady load of commands, given as a careful program would: to any process, with a key, again
with the same key where it is not known what became of it. What was answered 2xx is looked for at
the end: none may be missing."""

import random
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx2
import trio

from tests.drill.serving import Serving

TRY_S = 6.0
"""`serve` answers within 12 s; a caller with other processes to ask does not wait for that."""
GIVE_UP_S = 20.0
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 160, 0), (255, 255, 255))
ENDED = frozenset({"verified", "superseded", "expired", "rejected"})
AT_ONCE = 50
NOTHING_DONE = ("no-owner", "mailbox-full")
"""Kinds of 503 after which it is known that nothing was stored."""


@dataclass
class Figures:
    """What callers saw. A command is refused where no process took it in 20 s."""

    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    """Of the refused: one try had no answer by which it is certain that nothing was done."""
    tries: int = 0
    took_s: list[float] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    """When each was accepted, on Trio's clock."""
    answers: Counter[str] = field(default_factory=Counter)
    """Of each try: the status, or that there was no answer."""

    def since(self, before: "Figures") -> "Figures":
        """What came after."""
        return Figures(
            self.accepted - before.accepted,
            self.refused - before.refused,
            self.unknown - before.unknown,
            self.tries - before.tries,
            self.took_s[len(before.took_s) :],
            self.at_s[len(before.at_s) :],
            self.answers - before.answers,
        )

    def copy(self) -> "Figures":
        """As they are now."""
        counts = (self.accepted, self.refused, self.unknown, self.tries)
        return Figures(*counts, list(self.took_s), list(self.at_s), Counter(self.answers))

    def percentile_s(self, part: float) -> float | None:
        """Of the times from the first try to 2xx."""
        if not self.took_s:
            return None
        ordered = sorted(self.took_s)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class Load:
    """Gives commands until cancelled; `known` has every one that was answered 2xx."""

    def __init__(
        self,
        lights: list[str],
        asked: Callable[[], list[Serving]],
        http: httpx2.AsyncClient,
        *,
        per_s: float,
        seed: int = 1,
    ) -> None:
        self.figures = Figures()
        self.known: dict[str, str] = {}
        """Command id to its last known status."""
        self._lights = lights
        self._asked = asked
        self._http = http
        self._per_s = per_s
        self._rng = random.Random(seed)
        self.halted = False

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """One command after the other, whether earlier ones were answered or not."""
        limit = trio.CapacityLimiter(AT_ONCE)
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                if not self.halted:
                    nursery.start_soon(self._give_within, limit)
                await trio.sleep(1 / self._per_s)

    async def _give_within(self, limit: trio.CapacityLimiter) -> None:
        async with limit:
            await self._give()

    async def _give(self) -> None:
        key, light = uuid.uuid4().hex, self._rng.choice(self._lights)
        red, green, blue = self._rng.choice(COLOURS)
        body = {"red": red, "green": green, "blue": blue, "wait_for_verification": False}
        began = trio.current_time()
        certain = True
        while trio.current_time() < began + GIVE_UP_S:
            asked = self._asked()
            if not asked:
                await trio.sleep(0.1)
                continue
            self.figures.tries += 1
            url = f"{self._rng.choice(asked).url}/api/v1/downlink/{light}"
            try:
                answer = await self._http.post(
                    url, json=body, headers={"Idempotency-Key": key}, timeout=TRY_S
                )
            except httpx2.TransportError as error:
                self.figures.answers[type(error).__name__] += 1
                certain = certain and isinstance(error, httpx2.ConnectError)
                await trio.sleep(0.05)
                continue
            self.figures.answers[str(answer.status_code)] += 1
            if (place := answer.headers.get("Location")) is not None:  # also of one that ended
                self.figures.accepted += 1
                self.figures.at_s.append(trio.current_time())
                self.figures.took_s.append(self.figures.at_s[-1] - began)
                self.known[place.rpartition("/")[2]] = "accepted"
                return
            certain = certain and _says_that_nothing_was_done(answer)
            await trio.sleep(0.2)
        self.figures.refused += 1
        self.figures.unknown += not certain

    async def look(self, most: int | None = None) -> dict[str, int]:
        """What became of every command, of which so many that are open are asked for now;
        `missing` are those that nobody knows any more."""
        waiting = [each for each, status in self.known.items() if status not in ENDED]
        self._rng.shuffle(waiting)
        for command_id in waiting[:most]:
            self.known[command_id] = await self.status(command_id)
        return dict(Counter(self.known.values()))

    async def is_ready(self, url: str) -> bool:
        """Whether a process says so."""
        try:
            return (await self._http.get(url)).is_success
        except httpx2.TransportError:
            return False

    async def open_ones(self, most: int = 5) -> list[str]:
        """Commands that have not ended, in words."""
        found = []
        for command_id, status in self.known.items():
            if status in ENDED or len(found) == most:
                continue
            for process in self._asked():
                with suppress(httpx2.TransportError):
                    told = await self._http.get(f"{process.url}/api/v1/commands/{command_id}")
                    found.append(f"{told.status_code} {told.text}")
                    break
        return found

    async def status(self, command_id: str) -> str:
        """What a process tells of a command now."""
        asked = self._asked()
        for process in self._rng.sample(asked, len(asked)):
            try:
                answer = await self._http.get(f"{process.url}/api/v1/commands/{command_id}")
            except httpx2.TransportError:
                continue
            if answer.status_code == 404:
                return "missing"
            if answer.is_success:
                return str(answer.json()["status"])
        return "unknown"


def _says_that_nothing_was_done(answer: httpx2.Response) -> bool:
    """See docs/cluster.md, "A caller's part"."""
    return answer.status_code < 500 or any(kind in answer.text for kind in NOTHING_DONE)
