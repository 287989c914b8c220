"""Every kind of mistake in the settings is told in words, beside all others, and what only looks
odd works.
"""

import os
from pathlib import Path

import pytest

from api.cli.verbs.doctor import run_doctor
from api.service import region_of
from api.settings.file import SettingsError, load_settings
from api.settings.model import ApiSettings

BASE = {"LAMPLIGHTER_CHIRPSTACK__TARGET": "cs:8080", "LAMPLIGHTER_CHIRPSTACK__API_KEY": "k"}
TOKEN, OTHER = "operator-token-0123456789abcdef", "webhook-token-0123456789abcdef"
CHIRPSTACK = '[chirpstack]\ntarget = "cs:8080"\napi_key = "k"\n'


def of(text: str | bytes, folder: Path, **environ: str) -> ApiSettings:
    path = folder / "lamplighter.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_settings(path, environ)


def wrong(text: str | bytes, folder: Path, **environ: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        of(text, folder, **environ)
    return {mistake.field: mistake.problem for mistake in caught.value.mistakes}


def told(**environ: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {**BASE, **environ})
    return {mistake.field: mistake.problem for mistake in caught.value.mistakes}


# From the field: editors of another system that put a byte order mark before the first table.
def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert of(b"\xef\xbb\xbf" + CHIRPSTACK.encode(), tmp_path).chirpstack.target == "cs:8080"


def test_line_ends_of_another_system_are_no_mistake(tmp_path: Path) -> None:
    assert of(CHIRPSTACK.replace("\n", "\r\n"), tmp_path).chirpstack.api_key


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (CHIRPSTACK.encode("utf-16"), "UTF-16"),
        (b"[chirpstack]\n# f\xfcr\n", "not UTF-8 (line 2)"),
        (b"[web\n", "not TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"[web]\nport = " + b"9" * 5_000, "not TOML"),
        (b"#" * 2_000_000, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_says_so_alone(tmp_path: Path, data: bytes, word: str) -> None:
    found = wrong(data, tmp_path)
    assert word in found.pop(str(tmp_path / "lamplighter.toml"))
    assert found == {}, "what it holds is not known to be missing"


def test_a_folder_and_a_name_that_is_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "a\0b", tmp_path / ("x" * 5_000)):
        with pytest.raises(SettingsError, match="1 mistake"):
            load_settings(path, BASE)


# From the field: a Kubernetes Service named `lamplighter` or `lamplighter-web`, and its pods.
def test_service_links_of_kubernetes_are_not_ours() -> None:
    links = {
        "LAMPLIGHTER_PORT": "tcp://10.43.7.9:8090",
        "LAMPLIGHTER_SERVICE_HOST": "10.43.7.9",
        "LAMPLIGHTER_SERVICE_PORT": "8090",
        "LAMPLIGHTER_SERVICE_PORT_HTTP": "8090",
        "LAMPLIGHTER_PORT_8090_TCP": "tcp://10.43.7.9:8090",
        "LAMPLIGHTER_PORT_8090_TCP_PROTO": "tcp",
        "LAMPLIGHTER_PORT_8090_TCP_PORT": "8090",
        "LAMPLIGHTER_PORT_8090_TCP_ADDR": "10.43.7.9",
        "LAMPLIGHTER_WEB_PORT": "tcp://10.43.7.9:8090",
        "LAMPLIGHTER_WEB_SERVICE_HOST": "10.43.7.9",
        "LAMPLIGHTER_WEB_SERVICE_PORT": "8090",
        "LAMPLIGHTER_WEB_PORT_53_UDP_ADDR": "10.43.7.9",
    }
    assert load_settings(None, {**BASE, **links}).web.port == 8090


def test_what_looks_a_little_like_a_service_link_is_still_a_mistake() -> None:
    names = ["LAMPLIGHTER_PORT", "LAMPLIGHTER_WEB_PORT", "LAMPLIGHTER_HOST", "LAMPLIGHTER_WEBPORT"]
    assert told(**dict.fromkeys(names, "8090")).keys() == set(names)


def test_a_variable_in_two_spellings_is_a_mistake() -> None:
    assert "twice" in told(LAMPLIGHTER_WEB__PORT="1", lamplighter_web__port="2").popitem()[1]
    assert (
        "stands twice"
        in told(LAMPLIGHTER_WEB__TOKENS="x", LAMPLIGHTER_WEB__TOKENS__VIEWER="y")[
            "LAMPLIGHTER_WEB__TOKENS__VIEWER"
        ]
    )


def test_names_that_lead_nowhere_and_bytes_that_are_no_text_are_shown_safely() -> None:
    name, value = os.fsdecode(b"LAMPLIGHTER_\xff\x1b[31m"), os.fsdecode(b"\xff")
    found = told(**{name: "1", "LAMPLIGHTER_CHIRPSTACK__PROFILE_CONTAINS": value})
    assert len(found) == 2
    assert all((field + words).isprintable() for field, words in found.items())


# From the field: RX2 of another region, the usual slip in US915 and AU915.
@pytest.mark.parametrize(
    ("radio", "field", "word"),
    [
        ({"REGION": "EU868", "RX2_DR": "8"}, "radio.rx2_dr", "EU868"),
        ({"REGION": "US915", "RX2_DR": "0"}, "radio.rx2_dr", "US915"),
        ({"REGION": "AU915", "RX2_FREQUENCY_HZ": "925.1"}, "radio.rx2_frequency_hz", "whole"),
        ({"REGION": "AU915", "RX2_FREQUENCY_HZ": "925100"}, "radio.rx2_frequency_hz", "in Hz"),
        ({"REGION": "EU868", "RX2_FREQUENCY_HZ": "869300000"}, "radio.rx2_frequency_hz", "no down"),
        ({"REGION": "AS923-5"}, "radio.region", "AS923_4"),
        ({"DUTY": "0.0001"}, "radio.duty", "0.36 s an hour"),
        ({"DUTY": "nan"}, "radio.duty", "finite"),
        ({"RX2_DR": "true"}, "radio.rx2_dr", "whole number"),
    ],
)
def test_radio_settings_that_do_not_fit(radio: dict[str, str], field: str, word: str) -> None:
    found = told(**{f"LAMPLIGHTER_RADIO__{name}": value for name, value in radio.items()})
    assert found.keys() == {field}
    assert word in found[field]


def test_radio_settings_that_fit() -> None:
    def plan(**radio: str) -> object:
        environ = {f"LAMPLIGHTER_RADIO__{name}": value for name, value in radio.items()}
        return region_of(load_settings(None, {**BASE, **environ}))

    assert getattr(plan(REGION="as923_2"), "rx2_frequency_hz") == 921_400_000  # noqa: B009
    assert getattr(plan(REGION="AS923-3"), "name") == "AS923_3"  # noqa: B009
    assert getattr(plan(REGION="us915_0", DUTY="0.5"), "duty_cycle") == 0.5  # noqa: B009
    own = plan(REGION="AU915", RX2_FREQUENCY_HZ="925100000")
    assert getattr(own, "rx2_frequency_hz") == 925_100_000  # noqa: B009
    low = plan(RX2_FREQUENCY_HZ="868100000")
    assert getattr(low, "duty_cycle") == 0.01  # noqa: B009


# From the field: two recipients in one mail address of Apprise.
def test_a_comma_inside_an_apprise_address_does_not_end_it(tmp_path: Path) -> None:
    mail = "mailto://u:p@example.org?to=a@x.org,b@y.org"
    both = {**BASE, "LAMPLIGHTER_ALERTS__URLS": f"{mail}, json://localhost"}
    assert len(load_settings(None, both).alerts.urls) == 2
    listed = of(f'{CHIRPSTACK}[alerts]\nurls = ["{mail}", "json://a,json://b"]\n', tmp_path)
    assert listed.alerts.urls[0].get_secret_value() == mail
    assert len(listed.alerts.urls) == 3


def test_an_address_that_apprise_does_not_know_is_named_by_its_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = told(LAMPLIGHTER_ALERTS__URLS="json://a, nosuch://sesame-open, json://")
    assert found["alerts.urls"].endswith("address 2, 3")
    assert "sesame-open" not in caplog.text


@pytest.mark.parametrize(
    ("bind", "loopback"),
    [("::1", True), ("[::1]", True), ("::ffff:127.0.0.1", True), ("LOCALHOST.", True)],
)
def test_addresses_in_every_spelling(bind: str, loopback: bool) -> None:
    web = load_settings(None, {**BASE, "LAMPLIGHTER_WEB__BIND": bind}).web
    assert web.loopback is loopback
    assert "[" not in web.bind


@pytest.mark.parametrize(
    "bind", ["", "127.0.0.1:8090", "[::1]:8090", "http://localhost", "a b", "ä.example", "x" * 70]
)
def test_addresses_that_are_none(bind: str) -> None:
    assert told(LAMPLIGHTER_WEB__BIND=bind).keys() == {"web.bind"}


@pytest.mark.parametrize(
    "target",
    [
        *("cs", "cs:", ":8080", "cs:0", "cs:65536", "cs:٣", "::1:8080", "[::1]", "[x]:8080"),
        *("http://cs:8080", "cs:8080/", "u:p@cs:8080", "cs :8080", "unix:/tmp/s", "dns:cs:8080"),
    ],
)
def test_targets_that_gRPC_could_not_use(target: str) -> None:  # noqa: N802 as it is written
    found = told(LAMPLIGHTER_CHIRPSTACK__TARGET=target)
    assert found.keys() == {"chirpstack.target"}
    assert "u:p" not in found["chirpstack.target"], "a pasted URL may hold a password"


@pytest.mark.parametrize("target", ["cs:8080", "[::1]:8080", "10.0.0.7:443", "cs_1.example.:8080"])
def test_targets_that_it_can_use(target: str) -> None:
    environ = {**BASE, "LAMPLIGHTER_CHIRPSTACK__TARGET": target}
    assert load_settings(None, environ).chirpstack.connection().target == target


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("redis+sentinel://h:26379", "names no master"),
        ("redis+cluster://h:7000?need=0", "unsafe=yes"),
        ("redis://h?ssl_ca_certs=/ca.pem", "TLS is rediss://"),
        ("rediss://h?ssl_cert_reqs=none", "unknown option"),
        ("rediss://h?ssl_certfile=/c.pem", "belong together"),
        ("rediss://h?ssl_ca_certs=/no/such.pem", "ssl_ca_certs cannot be read"),
        ("redis://h?prefix=a&prefix=b", "twice"),
        ("redis://h /0", "blank"),
        ("redis://h/99999999999", "not a number"),
        ("postgres://u:sesame-open@h/x", "expected"),
        ("sqlite://lamplighter.db", "three slashes"),
    ],
)
def test_store_urls_that_cannot_work(url: str, word: str) -> None:
    found = told(LAMPLIGHTER_STORE__URL=url)
    assert word in found["store.url"]
    assert "sesame-open" not in found["store.url"]


def test_origins_and_hosts_are_kept_in_one_spelling() -> None:
    web = load_settings(
        None,
        {
            **BASE,
            "LAMPLIGHTER_WEB__ORIGINS": "https://lamp.example.org/, HTTPS://b.example:443",
            "LAMPLIGHTER_WEB__HOSTS": "lamp.example.org:8090, Lamp.local.",
        },
    ).web
    assert web.origins == ("https://lamp.example.org", "https://b.example")
    assert web.hosts == ("lamp.example.org", "lamp.local")
    found = told(LAMPLIGHTER_WEB__ORIGINS="https://a.example, lamp, https://b.example/x")
    assert found.keys() == {"web.origins.1", "web.origins.2"}


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e999", "0", "true", "ten", "", "9" * 500])
@pytest.mark.parametrize(
    "field", ["web.handler_s", "web.graceful_s", "gateways.poll_s", "policy.window_s"]
)
def test_numbers_that_are_no_times(field: str, value: str) -> None:
    assert told(**{f"LAMPLIGHTER_{field.replace('.', '__').upper()}": value}).keys() == {field}


def test_huge_numbers_of_the_policy_are_told_and_not_counted_with(tmp_path: Path) -> None:
    found = wrong(
        f"{CHIRPSTACK}[policy]\nattempts_most = 1{'0' * 400}\nbackoff_factor = 1e300\n", tmp_path
    )
    assert found.keys() == {"policy.attempts_most", "policy.backoff_factor"}


def test_empty_text_is_a_mistake_where_it_would_mean_something() -> None:
    names = ("TENANT_ID", "CA_FILE", "PROFILE_CONTAINS")
    found = told(**{f"LAMPLIGHTER_CHIRPSTACK__{name}": " " for name in names})
    assert found.keys() == {f"chirpstack.{name.lower()}" for name in names}
    assert all("empty" in words for words in found.values())


def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    tls = {**BASE, "LAMPLIGHTER_CHIRPSTACK__TLS": "true"}
    junk = tmp_path / "ca.pem"
    for content, word in [(None, "cannot be read"), ("x", "no PEM"), (_BROKEN, "no certificate")]:
        if content is not None:
            junk.write_text(content)
        found = told(**{**tls, "LAMPLIGHTER_CHIRPSTACK__CA_FILE": str(junk)})
        assert word in found["chirpstack.ca_file"]


_BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_what_clashes_is_told_beside_what_is_wrong_alone(tmp_path: Path) -> None:
    text = f"""
        [chirpstack]
        target = "nonsense"
        api_key = "k"
        ca_file = "/ca.pem"
        [web]
        port = "eighty"
        bind = "0.0.0.0"
        wait_default_s = 100
        wait_most_s = 50
        [web.tokens]
        viewer = ["{TOKEN}"]
        [radio]
        region = "US915"
        rx2_dr = 0
        [policy]
        attempts_most = 0
    """
    assert wrong(text, tmp_path).keys() == {
        "chirpstack.target",
        "chirpstack",
        "chirpstack.ca_file",
        "web.port",
        "web",
        "web.tokens",
        "radio.rx2_dr",
        "policy.attempts_most",
    }


def test_no_clash_is_told_of_what_is_wrong_already(tmp_path: Path) -> None:
    text = CHIRPSTACK + '[web]\nbind = "0.0.0.0"\n[web.tokens]\noperator = ["short"]\n'
    assert wrong(text, tmp_path).keys() == {"web.tokens.operator"}


def test_tables_that_are_none(tmp_path: Path) -> None:
    text = "chirpstack = 1\nweb = []\npolicy = 3\nstore = 'x'\n[[radio]]\nregion = 'EU868'\n"
    found = wrong(text, tmp_path, LAMPLIGHTER_WEB__PORT="1")
    assert found.keys() == {"chirpstack", "web", "policy", "store", "radio"}
    assert set(found.values()) == {"must be a table"}


def test_a_file_full_of_mistakes_shows_some_and_counts_all(tmp_path: Path) -> None:
    text = CHIRPSTACK + "".join(f"[t{number}]\n" for number in range(1_000))
    with pytest.raises(SettingsError, match="1000 mistakes") as caught:
        of(text, tmp_path)
    assert caught.value.mistakes[-1].problem == "and 800 more"


def test_keys_that_a_library_would_take_for_its_own_are_unknown_settings(tmp_path: Path) -> None:
    text = "_env_file = '.env'\n_cli_parse_args = true\nself = 1\nmodel_config = 1\n" + CHIRPSTACK
    assert wrong(text, tmp_path).keys() == {"_env_file", "_cli_parse_args", "self", "model_config"}


def test_the_doctor_tells_the_same_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lamplighter.toml"
    path.write_text(f"{CHIRPSTACK}[radio]\nrx2_dr = 8\n[web]\nbind = 'a b'\n")
    assert run_doctor(path, {}, as_json=True) == 1
    shown = capsys.readouterr().out
    assert "radio.rx2_dr" in shown
    assert "web.bind" in shown
