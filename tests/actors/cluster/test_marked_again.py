"""A command that a failover took and its acceptor repeats is older than what came meanwhile."""

from actors.cluster.commands import marked_again
from actors.cluster.messages import CommandTaken, decode, encode
from actors.device.events import CommandRequested
from lorawan.kuando.light_state import LightState
from store.engine.port import Accept

REQUEST = CommandRequested("c1", LightState(255, 0, 0), keep=True, ttl_s=60.0, accepted_at=5.0)


def accept(message: bytes) -> Accept:
    return Accept("07", "2020204100000001", "c1", b"{}", message, 5.0, "key", "red", b"{}")


def test_the_repeated_command_says_that_it_was_accepted_before() -> None:
    first = accept(encode(CommandTaken("2020204100000001", REQUEST)))

    again = marked_again(first)

    message = decode(again.message)
    assert isinstance(message, CommandTaken)
    assert message.request.again
    assert message.request.accepted_at == 5.0
    assert (again.command_id, again.key, again.record) == ("c1", "key", b"{}")
