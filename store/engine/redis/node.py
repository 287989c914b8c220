"""One connection to one node. Everything here blocks and belongs in a thread of its own.

What is asked for in one go is sent in one go, and `WAIT` with it on the same connection: WAIT
counts the replicas that have what this very connection wrote. redis-py repeats nothing: its silent
retries would ask twice for what may be done once, and on another connection.

A server that syncs each commit does so whenever it has read some 16 kB of what was sent: a batch of
64 commits would cost some twenty syncs. Scripts therefore go in groups of MULTI and EXEC, which are
carried out, and synced, at once; not in a cluster, whose transactions have one slot.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import redis
from redis import exceptions

from store.engine.redis.errors import error_of, is_elsewhere, is_refusal
from store.engine.redis.scripts import Argument, Call
from store.errors import StoreError, StoreUnavailable

CONNECT_S = 0.5
SOCKET_S = 2.0
CONFIRM_S = 1.5
"""Within the time of the socket, so that a short count is an answer and no lost connection."""

GROUP_BYTES = 192 * 1024
"""Of what is sent in one transaction: the server serves nobody else for some 2 ms."""

Command = Call | tuple[Argument, ...]
Answer = Any
"""What the server says to one command, or a StoreError."""


Connection = Any
"""A `redis.Connection`, also one over TLS or a socket; its methods have no types there."""


class Node:
    """`connect` makes a connection, and connects it; it finds out anew where the node is.

    `lost` is told that another node may be the one to ask, by which error. `era` changes when
    connections made before may lead to a server that is not the one to ask any more. With
    `is_grouping` several scripts are carried out at once.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        lost: Callable[[Exception], None],
        *,
        era: Callable[[], int] = lambda: 0,
        is_grouping: bool = False,
    ) -> None:
        self._connect = connect
        self._lost = lost
        self._era = era
        self._made_in = 0
        self._is_grouping = is_grouping
        self._connection: Connection | None = None
        self.failures = 0
        self.connections = 0
        """That were made until now."""

    def ask(
        self, commands: Sequence[Command], confirm: int = 0, failures: int | None = None
    ) -> list[Answer]:
        """The answer to each command, once `confirm` replicas have what they wrote.

        `failures` are those at the time when the caller began to wait for its turn: if there were
        more since, it is told so instead of waiting for the next one, because elsewhere it may be
        served by now. Raises StoreUnavailable then, and where the connection was lost or the
        replicas did not confirm: whether anything was carried out is then unknown.
        """
        if failures is not None and failures != self.failures:
            raise StoreUnavailable("redis: the node failed a moment ago")
        answers = self._exchange(commands, [_sent(each) for each in commands], confirm)
        unknown = [
            number
            for number, answer in enumerate(answers)
            if isinstance(answer, exceptions.NoScriptError)
        ]
        if unknown:
            again = [commands[number] for number in unknown]
            whole = [each.command(whole=True) for each in again if isinstance(each, Call)]
            for number, answer in zip(unknown, self._exchange(again, whole, confirm), strict=True):
                answers[number] = answer
        return [self._judged(each) if isinstance(each, Exception) else each for each in answers]

    def drop(self) -> None:
        """Close the connection; the next call makes one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def _exchange(
        self, commands: Sequence[Command], sent: Sequence[tuple[Argument, ...]], confirm: int
    ) -> list[Any]:
        wait: list[tuple[Argument, ...]] = (
            [("WAIT", confirm, int(CONFIRM_S * 1_000))] if confirm else []
        )
        try:
            connection = self._connected()
            packed = [connection.pack_command(*each) for each in sent]
            grouping = self._is_grouping and all(isinstance(each, Call) for each in commands)
            groups = _groups(packed) if grouping else [1] * len(packed)
            connection.send_packed_command(
                [*_joined(connection, packed, groups), *connection.pack_commands(wait)], False
            )
            answers = [answer for size in groups for answer in _read_group(connection, size)]
            count = _read(connection) if confirm else 0
        except (redis.RedisError, OSError, StoreError) as error:  # the last of who finds the node
            self._fail(error)
        except BaseException:  # half an answer may still be on its way
            self.drop()
            raise
        if isinstance(count, Exception):
            self._fail(count)
        if count < confirm:
            self._fail(
                StoreUnavailable(f"redis: {count} of {confirm} replicas confirmed what was written")
            )
        return answers

    def _connected(self) -> Connection:
        connection = self._connection
        if connection is not None and (self._made_in != self._era() or _is_stale(connection)):
            self.drop()
        if self._connection is None:
            self.connections += 1
            era = self._era()
            self._connection = self._connect()
            if era != self._era():  # another server was found, by this call or beside it
                self.drop()
                era, self._connection = self._era(), self._connect()
            self._made_in = era
        return self._connection

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self.drop()
        self._lost(error)
        if isinstance(error, StoreError):
            raise error
        raise error_of(error) from error

    def _judged(self, error: Exception) -> StoreError:
        if is_elsewhere(error):
            self.drop()
            self._lost(error)
        if is_refusal(error):
            self.drop()
        told = error_of(error)
        told.__cause__ = error
        return told


def _is_stale(connection: Connection) -> bool:
    """Whether there is something to read though nothing was asked: the server has closed it."""
    try:
        return bool(connection.can_read())
    except (redis.RedisError, OSError):
        return True


def _sent(command: Command) -> tuple[Argument, ...]:
    return command.command() if isinstance(command, Call) else command


def _read(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except exceptions.ResponseError as error:
        return error
    except exceptions.ClusterError as error:  # CLUSTERDOWN is no ResponseError in every version
        return error


def _groups(packed: Sequence[Sequence[bytes]]) -> list[int]:
    """How many commands, one after the other, make each transaction."""
    groups: list[int] = []
    left = 0
    for command in packed:
        length = sum(map(len, command))
        if not groups or length > left:
            groups.append(0)
            left = GROUP_BYTES
        groups[-1] += 1
        left -= length
    return groups


def _joined(
    connection: Connection, packed: Sequence[Sequence[bytes]], groups: Sequence[int]
) -> Iterator[bytes]:
    """The bytes of all commands, each group in a transaction; one command needs none."""
    commands = iter(packed)
    for size in groups:
        if size > 1:
            yield from connection.pack_command("MULTI")
        for _ in range(size):
            yield from next(commands)
        if size > 1:
            yield from connection.pack_command("EXEC")


def _read_group(connection: Connection, size: int) -> list[Any]:
    """The answer to each command of a group. Where the server would not have one of them, it
    carried out none, and that error is the answer to all."""
    if size == 1:
        return [_read(connection)]
    queued = [_read(connection) for _ in range(size + 1)]
    answers = _read(connection)
    if isinstance(answers, list):
        return answers
    errors = [each for each in queued if isinstance(each, Exception)]
    return [errors[0] if errors else answers] * size


def only(answers: Sequence[Answer]) -> Answer:
    """The answer to the only command. Raises it where it is an error."""
    (answer,) = answers
    if isinstance(answer, Exception):
        raise answer
    return answer
