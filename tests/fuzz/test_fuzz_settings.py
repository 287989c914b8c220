"""Settings drawn at random: each is refused in words, or the whole service can be built of it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr

from actors.clocks.clock import RunClock
from api.cli.doctor.examine import examine
from api.service import Place, build
from api.settings.file import SettingsError, load_settings
from api.settings.model import ApiSettings
from lorawan.chirpstack import ChirpStackClient
from store.memory import MemoryStore
from tests.fuzz.conftest import rounds
from tests.support.odd_settings import (
    BYTES,
    FIELDS,
    OPERATOR,
    RIGHT,
    VALUES,
    WEBHOOK,
    environments,
    placed,
    tables,
    toml,
)
from tests.support.pretend_site import API_KEY, pretend_site

SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
RIGHT_ENVIRONMENT = {
    "LAMPLIGHTER_CHIRPSTACK__TARGET": "localhost:8080",
    "LAMPLIGHTER_CHIRPSTACK__API_KEY": "k",
}


def read(path: Path | None, environ: Mapping[str, str]) -> ApiSettings | None:
    """The settings, or None when they are refused, in words that can be shown."""
    try:
        return load_settings(path, environ)
    except SettingsError as error:
        in_words(error)
        return None


def started(path: Path | None, environ: Mapping[str, str]) -> ApiSettings | None:
    """As far as `serve` goes before it opens anything."""
    loaded = read(path, environ)
    if loaded is not None:
        trio.run(built, loaded)
    return loaded


def in_words(refused: SettingsError) -> None:
    assert refused.mistakes
    for mistake in refused.mistakes:
        assert mistake.problem
        assert (mistake.field + mistake.problem).isprintable()
    str(refused).encode("utf-8")


async def built(*several: ApiSettings) -> None:
    for loaded in several:
        async with ChirpStackClient(loaded.chirpstack.connection()) as network:
            place = Place(MemoryStore(), RunClock.of_machine())
            build(loaded, place, network, boot="odd")


def written(folder: Path, values: Mapping[str, Any]) -> Path:
    path = folder / "odd.toml"
    path.write_text(toml(values), encoding="utf-8")
    return path


@settings(max_examples=rounds(150), suppress_health_check=SLOW)
@given(values=tables())
def test_a_drawn_file_is_refused_in_words_or_starts(tmp_path: Path, values: dict[str, Any]) -> None:
    started(written(tmp_path, values), {})


@settings(max_examples=rounds(150), suppress_health_check=SLOW)
@given(environ=environments())
def test_a_drawn_environment_is_refused_in_words_or_starts(environ: dict[str, str]) -> None:
    started(None, {**RIGHT_ENVIRONMENT, **environ})


@pytest.mark.parametrize("way", FIELDS, ids=".".join)
def test_every_odd_value_of_every_setting(tmp_path: Path, way: tuple[str, ...]) -> None:
    drawn = [read(written(tmp_path, placed(RIGHT, way, value)), {}) for value in VALUES]
    assert None in drawn, "some value of every kind is refused"
    accepted = [each for each in drawn if each is not None]
    trio.run(built, *accepted[:: max(1, len(accepted) // rounds(10))])


def test_what_is_right_is_accepted(tmp_path: Path) -> None:
    assert started(written(tmp_path, RIGHT), {}) is not None
    assert started(None, RIGHT_ENVIRONMENT) is not None


@pytest.mark.parametrize("data", [data for _, data in BYTES], ids=[name for name, _ in BYTES])
def test_every_odd_file(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(data)
    assert started(path, {}) is None, "none of them names a ChirpStack"


BOTH = {"operator": [OPERATOR], "webhook": [WEBHOOK]}
TOGETHER = (
    {"radio": {"region": "US915", "duty": 0.01}},
    {"radio": {"region": "us915_1", "rx2_dr": 13}},
    {"radio": {"region": "KR920", "duty": 1e-3}},
    {"radio": {"region": "AU915", "rx2_frequency_hz": 925_100_000}},
    {"web": {"bind": "::1"}},
    {"web": {"bind": "[::1]", "port": 0}},
    {
        "web": {
            "bind": "no-such-host.invalid",
            "tokens": {"operator": [OPERATOR], "webhook": [WEBHOOK]},
        }
    },
    {"store": {"url": "sqlite:///no%20such/folder/a%20b.db"}},
    {"store": {"url": f"sqlite:///{'x' * 5_000}"}},
    {"store": {"url": "redis://127.0.0.1:1/0"}},
)


@pytest.mark.timeout(150)
async def test_the_doctor_of_odd_settings_never_breaks(tmp_path: Path) -> None:
    """Those that `serve` would take, against a pretend ChirpStack, many at a time."""
    pairs = [(way, value) for way in FIELDS for value in VALUES]
    step = max(1, len(pairs) // rounds(300))
    drawn = [read(written(tmp_path, placed(RIGHT, *pair)), {}) for pair in pairs[::step]]
    drawn += [read(written(tmp_path, {**RIGHT, **each}), {}) for each in TOGETHER]
    right = [each for each in drawn if each is not None]
    assert len(right) > rounds(30)
    async with pretend_site() as site:
        target = {"target": f"127.0.0.1:{site.server.port}", "api_key": SecretStr(API_KEY)}
        limiter = trio.CapacityLimiter(10)

        async def look(odd: ApiSettings) -> None:
            async with limiter:
                reached = odd.chirpstack.model_copy(update=target)
                reached = reached.model_copy(update={"tls": False, "ca_file": None})
                findings = await examine(odd.model_copy(update={"chirpstack": reached}), now)
                assert findings
                assert not [each for each in findings if "unexpectedly" in each.says], odd

        def now() -> float:
            return time.time()

        async with trio.open_nursery() as nursery:
            for odd in right:
                nursery.start_soon(look, odd)
