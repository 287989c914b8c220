"""Settings: a file, the environment over it, and every mistake at once."""

from pathlib import Path

import pytest

from actors.alerts.finding import AlertKind
from actors.device.policy import Policy, RetryPlan
from api.server.web_actor import timeouts
from api.service import plan_words, policies_of
from api.settings.file import SettingsError, load_settings
from api.settings.model import ApiSettings
from tests.api.conftest import OPERATOR, TOKENS, WEBHOOK

FILE = """
[chirpstack]
target = "chirpstack:8080"
api_key = "key-of-chirpstack"

[web]
port = 9000
"""
CHIRPSTACK = {"target": "localhost:8080", "api_key": "k"}
BASE = {"LAMPLIGHTER_CHIRPSTACK__TARGET": "cs:8080", "LAMPLIGHTER_CHIRPSTACK__API_KEY": "k"}


def write(folder: Path, text: str) -> Path:
    path = folder / "lamplighter.toml"
    path.write_text(text)
    return path


def mistakes(path: Path | None, environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ)
    return {mistake.field: mistake.problem for mistake in caught.value.mistakes}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load_settings(
        write(tmp_path, FILE),
        {
            "LAMPLIGHTER_WEB__PORT": "9001",
            "LAMPLIGHTER_WEB__TOKENS__OPERATOR": OPERATOR,
            "LAMPLIGHTER_WEB__TOKENS__WEBHOOK": f"{WEBHOOK}, {WEBHOOK}2",
            "LAMPLIGHTER_POLICY__WINDOW_S": "45",
            "LAMPLIGHTER_POLICY__REPLY_POLICY": "auto",
            "LAMPLIGHTER_ALERTS__URLS": "json://localhost, mailto://u:p@example.org",
            "LAMPLIGHTER_CONFIG": "ignored.toml",
            "HOME": "/root",
        },
    )
    assert settings.web.port == 9001
    assert settings.chirpstack.connection().target == "chirpstack:8080"
    assert settings.policy.window_s == 45.0
    assert settings.policy.attempts_most == 3
    assert len(settings.web.tokens.webhook) == 2
    assert len(settings.alerts.urls) == 2


@pytest.mark.parametrize("name", ["window_s", "attempts_most", "backoff_first_s", "backoff_factor"])
def test_a_file_of_0_1_0_that_sets_its_retries_keeps_them(name: str, tmp_path: Path) -> None:
    """It knew no plan; its author meant the one that these numbers make."""
    chosen = load_settings(write(tmp_path, f"{FILE}\n[policy]\n{name} = 7\n"), {}).policy
    assert chosen.plan is RetryPlan.FIXED
    words = plan_words(chosen)
    assert words is not None
    assert f"policy.{name}" in words
    environ = {f"LAMPLIGHTER_POLICY__{name.upper()}": "7"}
    assert load_settings(write(tmp_path, FILE), environ).policy.plan is RetryPlan.FIXED


@pytest.mark.parametrize("plan", [*RetryPlan])
def test_a_plan_that_is_named_is_the_plan(plan: RetryPlan, tmp_path: Path) -> None:
    text = f'{FILE}\n[policy]\nwindow_s = 7\nplan = "{plan.value}"\n'
    assert load_settings(write(tmp_path, text), {}).policy.plan is plan


def test_the_plan_is_learned_unless_something_says_otherwise(tmp_path: Path) -> None:
    policy = load_settings(write(tmp_path, f"{FILE}\n[policy]\nspacing_s = 12\n"), {}).policy
    assert policy.plan is RetryPlan.LEARNED
    assert plan_words(policy) is None
    assert ApiSettings(chirpstack=CHIRPSTACK, policy=Policy()).policy.plan is RetryPlan.LEARNED


def test_a_plan_that_nobody_knows_is_a_mistake(tmp_path: Path) -> None:
    found = mistakes(write(tmp_path, f'{FILE}\n[policy]\nplan = "hasty"\n'), {})
    assert found.keys() == {"policy.plan"}


def test_the_process_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_WEB__PORT", "1234")
    assert load_settings(None, BASE).web.port == 8090
    assert ApiSettings(chirpstack=CHIRPSTACK).web.port == 8090


ENGINE = "redis+sentinel://10.0.0.1,10.0.0.2/lamplighter/0"
ALONE = "sqlite:////var/lib/lamplighter/lamplighter.db"


@pytest.mark.parametrize("store", [ALONE, "memory:"])
@pytest.mark.parametrize("cluster", ["processes = 3", "need = 1", "processes = 2\nneed = 0"])
def test_several_processes_are_not_each_alone_on_a_store_of_its_own(
    tmp_path: Path, store: str, cluster: str
) -> None:
    file = write(tmp_path, f'{FILE}\n[store]\nurl = "{store}"\n[cluster]\n{cluster}\n')
    found = mistakes(file, {})
    assert found.keys() == {"cluster"}
    assert "store.url" in found["cluster"]
    assert load_settings(file, {"LAMPLIGHTER_STORE__URL": ENGINE}).cluster.name is None


@pytest.mark.parametrize("cluster", ['name = "north"', "processes = 1", "need = 0"])
def test_what_is_true_of_one_process_may_stay(tmp_path: Path, cluster: str) -> None:
    file = write(tmp_path, f'{FILE}\n[store]\nurl = "{ALONE}"\n[cluster]\n{cluster}\n')
    assert load_settings(file, {}).store.url.get_secret_value() == ALONE


@pytest.mark.parametrize("store", [ALONE, "memory:"])
def test_the_environment_does_not_put_a_process_beside_the_fleet_of_the_file(
    tmp_path: Path, store: str
) -> None:
    file = write(tmp_path, f'{FILE}\n[store]\nurl = "{ENGINE}"\n')
    found = mistakes(file, {"LAMPLIGHTER_STORE__URL": store})
    assert found.keys() == {"store.url"}
    assert "LAMPLIGHTER_STORE__URL" in found["store.url"]
    assert found["store.url"].endswith("set it to the file's URL"), "cut off"
    other = "rediss://10.0.0.9/0"
    for url in (ENGINE, other):
        settings = load_settings(file, {"LAMPLIGHTER_STORE__URL": url})
        assert settings.store.url.get_secret_value() == url
    alone = write(tmp_path, f'{FILE}\n[store]\nurl = "sqlite:///here.db"\n')
    for url in (ENGINE, ALONE):
        settings = load_settings(alone, {"LAMPLIGHTER_STORE__URL": url})
        assert settings.store.url.get_secret_value() == url


def test_an_address_that_is_wrong_itself_is_told_alone(tmp_path: Path) -> None:
    file = write(tmp_path, f'{FILE}\n[store]\nurl = "{ENGINE}"\n')
    found = mistakes(file, {"LAMPLIGHTER_STORE__URL": "postgres://h/x"})
    assert "expected" in found["store.url"]


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, FILE), {"LAMPLIGHTER_STORE__URL": "redis://:pw1@h"})
    assert "key-of-chirpstack" not in repr(settings) + str(settings.model_dump())
    assert "pw1" not in repr(settings)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = """
        [chirpstack]
        target = "http://chirpstack:8080"
        [web]
        prot = 80
        port = 70000
        [web.tokens]
        operator = ["short-and-secret"]
        [policy]
        widnow_s = 3
        [radio]
        region = "MARS"
        [lights]
        number = 4
    """
    environ = {"LAMPLIGHTER_WBE__PORT": "1", "LAMPLIGHTER_PORT": "1"}
    found = mistakes(write(tmp_path, text), environ)
    assert found.keys() == {
        "chirpstack.target",
        "chirpstack.api_key",
        "web.prot",
        "web.port",
        "web.tokens.operator",
        "policy.widnow_s",
        "radio.region",
        "lights",
        "LAMPLIGHTER_WBE__PORT",
        "LAMPLIGHTER_PORT",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, text), environ)
    shown = str(caught.value)
    assert shown.startswith("10 mistakes in the settings\n")
    assert "  web.port: must be less than or equal to 65535" in shown.splitlines()
    assert "short-and-secret" not in shown


def test_files_that_are_none(tmp_path: Path) -> None:
    assert str(tmp_path / "no.toml") in mistakes(tmp_path / "no.toml", BASE)
    broken = write(tmp_path, "[web\nport = 1")
    assert "is not TOML" in mistakes(broken, BASE)[str(broken)]


@pytest.mark.parametrize("bind", ["0.0.0.0", "192.168.1.4", "::", "lights.example"])
def test_without_tokens_only_loopback(bind: str) -> None:
    found = mistakes(None, {**BASE, "LAMPLIGHTER_WEB__BIND": bind})
    assert "no token is configured" in found["web"]
    assert ApiSettings(chirpstack=CHIRPSTACK, web={"bind": bind, "tokens": TOKENS}).web.bind == bind


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_loopback_needs_none(bind: str) -> None:
    assert ApiSettings(chirpstack=CHIRPSTACK, web={"bind": bind}).web.loopback


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ({"viewer": ["v" * 24]}, "none of scope operator"),
        ({"operator": ["o" * 24]}, "none of scope webhook"),
        ({"operator": ["s" * 24], "webhook": ["s" * 24]}, "stands twice"),
        ({"operator": ["o" * 23], "webhook": ["w" * 24]}, "24 to 200"),
        ({"operator": ["o o" * 10], "webhook": ["w" * 24]}, "24 to 200"),
    ],
)
def test_tokens_make_sense_together(tokens: dict[str, list[str]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ApiSettings(chirpstack=CHIRPSTACK, web={"tokens": tokens})


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("web", {"wait_default_s": 200}),
        ("policy", {"window_s": 0}),
        ("policy", {"jitter": 1}),
        ("policy", {"window_s": float("nan")}),
        ("policy", {"status_interval_min": 256}),
        ("store", {"url": "postgres://localhost"}),
        ("radio", {"duty": 1.5}),
        ("chirpstack", {"target": "localhost", "api_key": "k"}),
        ("chirpstack", {"target": "h:1", "api_key": "two words"}),
    ],
)
def test_numbers_that_cannot_work(section: str, value: dict[str, object]) -> None:
    values: dict[str, object] = {"chirpstack": CHIRPSTACK, section: value}
    with pytest.raises(ValueError, match=section):
        ApiSettings(**values)  # type: ignore[arg-type]


def test_the_limits_of_a_connection_outlast_every_silence_that_is_none_of_a_peers_fault() -> None:
    web = ApiSettings(chirpstack=CHIRPSTACK).web
    assert timeouts(web).busy_s > web.wait_most_s + web.handler_s
    assert timeouts(web).websocket_s >= 3 * web.ping_s


@pytest.mark.parametrize("proxy", ["10.0.0.0/33", "proxy.local", "10.0.0", ""])
def test_a_trusted_proxy_is_an_address(proxy: str) -> None:
    with pytest.raises(ValueError, match="no address and no network"):
        ApiSettings(chirpstack=CHIRPSTACK, web={"trusted_proxies": [proxy]})


def test_alerts_of_what_is_to_be_expected_can_be_switched_off(tmp_path: Path) -> None:
    text = f"{FILE}[alerts]\nlight_at_risk = false\ngateway_poor = false\n"
    off = policies_of(load_settings(write(tmp_path, text), {})).alerts.off
    assert off == {AlertKind.LIGHT_AT_RISK, AlertKind.GATEWAY_POOR}
    assert policies_of(load_settings(None, BASE)).alerts.off == frozenset()
