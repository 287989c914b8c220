"""Why an event was not understood.

EventError
├── MalformedEvent      not a body of this kind: refuse it, so that the sender logs it
└── UnknownEventKind    not for us: accept and ignore it
"""


class EventError(Exception):
    """An event that is not understood. Base of the family; the sender's doing, never ours."""


class MalformedEvent(EventError):
    """`field` is the path of the offending field as ChirpStack's JSON spells it, such as
    `rxInfo[0].rssi`, or `body` when it is the body as a whole; `problem` is for people."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownEventKind(EventError):
    """`kind` is none that we know, such as `integration`, which servers before 4.15 sent."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"no event kind {kind[:64]!r}")
        self.kind = kind
