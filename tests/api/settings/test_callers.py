"""Names, hashes, people and limits of sight, as the settings take them."""

from typing import Any

import pytest

from actors.board.sight import EVERYTHING, Sight
from api.http.auth import Scope
from api.http.tokens import hash_of, is_made, token_from
from api.settings.model import ApiSettings
from tests.api.conftest import OPERATOR, VIEWER, WEBHOOK, settings_with

MADE = token_from(bytes(range(32)))
OTHER = token_from(bytes(range(32, 64)))


def tokens(operator: Any, **more: Any) -> dict[str, Any]:
    return {"operator": operator, "webhook": [WEBHOOK], **more}


def names(settings: ApiSettings) -> dict[str, str]:
    return {name: scope.value for scope, name, _ in settings.web.tokens.named()}


def wrong(**web: Any) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the text is looked at
        settings_with(**web)
    text = str(caught.value)
    assert MADE not in text
    assert OPERATOR not in text
    return text


def test_a_token_has_the_name_of_its_key_or_a_number() -> None:
    settings = settings_with(
        tokens=tokens({"alice": OPERATOR, "Bob Stone": [MADE, OTHER]}, viewer=[VIEWER])
    )
    assert names(settings) == {
        "alice": "operator",
        "Bob Stone": "operator",
        "viewer 1": "viewer",
        "webhook 1": "webhook",
    }
    assert len(settings.web.tokens.operator) == 3


@pytest.mark.parametrize("written", [OPERATOR, [OPERATOR], f" {OPERATOR} , ", {"alice": OPERATOR}])
def test_one_token_a_list_a_text_with_commas_and_a_table_are_the_same(written: Any) -> None:
    [token] = settings_with(tokens=tokens(written)).web.tokens.operator
    assert token.secret.get_secret_value() == OPERATOR


def test_a_token_of_ours_may_stand_as_its_hash() -> None:
    assert is_made(MADE)
    settings = settings_with(tokens=tokens({"alice": hash_of(MADE), "bob": OTHER}))
    alice, bob, hook = settings.web.tokens.credentials({})
    assert (alice.hashed, bob.hashed, hook.scope) == (True, False, Scope.WEBHOOK)
    assert alice.digest.hex() == hash_of(MADE).removeprefix("sha256:")


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        ({"alice": "sha256:abc"}, "token alice has to have 64 hexadecimal digits"),
        ({"alice": "sha256:" + "AB" * 32}, "64 hexadecimal digits"),
        ({"alice": "sha256:" + "00" * 32}, "no hash of a token"),
        ({"alice": "sha256:" + "abc0" * 16}, "no hash of a token"),
        ({"alice": "sha512:" + "ab" * 64}, "only `sha256:` is"),
        ({"alice": "$2b$12$abcdefghijklmnopqrstuv"}, "24 to 200"),
        ({"alice": "short"}, "token alice has to have 24 to 200"),
        (["short"], "token number 1 has to have 24 to 200"),
        ({"alice": 7}, "token alice must be text"),
        (7, "a list of tokens, or a table of names"),
        ({"operator 2": OPERATOR}, "how somebody without a name is called"),
        ({"Local": OPERATOR}, "how somebody without a name is called"),
        ({"a,b": OPERATOR}, "is no name"),
        ({"": OPERATOR}, "is no name"),
    ],
)
def test_what_cannot_be_a_token_or_a_name_is_told_in_words(operator: Any, words: str) -> None:
    assert words in wrong(tokens=tokens(operator))


@pytest.mark.parametrize(
    ("operator", "viewer", "words"),
    [
        ({"alice": OPERATOR}, {"alice": VIEWER}, "alice is the name of a token of operator and"),
        ({"alice": OPERATOR}, {"ALICE": VIEWER}, "each needs a name of its own"),
        ({"alice": MADE}, {"bob": MADE}, "stands twice"),
        ({"alice": hash_of(MADE)}, {"bob": MADE}, "stands twice"),
        ({"alice": MADE, "bob": MADE}, [], "stands twice"),
    ],
)
def test_names_and_tokens_are_of_one_alone(operator: Any, viewer: Any, words: str) -> None:
    assert words in wrong(tokens=tokens(operator, viewer=viewer))


PROXY = {"trusted_proxies": ["10.0.0.1"], "trusted_user_header": "X-Forwarded-User"}


@pytest.mark.parametrize(
    ("web", "words"),
    [
        ({"trusted_user_header": "X-User", "users_others": "viewer"}, "anybody could write this"),
        (PROXY, "nobody could come in by it"),
        ({**PROXY, "users": {"alice": "admin"}}, "'viewer' or 'operator'"),
        ({**PROXY, "users": {"alice": "viewer", "Alice": "operator"}}, "stands twice"),
        ({**PROXY, "users": {"local": "viewer"}}, "without a name"),
        ({"users": {"alice": "viewer"}}, "nobody signs people in"),
        ({"users_others": "viewer"}, "nobody signs people in"),
        ({**PROXY, "trusted_user_header": "Host", "users_others": "viewer"}, "something else"),
        ({**PROXY, "trusted_user_header": "X User", "users_others": "viewer"}, "no name of a"),
    ],
)
def test_a_header_that_names_people_has_to_be_somebodys_word(
    web: dict[str, Any], words: str
) -> None:
    assert words in wrong(**web)


def test_with_people_no_token_is_needed_to_be_reached_from_outside() -> None:
    settings = settings_with(bind="0.0.0.0", **PROXY, users="alice=operator, bob=viewer")
    assert settings.web.users == {"alice": "operator", "bob": "viewer"}
    assert settings.web.guarded
    credentials, people = settings.web.gatekeeper()
    assert credentials == []
    assert people is not None
    assert people.caller("Alice", "::1").scope is Scope.OPERATOR
    assert people.caller("carol", "::1").scope is Scope.PUBLIC


def test_a_name_is_limited_whoever_brings_it() -> None:
    settings = settings_with(
        tokens=tokens({"alice": OPERATOR}, viewer=[VIEWER]),
        **PROXY,
        users={"Carla": "viewer"},
        sight={
            "alice": {"applications": ["Office"]},
            "viewer 1": {"tags": "floor=2, floor=3"},
            "carla": {"dev_euis": ["ABCDEF0123456789"]},
        },
    )
    credentials, people = settings.web.gatekeeper()
    sights = {one.name: one.sight for one in credentials}
    assert sights["alice"] == Sight(applications=("Office",))
    assert sights["viewer 1"] == Sight(tags=("floor=2", "floor=3"))
    assert sights["webhook 1"] == EVERYTHING
    assert people is not None
    assert people.caller("CARLA", "").sight == Sight(dev_euis=("abcdef0123456789",))


@pytest.mark.parametrize(
    ("sight", "words"),
    [
        ({"bob": {"tags": ["a"]}}, "nobody would be limited"),
        ({"alice": {}}, "limits nothing"),
        ({"webhook 1": {"tags": ["a"]}}, "sees nothing anyway"),
        ({"alice": {"dev_euis": ["12"]}}, "is no DevEUI"),
        ({"alice": {"tags": [""]}}, "empty value"),
        ({"alice": {"colour": ["red"]}}, "web.sight.alice.colour"),
    ],
)
def test_a_limit_that_would_limit_nobody_is_a_mistake(sight: Any, words: str) -> None:
    assert words in wrong(tokens=tokens({"alice": OPERATOR}), sight=sight)
