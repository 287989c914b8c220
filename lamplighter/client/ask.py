"""One request and its answer: sent again where that is safe, and read as its model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from lamplighter.client.errors import Unanswered, refusal
from lamplighter.client.place import API
from lamplighter.client.retries import again
from lamplighter.client.steps import Answer, Broken, Call, Kit, Pause, Send, Steps

T = TypeVar("T")


class Repeat(Enum):
    """What a repetition of the same request does."""

    HARMLESS = "harmless"
    KEYED = "keyed"
    """Nothing more, by its `Idempotency-Key`."""
    GONE = "gone"
    """It removes: what is not there any more at a repetition is removed."""
    NEVER = "never"
    """It would do it once more."""


@dataclass(frozen=True, kw_only=True)
class Ask(Call[T], Generic[T]):
    """`model` is the type of the answer; None for an answer without a body, bytes for a file."""

    model: type[T]
    method: str = "GET"
    path: str
    below: str = API
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeat: Repeat = Repeat.HARMLESS
    key: str | None = None
    wait_s: float = 0.0
    """So much longer an answer may take, for the service is asked to wait."""

    def steps(self, kit: Kit) -> Steps[T]:
        """Ask, and read the answer. Raises Refused, Unanswered."""
        return self.read((yield from self.answered(kit)))

    def answered(self, kit: Kit) -> Steps[Answer]:
        """The answer, of a status below 400; an empty one where what is to be removed was gone at
        a repetition. Raises Refused, Unanswered."""
        send = self._send(kit)
        until_s = kit.steady() + kit.patience.whole_s + self.wait_s
        doubt = False
        tries = 0
        while True:
            left_s = until_s - kit.steady()
            came = yield replace(send, timeout_s=max(0.001, min(send.timeout_s, left_s)))
            assert came is not None  # noqa: S101 - what is sent is answered, or broken
            tries += 1
            if isinstance(came, Answer):
                kit.clock.note(came.headers.get("date", ""), kit.steady())
                if came.status < 400:
                    return came
                if doubt and self.repeat is Repeat.GONE and came.status == 404:
                    return Answer(204, {}, b"")
            doubt = doubt or (came.sent if isinstance(came, Broken) else came.status >= 500)
            wait_s = again(
                came,
                repeatable=self.repeat is not Repeat.NEVER,
                tries=tries,
                left_s=until_s - kit.steady(),
                patience=kit.patience,
                chance=kit.chance,
            )
            if wait_s is None:
                raise _failure(came)
            yield Pause(wait_s)

    def read(self, answer: Answer) -> T:
        """The answer as its model. Raises Unanswered for one of another service."""
        if self.model is bytes:
            return answer.content  # type: ignore[return-value]
        if self.model is type(None):
            return None
        try:
            return msgspec.json.decode(answer.content, type=self.model)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unanswered(
                f"what answers is no Lamplighter, or one of an older version ({error})"
            ) from error

    def _send(self, kit: Kit) -> Send:
        headers = dict(self.headers)
        if self.repeat is Repeat.KEYED:
            headers["Idempotency-Key"] = self.key or kit.new_key()
        content = self.content
        if self.body is not None:
            content = msgspec.json.encode(self.body)
            headers.setdefault("Content-Type", "application/json")
        path = self.path if self.path.startswith(f"{API}/") else f"{self.below}{self.path}"
        timeout_s = kit.patience.timeout_s + self.wait_s
        return Send(self.method, path, tuple(_parameters(self.query)), headers, content, timeout_s)


def _parameters(query: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """None is left out, a list is repeated."""
    for name, value in query.items():
        values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        for one in values:
            if one is not None:
                yield name, _text(one)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _failure(came: Answer | Broken) -> Exception:
    if isinstance(came, Broken):
        return Unanswered(came.why, sent=came.sent)
    return refusal(came.status, came.content, came.headers.get("retry-after"))
