"""What is sent again, with what, and after how long: steps against a scripted service."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.calls.orders import command, order
from lamplighter.client.calls.uploads import PART_BYTES, upload
from lamplighter.client.errors import (
    Conflict,
    NotFound,
    RateLimited,
    StillPursued,
    Unanswered,
    Unavailable,
)
from lamplighter.client.models import LightBody
from lamplighter.client.steps import Answer, Broken, Call, Kit, Patience, Pause, Send
from tests.support.fake_application import DEV_EUI

CUT = Broken("the connection broke", sent=True)
UNSENT = Broken("connection refused", sent=False)
PATIENCE = Patience(tries=4, first_s=1.0, most_s=8.0, timeout_s=10.0, whole_s=60.0)


def problem(status: int, slug: str = "", retry_after: int | None = None) -> Answer:
    body = {"type": f"urn:lamplighter:problem:{slug}", "title": slug} if slug else {"title": "bad"}
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Answer(status, headers, msgspec.json.encode(body))


def told(status: str, **changes: Any) -> Answer:
    light = {"red": 255, "green": 0, "blue": 0, "on": 255, "off": 0}
    view = {
        "id": "cmd-1",
        "dev_eui": DEV_EUI,
        "light": light,
        "keep": True,
        "status": status,
        "reason": None,
        "reason_code": None,
        "reason_values": None,
        "overdue": False,
        "attempts": 0,
        "superseded_by": None,
        "withdrawn_by": None,
        "accepted_at": 1.0,
        "expires_at": 2.0,
        "ended_at": None,
        "correlation_id": "",
        "heartbeat_only": False,
        "timeline": [],
        "steps_omitted": 0,
        "by": "",
        **changes,
    }
    return Answer(200, {}, msgspec.json.encode(view))


class Played:
    """Carries steps out against answers that are known beforehand, in a time of its own."""

    def __init__(self, *answers: Answer | Broken, takes_s: float = 0.0) -> None:
        self.now = 0.0
        self.sent: list[Send] = []
        self.pauses: list[float] = []
        self._answers = list(answers)
        self._takes_s = takes_s
        self._keys = 0

    def run(self, call: Call[Any]) -> Any:
        steps = call.steps(Kit(lambda: self.now, random.Random(1), self._key, PATIENCE))
        came: Answer | Broken | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                return done.value
            came = None
            if isinstance(step, Pause):
                self.pauses.append(step.seconds)
                self.now += step.seconds
            else:
                self.sent.append(step)
                self.now += self._takes_s
                came = self._answers.pop(0)

    def _key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"


def ask(repeat: Repeat, method: str = "POST") -> Ask[bytes]:
    return Ask(model=bytes, method=method, path="/x", repeat=repeat)


def test_an_order_is_repeated_with_its_key_until_it_is_answered() -> None:
    played = Played(UNSENT, CUT, problem(503, "store-unavailable", 5), told("accepted"))
    assert played.run(order(DEV_EUI, (255, 0, 0))).id == "cmd-1"
    assert {send.headers["Idempotency-Key"] for send in played.sent} == {"key-1"}
    assert len({send.content for send in played.sent}) == 1
    assert 0.5 <= played.pauses[0] <= 1.0
    assert 1.0 <= played.pauses[1] <= 2.0
    assert played.pauses[2] == 5.0, "what the service asked for"


@pytest.mark.parametrize("came", [CUT, problem(502), problem(503, "stopping", 1)])
def test_what_may_have_been_done_is_not_done_again_without_a_key(came: Answer | Broken) -> None:
    played = Played(came)
    with pytest.raises((Unanswered, Unavailable)):
        played.run(ask(Repeat.NEVER))
    assert len(played.sent) == 1


@pytest.mark.parametrize("came", [UNSENT, problem(429, "rate-limited", 2)])
def test_what_was_surely_not_done_is_sent_again_always(came: Answer | Broken) -> None:
    played = Played(came, Answer(200, {}, b"done"))
    assert played.run(ask(Repeat.NEVER)) == b"done"


@pytest.mark.parametrize(
    "came",
    [
        problem(404, "unknown-device"),
        problem(500, "internal"),
        problem(503, "parked"),
        problem(422),
    ],
)
def test_what_will_not_be_otherwise_is_told_at_once(came: Answer) -> None:
    played = Played(came)
    with pytest.raises(Exception, match=r"unknown|internal|parked|bad"):
        played.run(ask(Repeat.HARMLESS, "GET"))
    assert len(played.sent) == 1


def test_tries_and_time_have_an_end() -> None:
    played = Played(*[CUT] * 9)
    with pytest.raises(Unanswered, match="broke"):
        played.run(ask(Repeat.HARMLESS, "GET"))
    assert len(played.sent) == PATIENCE.tries
    slow = Played(*[CUT] * 9, takes_s=25.0)
    with pytest.raises(Unanswered):
        slow.run(ask(Repeat.HARMLESS, "GET"))
    assert len(slow.sent) == 3
    assert slow.sent[2].timeout_s < PATIENCE.timeout_s, "the last one has what is left"
    late = Played(problem(429, "rate-limited", 3_600))
    with pytest.raises(RateLimited) as limited:
        late.run(ask(Repeat.HARMLESS, "GET"))
    assert limited.value.retry_after_s == 3_600


def test_what_was_removed_by_a_try_without_an_answer_is_removed() -> None:
    gone = problem(404, "unknown-scene")
    remove = Ask(model=type(None), method="DELETE", path="/x", repeat=Repeat.GONE)
    assert Played(CUT, gone).run(remove) is None
    with pytest.raises(NotFound):
        Played(gone).run(remove)
    with pytest.raises(NotFound):
        Played(problem(429, "rate-limited", 1), gone).run(remove)


def test_a_held_command_is_looked_for_ever_more_seldom_and_is_one_order() -> None:
    held = told("held", reason="no gateway is online")
    played = Played(held, held, held, held, told("verified"))
    assert played.run(command(DEV_EUI, LightBody(red=255, green=0, blue=0))).status == "verified"
    assert played.pauses == [1.0, 1.5, 2.25, 3.375]
    assert {send.headers["Idempotency-Key"] for send in played.sent} == {"key-1"}
    assert played.sent[0].headers["Prefer"] == "wait=30"
    assert played.sent[0].timeout_s == PATIENCE.timeout_s + 30


def test_the_wait_for_a_verdict_ends_in_time() -> None:
    played = Played(*[told("transmitted", overdue=True)] * 5, takes_s=20.0)
    with pytest.raises(StillPursued, match="overdue") as raised:
        played.run(command(DEV_EUI, (255, 0, 0), wait_s=50.0))
    assert raised.value.command.id == "cmd-1"
    assert [send.headers["Prefer"] for send in played.sent] == ["wait=30", "wait=29", "wait=7"]


def test_a_large_file_goes_in_parts_that_may_be_repeated_but_for_the_last() -> None:
    content = bytes(2 * PART_BYTES + 10)
    done = Answer(200, {}, b"{}")
    played = Played(Answer(202, {}, b"{}"), CUT, Answer(202, {}, b"{}"), done)
    assert played.run(upload("PUT", "/plans/1/picture", content, {"If-Match": '"3"'})) == done
    ranges = [send.headers["Content-Range"] for send in played.sent]
    assert ranges[1] == ranges[2] == f"bytes {PART_BYTES}-{2 * PART_BYTES - 1}/{len(content)}"
    assert {send.headers["Idempotency-Key"] for send in played.sent} == {"key-1"}
    assert all(send.headers["If-Match"] == '"3"' for send in played.sent)
    broken: Sequence[Answer | Broken] = (Answer(202, {}, b""), Answer(202, {}, b""), CUT)
    with pytest.raises(Unanswered):
        Played(*broken).run(upload("PUT", "/x", content, {}))


def test_an_error_that_promises_a_command_and_has_none_is_still_told() -> None:
    with pytest.raises(Exception, match="superseded") as raised:
        Played(problem(409, "superseded")).run(order(DEV_EUI, (1, 2, 3)))
    assert not isinstance(raised.value, Conflict)
