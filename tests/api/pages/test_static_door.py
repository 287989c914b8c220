"""Files of pages, answered in front of Quart: headers, conditions, odd paths, and who may ask."""

import gzip
import re
from itertools import product

import pytest
from quart import Quart
from quart.typing import TestClientProtocol as Client
from quart_trio import QuartTrio

from api.http.app import create_app
from api.http.security_headers import SECURITY_HEADERS
from api.http.services import services_of
from api.pages.door import is_known, takes_gzip
from api.pages.files import STATIC, static_files
from tests.api.conftest import OPERATOR, TOKENS, settings_with
from tests.support.asgi import ask
from tests.support.fake_application import FakeApplication

VERSION = static_files().version
MAIN = (STATIC / "app" / "main.js").read_bytes()
BELOW, PLAIN = f"/static/{VERSION}/app/main.js", "/static/app/main.js"
HOST = ("Host", "localhost")
NO_FILES = (
    "/static/app/nothing.js",
    f"/static/{VERSION}/app/nothing.js",
    f"/static/{VERSION[::-1]}/app/main.js",
    f"/static/{VERSION}/{VERSION}/app/main.js",
    f"/static/{VERSION.upper()}x/app/main.js",
    f"/static/{VERSION}",
    f"/static/{VERSION}/",
    f"/static/{VERSION}/app",
    "/static/",
    "/static",
    "/static/app/main.js/",
    "/static/app/../app/main.js",
    "/static/app//main.js",
    "/static/./app/main.js",
    "/static/../guide/text/cli.md",
    "/static/%2e%2e/guide/text/cli.md",
    "/static/..%2fguide%2ftext%2fcli.md",
    "/static/..%5cguide%5ctext%5ccli.md",
    f"/static/{VERSION}/../../guide/text/cli.md",
    f"/static/{VERSION}/%2e%2e/index.html",
    "//static/app/main.js",
    "/static/app/main.js%00",
    "/static/app/main.js%0a",
    "/static/APP/main.js",
    "/static/index.html",
    f"/static/{VERSION}/index.html",
    "/static/" + "a" * 256,
    "/static/" + "a/" * 2_000,
)


@pytest.fixture
def without_quart(app: QuartTrio, monkeypatch: pytest.MonkeyPatch) -> QuartTrio:
    async def handle(*_: object) -> None:
        raise AssertionError("a file of a page went through Quart")

    monkeypatch.setattr(Quart, "handle_request", handle)
    monkeypatch.setattr(QuartTrio, "handle_request", handle)
    return app


async def test_a_file_is_answered_whole(without_quart: QuartTrio) -> None:
    kept = {BELOW: "public, max-age=31536000, immutable", PLAIN: "no-cache"}
    for (path, keep), (method, body) in product(kept.items(), (("GET", MAIN), ("HEAD", b""))):
        status, headers, told = await ask(
            without_quart, method, path, [HOST, ("X-Request-ID", "abc-1")]
        )
        assert (status, told) == (200, body)
        assert headers.pop("etag") == [static_files().loaded["app/main.js"].etag]
        assert headers == {
            "content-type": ["text/javascript; charset=utf-8"],
            "content-length": [str(len(MAIN))],
            "cache-control": [keep],
            "vary": ["Accept-Encoding"],
            "x-request-id": ["abc-1"],
            **{name.lower(): [value] for name, value in SECURITY_HEADERS.items()},
        }


async def test_who_takes_gzip_gets_a_third(without_quart: QuartTrio) -> None:
    _, plain, _ = await ask(without_quart, "GET", BELOW, [HOST])
    coded = [HOST, ("Accept-Encoding", "deflate, GZIP;q=0.5, br")]
    status, headers, body = await ask(without_quart, "GET", BELOW, coded)
    assert status == 200
    assert headers["content-encoding"] == ["gzip"]
    assert headers["content-length"] == [str(len(body))]
    assert len(body) < len(MAIN) / 2
    assert gzip.decompress(body) == MAIN
    assert headers["etag"] != plain["etag"]
    refused = [HOST, ("Accept-Encoding", "gzip;q=0, identity")]
    _, headers, body = await ask(without_quart, "GET", BELOW, refused)
    assert body == MAIN
    assert "content-encoding" not in headers


async def test_what_is_known_is_not_sent_again(without_quart: QuartTrio) -> None:
    for method, coding, path in product(("GET", "HEAD"), ("identity", "gzip"), (BELOW, PLAIN)):
        asked = [HOST, ("Accept-Encoding", coding)]
        _, first, _ = await ask(without_quart, method, path, asked)
        [etag] = first["etag"]
        for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            condition = ("If-None-Match", tags)
            status, headers, body = await ask(without_quart, method, path, [*asked, condition])
            assert (status, body) == (304, b""), (method, coding, path, tags)
            kept = {"etag", "cache-control", "vary", *map(str.lower, SECURITY_HEADERS)}
            assert headers.keys() == kept | {"x-request-id"}
            assert all(headers[name] == first[name] for name in kept)
        for tags in ('"other"', etag.strip('"'), f'"{etag}"', ""):
            condition = ("If-None-Match", tags)
            status, _, _ = await ask(without_quart, method, path, [*asked, condition])
            assert status == 200, (method, coding, path, tags)
        parts = [("If-None-Match", '"other"'), ("If-None-Match", etag)]
        status, _, _ = await ask(without_quart, method, path, [*asked, *parts])
        assert status == 304, "a header given twice is one list"


async def test_what_is_no_file_is_not_found(app: QuartTrio) -> None:
    for path in NO_FILES:
        status, headers, body = await ask(app, "GET", path, [HOST])
        assert status == 404, path
        assert headers["content-type"] == ["application/problem+json"]
        assert headers["cache-control"] == ["no-store"]
        assert headers.items() >= {k.lower(): [v] for k, v in SECURITY_HEADERS.items()}.items()
        assert b"urn:lamplighter:problem:not-found" in body


async def test_a_slash_too_many_leads_to_one_less(app: QuartTrio) -> None:
    for path, where in (
        ("/static//app/main.js", PLAIN),
        ("/static/%2fetc/passwd", "/static/etc/passwd"),
    ):
        status, headers, _ = await ask(app, "GET", path, [HOST])
        assert status == 308
        assert headers["location"][0].removeprefix("http://localhost") == where


async def test_files_are_only_read(app: QuartTrio) -> None:
    for method in ("POST", "PUT", "DELETE", "NONSENSE"):
        status, headers, _ = await ask(app, method, BELOW, [HOST])
        assert status == 405, method
        assert set(headers["allow"][0].split(", ")) == {"GET", "HEAD", "OPTIONS"}


async def test_a_page_leads_to_files_that_are_kept(client: Client) -> None:
    for page in ("/", "/docs", "/help/operations"):
        response = await client.get(page)
        named = re.findall(
            r'(?:href|src)="((?:\.\.?/)?static/[^"]+)"', await response.get_data(as_text=True)
        )
        assert len(named) >= 3
        for each in named:
            loaded = await client.get("/" + each.lstrip("./"))
            assert loaded.status_code == 200, each
            keeps = loaded.headers["Cache-Control"].endswith("immutable")
            # One has the same name in every release: it loads a page again that misses another.
            assert keeps is not each.endswith("static/whole.js"), each
        assert response.headers["Cache-Control"] == "no-cache"
        again = await client.get(page, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304, "of which nothing changed"
        assert (await client.head(page)).status_code == 200


@pytest.mark.parametrize("tokens", [{}, TOKENS])
async def test_a_wrong_name_of_the_host_is_refused_without_tokens(
    application: FakeApplication, tokens: dict[str, list[str]]
) -> None:
    app = create_app(application, settings_with(tokens=tokens))
    status, headers, body = await ask(app, "GET", BELOW, [("Host", "evil.example")])
    assert status == (200 if tokens else 403)
    assert tokens or b"wrong-host" in body
    assert headers["x-content-type-options"] == ["nosniff"]


async def test_anybody_may_ask_as_often_as_they_like(application: FakeApplication) -> None:
    app = create_app(application, settings_with(tokens=TOKENS, rate_burst=2, rate_per_s=0.01))
    for shown in ("Bearer nonsense", "Basic eDp5", f"Bearer {OPERATOR}", "\xff"):
        for _ in range(3):
            status, _, _ = await ask(app, "GET", PLAIN, [HOST, ("Authorization", shown)])
            assert status == 200


async def test_a_person_whom_the_proxy_does_not_name_well_is_told_so(
    application: FakeApplication,
) -> None:
    web = {
        "tokens": TOKENS,
        "trusted_proxies": ["127.0.0.1"],
        "trusted_user_header": "X-Forwarded-User",
        "users": {"alice": "viewer"},
    }
    app = create_app(application, settings_with(**web))
    status, _, _ = await ask(app, "GET", BELOW, [HOST, ("X-Forwarded-User", "alice")])
    assert status == 200
    status, _, body = await ask(app, "GET", BELOW, [HOST, ("X-Forwarded-User", "a, b")])
    assert status == 401
    assert b"unauthenticated" in body


async def test_every_file_is_counted_and_logged(
    application: FakeApplication, quiet_logs: list[dict[str, object]]
) -> None:
    app = create_app(application, settings_with(tokens={**TOKENS, "viewer": {"wall": "w" * 24}}))
    token = ("X-Lamplighter-Token", "w" * 24)
    await ask(app, "GET", BELOW, [HOST, token, ("X-Request-ID", "abc-2")])
    await ask(app, "HEAD", PLAIN, [HOST])
    lines = [line for line in quiet_logs if line["event"] == "request"]
    assert [(x["method"], x["path"], x["status"], x["by"], x["client"]) for x in lines] == [
        ("GET", BELOW, 200, "wall", "127.0.0.1"),
        ("HEAD", PLAIN, 200, "", "127.0.0.1"),
    ]
    assert all(line["log_level"] == "info" for line in lines)
    shown = services_of(app).http_metrics.render().decode()
    for method in ("GET", "HEAD"):
        assert (
            f'lamplighter_http_requests_total{{method="{method}",'
            'route="/static/<path:name>",status="200"} 1.0' in shown
        )
    assert 'lamplighter_http_request_seconds_count{route="/static/<path:name>"} 2.0' in shown


async def test_files_are_there_below_a_path(application: FakeApplication) -> None:
    app = create_app(application, settings_with(base_path="/lamp"))
    for prefix in ("", "/lamp"):
        status, _, body = await ask(app, "GET", prefix + BELOW, [HOST])
        assert (status, body) == (200, MAIN)


async def test_while_the_service_stops_no_file_is_given(app: QuartTrio) -> None:
    services_of(app).shutdown.begin()
    status, headers, _ = await ask(app, "GET", BELOW, [HOST])
    assert (status, headers["retry-after"]) == (503, ["10"])


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("br, gzip", True),
        (" GZip ; q=0.001", True),
        ("gzip;q=0", False),
        ("gzip; Q = 0.000", False),
        ("identity, *", False),
        ("xgzip, gzipx", False),
        ("\xff,;,gzip;q=1", True),
    ],
)
def test_what_takes_gzip(accepted: str, taken: bool) -> None:
    assert takes_gzip(accepted) is taken


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        ("", False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b",W/"a" , "c"', True),
        ('"b"', False),
        ("a", False),
        ("*", True),
        ('"b", *', False),
        ('W/"b", "\xff', False),
    ],
)
def test_which_etags_are_known(tags: str, known: bool) -> None:
    assert is_known(tags, '"a"') is known
