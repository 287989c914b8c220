"""Paths, queries and headers that nobody means: words from every route, never a fault."""

from urllib.parse import quote

import pytest
from quart_trio import QuartTrio

from tests.support.asgi import ask
from tests.support.fake_application import DEV_EUI

ODD = [
    "%00",
    "%ff%fe",
    "%ed%a0%80",
    "..%2f..%2fetc%2fpasswd",
    "%1b%5b2J",
    "x" * 3_000,
    "%F0%9F%92%A1",
]
PATHS = [
    "/{}",
    "/static/{}",
    "/static/app/{}",
    "/api/v1/{}",
    "/api/v1/devices/{}",
    "/api/v1/devices/{}/events",
    "/api/v1/devices/{}/commands",
    "/api/v1/devices/{}/signal",
    "/api/v1/commands/{}",
    "/api/v1/rollouts/{}",
    "/api/v1/gateways/{}/status",
    "/api/v1/gateways/{}/outages",
    "/api/v1/metrics/downlinks/{}",
    "/api/v1/devices/initialize/{}",
]
QUERIES = [
    "/api/v1/devices?search={}",
    "/api/v1/devices?tag={}",
    "/api/v1/devices?gateway={}",
    "/api/v1/devices?application={}",
    "/api/v1/devices?limit={}",
    "/api/v1/devices?offset={}",
    "/api/v1/devices?{}=1",
    "/api/v1/alerts?kind={}",
    "/api/v1/alerts?limit={}",
    "/api/v1/metrics/downlinks?hours={}",
    "/api/v1/metrics/reliability?hours={}",
    f"/api/v1/devices/{DEV_EUI}/events?since={{}}",
    f"/api/v1/devices/{DEV_EUI}/events?limit={{}}",
    f"/api/v1/devices/{DEV_EUI}/signal?hours={{}}",
    "/api/v1/supervisor?children={}",
]
NUMBERS = [
    "9" * 400,
    "-1",
    "1e999",
    "nan",
    "inf",
    "0x10",
    "",
    "1;2",
    "1_000",
    quote("\N{FULLWIDTH DIGIT ONE}"),
]

HEADERS = [
    ("Idempotency-Key", "\x80\xff"),
    ("Idempotency-Key", ""),
    ("Idempotency-Key", "x" * 5_000),
    ("Prefer", "wait=\xff"),
    ("Prefer", "wait=1e999"),
    ("X-Request-ID", "\x1b[2J"),
    ("Content-Type", "application/json; charset=\xff"),
    ("Content-Type", "application/json; charset=utf-16"),
    ("Content-Length", "x"),
    ("Accept", "\xff"),
    ("Range", "bytes=5-1"),
    ("If-None-Match", '"\xff'),
    ("If-Modified-Since", "never"),
    ("Cookie", "\xff=\xff; ;=;"),
    ("Authorization", "Bearer \xff"),
    ("Authorization", "\xff"),
    ("X-Lamplighter-Token", "\xff"),
    ("X-Forwarded-For", "\xff"),
    ("Origin", "\xff"),
    ("Host", "\xff"),
    ("Host", "a" * 5_000),
    ("Host", "localhost:99999999"),
]


@pytest.mark.parametrize("path", PATHS)
async def test_an_odd_path_is_not_found_or_a_mistake(
    app: QuartTrio, path: str, quiet_logs: list[dict[str, object]]
) -> None:
    for odd in ODD:
        status, _, _ = await ask(app, "GET", path.format(odd), [("Host", "localhost")])
        assert status in {400, 404, 422}, odd
        assert not [line for line in quiet_logs if line["log_level"] == "error"], odd


@pytest.mark.parametrize("query", QUERIES)
async def test_an_odd_query_is_answered_in_words(
    app: QuartTrio, query: str, quiet_logs: list[dict[str, object]]
) -> None:
    for odd in [*ODD, *NUMBERS]:
        status, _, _ = await ask(app, "GET", query.format(odd), [("Host", "localhost")])
        assert status in {200, 400, 404, 422}, odd
        assert not [line for line in quiet_logs if line["log_level"] == "error"], odd


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/static/docs.js"),
        ("GET", "/api/v1/devices"),
        ("POST", f"/api/v1/downlink/{DEV_EUI}"),
        ("POST", "/api/v1/webhooks/chirpstack?event=up"),
        ("GET", "/readyz"),
    ],
)
async def test_an_odd_header_is_no_fault(
    app: QuartTrio, method: str, target: str, quiet_logs: list[dict[str, object]]
) -> None:
    body = b'{"red": 1, "green": 1, "blue": 1, "wait_for_verification": false}'
    for header in HEADERS:
        host = [] if header[0] == "Host" else [("Host", "localhost")]
        kind = [] if header[0] == "Content-Type" else [("Content-Type", "application/json")]
        status, headers, _ = await ask(
            app, method, target, [*host, *kind, header], body if method == "POST" else b""
        )
        assert status < 500, header
        assert status != 429, "each is looked at"
        assert not [line for line in quiet_logs if line["log_level"] == "error"], header
        assert not any("\x1b" in value for values in headers.values() for value in values), header
