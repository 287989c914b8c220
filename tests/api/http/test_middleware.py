"""Who may do what, how often and from where; and what every answer carries."""

import pytest
from quart import Blueprint
from quart.typing import TestClientProtocol as Client

from api.http.app import create_app
from tests.api.conftest import OPERATOR, TOKENS, VIEWER, WEBHOOK, settings_with
from tests.support.fake_application import DEV_EUI, FakeApplication

READS = "/api/v1/devices"
WRITES = f"/api/v1/devices/{DEV_EUI}/initialize"
HOOK = "/api/v1/webhooks/chirpstack?event=nonsense"
PUBLIC = ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/static/docs.js")


def with_token(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(application: FakeApplication) -> Client:
    extra = Blueprint("extra", __name__)

    @extra.get("/extra")
    async def read_extra() -> str:
        return "read"

    @extra.post("/extra")
    async def write_extra() -> str:
        return "written"

    return create_app(application, settings_with(tokens=TOKENS), extra=[extra]).test_client()


@pytest.mark.parametrize(
    ("token", "read", "write", "hook"),
    [
        (None, 401, 401, 401),
        ("x" * 24, 401, 401, 401),
        (VIEWER, 200, 403, 403),
        (OPERATOR, 200, 202, 403),
        (WEBHOOK, 403, 403, 202),
        (VIEWER[:-1], 401, 401, 401),
    ],
)
async def test_scopes(guarded: Client, token: str | None, read: int, write: int, hook: int) -> None:
    headers = with_token(token)
    assert (await guarded.get(READS, headers=headers)).status_code == read
    assert (await guarded.get("/metrics", headers=headers)).status_code == read
    assert (await guarded.get("/extra", headers=headers)).status_code == read
    assert (await guarded.post(WRITES, headers=headers)).status_code == write
    extra = await guarded.post("/extra", headers=headers)
    assert extra.status_code == (200 if write == 202 else write)
    assert (await guarded.post(HOOK, headers=headers, json={})).status_code == hook


async def test_every_route_asks_for_a_token_but_the_public_ones(
    guarded: Client,
) -> None:
    app = guarded.app
    for rule in app.url_map.iter_rules():
        if rule.websocket:
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<path:{name}>", "x").replace(f"<{name}>", DEV_EUI)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            response = await guarded.open(path, method=method)
            public = path in PUBLIC or path.startswith(("/help", "/static/"))  # guide, files
            assert (response.status_code == 401) is not public, (method, path)


async def test_our_own_header_will_do(guarded: Client) -> None:
    headers = {"X-Lamplighter-Token": WEBHOOK}
    assert (await guarded.post(HOOK, headers=headers, json={})).status_code == 202
    both = {**headers, "Authorization": "Basic eDp5"}
    assert (await guarded.post(HOOK, headers=both, json={})).status_code == 202
    wrong = {"X-Lamplighter-Token": "x" * 24, "Authorization": f"Bearer {WEBHOOK}"}
    assert (await guarded.post(HOOK, headers=wrong, json={})).status_code == 202
    assert (await guarded.get(READS, headers={"Authorization": "Basic eDp5"})).status_code == 401


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer nonsense", "Digest x", "", "Bearer"])
async def test_what_is_public_is_public_with_any_header(guarded: Client, header: str) -> None:
    """From the field: a proxy with a password of its own passes its header on."""
    headers = {"Authorization": header, "X-Lamplighter-Token": "nobody's"}
    for path in PUBLIC:
        assert (await guarded.get(path, headers=headers)).status_code in {200, 204}, path


async def test_an_own_token_works_beside_a_proxys_password(guarded: Client) -> None:
    headers = {"Authorization": "Basic eDp5", "X-Lamplighter-Token": OPERATOR}
    assert (await guarded.get(READS, headers=headers)).status_code == 200
    assert (await guarded.post(WRITES, headers=headers)).status_code == 202


async def test_a_flood_without_tokens_locks_nobody_out(application: FakeApplication) -> None:
    """All come from one address, as behind a proxy."""
    settings = settings_with(tokens=TOKENS, rate_burst=3, rate_per_s=0.01)
    client = create_app(application, settings).test_client()
    for _ in range(5):
        last = await client.get(READS)
        await client.get(READS, headers=with_token("x" * 24))
    assert last.status_code == 429
    assert (await client.get("/")).status_code == 200
    assert (await client.get("/static/docs.js")).status_code == 200
    assert (await client.get(READS, headers=with_token(VIEWER))).status_code == 200
    live = await client.get("/api/v1/live", headers=with_token(VIEWER))
    assert live.status_code == 426, "asked for an upgrade, not sent away"


async def test_25_dashboards_behind_one_address_open_at_once(application: FakeApplication) -> None:
    client = create_app(application, settings_with(tokens=TOKENS)).test_client()
    seen = {
        (await client.get(READS, headers=with_token(VIEWER))).status_code
        for _ in range(25)
        for _ in range(10)
    }
    assert seen == {200}


async def test_each_client_of_a_trusted_proxy_is_charged_by_itself(
    application: FakeApplication,
) -> None:
    settings = settings_with(
        tokens=TOKENS, rate_burst=2, rate_per_s=0.01, trusted_proxies=["127.0.0.0/8"]
    )
    app = create_app(application, settings)
    local = {"scope_base": {"client": ("127.0.0.1", 1)}}

    async def status(told: str) -> int:
        headers = {"X-Forwarded-For": told}
        return (await app.test_client().get(READS, headers=headers, **local)).status_code

    assert [await status("203.0.113.7") for _ in range(3)] == [401, 401, 429]
    assert await status("203.0.113.8") == 401
    assert await status("203.0.113.99, 203.0.113.7") == 429, "what the client wrote says nothing"


async def test_an_untrusted_peer_cannot_choose_its_address(application: FakeApplication) -> None:
    app = create_app(application, settings_with(tokens=TOKENS, rate_burst=2, rate_per_s=0.01))
    statuses = [
        (await app.test_client().get(READS, headers={"X-Forwarded-For": f"203.0.113.{n}"}))
        for n in range(3)
    ]
    assert [response.status_code for response in statuses] == [401, 401, 429]


async def test_a_page_of_another_origin_is_told_what_was_compared(
    application: FakeApplication,
) -> None:
    client = create_app(application, settings_with()).test_client()
    headers = {"Host": "localhost:8090", "Origin": "https://lamp.example.org"}
    response = await client.post(WRITES, headers=headers)
    detail = (await response.get_json())["detail"]
    assert response.status_code == 403
    for part in ("https://lamp.example.org", "localhost:8090", "web.origins"):
        assert part in detail


@pytest.mark.parametrize(
    ("trusted", "status"), [(["127.0.0.1"], 202), ([], 403), (["10.0.0.0/8"], 403)]
)
async def test_a_trusted_proxy_tells_the_name_that_the_page_has(
    application: FakeApplication, trusted: list[str], status: int
) -> None:
    app = create_app(application, settings_with(tokens=TOKENS, trusted_proxies=trusted))
    headers = {
        **with_token(OPERATOR),
        "Host": "127.0.0.1:8090",
        "Origin": "https://lamp.example.org:8443",
        "X-Forwarded-Host": "lamp.example.org",
        "X-Forwarded-Port": "8443",
    }
    base = {"client": ("127.0.0.1", 1)}
    response = await app.test_client().post(WRITES, headers=headers, scope_base=base)
    assert response.status_code == status


async def test_a_rebound_name_does_not_pass_by_a_trusted_proxy(
    application: FakeApplication,
) -> None:
    """Without tokens, every name that we were called by has to be our own."""
    app = create_app(application, settings_with(trusted_proxies=["127.0.0.1"]))
    base = {"client": ("127.0.0.1", 1)}
    for host, told in [("evil.example", "localhost"), ("localhost", "evil.example")]:
        headers = {"Host": host, "X-Forwarded-Host": told}
        response = await app.test_client().get(READS, headers=headers, scope_base=base)
        assert response.status_code == 403


async def test_no_token_in_a_url(guarded: Client) -> None:
    assert (await guarded.get(f"{READS}?token={VIEWER}")).status_code == 401


async def test_what_is_not_ready_is_told_to_viewers(
    guarded: Client, application: FakeApplication
) -> None:
    from actors.readiness import Readiness

    application.readiness.ready = Readiness(ready=False, problems=("redis.internal:6379 refuses",))
    public = await (await guarded.get("/readyz")).get_json()
    viewer = await (await guarded.get("/readyz", headers=with_token(VIEWER))).get_json()
    assert public == {"ready": False, "problems": [], "warnings": []}
    assert viewer["problems"] == ["redis.internal:6379 refuses"]


async def test_guessing_is_slowed_down(application: FakeApplication) -> None:
    settings = settings_with(tokens=TOKENS, rate_burst=5, rate_per_s=0.01)
    client = create_app(application, settings).test_client()
    wrong = with_token("x" * 24)
    statuses = [(await client.get(READS, headers=wrong)).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert (await client.post(HOOK, headers=wrong, json={})).status_code == 429
    right = with_token(WEBHOOK)
    assert [(await client.post(HOOK, headers=right, json={})).status_code for _ in range(9)] == [
        202
    ] * 9, "the network goes on"


async def test_too_much_is_too_much(application: FakeApplication) -> None:
    client = create_app(application, settings_with(rate_burst=3, rate_per_s=0.5)).test_client()
    answers = [await client.get(READS) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert (await client.get("/healthz")).status_code == 204


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 202),
        ("http://localhost", 202),
        ("https://panel.example", 202),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://localhost.evil.example", 403),
    ],
)
async def test_pages_of_others_change_nothing(
    application: FakeApplication, origin: str | None, status: int
) -> None:
    client = create_app(application, settings_with(origins=["https://panel.example"])).test_client()
    headers = {} if origin is None else {"Origin": origin}
    response = await client.post(WRITES, headers={"Host": "localhost", **headers})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8090", 200),
        ("127.0.0.1", 200),
        ("[::1]:8090", 200),
        ("desk.lan", 200),
        ("rebound.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
    ],
)
async def test_without_tokens_our_name_matters(
    application: FakeApplication, host: str, status: int
) -> None:
    client = create_app(application, settings_with(hosts=["desk.lan"])).test_client()
    assert (await client.get(READS, headers={"Host": host})).status_code == status
    hook = await client.post(HOOK, headers={"Host": host}, json={})
    assert hook.status_code == (202 if status == 200 else 403)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", READS, 200), ("GET", "/nope", 404), ("PUT", READS, 405), ("GET", "/docs", 200)],
)
async def test_every_answer_is_wrapped(client: Client, method: str, path: str, status: int) -> None:
    response = await client.open(path, method=method, headers={"X-Request-ID": "abc-1"})
    headers = response.headers
    assert response.status_code == status
    assert headers["X-Request-ID"] == "abc-1"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == ("no-cache" if path == "/docs" else "no-store")
    if status >= 400:
        problem = await response.get_json()
        assert headers["Content-Type"] == "application/problem+json"
        assert (problem["status"], problem["request_id"]) == (status, "abc-1")
    if status == 405:
        assert "GET" in headers["Allow"]


async def test_a_bug_shows_nothing_of_our_insides(
    client: Client, application: FakeApplication, quiet_logs: list[dict[str, object]]
) -> None:
    application.break_down()
    response = await client.get(READS, headers={"X-Request-ID": "abc-2"})
    text = (await response.get_data()).decode()
    assert response.status_code == 500
    assert "secret" not in text
    assert "abc-2" in text
    failed = [line for line in quiet_logs if line["event"] == "request failed"]
    assert len(failed) == 1


async def test_a_line_per_request(client: Client, quiet_logs: list[dict[str, object]]) -> None:
    await client.get(f"{READS}?search=private")
    await client.get("/healthz")
    lines = [line for line in quiet_logs if line["log_level"] == "info"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", READS, 200)
    ]


async def test_methods_that_are_none_are_counted_as_one(guarded: Client) -> None:
    for n in range(20):
        assert (await guarded.open("/api/v1/devices", method=f"M{n}")).status_code == 405
    headers = with_token(VIEWER)
    shown = await (await guarded.get("/metrics", headers=headers)).get_data(as_text=True)
    (line,) = [x for x in shown.splitlines() if 'requests_total{method="other"' in x]
    assert line.endswith(" 20.0")
    assert "M1" not in shown
