"""What can go wrong with durable storage, in one small family.

A caller decides by the class alone. Only `StoreUnavailable` is worth repeating; the others stay
true until somebody acts. The database's own exception is always kept as the cause.

    StoreError
    ├── StoreUnavailable   transient: locked, disk full, connection lost, time out
    ├── StoreRefused       terminal: too new, wrong address or credentials
    │   ├── StoreTaken     terminal: another process has it, or took it over
    │   └── StoreRewound   terminal: acknowledged commits are gone (a fail-over, lost data)
    ├── StoreCorrupt       terminal: what is stored cannot be trusted
    └── StoreClosed        terminal: used before `open` or after `close`
"""


class StoreError(Exception):
    """Base of everything a store raises; raised itself only for what nothing below describes."""


class StoreUnavailable(StoreError):
    """The store cannot answer now and may do so later.

    A commit that ends like this may or may not have been carried out. Commits are idempotent by
    design, so the answer is to repeat the very same writes, with a growing delay.
    """


class StoreRefused(StoreError):
    """This process may not use the store as it is configured; repeating does not help.

    Raised when another process holds the store or took it over, when a newer version wrote it,
    and when the address, the path or the credentials are wrong. An operator has to act.
    """


class StoreTaken(StoreRefused):
    """Another process has the store, or took it over from this one: only one of them may go on.

    It ends the process with an exit code of its own, so that a service manager does not start it
    again beside the other (docs/operations.md).
    """


class StoreRewound(StoreRefused):
    """The store answers, but lacks commits that it had acknowledged: it was set back.

    What this process knows is newer than what is stored. A mark was left in the store where that
    could be done (`store.mark`), and the next start asks before it commands anything again.
    """


class StoreCorrupt(StoreError):
    """What is stored is damaged or is not ours; restore it from a copy."""


class StoreClosed(StoreError):
    """The store was used before `open` returned, or after `close`: a mistake of the caller."""
