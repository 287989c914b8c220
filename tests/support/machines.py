"""Machines for servers: network namespaces that are joined by a bridge, and each with this one.

Two ways can be cut apart from each other, without a word to either end, as networks are: from a
machine to all others, and from here to a machine. It needs Linux and root.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple, Self

IP_S = 10.0


class Machine(NamedTuple):
    """One of them: how a command is run on it, and where it is reached."""

    name: str
    number: int

    @property
    def prefix(self) -> tuple[str, ...]:
        """Before the words of a command; its process id is the command's."""
        return ("ip", "netns", "exec", self.name)

    @property
    def address(self) -> str:
        """For the other machines and for here."""
        return f"10.213.77.{self.number}"

    @property
    def port_of_bridge(self) -> str:
        """This end of its line to the others."""
        return f"llb{self.number}"

    @property
    def line(self) -> str:
        """This end of its line to here."""
        return f"lll{self.number}"


class Machines:
    """So many machines, from start to stop."""

    def __init__(self, count: int) -> None:
        self._all = [Machine(f"lamplighter-{os.getpid()}-{n}", n) for n in range(1, count + 1)]
        self._stack = ExitStack()

    def __iter__(self) -> Iterator[Machine]:
        return iter(self._all)

    def at(self, address: str) -> Machine:
        """The one with this address."""
        return next(each for each in self._all if each.address == address)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            _ip("link add llbridge type bridge")
            stack.callback(_ip, "link del llbridge")
            _ip("link set llbridge up")
            for each in self._all:
                _ip(f"netns add {each.name}")
                stack.callback(_ip, f"netns del {each.name}")
                self._join(each)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def split(self, machine: Machine) -> None:
        """It and the others hear nothing of each other; here hears all."""
        _ip(f"link set {machine.port_of_bridge} nomaster")

    def join(self, machine: Machine) -> None:
        """End `split`."""
        _ip(f"link set {machine.port_of_bridge} master llbridge")

    def lose(self, machine: Machine) -> None:
        """What is sent from here arrives there, and whatever it answers gets lost; the other
        machines hear it."""
        _ip(f"{_inside(machine)} route add blackhole {_here(machine)}/32")

    def find(self, machine: Machine) -> None:
        """End `lose`."""
        _ip(f"{_inside(machine)} route del blackhole {_here(machine)}/32")

    def _join(self, each: Machine) -> None:
        inside = _inside(each)
        for outer, inner in ((each.port_of_bridge, "others"), (each.line, "here")):
            _ip(f"link add {outer} type veth peer name {inner} netns {each.name}")
            _ip(f"link set {outer} up")
            _ip(f"{inside} link set {inner} up")
        _ip(f"{inside} link set lo up")
        self.join(each)
        _ip(f"{inside} addr add {each.address}/24 dev others")
        _ip(f"addr add {_here(each)}/30 dev {each.line}")
        _ip(f"{inside} addr add 10.214.{each.number}.2/30 dev here")
        _ip(f"route add {each.address}/32 dev {each.line} src {_here(each)}")


def _inside(machine: Machine) -> str:
    return f"netns exec {machine.name} ip"


def _here(machine: Machine) -> str:
    return f"10.214.{machine.number}.1"


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, timeout=IP_S)
