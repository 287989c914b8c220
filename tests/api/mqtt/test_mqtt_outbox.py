"""What is sent of what changed: the newest of each topic, once, and never an older over a newer."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.mqtt.outbox import RESULTS_MOST, Message, Outbox


class Desk:
    """What belongs on each topic, chosen by the test."""

    def __init__(self) -> None:
        self.payloads: dict[str, bytes] = {}
        self.outbox = Outbox(self.payloads.get)

    def change(self, topic: str, payload: bytes) -> None:
        self.payloads[topic] = payload
        self.outbox.changed([topic])

    def take(self) -> tuple[str, bytes] | None:
        message = self.outbox.take()
        return None if message is None else (message.topic, message.payload)


def test_ten_changes_that_wait_are_one_message() -> None:
    desk = Desk()
    for number in range(10):
        desk.change("a", b"%d" % number)
    assert desk.take() == ("a", b"9")
    assert desk.take() is None


def test_what_the_broker_has_is_not_sent_again() -> None:
    desk = Desk()
    desk.change("a", b"1")
    assert desk.take() == ("a", b"1")
    desk.outbox.acknowledged("a")
    desk.change("a", b"1")
    assert desk.take() is None


def test_a_change_while_the_older_is_in_flight_waits_for_its_answer() -> None:
    desk = Desk()
    desk.change("a", b"1")
    desk.take()
    desk.change("a", b"2")
    assert desk.take() is None
    desk.outbox.acknowledged("a")
    assert desk.take() == ("a", b"2")


def test_after_a_connection_was_lost_everything_is_sent_that_is_asked_for() -> None:
    desk = Desk()
    desk.change("a", b"1")
    desk.take()
    desk.outbox.forget()
    desk.outbox.anew(["a"])
    assert desk.take() == ("a", b"1")


def test_live_changes_go_before_what_is_only_sent_again() -> None:
    desk = Desk()
    desk.payloads = {}
    desk.outbox = Outbox(lambda topic: topic.encode())
    desk.outbox.anew(["a", "b", "c"])
    desk.outbox.changed(["c"])
    message = desk.outbox.take(paced=False)
    assert message == Message("c", b"c", retain=True, live=True)
    assert desk.outbox.take(paced=False) is None
    assert [desk.take(), desk.take(), desk.take()] == [("a", b"a"), ("b", b"b"), None]


def test_what_is_gone_is_emptied() -> None:
    desk = Desk()
    desk.change("a", b"1")
    desk.take()
    desk.outbox.acknowledged("a")
    del desk.payloads["a"]
    desk.outbox.changed(["a"])
    assert desk.take() == ("a", b"")


def test_results_are_bounded_and_the_oldest_is_dropped() -> None:
    desk = Desk()
    for number in range(RESULTS_MOST + 5):
        desk.outbox.result("r", b"%d" % number)
    assert desk.take() == ("r", b"5")
    assert desk.outbox.results_dropped == 5


class AnyHistory(RuleBasedStateMachine):
    """However changes, acknowledgements and losses mix, the broker ends with the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.broker: dict[str, bytes] = {}
        self.flying: list[tuple[str, bytes]] = []

    @rule(topic=st.sampled_from("abc"), payload=st.sampled_from([b"1", b"2", b""]))
    def changes(self, topic: str, payload: bytes) -> None:
        self.desk.change(topic, payload)

    @rule()
    def sends(self) -> None:
        if (sent := self.desk.take()) is not None:
            assert sent[0] not in [topic for topic, _ in self.flying]
            self.flying.append(sent)

    @rule()
    def answers(self) -> None:
        if self.flying:
            topic, payload = self.flying.pop(0)
            self.broker[topic] = payload
            self.desk.outbox.acknowledged(topic)

    @rule(arrived=st.booleans())
    def breaks(self, arrived: bool) -> None:
        if arrived:
            self.broker.update(self.flying)
        self.flying.clear()
        self.desk.outbox.forget()
        self.desk.outbox.anew(self.desk.payloads)

    @invariant()
    def settles_on_the_newest(self) -> None:
        assert len(self.desk.outbox) <= 2 * len(self.desk.payloads)

    def teardown(self) -> None:
        for _ in range(20):
            self.answers()
            self.sends()
        assert self.broker.items() >= self.desk.payloads.items()


AnyHistory.TestCase.settings = settings(max_examples=50, stateful_step_count=25)
TestAnyHistory = AnyHistory.TestCase
