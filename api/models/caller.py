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

    @classmethod
    def of(cls, caller: Caller) -> "CallerView":
        """The view of a caller."""
        return cls(caller.scope, caller.may(Scope.VIEWER), caller.may(Scope.OPERATOR))
