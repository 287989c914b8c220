"""Log lines, for programs and for people."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from api.logging import configure, usable_request_id
from api.settings.model import Logs


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
