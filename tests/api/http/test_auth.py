"""Tokens, scopes, and the names and origins that are ours."""

from collections.abc import Mapping, Sequence

import pytest

from api.http.auth import (
    Credential,
    Gatekeeper,
    Scope,
    bearer,
    digest_of,
    host_name,
    same_origin,
    subprotocol_token,
)


def known(tokens: Mapping[Scope, Sequence[str]]) -> list[Credential]:
    return [
        Credential(f"{scope} {number}", scope, digest_of(token))
        for scope, several in tokens.items()
        for number, token in enumerate(several, start=1)
    ]


def test_tokens() -> None:
    gate = Gatekeeper(known({Scope.VIEWER: ["v1", "v2"], Scope.WEBHOOK: ["w"]}))
    viewer, hook = gate.caller(["v2"], "::1"), gate.caller(["w"], "::1")
    assert viewer is not None
    assert hook is not None
    assert [viewer.may(scope) for scope in Scope] == [True, True, False, False]
    assert [hook.may(scope) for scope in Scope] == [True, False, False, True]
    assert viewer.name == "viewer 2"
    assert gate.caller(["v3"], "::1") is None
    assert gate.caller([""], "::1") is None
    anybody = gate.caller([], "::1")
    assert anybody is not None
    assert [anybody.may(scope) for scope in Scope] == [True, False, False, False]


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("abc", None),
    ],
)
def test_bearer(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


def test_a_token_among_subprotocols() -> None:
    assert subprotocol_token(["lamplighter.v1", "bearer.abc"]) == "abc"
    assert subprotocol_token(["lamplighter.v1"]) is None


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.example:80", "a.example"), ("[::1]:8", "::1"), ("x.", "x"), ("", ""), ("[", "")],
)
def test_host_name(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        (None, True),
        ("https://me.example", True),
        ("https://ME.example", True),
        ("https://me.example:444", False),
        ("null", False),
        ("https://[", False),
    ],
)
def test_same_origin(origin: str | None, same: bool) -> None:
    assert same_origin(origin, ["me.example"], ()) is same


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "same"),
    [
        # from the field: a proxy that writes the default port into Host
        ("https://lamp.example.org", "lamp.example.org:443", (), True),
        ("http://lamp.example.org", "lamp.example.org:80", (), True),
        ("http://lamp.example.org", "lamp.example.org:443", (), False),
        ("https://lamp.example.org:443", "lamp.example.org", (), True),
        ("https://lamp.example.org.", "Lamp.Example.Org", (), True),
        ("https://lamp.example.org:8443", "lamp.example.org", (), False),
        ("https://lamp.example.org", "127.0.0.1:8090", ("https://lamp.example.org/",), True),
        ("https://lamp.example.org", "127.0.0.1:8090", ("https://LAMP.example.org:443",), True),
        ("http://lamp.example.org", "127.0.0.1:8090", ("https://lamp.example.org",), False),
        ("https://lamp.example.org:x", "lamp.example.org", (), False),
        ("lamp.example.org", "lamp.example.org", (), False),
        ("http://[::1]:8090", "[::1]:8090", (), True),
    ],
)
def test_origins_are_compared_by_what_they_mean(
    origin: str, host: str, allowed: tuple[str, ...], same: bool
) -> None:
    assert same_origin(origin, [host], allowed) is same


def test_of_several_tokens_one_that_is_ours_is_enough() -> None:
    gate = Gatekeeper(known({Scope.VIEWER: ["v"], Scope.WEBHOOK: ["w"]}))
    for shown, scope in [
        (["w", "x"], Scope.WEBHOOK),
        (["x", "w"], Scope.WEBHOOK),
        (["v", "w"], Scope.VIEWER),
    ]:
        found = gate.caller(shown, "::1")
        assert found is not None
        assert found.scope is scope
    assert gate.caller(["x", "y"], "::1") is None


def test_replaced_tokens_are_known_at_once() -> None:
    gate = Gatekeeper(known({Scope.VIEWER: ["old"], Scope.OPERATOR: ["o"]}))
    old, kept = gate.caller(["old"], "::1"), gate.caller(["o"], "::1")
    gate.replace(known({Scope.VIEWER: ["new"], Scope.OPERATOR: ["o"]}))
    assert gate.caller(["old"], "::1") is None
    assert gate.caller(["new"], "::1") is not None
    assert old is not None
    assert kept is not None
    assert [gate.still(old), gate.still(kept)] == [False, True]
