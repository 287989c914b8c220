"""An app over a fake application, as most tests of the edge need it."""

from collections.abc import Iterator

import pytest
import structlog
from quart.typing import TestClientProtocol as Client
from quart_trio import QuartTrio

from api.http.app import create_app
from api.settings.model import ApiSettings, ChirpStack
from tests.support.fake_application import FakeApplication

VIEWER = "viewer-token-0123456789abcdef"
OPERATOR = "operator-token-0123456789abcdef"
WEBHOOK = "webhook-token-0123456789abcdef"
TOKENS = {"viewer": [VIEWER], "operator": [OPERATOR], "webhook": [WEBHOOK]}


def settings_with(**web: object) -> ApiSettings:
    """Settings with these of the web."""
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    return ApiSettings(chirpstack=chirpstack, web=web)


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[list[dict[str, object]]]:
    """Catch what is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def application() -> FakeApplication:
    return FakeApplication()


@pytest.fixture
def app(application: FakeApplication) -> QuartTrio:
    """Without tokens, as on loopback."""
    return create_app(application, settings_with())


@pytest.fixture
def client(app: QuartTrio) -> Client:
    return app.test_client()
