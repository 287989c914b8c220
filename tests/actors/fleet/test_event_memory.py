"""An event that came by one way is known when it comes by the other, whatever its encoding."""

import pytest

from actors.fleet.delivery import Delivery
from actors.fleet.event_memory import KEPT_S, EventMemory
from lorawan.events import Event, decode_json, decode_protobuf
from simulation.world.bodies import json_body, protobuf_body
from tests.bench import fleet
from tests.support.event_vectors import EXPECTED


class Clock:
    now = 0.0

    def steady(self) -> float:
        return self.now


@pytest.mark.parametrize("event", [event for _, event in EXPECTED.values()])
def test_it_is_known_in_both_encodings(event: Event) -> None:
    memory = EventMemory(Clock().steady)
    first = decode_json(*json_body(event))
    memory.told(first, Delivery.DELIVERED)
    assert memory.knows(decode_protobuf(*protobuf_body(event)))
    assert memory.repeated == 1


def test_one_that_was_not_taken_is_not_known() -> None:
    memory = EventMemory(Clock().steady)
    for outcome in (Delivery.FULL, Delivery.UNKNOWN, Delivery.STOPPING):
        memory.told(fleet.status(0, 1), outcome)
    assert not memory.knows(fleet.status(0, 1))
    memory.told(fleet.status(0, 1), Delivery.REGISTERED)
    assert memory.knows(fleet.status(0, 1))
    assert not memory.knows(fleet.status(0, 2))
    assert not memory.knows(fleet.status(1, 1))


def test_it_is_forgotten_after_a_minute() -> None:
    clock = Clock()
    memory = EventMemory(clock.steady)
    memory.told(fleet.status(0, 1), Delivery.DELIVERED)
    clock.now = KEPT_S - 1
    assert memory.knows(fleet.status(0, 1))
    clock.now = KEPT_S
    assert not memory.knows(fleet.status(0, 1))


def test_events_of_lights_that_were_let_go_are_told_again() -> None:
    memory = EventMemory(Clock().steady)
    for number in (0, 1):
        memory.told(fleet.status(number, 1), Delivery.DELIVERED)
    memory.forget(lambda dev_eui: dev_eui == fleet.dev_eui(0))
    assert not memory.knows(fleet.status(0, 1))
    assert memory.knows(fleet.status(1, 1))
