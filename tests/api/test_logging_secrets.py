"""A traceback in the log tells where, never what was in the variables: there are tokens in them."""

import io
import json
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from api.logging import configure
from api.settings.model import Logs

SECRET = "sesame-open-0123456789abcdef"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was found."""
    import logging

    root = logging.getLogger()
    handlers, level, config = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**config)


def check(token: str) -> None:
    """A function that fails with a secret at hand."""
    assert token
    raise ValueError("the check failed")


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_local_variable_is_written(form: Literal["json", "console"]) -> None:
    out = Terminal()
    configure(Logs(format=form), out)
    try:
        check(SECRET)
    except ValueError:
        structlog.get_logger().exception("request failed")
    text = out.getvalue()
    assert "the check failed" in text
    assert "in check" in text if form == "console" else '"name": "check"' in text
    assert SECRET not in text
    if form == "json":
        assert json.loads(text)["event"] == "request failed"
