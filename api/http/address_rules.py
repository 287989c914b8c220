"""Rules of addresses, without what would build addresses from them.

For each of its rules werkzeug compiles two functions that build its address (`url_for`), which is
four fifths of the time that an app takes to make. Our answers name addresses as they are: nothing
is compiled until somebody has one built.
"""

from collections.abc import Callable
from typing import Any

from quart.routing import QuartRule


class Rule(QuartRule):
    """Matches as any other. A werkzeug that compiles elsewhere is only slower."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(rule: "Rule", /, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build
