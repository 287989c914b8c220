"""`python -m tests.unused`, part of `make check`: nothing in the packages is unused.

Vulture finds the names that no code of the packages mentions; what only the tests use is unused,
too. What is used in a way that it cannot see is listed here, each with its reason, and a reason
that is not needed any more is an error as well.
"""

import ast
import sys
from functools import cache
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

PACKAGES = ("actors", "api", "lorawan", "store", "simulation")
READERS = (*PACKAGES, "docs/generate")
"""Code that may use what the packages offer."""

ENCODED = (
    "actors/board/changes.py",
    "actors/board/rollout.py",
    "actors/cluster/shown.py",
    "actors/fleet/initialization.py",
    "actors/metrics/downlinks.py",
    "actors/quality/model.py",
    "actors/restored_store.py",
    "actors/storage/audit.py",
    "api/models/",
)
"""Here every field is encoded whole, for clients and for the store."""

DECORATED = [
    f"@*.{method}"
    for method in ("get", "post", "put", "delete", "patch", "websocket", "command", "callback")
] + ["@field_validator", "@model_validator"]
"""Routes, verbs and validators are called by their framework."""

ALLOWED = {
    "read by a library whose object or class they belong to": """
        accesslog alpn_protocols caption errorlog handshake include_server_header
        keep_alive_requests keep_alive_max_requests max_app_queue_size model_config power shield
        polarization_inversion url_rule_class
        strict_slashes title_justify websocket_ping_interval _send_error_response connect_timeout
        on_connect on_disconnect on_publish on_subscribe on_socket_open on_socket_close
        on_socket_register_write SessionExpiryInterval MaximumPacketSize""",
    "parameters that a protocol of Python or of a library prescribes": """
        exc exc_type fn __call__ _missing_""",
    "values that come from outside, or are drawn": """
        COLOUR HEARD SINCE COLLISION_BEACON TOO_EARLY TX_FREQ TX_POWER ACTIVE""",
    "the vocabulary of OTP, whole": "TRANSIENT",
    "calls of ChirpStack's API, which its clients make by name": """
        DeleteHttpIntegration GetNextFCntDown""",
    "of the pretend world and the harness, for the tests that arrange or look": """
        digests send_status set_loss set_forwarder set_answer_delay update_firmware
        REAL_FORWARDERS""",
    "for the tests that hold a bound or a count": "alert_ids heap_size",
}


@cache
def classes(filename: Path) -> list[ast.ClassDef]:
    """Every class of a file."""
    tree = ast.parse(filename.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def is_encoded(item: Item) -> bool:
    """Whether it is a field of a structure that is encoded, or of figures that are read whole."""
    if item.typ != "variable":
        return False
    path = item.filename.relative_to(Path.cwd()).as_posix()
    around = [
        one.name
        for one in classes(item.filename)
        if one.lineno <= item.first_lineno <= (one.end_lineno or 0)
    ]
    return bool(around) and (path.startswith(ENCODED) or around[-1].endswith("Statistics"))


def main() -> int:
    """Print what is unused; the exit code."""
    finder = Vulture(ignore_decorators=DECORATED)
    finder.scavenge([str(Path.cwd() / each) for each in READERS])
    allowed = {name for names in ALLOWED.values() for name in names.split()}
    needed: set[str] = set()
    unused = 0
    for item in finder.get_unused_code(min_confidence=60):
        if item.name in allowed:
            needed.add(item.name)
        elif not is_encoded(item):
            unused += 1
            sys.stdout.write(item.get_report() + "\n")
    for place in ENCODED:
        if not (Path.cwd() / place).exists():
            unused += 1
            sys.stdout.write(f"tests/unused.py: {place} is gone: take it off the list\n")
    for name in sorted(allowed - needed):
        unused += 1
        sys.stdout.write(f"tests/unused.py: {name} is used, or gone: take it off the list\n")
    return 1 if unused else 0


if __name__ == "__main__":
    sys.exit(main())
