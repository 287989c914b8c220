"""What is read of a request by itself; bodies and queries are tested over HTTP."""

import pytest

from api.http.requests import Preferences, read_preferences


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
