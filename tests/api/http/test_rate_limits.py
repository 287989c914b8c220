"""How many requests one client may make."""

from api.http.rate_limits import RateLimiter


def test_a_bucket_empties_and_fills() -> None:
    limiter = RateLimiter(rate_per_s=2.0, burst=3)
    assert [limiter.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.take("a", 0.0) == 0.5
    assert limiter.take("b", 0.0) == 0.0, "another client has its own"
    assert limiter.take("a", 0.5) == 0.0
    assert limiter.take("a", 0.5) == 0.5
    assert [limiter.take("a", 1_000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    limiter = RateLimiter(rate_per_s=1.0, burst=1)
    limiter.take("a", 100.0)
    assert limiter.take("a", 50.0) == 1.0


def test_the_table_is_bounded() -> None:
    limiter = RateLimiter(rate_per_s=1.0, burst=1, clients_most=100)
    for n in range(1_000):
        limiter.take(f"client {n}", 0.0)
        limiter.take("regular", 0.0)
    assert len(limiter) == 100
    assert limiter.take("regular", 0.0) > 0, "who comes often is not forgotten"
