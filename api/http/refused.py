"""What a caller would be refused with 403, whatever it sends: told to pages, which offer the rest.

It is read off the very marks that refuse (`@requires` and `@shows`), so that what is told and what
is done cannot come apart.
"""

import re

from quart import current_app

from api.http.auth import Caller, Scope, scope_of
from api.http.sight import Lights, shown_by

_VARIABLE = re.compile(r"<(?:[^:<>]+:)?(\w+)>")
_OF_CALLERS = frozenset({Scope.VIEWER, Scope.OPERATOR})
"""What is public is refused to nobody; webhooks are a network server's business."""


def refused_to(caller: Caller) -> list[str]:
    """The operations that are refused, each as method and path of the OpenAPI, in order:
    `POST /api/v1/scenes`."""
    found = []
    for rule in current_app.url_map.iter_rules():
        view = current_app.view_functions.get(rule.endpoint)
        if view is None or rule.websocket:
            continue
        beyond = caller.sight.limited and shown_by(view) in {None, Lights.ALL}
        path = _VARIABLE.sub(r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            needed = scope_of(view, method)
            if needed in _OF_CALLERS and (beyond or not caller.may(needed)):
                found.append(f"{method} {path}")
    return sorted(found)
