"""Hooks: who is told of what happens, by signed posts. `name` is an id or a name."""

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.models import (
    HookList,
    HookMade,
    HookPatch,
    HookRequest,
    HookView,
    ReplayRequest,
    TryList,
    TryView,
)
from lamplighter.client.paths import if_match, path
from lamplighter.client.steps import Call


def hooks() -> Call[HookList]:
    """All hooks by name."""
    return Ask(model=HookList, path="/hooks")


def hook(name: str) -> Call[HookView]:
    """One hook, and how far it was told."""
    return Ask(model=HookView, path=path("hooks", name))


def create_hook(request: HookRequest) -> Call[HookMade]:
    """A new hook; its secret is told this once."""
    return Ask(model=HookMade, method="POST", path="/hooks", body=request, repeat=Repeat.NEVER)


def change_hook(name: str, change: HookPatch, *, revision: int) -> Call[HookView]:
    """Change what is given; `revision` is the one that was read. Raises EditedMeanwhile."""
    return Ask(
        model=HookView,
        method="PATCH",
        path=path("hooks", name),
        body=change,
        headers=if_match(revision),
        repeat=Repeat.NEVER,
    )


def remove_hook(name: str, *, revision: int | None = None) -> Call[None]:
    """Remove it with its log. Raises EditedMeanwhile."""
    return Ask(
        model=type(None),
        method="DELETE",
        path=path("hooks", name),
        headers=if_match(revision),
        repeat=Repeat.GONE,
    )


def hook_deliveries(name: str, *, limit: int = 50) -> Call[TryList]:
    """Its newest tries to deliver."""
    return Ask(model=TryList, path=path("hooks", name, "deliveries"), query={"limit": limit})


def test_hook(name: str) -> Call[TryView]:
    """Have a test event delivered now, and tell what came of it."""
    return Ask(model=TryView, method="POST", path=path("hooks", name, "test"), repeat=Repeat.NEVER)


def rotate_hook_secret(name: str) -> Call[HookMade]:
    """Give it a new secret, which is told this once."""
    return Ask(
        model=HookMade, method="POST", path=path("hooks", name, "secret"), repeat=Repeat.NEVER
    )


def replay_hook(name: str, *, since: float) -> Call[HookView]:
    """Deliver once more what is kept and was told after this time (Unix seconds)."""
    return Ask(
        model=HookView,
        method="POST",
        path=path("hooks", name, "replay"),
        body=ReplayRequest(since=since),
        repeat=Repeat.NEVER,
    )
