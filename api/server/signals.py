"""What a signal does: SIGTERM and SIGINT end the service, SIGHUP has it read its tokens again.

A change that cannot be taken over while running is reported, and a mistake changes nothing.
"""

import signal
import sys
from collections.abc import Callable

import structlog
import trio

from api.settings.file import SettingsError
from api.settings.model import ApiSettings

log = structlog.get_logger()

Load = Callable[[], ApiSettings]


async def until_signal(
    rereading: "Rereading | None" = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> str:
    """Wait for SIGTERM or SIGINT; the name of the one that came. A second one ends the process.

    SIGHUP is what `rereading` does. Without it, or on a terminal, whose closing sends it, SIGHUP
    ends the service, too. Where it is ignored, as under nohup, it stays so.
    """
    wanted = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted.append(signal.SIGHUP)
    hangs_up = rereading is None or sys.stdin.isatty() or sys.stderr.isatty()
    with trio.open_signal_receiver(*wanted) as signals:
        task_status.started()
        async for number in signals:
            if number == signal.SIGHUP and rereading is not None and not hangs_up:
                await rereading.run()
                continue
            return signal.Signals(number).name
    raise AssertionError("signals end only with the process")


TAKEN_OVER = frozenset(("web", name) for name in ("tokens", "users", "users_others", "sight"))
"""Settings that need no restart."""


class Rereading:
    """Reads the settings again, and takes over what can be changed while running: who may come in,
    and what each may see."""

    def __init__(self, settings: ApiSettings, load: Load) -> None:
        self._settings = settings
        self._load = load
        self.take: Callable[[ApiSettings], None] = _nobody
        """Who takes the new tokens; set by who serves."""

    async def run(self) -> None:
        """Read, and take over the tokens; a mistake anywhere changes nothing, and is logged."""
        try:
            fresh = await trio.to_thread.run_sync(self._load, abandon_on_cancel=True)
        except SettingsError as error:
            lines = [f"{one.field}: {one.problem}" for one in error.mistakes]
            log.error(  # noqa: TRY400 the mistakes matter, not where they were found
                "settings not read again, all stays as it was", mistakes=lines
            )
            return
        if self._settings.web.guarded and not fresh.web.guarded:
            log.error("the settings have no tokens any more, which needs a restart; all stays")
            return
        if self._settings.web.trusted_user_header != fresh.web.trusted_user_header:
            log.error("web.trusted_user_header was changed, which needs a restart; all stays")
            return
        self.take(fresh)
        tokens = fresh.web.tokens
        log.info(
            "tokens read again; log files there are none, logs go to standard error",
            viewer=len(tokens.viewer),
            operator=len(tokens.operator),
            webhook=len(tokens.webhook),
        )
        if waiting := changed(self._settings, fresh):
            log.warning("changed settings need a restart", settings=waiting)


def changed(old: ApiSettings, new: ApiSettings) -> list[str]:
    """The names of the settings that differ, those left out that are taken over."""
    found = []
    for section in ApiSettings.model_fields:
        before, after = getattr(old, section), getattr(new, section)
        fields = type(before).model_fields if hasattr(before, "model_fields") else None
        if fields is None:
            found += [section] if before != after else []
            continue
        found += [
            f"{section}.{name}"
            for name in fields
            if getattr(before, name) != getattr(after, name) and (section, name) not in TAKEN_OVER
        ]
    return found


def _nobody(_: ApiSettings) -> None:
    """What takes new tokens before the service is made: nothing."""
