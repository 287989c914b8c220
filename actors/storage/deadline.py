"""How long a request from outside waits for the store before it is told that it does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from store.errors import StoreUnavailable

STORE_ANSWER_S = 8.0
"""For all that one request asks of the store; whoever asked is told within 10 s."""


@contextmanager
def store_deadline(limit_s: float = STORE_ANSWER_S) -> Iterator[None]:
    """Bound a block of readings. Raises StoreUnavailable when the time is over."""
    try:
        with trio.fail_after(limit_s):
            yield
    except trio.TooSlowError as slow:
        raise StoreUnavailable(f"the store has not answered for {limit_s:g} s") from slow
