"""What is done to ask a service, without doing it: requests, pauses and what comes of them.

Everything that the client knows of the API is a generator of steps. `Client` carries steps out with
blocking sockets, `AsyncClient` under Trio; neither knows what is asked.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ANSWER_BYTES_MOST = 128 * 1024 * 1024
"""A description of 50,000 lights is 100 MB; all floor plans are 40 MB at most."""


@dataclass(frozen=True, slots=True)
class Send:
    """One HTTP request, which is to be answered within `timeout_s`."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request, whatever its status. The names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer came. With `sent` the request may have arrived all the same."""

    why: str
    sent: bool


Steps: TypeAlias = Generator[Send | Pause, Answer | Broken | None, T]
"""Yields what is to be done, is sent what came of it, returns what was asked for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried, and how long is waited between; see `retries.py`."""

    tries: int = 5
    first_s: float = 0.25
    most_s: float = 10.0
    timeout_s: float = 15.0
    """For one answer: within 12 s all is answered but what the service is asked to wait for."""
    whole_s: float = 60.0
    """For all tries of one request."""


class ServiceClock:
    """The time of the service by the `Date` of its newest answer."""

    def __init__(self) -> None:
        self._dated: tuple[float, float] | None = None

    def note(self, date: str, steady_s: float) -> None:
        """An answer of this date came at this steady time."""
        try:
            self._dated = (parsedate_to_datetime(date).timestamp(), steady_s)
        except ValueError:
            return

    def now(self, steady_s: float) -> float:
        """Unix seconds at this steady time; 0 before the first answer."""
        if self._dated is None:
            return 0.0
        at, seen_s = self._dated
        return at + steady_s - seen_s


@dataclass(frozen=True, slots=True)
class Kit:
    """What steps are made with: a steady clock in seconds, chance, new keys, and patience."""

    steady: Callable[[], float]
    chance: random.Random
    new_key: Callable[[], str]
    patience: Patience = field(default_factory=Patience)
    clock: ServiceClock = field(default_factory=ServiceClock)


class Call(ABC, Generic[T_co]):
    """Something to ask of a service; the same for every way to carry it out."""

    @abstractmethod
    def steps(self, kit: Kit) -> Steps[T_co]:
        """How it is asked. Raises LamplighterError."""


class Whole(Call[T_co]):
    """What takes several requests."""

    def __init__(self, make: Callable[[Kit], Steps[T_co]]) -> None:
        self._make = make

    def steps(self, kit: Kit) -> Steps[T_co]:
        """As it was made."""
        return self._make(kit)
