"""What is kept of every request that was answered: two metrics and a log line."""

import structlog

from api.http.metrics import HttpMetrics

log = structlog.get_logger()

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = SAFE | {"POST", "PUT", "PATCH", "DELETE"}


def tell(
    http_metrics: HttpMetrics,
    method: str,
    path: str,
    route: str,
    status: int,
    took_s: float,
    *,
    client: str,
    by: str,
    quiet: bool = False,
) -> None:
    """Count and log a request; `route` is the pattern that its path fits, `client` the address and
    `by` the name of who asked. A quiet one is logged for debugging only."""
    # A method may be any word; each would be kept as a line of its own for ever.
    counted = method if method in _METHODS else "other"
    http_metrics.requests.labels(counted, route, str(status)).inc()
    http_metrics.seconds.labels(route).observe(took_s)
    write = log.debug if quiet else log.info
    write(
        "request",
        method=method,
        path=path,
        status=status,
        took_ms=round(took_s * 1000, 1),
        client=client,
        by=by,
    )
