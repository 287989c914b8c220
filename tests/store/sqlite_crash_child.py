"""A process that commits until it is killed; started with `python -m`, spoken to over pipes.

For each line on standard input a fresh child is forked (the imports are paid once). The child
says `pid N`, then `ack N` after each commit that was answered; after its death comes `dead`.
"""

import os
import sys

import trio

from store.port import Append, Put, Table
from store.sqlite import SqliteStore


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def commit_for_ever(path: str) -> None:
    store = SqliteStore(path)
    await store.open()
    newest = await store.get(Table.META, "newest")
    number = int(newest.value) if newest else 0
    while True:
        number += 1
        value = f"{number}".encode()
        bulk = bytes([number % 251]) * (number * 7919 % 30_000)  # some commits span many pages
        await store.commit(
            [
                Put(Table.META, "newest", value, float(number)),
                Put(Table.DEVICE, "bulk", value + b" " + bulk, float(number)),
                *(Append("s", f"{number:06}.{part}", float(number), bulk) for part in range(3)),
                Put(Table.ALERT, "newest", value, float(number)),
            ]
        )
        say(f"ack {number}")


def main() -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            say(f"pid {os.getpid()}")
            trio.run(commit_for_ever, sys.argv[1])
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
