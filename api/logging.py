"""Log lines: for a person on a terminal, as JSON elsewhere, each with its request's id.

Messages are constants, and what varies is a field. No field holds a token or a query string.
"""

import logging
import re
import secrets
import sys
from typing import TextIO

import structlog

from actors.plain_text import plainly
from api.settings.model import Logs

# What may come in as a correlation id: it is put into logs, headers and the store.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
# Without the values of local variables, among which are tokens and bodies; so is the plain one.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(logs: Logs, stream: TextIO | None = None) -> None:
    """Configure structlog, and the standard library's logging to go the same way, on `stream`
    (default: standard error)."""
    out = stream if stream is not None else sys.stderr
    console = logs.format == "console" or (logs.format == "auto" and out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: list[structlog.typing.Processor] = (
        [
            _plain_values,
            structlog.dev.ConsoleRenderer(
                colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
        if console
        else [_TRACEBACKS, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[logs.level]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(_LEVELS[logs.level], logging.INFO))


def _plain_values(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """For a terminal, which obeys control characters; JSON escapes them."""
    return {
        key: value if key in {"exc_info", "exception", "stack"} else plainly(value)
        for key, value in event.items()
    }


def usable_request_id(offered: str | None) -> str | None:
    """The correlation id that a caller sent, if it is fit to be kept."""
    if offered is not None and _REQUEST_ID.fullmatch(offered):
        return offered
    return None


def bind_request_id(offered: str | None) -> str:
    """Take or make the request's id, and put it in every log line of this task."""
    request_id = usable_request_id(offered) or secrets.token_hex(16)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id
