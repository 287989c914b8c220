"""Codes of reasons: each has a sentence and is given by something; a reason is read as stored."""

import ast
import string
from pathlib import Path

import msgspec
import pytest

from actors.reasons import GatewayTold, Reason, ReasonCode, dated, named, other, text_of
from actors.reasons.sentences import SENTENCES, Sentence

ACTORS = Path(__file__).parents[3] / "actors"
NOON = 1_760_011_200.0
"""2025-10-09 12:00 UTC."""
ROOF = GatewayTold("0a", "Roof", NOON, 2)
SHED = GatewayTold("0b", "Shed")


def given() -> set[str]:
    """Every code that the actors name, beside where codes are declared."""
    return {
        node.attr
        for path in ACTORS.rglob("*.py")
        if path.name != "sentences.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"Code", "ReasonCode"}
    }


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_is_given_by_something() -> None:
    assert given() == {code.name for code in ReasonCode}


def test_every_code_has_a_sentence() -> None:
    assert SENTENCES.keys() == set(ReasonCode)


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_a_sentence_says_each_of_its_values(sentence: Sentence) -> None:
    names = set(sentence.names)
    assert names_in(sentence.text) == names
    assert sentence.bare is None or names_in(sentence.bare) < names
    assert {*sentence.each, *sentence.between} <= names


def test_lists_are_told_one_by_one_and_what_is_empty_is_left_out() -> None:
    suspected = Reason(ReasonCode.NO_TXACK, ((SHED, ROOF), NOON, (ROOF,)))
    assert text_of(suspected, NOON) == (
        "no txack from gateway Shed or Roof since 12:00 UTC; Roof is suspected (2 frames since"
        " 12:00 UTC and no txack); ChirpStack sends it again every 5 s"
    )
    nobody = Reason(ReasonCode.NO_TXACK, ((SHED,), NOON, ()))
    assert text_of(nobody, NOON) == (
        "no txack from gateway Shed since 12:00 UTC; ChirpStack sends it again every 5 s"
    )


def test_a_reason_within_another_is_said_and_named_as_well() -> None:
    offline = Reason(ReasonCode.GATEWAYS_OFFLINE, ((GatewayTold("0a", "Roof", NOON),),))
    reason = Reason(ReasonCode.COMMAND_EXPIRED, (offline, Reason(ReasonCode.NOT_REPORTED)))
    assert text_of(reason, NOON) == (
        "every gateway that hears this light is offline: Roof (since 12:00 UTC); the light has not"
        " reported since it joined"
    )
    assert named(reason) == {
        "reason": {
            "code": "gateways_offline",
            "values": {"gateways": [{"gateway_id": "0a", "name": "Roof", "since": NOON}]},
        },
        "shown": {"code": "not_reported", "values": {}},
    }


def test_every_moment_of_a_reason_becomes_a_date() -> None:
    inside = Reason(ReasonCode.NO_TXACK, ((SHED,), 5.0, (GatewayTold("0a", "Roof", 4.0, 2),)))
    told = dated(Reason(ReasonCode.TRIED_AGAIN, (inside,)), NOON)
    suspects = (GatewayTold("0a", "Roof", NOON + 4.0, 2),)
    assert told.values == (Reason(ReasonCode.NO_TXACK, ((SHED,), NOON + 5.0, suspects)),)


def test_a_reason_is_read_as_it_was_stored() -> None:
    inside = Reason(ReasonCode.NO_TXACK, ((SHED, ROOF), NOON, ()))
    reason = Reason(ReasonCode.COMMAND_EXPIRED, (inside, other("as an older version said")))
    assert msgspec.json.decode(msgspec.json.encode(reason), type=Reason) == reason


def test_what_a_newer_version_stored_is_read() -> None:
    newer = b'{"code":"told_by_another_version","values":["x",1]}'
    assert msgspec.json.decode(newer, type=Reason).code is ReasonCode.OTHER
    fewer = Reason(ReasonCode.NO_TXACK, ((SHED,),))
    assert text_of(fewer, NOON).startswith("no txack from gateway Shed since")
