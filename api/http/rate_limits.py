"""How many requests one client may make: a token bucket per client, in a table of bounded size.

Pure arithmetic on the time that is passed in; nothing here waits.
"""

from collections import OrderedDict
from dataclasses import dataclass

# 10,000 clients of about 250 bytes are 2.5 MB. Who is pushed out comes back with a full bucket, so
# an attacker with more addresses than that gains nothing that those addresses did not give him.
CLIENTS_MOST = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """`rate_per_s` requests per second and client in the long run, `burst` of them at once."""

    def __init__(
        self, rate_per_s: float, burst: float, *, clients_most: int = CLIENTS_MOST
    ) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._clients_most = clients_most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, now: float, cost: float = 1.0) -> float:
        """Take `cost` from the client's bucket at `now` (seconds, any clock that only goes on).

        0.0 when there was enough; otherwise nothing is taken, and the seconds until there will be.
        """
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(self._burst, now)
            if len(self._buckets) > self._clients_most:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(client)
            refill = max(now - bucket.at, 0.0) * self._rate_per_s
            bucket.tokens = min(self._burst, bucket.tokens + refill)
            bucket.at = now
        if bucket.tokens >= cost:
            bucket.tokens -= cost
            return 0.0
        return (cost - bucket.tokens) / self._rate_per_s
