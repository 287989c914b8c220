"""The lights: list, inspect, history, initialise."""

from collections.abc import Callable

from quart import Blueprint, Response

from actors.board.reachability import Reach, Reachability
from actors.device.model import Device
from actors.fleet.initialization import InitializationRun
from actors.refusal import Refusal
from actors.storage.audit import Act
from actors.storage.history import LINES_MOST
from api.http.audit import by, note
from api.http.carrying import at_owner
from api.http.exports import CSV, JSON_LINES, Table, reply_as
from api.http.exports import wanted as form_of
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    INVALID,
    MAILBOX_FULL,
    NETWORK_UNAVAILABLE,
    NO_REPLY,
    RATE_LIMITED,
    STOPPING,
    STORE_UNAVAILABLE,
    UNKNOWN_DEVICE,
    UNKNOWN_RUN,
    WRITING,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import read_body, read_dev_eui, read_query
from api.http.response_headers import LOCATION
from api.http.responses import address, no_content, reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models import DevicePage, DeviceSummary, DeviceView, HistoryPage
from api.models.columns import DEVICES, EVENTS
from api.models.requests import DeviceListQuery, Filters, HistoryQuery, InitializeRequest
from api.routes.parts_elsewhere import with_parts_elsewhere
from api.validation import Mistake

DAY_S = 86_400.0
PAGE_LINES = 200
JSON_LINES_MOST = 1_000
"""Lines of history in one answer as JSON, some 400 kB; a table has more."""

blueprint = Blueprint("devices", __name__)

_READ = (INVALID, RATE_LIMITED)
_WRITE = (
    *WRITING,
    MAILBOX_FULL,
    STOPPING,
)


@blueprint.get("/devices")
@shows(Lights.SEEN)
@answers(Answer(200, "A page of lights.", DevicePage, also=(CSV,)), problems=_READ, tag="lights")
@takes(query=DeviceListQuery)
async def list_devices() -> Response:
    """The lights, by DevEUI; filters are combined."""
    query = read_query(DeviceListQuery)
    board = application().board
    wanted = matcher(query, board.reachability)
    devices = seen().devices
    found = sorted(dev_eui for dev_eui, device in devices.items() if wanted(device))
    counts = dict.fromkeys(Reach, 0)
    for dev_eui in found:
        counts[board.reachability(devices[dev_eui]).reach] += 1
    page = found[query.offset : query.offset + query.limit]
    shown = DevicePage(
        total=len(found),
        by_reachability=counts,
        limit=query.limit,
        offset=query.offset,
        devices=[
            DeviceSummary.of(
                devices[dev_eui],
                board.reachability(devices[dev_eui]),
                board.risks.get(dev_eui),
            )
            for dev_eui in page
        ],
    )
    end = query.offset + len(page)
    following = {"offset": end} if end < len(found) else None
    table = Table("devices", DEVICES, shown.devices, following)
    return reply_as(form_of(query.format), shown, table)


@blueprint.get("/devices/<dev_eui>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The light and its actor.", DeviceView),
    problems=(UNKNOWN_DEVICE, *_READ),
    tag="lights",
)
async def get_device(dev_eui: str) -> Response:
    """One light inspected: what it is doing, why, and what comes next."""
    seen = application().queries.device(read_dev_eui(dev_eui))
    if seen is None:
        raise Problem(UNKNOWN_DEVICE)
    return reply(await with_parts_elsewhere(DeviceView.of(seen)))


@blueprint.delete("/devices/<dev_eui>")
@shows(Lights.SEEN)
@answers(
    Answer(204, "It is gone from the board; its history stays."),
    problems=(UNKNOWN_DEVICE, NO_REPLY, STORE_UNAVAILABLE, STOPPING, *_READ, WRONG_ORIGIN),
    tag="lights",
)
async def remove_device(dev_eui: str) -> Response:
    """Take a light off.

    Its open command ends as `rejected`. A light that ChirpStack still lists comes back with the
    next listing, within 15 min.
    """
    dev_eui = read_dev_eui(dev_eui)
    at_owner(dev_eui)
    refusal = await application().removals.by_hand(dev_eui, by())
    if refusal is not None:
        refuse(refusal)
    note(Act.REMOVE, dev_eui)
    return no_content()


@blueprint.delete("/devices/<dev_eui>/queue")
@shows(Lights.SEEN)
@answers(
    Answer(204, "ChirpStack's queue of the light is empty."),
    problems=(UNKNOWN_DEVICE, NETWORK_UNAVAILABLE, *_READ, WRONG_ORIGIN),
    tag="lights",
)
async def flush_queue(dev_eui: str) -> Response:
    """Drop all that ChirpStack's queue of a light holds, foreign items included.

    An item that is being sent is dropped, too: its frame may still reach the light, and the light
    then ignores the next one. Only for an item that is stuck.
    """
    dev_eui = read_dev_eui(dev_eui)
    refusal = await application().flusher.flush(dev_eui, by())
    if refusal is not None:
        refuse(refusal)
    note(Act.FLUSH, dev_eui)
    return no_content()


@blueprint.get("/devices/<dev_eui>/events")
@shows(Lights.SEEN)
@answers(
    Answer(200, "A page of its history.", HistoryPage, also=(CSV, JSON_LINES)),
    problems=(UNKNOWN_DEVICE, STORE_UNAVAILABLE, *_READ),
    tag="lights",
)
@takes(query=HistoryQuery)
async def get_history(dev_eui: str) -> Response:
    """What happened to one light, newest first."""
    dev_eui, query = read_dev_eui(dev_eui), read_query(HistoryQuery)
    until = query.until if query.until is not None else application().clock.now()
    since = query.since if query.since is not None else max(until - DAY_S, 0.0)
    if since > until:
        raise Problem(INVALID, errors=[Mistake("since", "must not be after until")])
    form = form_of(query.format)
    most = query.limit or (PAGE_LINES if form == "json" else LINES_MOST)
    if form == "json" and most > JSON_LINES_MOST:
        raise Problem(INVALID, errors=[Mistake("limit", f"as JSON at most {JSON_LINES_MOST}")])
    found = await application().queries.history(
        dev_eui, since=since, until=until, most=most, kinds=frozenset(query.kind or ())
    )
    # A light that was taken off keeps its history.
    if not found.lines and dev_eui not in application().board.devices:
        raise Problem(UNKNOWN_DEVICE)
    page = HistoryPage(dev_eui=dev_eui, events=found.lines, next_until=found.next_until)
    following = None if found.next_until is None else {"until": found.next_until}
    return reply_as(form, page, Table(f"events-{dev_eui}", EVENTS, found.lines, following))


@blueprint.post("/devices/<dev_eui>/initialize")
@shows(Lights.SEEN)
@answers(
    Answer(202, "Under way; `Location` is its progress.", InitializationRun, headers=(LOCATION,)),
    problems=(UNKNOWN_DEVICE, *_WRITE),
    tag="lights",
    body_optional=True,
)
@takes(body=InitializeRequest)
async def initialize_device(dev_eui: str) -> Response:
    """Send one light its settings again."""
    dev_eui = read_dev_eui(dev_eui)
    body = await read_body(InitializeRequest, optional=True)
    if dev_eui not in application().board.devices:
        raise Problem(UNKNOWN_DEVICE)
    return _initialize([dev_eui], force=body.force)


@blueprint.post("/devices/initialize")
@shows(Lights.SEEN)
@answers(
    Answer(202, "Under way; `Location` is its progress.", InitializationRun),
    problems=_WRITE,
    tag="lights",
    body_optional=True,
)
@takes(body=InitializeRequest)
async def initialize_all() -> Response:
    """Send every light of the Kuando profiles its settings again."""
    body = await read_body(InitializeRequest, optional=True)
    lights = seen()
    return _initialize(list(lights.devices) if lights.limited else None, force=body.force)


@blueprint.get("/devices/initialize")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The newest initialisation.", InitializationRun),
    problems=(UNKNOWN_RUN, RATE_LIMITED),
    tag="lights",
)
async def newest_initialization() -> Response:
    """Progress of the newest initialisation."""
    return _progress(None)


@blueprint.get("/devices/initialize/<run_id>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "This initialisation.", InitializationRun),
    problems=(UNKNOWN_RUN, RATE_LIMITED),
    tag="lights",
)
async def one_initialization(run_id: str) -> Response:
    """Progress of one initialisation."""
    return _progress(run_id)


def matcher(
    query: Filters, reachability: Callable[[Device], Reachability]
) -> Callable[[Device], bool]:
    """The filters of a query as one predicate."""
    phases = frozenset(query.phase or ())
    reaches = frozenset(query.reachability or ())
    search = query.search.lower() if query.search is not None else None
    key, has_value, value = (query.tag or "").partition("=")

    def wanted(device: Device) -> bool:
        if phases and device.phase not in phases:
            return False
        if reaches and reachability(device).reach not in reaches:
            return False
        if query.application not in (None, device.application_id, device.application_name):
            return False
        if query.gateway is not None and not _heard_by(device, query.gateway.lower()):
            return False
        if key and (key not in device.tags or (has_value and device.tags[key] != value)):
            return False
        if search is not None and search not in device.dev_eui + "\n" + device.name.lower():
            return False
        return query.as_wanted is None or query.as_wanted is _as_wanted(device)

    return wanted


def _heard_by(device: Device, gateway_id: str) -> bool:
    return any(hearing.gateway_id == gateway_id for hearing in device.hearings)


def _as_wanted(device: Device) -> bool | None:
    if device.wanted is None:
        return None
    return device.reported == device.wanted.light


def _initialize(dev_euis: list[str] | None, *, force: bool) -> Response:
    run = application().initializer.start(dev_euis, force=force, by=by())
    if isinstance(run, Refusal):
        refuse(run)
    on = dev_euis[0] if dev_euis is not None and len(dev_euis) == 1 else ""
    note(Act.INITIALIZE, on, run=run.id, lights=run.total, force=force)
    location = address(f"/api/v1/devices/initialize/{run.id}")
    return reply(run, 202, {"Location": location})


def _progress(run_id: str | None) -> Response:
    of = by() if seen().limited else None
    run = application().initializer.progress(run_id, of)
    if run is None:
        raise Problem(UNKNOWN_RUN)
    return reply(run)
