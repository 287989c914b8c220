"""Who asks, as HTTP shows it."""

import msgspec

from api.http.auth import Caller, Scope


class CallerView(msgspec.Struct, frozen=True):
    """What the token of this request allows, so that a page offers nothing else."""

    scope: Scope | None
    """The scope of the token; null while no token is configured, which allows everything."""
    may_read: bool
    may_command: bool
    """Commands, rollouts, initialisations, revivals, acknowledgements."""
    name: str
    """As what is done is written down: of the token or the person; `operator 2` for a token without
    a name, `local` while no token is configured."""
    limited: bool
    """Whether only some lights may be seen: what is of the whole fleet is then refused."""
    refused: list[str]
    """The operations that are refused (403) whatever is sent, each as method and path of the
    OpenAPI: `POST /api/v1/scenes`. Whoever offers something to the caller leaves these out."""

    @classmethod
    def of(cls, caller: Caller, refused: list[str]) -> "CallerView":
        """The view of a caller, who is refused these operations."""
        return cls(
            caller.scope,
            caller.may(Scope.VIEWER),
            caller.may(Scope.OPERATOR),
            caller.name,
            caller.sight.limited,
            refused,
        )
