"""The client as another program imports it: without the service, and whole in both kinds."""

import inspect
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from lamplighter import client
from lamplighter.client import AsyncClient, Client
from lamplighter.client.asynchronous import Awaited
from lamplighter.client.blocking import Blocking
from lamplighter.client.http import trusted

ALLOWED = {"lamplighter", "httpx2", "msgspec"}
SERVICE = {"actors", "api", "store", "lorawan", "simulation", "trio", "pydantic", "quart", "typer"}


def test_the_client_imports_neither_the_service_nor_trio(tmp_path: Path) -> None:
    told = (
        "from lamplighter.client import Client; import sys;"
        " print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", told], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert modules >= ALLOWED
    assert modules & SERVICE == set()


def test_both_clients_ask_the_same() -> None:
    blocking = {name: each.call for name, each in vars(Client).items() if type(each) is Blocking}
    awaited = {name: each.call for name, each in vars(AsyncClient).items() if type(each) is Awaited}
    assert blocking == awaited
    assert len(blocking) > 5


def test_every_method_says_what_it_does_and_has_the_arguments_of_its_call() -> None:
    for name, each in vars(Client).items():
        if type(each) is Blocking:
            assert each.__doc__, name
            assert all(kind.annotation for kind in inspect.signature(each.call).parameters.values())


def test_every_name_of_the_package_is_there_when_it_is_asked_for() -> None:
    assert set(client.__all__) <= set(dir(client))
    assert all(getattr(client, name) is not None for name in client.__all__)
    with pytest.raises(AttributeError, match="'Lamp'"):
        _ = client.Lamp


def test_authorities_are_loaded_where_there_is_tls_and_nobody_is_trusted_elsewhere() -> None:
    assert trusted("https://lamp.example.org") is True
    assert trusted("HTTPS://lamp.example.org") is True
    nobody = trusted("http://lamp.example.org")
    assert isinstance(nobody, ssl.SSLContext)
    assert nobody.verify_mode is ssl.CERT_REQUIRED
    assert nobody.cert_store_stats()["x509"] == 0
