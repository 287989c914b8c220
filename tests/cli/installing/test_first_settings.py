"""The settings file that `init` writes: what an address means, whole or not at all."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from api.cli.installing.answers import Answers, Unusable, place_at, settings_text
from api.cli.installing.file import NewFile, NotWritten, check_free
from api.http.tokens import hash_of, token_from
from api.settings.file import SettingsError, load_settings

OPERATOR, WEBHOOK = token_from(bytes(range(32))), token_from(bytes(range(1, 33)))
ANSWERS = Answers(
    target="chirpstack.example:8080",
    api_key="key",
    tls=False,
    ca_file=None,
    tenant_id=None,
    profile_contains="kuando",
    region="EU868",
    place=place_at("http://10.0.0.5:8090"),
    store_url="sqlite:////var/lib/lamplighter/lamplighter.db",
    operator="alice",
    operator_hash=hash_of(OPERATOR),
    webhook_token=WEBHOOK,
)


@pytest.mark.parametrize(
    ("url", "bind", "port", "base_path", "proxied"),
    [
        ("http://10.0.0.5:8090", "0.0.0.0", 8090, "", False),
        ("10.0.0.5:9000/", "0.0.0.0", 9000, "", False),
        ("http://127.0.0.1:8091", "127.0.0.1", 8091, "", False),
        ("http://localhost:8091", "127.0.0.1", 8091, "", False),
        ("http://[fd00::5]:8090", "::", 8090, "", False),
        ("http://lights.example", "127.0.0.1", 8090, "", True),
        ("https://lights.example.org", "127.0.0.1", 8090, "", True),
        ("https://example.org:8443/lamp/", "127.0.0.1", 8090, "/lamp", True),
        ("https://example.org/lamp/api/v1/webhooks/chirpstack", "127.0.0.1", 8090, "/lamp", True),
    ],
)
def test_an_address_says_where_to_listen(
    url: str, bind: str, port: int, base_path: str, proxied: bool
) -> None:
    place = place_at(url)
    assert (place.bind, place.port, place.base_path, place.proxied) == (
        bind,
        port,
        base_path,
        proxied,
    )
    assert place.webhook == f"{place.url}/api/v1/webhooks/chirpstack"
    assert not place.url.endswith("/")


def test_what_is_given_goes_over_what_an_address_says() -> None:
    place = place_at("https://lights.example.org", "10.0.0.7", 9000)
    assert (place.bind, place.port) == ("10.0.0.7", 9000)


@pytest.mark.parametrize(
    "url",
    [
        *("", "http://", "ftp://x:1", "http://x:y", "http://x:99999", "http://[::1"),
        *("http://u@x:1", "http://x:1/?a", "http://x:1/#a", "http://a b:1", "http://x\x00:1"),
    ],
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(Unusable, match="address"):
        place_at(url)


@pytest.mark.parametrize(
    "answers",
    [
        ANSWERS,
        replace(ANSWERS, place=place_at("https://example.org/lamp"), region=None),
        replace(ANSWERS, tenant_id="52f14cd4", region="AS923_2", operator="o.b@example.org"),
        replace(ANSWERS, profile_contains='Busy "light" \\ ü', api_key='"\\'),
        replace(ANSWERS, store_url="redis://:p%40ss@127.0.0.1:6379/0"),
    ],
)
def test_what_is_written_is_read_as_it_was_meant(answers: Answers, tmp_path: Path) -> None:
    path = tmp_path / "lamplighter.toml"
    path.write_text(settings_text(answers, "2026-11-29"), encoding="utf-8")
    found = load_settings(path, {})
    assert found.chirpstack.target == answers.target
    assert found.chirpstack.api_key.get_secret_value() == answers.api_key
    assert found.chirpstack.tenant_id == answers.tenant_id
    assert found.chirpstack.profile_contains == answers.profile_contains
    assert found.store.url.get_secret_value() == answers.store_url
    assert (found.web.bind, found.web.port) == (answers.place.bind, answers.place.port)
    assert found.web.base_path == answers.place.base_path
    assert bool(found.web.trusted_proxies) is answers.place.proxied
    assert found.radio.region == (answers.region or "EU868")
    [operator] = found.web.tokens.operator
    assert (operator.name, operator.hashed) == (answers.operator, True)
    [webhook] = found.web.tokens.webhook
    assert webhook.secret.get_secret_value() == WEBHOOK
    text = path.read_text(encoding="utf-8")
    assert OPERATOR not in text
    assert all(line.startswith(("#", "[")) or " = " in line for line in text.splitlines() if line)


def test_what_toml_takes_in_another_way_than_json_is_written_so_that_it_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lamplighter.toml"
    odd = replace(ANSWERS, profile_contains="a\x7fb\n")
    path.write_text(settings_text(odd, "2026-11-29"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"profile_contains: .*control characters"):
        load_settings(path, {})


def test_a_file_is_ours_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "lamplighter.toml"
    with NewFile(path, force=False) as file:
        file.write("a = 1\n")
        assert not path.exists()
        file.keep()
    assert path.read_text() == "a = 1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_given_up_was_never_there(tmp_path: Path) -> None:
    def interrupted() -> None:
        with NewFile(tmp_path / "x.toml", force=False) as file:
            file.write("a = 1\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_where_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("old")
    with pytest.raises(NotWritten, match="--force"):
        check_free(path, force=False)
    check_free(path, force=True)
    with NewFile(path, force=False) as file:  # it came while somebody was asked
        file.write("new")
        with pytest.raises(NotWritten, match="--force"):
            file.keep()
    assert path.read_text() == "old"
    with NewFile(path, force=True) as file:
        file.write("new")
        file.keep()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_for_the_file_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="does not exist"):
        check_free(tmp_path / "no" / "x.toml", force=False)
    with pytest.raises(NotWritten, match="is a folder"):
        check_free(tmp_path, force=True)
