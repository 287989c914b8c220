"""An alert that somebody knows of: stored, shown, and not repeated."""

import trio
from trio.testing import MockClock

from actors.board.changes import AlertView
from actors.device.model import Phase
from store.port import Table
from tests.actors.alerts.test_alerter import HOUR, AlertService, light


async def acknowledged(service: AlertService, by: str | None = "Ana") -> AlertView | None:
    (shown,) = service.board.alerts()
    return await service.alerter.acknowledge(shown.id, by)


async def test_it_is_not_repeated_but_that_it_is_over_is_told(autojump_clock: MockClock) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1.5 * HOUR)
        # a light that is not heard for so long is silent as well: only the failed one is looked at
        failed = [title for title in service.pager.titles if "failed" in title]
        assert failed == ["light failed: d1", "still light failed: d1"]
        first = next(a for a in service.board.alerts() if a.kind == "light_failed")
        known = await service.alerter.acknowledge(first.id, "Ana")
        assert known is not None
        assert known.acknowledged_by == "Ana"
        assert known in service.board.alerts()
        await trio.sleep(5 * HOUR)
        assert len([title for title in service.pager.titles if "failed" in title]) == 2
        service.board.publish(light("d1", heard_at=service.clock.now()))
        await trio.sleep(90)
        assert "over: light failed: d1" in service.pager.titles
        assert await service.alerter.acknowledge(first.id, "Ana") is None
        assert await service.alerter.acknowledge("nobody", None) is None
        nursery.cancel_scope.cancel()


async def test_it_is_known_after_a_restart_and_kept_from_retention(
    autojump_clock: MockClock,
) -> None:
    service = AlertService()
    async with trio.open_nursery() as nursery:
        await service.open(nursery)
        service.board.publish(light("d1", Phase.FAILED))
        await trio.sleep(1)
        await acknowledged(service)
        (shown,) = service.board.alerts()
        stored_at = service.store.disk.record(Table.ALERT, shown.id)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    again = AlertService(service.store.disk)
    async with trio.open_nursery() as nursery:
        await again.open(nursery)
        again.board.publish(light("d1", Phase.FAILED, heard_at=again.clock.now()))
        (restored,) = again.board.alerts()
        assert restored == shown
        for _ in range(5):
            await trio.sleep(HOUR / 2)
            again.board.publish(light("d1", Phase.FAILED, heard_at=again.clock.now()))
        assert again.pager.titles == []
        kept = again.store.disk.record(Table.ALERT, shown.id)
        assert kept is not None
        assert stored_at is not None
        assert kept.at > stored_at.at + HOUR
        nursery.cancel_scope.cancel()
