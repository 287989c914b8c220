"""What an image is made of and run with gives the service little, and what it needs.

`make container` runs the Containerfile's steps, and the service that they make.
"""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

import lamplighter
from api.service import CLUSTER_LEAVE_S, LEAVE_S
from api.settings.file import SettingsError, load_settings
from store.engine.open import is_shared

DEPLOY = Path(__file__).parents[2] / "deploy"
RECIPE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
COMPOSE = DEPLOY / "compose.yaml"


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    described = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    assert list(described["services"]) == ["lamplighter"]
    assert list(described["volumes"]) == ["state"]
    found: dict[str, Any] = described["services"]["lamplighter"]
    return found


def last_stage() -> str:
    return re.sub(r"\\\n", " ", RECIPE).split("\nFROM ")[-1]


def test_it_is_of_the_form_that_engines_take() -> None:
    validate = ("-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    told = subprocess.run(
        [sys.executable, *validate, str(COMPOSE)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_whoever_breaks_into_it_has_little(service: dict[str, Any]) -> None:
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all("noexec" in one for one in service["tmpfs"])
    assert service["ports"] == ["127.0.0.1:8090:8090"]
    assert not [one for one in service["volumes"] if "docker.sock" in one or one[0] == "/"]


def test_it_has_what_it_needs(service: dict[str, Any]) -> None:
    assert "state:/var/lib/lamplighter" in service["volumes"]
    assert service["volumes"][1].endswith(":/etc/lamplighter/lamplighter.toml:ro")
    assert service["command"] == ["serve", "--config", "/etc/lamplighter/lamplighter.toml"]
    assert service["stop_grace_period"] == f"{CLUSTER_LEAVE_S + 4:.0f}s"
    told = f"less than {LEAVE_S + 1:g} s whatever hangs, as one of several processes less than"
    assert f"{told} {CLUSTER_LEAVE_S + 1:g} s." in COMPOSE.read_text(encoding="utf-8")
    assert service["restart"] == "unless-stopped"
    assert (service["build"]["context"], service["build"]["dockerfile"]) == (
        "..",
        "deploy/Containerfile",
    )


def test_a_container_that_follows_the_guide_to_a_cluster_is_not_alone(tmp_path: Path) -> None:
    told = re.findall(r"^ENV (.+)$", last_stage(), re.MULTILINE)
    image = dict(pair.split("=", 1) for pair in " ".join(told).split())
    guide = (DEPLOY.parent / "docs" / "cluster.md").read_text(encoding="utf-8")
    tables = re.search(r"^ {7}\[store\]\n(?: {7}.*\n|\n)+", guide, re.MULTILINE)
    assert tables is not None
    file = tmp_path / "lamplighter.toml"
    tokens = '[web.tokens]\noperator = ["operator-0123456789abcdef"]\n'
    tokens += 'webhook = ["webhook-0123456789abcdef"]\n'
    chirpstack = '[chirpstack]\ntarget = "cs:8080"\napi_key = "k"\n'
    file.write_text(chirpstack + tokens + textwrap.dedent(tables[0]), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(file, image)
    assert {"store.url", "cluster"} == {one.field for one in caught.value.mistakes}

    shown = re.search(
        r"^ +# environment:\n(?: +#   .*\n)+", COMPOSE.read_text("utf-8"), re.MULTILINE
    )
    assert shown is not None
    variables = yaml.safe_load(re.sub(r"^ +# ", "", shown[0], flags=re.MULTILINE))["environment"]
    settings = load_settings(file, image | variables)
    assert is_shared(settings.store.url.get_secret_value())
    assert settings.cluster.processes == 3


def test_image_and_compose_say_the_same(service: dict[str, Any]) -> None:
    stage = last_stage()
    assert re.search(r"^USER (\S+)$", stage, re.MULTILINE)[1] == service["user"]  # type: ignore[index]
    found = re.search(r"^HEALTHCHECK (.*) CMD (\[.*\])$", stage, re.MULTILINE)
    assert found is not None
    assert json.loads(found[2]) == service["healthcheck"]["test"][1:]
    for option, value in re.findall(r"--([a-z-]+)=(\S+)", found[1]):
        assert str(service["healthcheck"][option.replace("-", "_")]) == value
    assert "STOPSIGNAL SIGTERM" in stage
    assert service["stop_signal"] == "SIGTERM"
    assert "VOLUME /var/lib/lamplighter" in stage


def test_nothing_comes_into_it_without_a_hash_or_by_compiling() -> None:
    installs = re.findall(r"pip install [^&\n]*", re.sub(r"\\\n", " ", RECIPE))
    assert len(installs) == 3
    assert "--require-hashes --only-binary :all: -r build.lock" in installs[0]
    built = "--require-hashes --only-binary :all: --no-binary chirpstack-api --no-build-isolation"
    assert built in " ".join(installs[1].split())
    assert installs[1].split()[-1] == "requirements-production.lock"
    assert "--no-index lamplighter-*.whl" in installs[2]
    assert all("--no-deps" in one for one in installs)
    assert "apt-get" not in RECIPE
    assert "ADD " not in RECIPE


def test_its_name_is_that_of_the_release(service: dict[str, Any]) -> None:
    assert service["image"] == f"lamplighter:{lamplighter.__version__}"
    assert f"lamplighter:{lamplighter.__version__} " in RECIPE
