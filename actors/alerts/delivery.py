"""How a notice reaches people: into the log, and through Apprise to mail, chat, pager and the like.

To hand a notice over never waits. A service that is slow loses the oldest notices; each alert
repeats hourly, so that nothing important is lost for good.
"""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import apprise
import structlog
import trio

from actors.alerts.notice import Notice
from actors.messaging.mailbox import Mailbox, Offer, Overflow

log = structlog.get_logger()

# 500 bytes each: 50 kB. Nobody reads more than a hundred notices one by one.
WAITING_MOST = 100
# Apprise gives each service 4 s to connect and 4 s to answer; with some services this covers all.
DEADLINE_S = 30.0
TRIES = 3
RETRY_AFTER_S = 20.0


def understood(url: str) -> bool:
    """Whether Apprise can make a notification service of this address."""
    return _instance(url) is not None


def _instance(url: str) -> Any:
    """One service; `Apprise.add` would take a comma in an address for the end of it."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True  # it writes what it does not understand, whole
    with warnings.catch_warnings():
        # The first address loads every plugin there is (half a second), old modules included.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return apprise.Apprise.instantiate(url)
        except Exception:  # noqa: BLE001 a plugin may raise anything; its words may hold the secret
            return None
        finally:
            logger.disabled = before


class Notifier(Protocol):
    """A way to tell people."""

    def offer(self, notice: Notice) -> bool:
        """Take a notice without waiting; False when there is no room for it."""
        ...


@dataclass(frozen=True, slots=True)
class NotifierStatistics:
    """Notices by outcome, since the start; `dropped` had to give way to newer ones."""

    sent: int
    failed: int
    dropped: int
    waiting: int


class LogNotifier:
    """Writes notices into the log: always there, also when nothing else is configured."""

    def offer(self, notice: Notice) -> bool:
        """Write it."""
        write = log.info if notice.good_news else log.warning
        write("notice", act=notice.act, kind=notice.kind, title=notice.title, body=notice.body)
        return True


class AppriseNotifier:
    """Sends notices through Apprise, one at a time, in a worker thread of its own.

    `on_outcome` is told of each notice whether it was delivered. Raises ValueError for an address
    that Apprise does not understand. Addresses hold secrets: they are never logged.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        on_outcome: Callable[[bool], None] | None = None,
        deadline_s: float = DEADLINE_S,
        tries: int = TRIES,
    ) -> None:
        self.mailbox: Mailbox[Notice] = Mailbox("notifier", WAITING_MOST, Overflow.DROP_OLDEST)
        self._on_outcome = on_outcome
        self._apprise = apprise.Apprise()
        for number, url in enumerate(urls, start=1):
            service = _instance(url)
            if service is None or not self._apprise.add(service):
                raise ValueError(f"address {number} of the notifications is not understood")
        self._deadline_s = deadline_s
        self._tries = max(1, tries)
        # A thread stuck in a service cannot be stopped: it keeps its place here until it ends, so
        # that there is never more than one.
        self._limiter = trio.CapacityLimiter(1)
        self._sent = self._failed = 0

    def offer(self, notice: Notice) -> bool:
        """Take a notice; when a hundred wait already, the oldest gives way."""
        return self.mailbox.offer(notice) is Offer.ACCEPTED

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Send the notices that were taken, until cancelled."""
        task_status.started()
        while True:
            await self._send(await self.mailbox.take())
            self.mailbox.handled()

    def statistics(self) -> NotifierStatistics:
        """Counters, now."""
        mailbox = self.mailbox.statistics()
        return NotifierStatistics(self._sent, self._failed, mailbox.dropped, mailbox.depth)

    async def _send(self, notice: Notice) -> None:
        for left in reversed(range(self._tries)):
            if await self._try(notice):
                self._count(delivered=True)
                return
            if left:
                await trio.sleep(RETRY_AFTER_S)
        self._count(delivered=False)
        log.error("notice not delivered", title=notice.title, tries=self._tries)

    def _count(self, *, delivered: bool) -> None:
        self._sent += delivered
        self._failed += not delivered
        if self._on_outcome is not None:
            self._on_outcome(delivered)

    async def _try(self, notice: Notice) -> bool:
        with trio.move_on_after(self._deadline_s):
            try:
                return await trio.to_thread.run_sync(
                    self._notify, notice, abandon_on_cancel=True, limiter=self._limiter
                )
            except Exception as error:  # noqa: BLE001 a plugin may raise anything; none is ours
                log.warning("notification service failed", error=type(error).__name__)
        return False

    def _notify(self, notice: Notice) -> bool:
        kind = apprise.NotifyType.SUCCESS if notice.good_news else apprise.NotifyType.WARNING
        return bool(
            self._apprise.notify(
                body=notice.body,
                title=notice.title,
                notify_type=kind,
                # Names come from outside: a service that speaks HTML has to escape them.
                body_format=apprise.NotifyFormat.TEXT,
                interpret_escapes=False,
            )
        )
