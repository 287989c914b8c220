"""Who asks, and the entry in the audit for what was done: what every handler may ask for.

    by()                             who sent the request, for the `by` of a record
    caller()                         the same with scope, address and sight
    note(Act.REMOVE, dev_eui)        once it is done
    entry(Act.COMMAND, dev_eui)      for whoever stores it together with what it tells of

A request that is carried to another process of the cluster carries its caller, so both say the same
there.
"""

import trio
from quart import g

from actors.storage.audit import Act, AuditEntry, Fact
from api.http.auth import Caller
from api.http.services import application, services

REFUSALS_OF_ALL = "refusals of all"
"""All names together are charged a tenth of what each is: 50 at once, then one a minute."""
REFUSAL_SHARE = 0.1


def caller() -> Caller:
    """Who sent the request (or opened the websocket) that is being answered."""
    found: Caller = g.caller
    return found


def by() -> str:
    """Who that is, for the record of what is done."""
    return caller().name


def note(what: Act, on: str = "", **detail: Fact) -> None:
    """Write down that the caller did this, once it is done. Neither waits nor fails.

    `on` is the light (its DevEUI), rollout, alert and so on; empty for the fleet as a whole.
    """
    asks = caller()
    application().audit.write(
        what, on, by=asks.name, scope=asks.allowed, peer=asks.address, detail=detail
    )


def entry(what: Act, on: str = "", **detail: Fact) -> AuditEntry:
    """That the caller does this, for whoever stores it together with what it tells of."""
    asks = caller()
    return application().audit.made(
        what, on, by=asks.name, scope=asks.allowed, peer=asks.address, detail=detail
    )


def note_refused(method: str, path: str, why: str) -> None:
    """Write down that somebody who is known was refused, unless that was written often lately."""
    limiter, now = services().refusal_limiter, trio.current_time()
    name = by()
    if limiter.take(f"name {name}", now) or limiter.take(REFUSALS_OF_ALL, now, REFUSAL_SHARE):
        return
    note(Act.REFUSED, path, method=method, why=why)
