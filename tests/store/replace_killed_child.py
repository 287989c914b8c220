"""Restores or moves until a named function is reached, and dies there of a signal.

`python -m tests.store.replace_killed_child restore|move URL COPY NOW FUNCTION SIGNAL`
"""

import os
import sys
import time
from importlib import import_module
from pathlib import Path

from store.open import move, restore

if __name__ == "__main__":
    verb, url, copy, now, function, signal = sys.argv[1:]

    def die(*_args: object, **_more: object) -> None:
        os.kill(os.getpid(), int(signal))
        time.sleep(30)

    module, _, name = function.partition(":")
    *owners, last = name.split(".")
    target: object = import_module(module)
    for owner in owners:
        target = getattr(target, owner)
    setattr(target, last, die)
    if verb == "restore":
        restore(url, Path(copy), float(now))
    else:
        move(f"sqlite:///{copy}", url, float(now))
