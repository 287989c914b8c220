"""The small parts of the edge, each by itself."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from api.http.auth import Gatekeeper, Scope, bearer, host_name, same_origin, subprotocol_token
from api.http.rate_limits import RateLimiter
from api.http.requests import Preferences, read_preferences
from api.logging import configure, usable_request_id
from api.settings.model import Logs


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


def test_tokens() -> None:
    gate = Gatekeeper({Scope.VIEWER: ["v1", "v2"], Scope.WEBHOOK: ["w"]})
    viewer, hook = gate.caller(["v2"], "::1"), gate.caller(["w"], "::1")
    assert viewer is not None
    assert hook is not None
    assert [viewer.may(scope) for scope in Scope] == [True, True, False, False]
    assert [hook.may(scope) for scope in Scope] == [True, False, False, True]
    assert "v2" not in viewer.name
    assert gate.caller(["v3"], "::1") is None
    assert gate.caller([""], "::1") is None
    anybody = gate.caller([], "::1")
    assert anybody is not None
    assert [anybody.may(scope) for scope in Scope] == [True, False, False, False]


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("abc", None),
    ],
)
def test_bearer(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_a_token_among_subprotocols() -> None:
    assert subprotocol_token(["lamplighter.v1", "bearer.abc"]) == "abc"
    assert subprotocol_token(["lamplighter.v1"]) is None


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.example:80", "a.example"), ("[::1]:8", "::1"), ("x.", "x"), ("", ""), ("[", "")],
)
def test_host_name(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        (None, True),
        ("https://me.example", True),
        ("https://ME.example", True),
        ("https://me.example:444", False),
        ("null", False),
        ("https://[", False),
    ],
)
def test_same_origin(origin: str | None, same: bool) -> None:
    assert same_origin(origin, ["me.example"], ()) is same


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "same"),
    [
        # from the field: a proxy that writes the default port into Host
        ("https://lamp.example.org", "lamp.example.org:443", (), True),
        ("http://lamp.example.org", "lamp.example.org:80", (), True),
        ("http://lamp.example.org", "lamp.example.org:443", (), False),
        ("https://lamp.example.org:443", "lamp.example.org", (), True),
        ("https://lamp.example.org.", "Lamp.Example.Org", (), True),
        ("https://lamp.example.org:8443", "lamp.example.org", (), False),
        ("https://lamp.example.org", "127.0.0.1:8090", ("https://lamp.example.org/",), True),
        ("https://lamp.example.org", "127.0.0.1:8090", ("https://LAMP.example.org:443",), True),
        ("http://lamp.example.org", "127.0.0.1:8090", ("https://lamp.example.org",), False),
        ("https://lamp.example.org:x", "lamp.example.org", (), False),
        ("lamp.example.org", "lamp.example.org", (), False),
        ("http://[::1]:8090", "[::1]:8090", (), True),
    ],
)
def test_origins_are_compared_by_what_they_mean(
    origin: str, host: str, allowed: tuple[str, ...], same: bool
) -> None:
    assert same_origin(origin, [host], allowed) is same


def test_of_several_tokens_one_that_is_ours_is_enough() -> None:
    gate = Gatekeeper({Scope.VIEWER: ["v"], Scope.WEBHOOK: ["w"]})
    for shown, scope in [
        (["w", "x"], Scope.WEBHOOK),
        (["x", "w"], Scope.WEBHOOK),
        (["v", "w"], Scope.VIEWER),
    ]:
        found = gate.caller(shown, "::1")
        assert found is not None
        assert found.scope is scope
    assert gate.caller(["x", "y"], "::1") is None


def test_replaced_tokens_are_known_at_once() -> None:
    gate = Gatekeeper({Scope.VIEWER: ["old"], Scope.OPERATOR: ["o"]})
    old, kept = gate.caller(["old"], "::1"), gate.caller(["o"], "::1")
    gate.replace({Scope.VIEWER: ["new"], Scope.OPERATOR: ["o"]})
    assert gate.caller(["old"], "::1") is None
    assert gate.caller(["new"], "::1") is not None
    assert old is not None
    assert kept is not None
    assert [gate.still(old), gate.still(kept)] == [False, True]


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        ([], Preferences()),
        (["respond-async"], Preferences(respond_async=True)),
        (["wait=5", "wait=9"], Preferences(wait_s=5.0)),
        (["wait=-5, wait=x, wait="], Preferences()),
        (['foo="a"; bar, Respond-Async;x=1, WAIT = "7"'], Preferences(True, 7.0)),
    ],
)
def test_prefer(headers: list[str], read: Preferences) -> None:
    assert read_preferences(headers) == read


@pytest.mark.parametrize(
    ("offered", "usable"),
    [("a-1:b/c", True), (None, False), ("", False), ("a b", False), ("x" * 129, False)],
)
def test_request_ids(offered: str | None, usable: bool) -> None:
    assert (usable_request_id(offered) is not None) is usable


@pytest.fixture
def as_before() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**config)


@pytest.mark.usefixtures("as_before")
def test_logs_are_json_where_nobody_looks() -> None:
    out = io.StringIO()
    configure(Logs(), out)
    structlog.contextvars.bind_contextvars(request_id="r-1")
    try:
        structlog.get_logger().info("one", n=1)
        structlog.get_logger().debug("hidden")
        try:
            int("inner")
        except ValueError:
            logging.getLogger("hypercorn.error").exception("two")
    finally:
        structlog.contextvars.unbind_contextvars("request_id")
    one, two = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (one["event"], one["n"], one["level"], one["request_id"]) == ("one", 1, "info", "r-1")
    assert (two["event"], two["level"], two["request_id"]) == ("two", "error", "r-1")
    assert two["exception"][0]["exc_value"].endswith("'inner'")


@pytest.mark.usefixtures("as_before")
def test_logs_for_a_person() -> None:
    out = io.StringIO()
    configure(Logs(format="console"), out)
    structlog.get_logger().info("one", n=1)
    assert "one" in out.getvalue()
    assert not out.getvalue().startswith("{")


@pytest.mark.usefixtures("as_before")
def test_a_terminal_obeys_nothing_in_a_log_line() -> None:
    out = io.StringIO()
    configure(Logs(format="console"), out)
    name = "\x1b[2Jx\x1b]0;owned\x07"
    structlog.get_logger().info("one", device=name, names=[name], more={"a": name})
    logging.getLogger("other").warning("says %s", name)
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()
    assert len(out.getvalue().splitlines()) == 2
