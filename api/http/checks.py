"""What every request is checked for, with and without Quart: host, origin, rate.

Each check raises the Problem to answer with. `middleware.py` calls them for routes and websockets,
`api/webhooks/endpoint.py` for webhooks.
"""

import trio

from api.http.auth import Caller, own_hosts, same_origin
from api.http.exchange import AsgiScope
from api.http.peers import Peer, network_of
from api.http.problems import RATE_LIMITED, UNAUTHENTICATED, WRONG_HOST, WRONG_ORIGIN, Problem
from api.http.services import Services
from api.server.connection import SLOT

# Characters of what a caller wrote that are repeated in a problem.
_QUOTED_CHARS = 200


def check_host(here: Services, peer: Peer) -> None:
    """Without tokens we are reached by our own names only (DNS rebinding). Raises Problem (403)."""
    if not here.gatekeeper.open:
        return
    web = here.settings.web
    if not own_hosts(peer.hosts, (web.bind, *web.hosts)):
        called = ", ".join(sorted(set(peer.hosts)))[:_QUOTED_CHARS]
        raise Problem(
            WRONG_HOST, f"called {called!r}; no token is configured: add the name to web.hosts"
        )


def check_origin(here: Services, origin: str | None, peer: Peer) -> None:
    """Pages of another origin change nothing and follow nothing. Raises Problem (403)."""
    if not same_origin(origin, peer.hosts, here.settings.web.origins):
        called = ", ".join(sorted(set(peer.hosts)))[:_QUOTED_CHARS]
        raise Problem(
            WRONG_ORIGIN,
            f"the page's origin is {str(origin)[:_QUOTED_CHARS]!r}, and this service was called "
            f"{called!r}; if the page is yours, add its origin to web.origins, or have the proxy "
            "pass on the Host header",
        )


def charge(here: Services, caller: Caller) -> None:
    """Count a request against the token that was shown, or else the address. Raises Problem (429)
    when it asks too much."""
    now = trio.current_time()
    if caller.proven:
        wait_s = here.token_limiter.take(caller.counted_as, now)
    else:
        wait_s = here.limiter.take(network_of(caller.address), now)
    if wait_s:
        raise Problem(RATE_LIMITED, headers={"Retry-After": str(int(wait_s) + 1)})


def keep_connection(scope: AsgiScope, caller: Caller) -> None:
    """A connection on which a valid token was shown is kept when there are too many."""
    slot = scope.get("state", {}).get(SLOT)
    if slot is not None and caller.known:
        slot.authenticate()


def person_of(peer: Peer) -> str | None:
    """Whom a trusted proxy signed in, if anybody. Raises Problem (401) for what is no name."""
    try:
        return peer.person
    except ValueError as error:
        detail = f"{error}: it has to set its header itself"
        raise Problem(UNAUTHENTICATED, detail) from None


def wrong_token() -> Problem:
    """The problem to answer with when what was shown is none of our tokens."""
    return Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
