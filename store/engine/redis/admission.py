"""The start of an engine, and what is found at its servers later: none is asked for anything of the
fleet before it was examined.

One server of a cluster may be silent at a start. It holds up its own parts of the fleet only: it,
or whoever is promoted in its place, is examined as soon as it answers, and used from then on.
"""

from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import structlog
import trio

from store.engine.redis.errors import Misfit
from store.engine.redis.examination import (
    Examined,
    about_silent,
    examine_one,
    held,
    look_around,
    str_of,
    try_all,
    try_one,
)
from store.engine.redis.keys import Keys
from store.engine.redis.lanes import Lanes
from store.engine.redis.opening import (
    Content,
    check_nobody_lives,
    check_shape,
    content_of,
    make_shape,
)
from store.engine.redis.places import Places
from store.engine.redis.target import Kind, Target
from store.engine.redis.weights import (
    Finding,
    about_error,
    at_start,
    refused,
    warnings_of,
    worst_first,
)
from store.errors import StoreError, StoreRefused, StoreUnavailable

log = structlog.get_logger()

T = TypeVar("T")

OPEN_S = 20.0
"""Some ten nodes, each examined within a second, or found dead in half of one."""
LOOK_AROUND_EVERY_S = 60.0
SILENT_AGAIN_S = 1.0
"""Between two tries of what was silent at the start."""


class Admission:
    """Opens an engine, and says which of its servers `lanes` may ask.

    With `is_moving` it is opened for whoever moves or restores a store into it: every server has to
    answer then, and no layout is made. With `is_reading` for whoever copies it: likewise, and it
    need not be able to store anything.
    """

    def __init__(
        self,
        target: Target,
        places: Places,
        lanes: Lanes,
        keys: Keys,
        *,
        is_moving: bool,
        is_reading: bool,
    ) -> None:
        self.warnings: tuple[str, ...] = ()
        """What may lose an acknowledged commit, in words."""
        self._target = target
        self._places = places
        self._lanes = lanes
        self._keys = keys
        self._is_moving = is_moving
        self._is_reading = is_reading
        self._examined: set[Hashable] | None = None
        """Once it is open: the servers that may be asked. None: all, for all were examined."""
        self._barred: dict[Hashable, StoreError] = {}
        """Why others may not, as it was found last."""
        lanes.check_place = self._check_place

    async def open(self) -> None:
        """Examine the servers, and check the layout or create it; raises as `Engine.open`."""
        each: Examined | None = None if self._is_moving or self._is_reading else {}
        found = await self._in_thread(partial(look_around, self._target, self._places, each))
        if self._is_reading:
            found = [one for one in found if not one.can_be_read]
        self.warnings = at_start(found, is_unsafe_meant=self._target.unsafe)
        has_shape = await self._has_shape()
        if self._is_reading:
            return
        if not (has_shape or self._is_moving):
            await check_nobody_lives(self._lanes, self._keys)
        await self._in_thread(partial(try_all, self._target, self._places, each))
        if each is not None:
            examined = {place for place, error in each.items() if error is None}
            if held(self._places).keys() - examined:  # silent, or promoted just now
                self._examined = examined
                self._bar({place: error for place, error in each.items() if error is not None})
        if not has_shape and not self._is_moving:
            await make_shape(self._lanes, self._keys, confirm=self._target.need)

    async def inspect(self) -> list[Finding]:
        """As `RedisEngine.inspect`."""
        each: Examined = {}
        found = await self._in_thread(partial(self._look_around, each))
        silent = {place for place, error in each.items() if error is not None}
        if refused(found, is_unsafe_meant=True) is None:
            try:
                if self._places.node_of("meta") not in silent:
                    await self._has_shape()
                await self._in_thread(partial(try_all, self._target, self._places, each))
            except StoreError as error:
                found.append(about_error(error))
        found += await self._in_thread(partial(about_silent, self._target, each))
        return worst_first(found)

    async def content(self) -> Content:
        """As `RedisEngine.content`."""
        await self._in_thread(self._places.open)
        return await content_of(self._lanes, self._keys)

    async def stay_informed(self, every_s: float) -> None:
        """Examine what was silent at the start, and all servers each `every_s`, for ever."""
        due = trio.current_time() + every_s
        while True:
            if self._examined is None:
                await trio.sleep_until(due)
            else:
                await trio.sleep_until(min(due, trio.current_time() + SILENT_AGAIN_S))
                await self._examine_more(self._examined)
            if trio.current_time() >= due:
                with suppress(StoreError):  # what was found before holds on
                    await self._look_again()
                due = trio.current_time() + every_s

    async def _look_again(self) -> None:
        """Warn of what is found now; of a server that is silent what was found before holds on, and
        of one that is not used yet `_bar` tells."""
        each: Examined = {}
        found = await self._in_thread(partial(self._look_around, each))
        errors = {place: error for place, error in each.items() if error is not None}
        told = [*warnings_of(found), *(str(one) for one in errors.values() if _is_refusal(one))]
        silent = {place for place, error in errors.items() if not _is_refusal(error)}
        names = tuple(f"redis: {str_of(place)}: " for place in silent | self._barred.keys())
        before = [old for old in self.warnings if old.startswith(names)]
        new = [warning for warning in told if not warning.startswith(names)]
        self.warnings = tuple(dict.fromkeys([*before, *new]))

    def _look_around(self, each: Examined) -> list[Finding]:
        return look_around(self._target, self._places, each, is_start=False)

    async def _examine_more(self, examined: set[Hashable]) -> None:
        """What a start does with every server, for those that were not examined yet. A fail-over
        may bring in another one meanwhile."""
        barred: dict[Hashable, StoreError] = {}
        for place, tags in held(self._places).items():
            if place in examined:
                continue
            try:
                found = await self._in_thread(
                    partial(examine_one, self._target, self._places, place)
                )
                if (finding := refused(found, is_unsafe_meant=self._target.unsafe)) is not None:
                    raise StoreRefused(f"redis: {finding.words}; {finding.remedy}")
                await self._in_thread(partial(try_one, self._target, self._places, place, tags[0]))
            except StoreError as error:
                barred[place] = error
                continue
            examined.add(place)
            self.warnings = tuple(dict.fromkeys((*self.warnings, *warnings_of(found))))
            log.info("a server that was silent at the start is used", server=str_of(place))
        self._bar(barred)
        if not barred:
            self._examined = None

    def _bar(self, barred: dict[Hashable, StoreError]) -> None:
        """Tell of each that is new, or barred for another reason; an alert tells of what an
        operator has to mend."""
        for place, error in barred.items():
            if str(error) != str(self._barred.get(place)):
                log.warning(
                    "a server is not used before it was examined",
                    server=str_of(place),
                    problem=str(error),
                )
        old = {str(error) for error in self._barred.values()}
        new = [str(each) for each in barred.values() if _is_refusal(each)]
        self.warnings = (*(each for each in self.warnings if each not in old), *new)
        self._barred = barred

    def _check_place(self, place: Hashable) -> None:
        if self._examined is None or place in self._examined:
            return
        why = str(self._barred.get(place, "it is new")).removeprefix("redis: ")
        raise StoreUnavailable(
            f"redis: {str_of(place)}: not used, for it could not be examined since the start: {why}"
        )

    async def _has_shape(self) -> bool:
        may_be_older = self._target.kind is not Kind.CLUSTER and not self._is_moving
        return await check_shape(
            self._lanes, self._keys, is_moving=self._is_moving, may_be_older=may_be_older
        )

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            with trio.fail_after(OPEN_S):
                return await trio.to_thread.run_sync(call, abandon_on_cancel=True)
        except trio.TooSlowError as slow:
            raise StoreUnavailable(f"redis: not examined within {OPEN_S:g} s") from slow


def _is_refusal(error: StoreError) -> bool:
    """Whether an operator has to mend something, and no more waiting helps."""
    return isinstance(error, StoreRefused | Misfit)
