"""What the owner of lights, and that of the fleet, do with each message; and who takes an event."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest
import trio

from actors.clocks.clock import RunClock
from actors.cluster.fleet_side import FleetSide, FleetSidePorts
from actors.cluster.inbox import InboxPorts, InboxReader
from actors.cluster.inbox_shard import PARKED_S, TRIES_MOST, Place, Taken
from actors.cluster.intake import Intake, IntakePorts
from actors.cluster.light_side import (
    AGAIN_S,
    CRASHED,
    GONE,
    PARKED,
    REFUSALS_MOST,
    LightSide,
)
from actors.cluster.messages import (
    Answer,
    AuditTold,
    CarriedRequest,
    CommandTaken,
    ForLight,
    ForLights,
    InquiryAnswered,
    Judged,
    LightAnswered,
    LightConfirmed,
    LightForgotten,
    LightGone,
    LightHeardUnlisted,
    LightListed,
    NetworkTold,
    QueueFlushed,
    decode,
)
from actors.cluster.replies import Replies
from actors.cluster.router import Router, RouterPorts
from actors.device.command import Command, CommandStatus
from actors.device.events import (
    Entry,
    GatewayHealthChanged,
    GatewayReturned,
    Inquired,
    StatusRequested,
    Swept,
    Tick,
    UplinkHeard,
)
from actors.device.events import (
    Message as Mail,
)
from actors.device.model import Device, Wanted
from actors.device.records import device_put, read_command
from actors.device.requests import accepted
from actors.device.verdict import FLEET_STREAM, device_stream
from actors.fleet.delivery import Delivery
from actors.fleet.ears import NetworkEars
from actors.fleet.fleet import Wrap
from actors.fleet.translate import translate
from actors.link.judgement import AttemptJudged
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Offer
from actors.messaging.reply import ActorCrashed, ActorError, ActorStopped, ToldReply
from actors.reasons import text_of
from actors.replace import replace
from actors.storage.audit import AuditEntry
from lorawan.events import Event
from lorawan.events.model import Ack, DeviceInfo, Log, Reception, TxAck, Uplink
from store.engine.memory import MemoryEngine
from store.engine.port import INBOX_MOST, Post
from store.engine.shards import FLEET, shard_of
from store.errors import StoreTaken, StoreUnavailable
from store.port import Append, Put, Record, Table, Write
from tests.actors.cluster.cluster_kit import START, asked, command, dev_euis, post

SHARD = "07"
[LIGHT] = dev_euis(SHARD, 1)
INFO = DeviceInfo(LIGHT, device_profile_name="kuando")
UPLINK = Uplink(INFO, START, "01", 1, 15, b"", receptions=(Reception("gw"),))
TXACK = TxAck(INFO, START, "item", "gw", 3)


class LightActor:
    """The actor of a light, as far as it is looked at."""

    def __init__(self, device: Device) -> None:
        self.device = device


class Lights:
    """Lights of this process, which take what they get."""

    def __init__(self) -> None:
        self.actors: dict[str, LightActor] = {LIGHT: LightActor(Device(dev_eui=LIGHT))}
        self.mails: list[Mail] = []
        self.news: list[object] = []
        self.answer: Offer | None = Offer.ACCEPTED
        self.delivery = Delivery.DELIVERED

    def deliver(self, event: Event, *, wrap: Wrap | None = None) -> Delivery:
        message = translate(event)
        if self.delivery is Delivery.DELIVERED and message is not None:
            self.mails.append(message if wrap is None else wrap(message))
        return self.delivery

    def post(self, dev_eui: str, event: Mail) -> Offer | None:
        if dev_eui not in self.actors:
            return None
        if self.answer is Offer.ACCEPTED:
            self.mails.append(event)
        return self.answer

    def room(self, dev_eui: str) -> Offer | None:
        return self.answer if dev_eui in self.actors else None

    def broadcast(self, event: object) -> None:
        self.news.append(event)

    def gateway_changed(self, gateway_id: str, online: bool) -> None:
        self.news.append((gateway_id, online))

    def gateway_returned(self, gateway_id: str, *, answered: bool = False) -> None:
        self.news.append((gateway_id, "answered" if answered else "returned"))

    def register(self, device: Device) -> object | None:
        self.actors[device.dev_eui] = LightActor(device)
        return device

    def confirm(self, dev_eui: str) -> None:
        self.news.append(("confirmed", dev_eui))


class Store:
    """Where lights are stored; `goes_on` lets commits through."""

    def __init__(self) -> None:
        self.records: dict[tuple[Table, str], Record] = {}
        self.writes: list[Write] = []
        self.fails: Exception | None = None
        self.goes_on = trio.Event()

    def keep(self, *writes: Write) -> None:
        for write in writes:
            if isinstance(write, Put):
                record = Record(write.key, write.value, write.at)
                self.records[write.table, write.key] = record

    async def commit(self, writes: Sequence[Write]) -> None:
        await self.goes_on.wait()
        if self.fails is not None:
            raise self.fails
        self.writes += writes

    async def read(self, table: Table, key: str) -> Record | None:
        await trio.lowlevel.checkpoint()
        return self.records.get((table, key))


class Side:
    """The side of the lights, and all that it tells."""

    def __init__(self) -> None:
        self.lights = Lights()
        self.store = Store()
        self.pursued: set[str] = set()
        self.shown: list[Command] = []
        self.ended: list[Command] = []
        self.removed: list[tuple[str, str, bool]] = []
        self.removal_fails: Exception | None = None
        self.carried: list[CarriedRequest] = []
        self.answers: list[tuple[str, Answer]] = []
        self.settled: list[Exception | None] = []
        self.side = LightSide(
            self.lights,
            RunClock(START + 10.0),
            store=self.store,
            pursued=lambda shard, ids: self.known(shard, ids),  # noqa: PLW0108 - tests change it
            show=self.shown.append,
            ended=self.ended.append,
            remove=self._remove,
            carried=self.carried.append,
            answer=lambda boot, answer: self.answers.append((boot, answer)),
        )

    async def known(self, shard: str, ids: Sequence[str]) -> set[str]:
        await trio.lowlevel.checkpoint()
        assert shard == SHARD
        return self.pursued & set(ids)

    async def _remove(self, dev_eui: str, why: str, for_good: bool) -> bool:
        await trio.lowlevel.checkpoint()
        if self.removal_fails is not None:
            raise self.removal_fails
        self.removed.append((dev_eui, why, for_good))
        return dev_eui == LIGHT

    def place(self, tries: int = 0, waits_s: float = 0.0) -> Place:
        reply: ToldReply[None] = ToldReply(lambda _, error: self.settled.append(error))
        return Place(SHARD, "5-0", reply, tries, waits_s)


@asynccontextmanager
async def light_side() -> AsyncIterator[Side]:
    kit = Side()
    async with trio.open_nursery() as nursery:
        await nursery.start(kit.side.run)
        yield kit
        nursery.cancel_scope.cancel()


async def test_what_lies_in_an_inbox_is_in_an_envelope_and_what_comes_straight_is_not() -> None:
    async with light_side() as kit:
        place = kit.place()
        assert kit.side.take(asked(LIGHT), place) is Taken.LATER
        assert kit.side.take(NetworkTold(UPLINK), place) is Taken.LATER
        assert kit.side.take(command(LIGHT, "c1"), place) is Taken.LATER
        for mail in kit.lights.mails:
            assert isinstance(mail, Entry)
            assert (mail.inbox, mail.reply) == ("5-0", place.reply)
        kit.lights.mails.clear()
        assert kit.side.offer(asked(LIGHT)) is Offer.ACCEPTED
        assert kit.side.offer(NetworkTold(UPLINK)) is Offer.ACCEPTED
        assert [type(mail) for mail in kit.lights.mails] == [StatusRequested, UplinkHeard]


async def test_what_is_for_no_mailbox_is_done_and_what_has_no_room_says_so() -> None:
    async with light_side() as kit:
        place = kit.place()
        assert kit.side.take(NetworkTold(Ack(INFO, START, "item", True, 3)), place) is Taken.DONE
        assert kit.side.take(asked("ff" * 8), place) is Taken.DONE
        for full in (Offer.FULL, Offer.CLOSED):
            kit.lights.answer = full
            assert kit.side.take(asked(LIGHT), place) is Taken.NO_ROOM
            assert kit.side.take(command(LIGHT, "c"), place) is Taken.NO_ROOM
        kit.lights.delivery = Delivery.FULL
        assert kit.side.take(NetworkTold(UPLINK), place) is Taken.NO_ROOM
        kit.lights.delivery = Delivery.UNKNOWN
        assert kit.side.take(NetworkTold(UPLINK), place) is Taken.DONE


@pytest.mark.parametrize("tries", [1, TRIES_MOST - 1])
async def test_a_command_that_its_light_had_stored_before_it_crashed_is_not_rejected(
    tries: int,
) -> None:
    async with light_side() as kit:
        request = command(LIGHT, "c1").request
        for known in (
            Device(dev_eui=LIGHT, command=accepted(Device(dev_eui=LIGHT), request, START)),
            Device(dev_eui=LIGHT, wanted=Wanted(request.light, "c1", START)),
        ):
            kit.lights.actors[LIGHT] = LightActor(known)
            assert kit.side.take(command(LIGHT, "c1"), kit.place(tries)) is Taken.DONE
        assert not kit.store.writes
        assert not kit.lights.mails


def refused(kit: Side, why: str) -> tuple[str, Place]:
    """The DevEUI and the place of a command that nobody can pursue."""
    match why:
        case "crashed":
            return LIGHT, kit.place(TRIES_MOST)
        case "parked":
            kit.lights.answer = Offer.CLOSED
            return LIGHT, kit.place(waits_s=PARKED_S)
        case _:
            return "ff" * 8, kit.place()


@pytest.mark.parametrize("why", ["removed", "crashed", "parked"])
async def test_a_command_that_nobody_can_pursue_ends_and_says_why(why: str) -> None:
    async with light_side() as kit:
        dev_eui, place = refused(kit, why)
        assert kit.side.take(command(dev_eui, "c1"), place) is Taken.LATER
        await trio.testing.wait_all_tasks_blocked()
        assert kit.settled == [], "until it is stored, it is read again after a crash"
        assert kit.shown == []
        kit.store.goes_on.set()
        await trio.testing.wait_all_tasks_blocked()
        assert kit.settled == [None]
        put, *lines = kit.store.writes
        assert isinstance(put, Put)
        assert put.table is Table.COMMAND
        streams = [line.stream for line in lines if isinstance(line, Append)]
        assert streams == [FLEET_STREAM, device_stream(dev_eui), dev_eui]
        ended = read_command(Record(put.key, put.value, put.at))
        assert ended.status is CommandStatus.REJECTED
        assert ended.reason is not None
        cause = {"removed": GONE, "crashed": CRASHED, "parked": PARKED}[why]
        assert (ended.cause, ended.reason) == (cause, text_of(cause, 0.0))
        assert kit.shown == [ended], "no board shows it as open any more"
        assert kit.ended == [ended]
        assert (ended.accepted_at, ended.ended_at) == (START, pytest.approx(START + 10.0))


@pytest.mark.parametrize("why", ["crashed", "parked"])
@pytest.mark.parametrize("stored_as", ["its light's", "pursued"])
async def test_a_command_that_is_stored_as_its_lights_is_not_ended_whatever_memory_says(
    why: str, stored_as: str
) -> None:
    """A step was stored, and its actor crashed before it knew that."""
    async with light_side() as kit:
        dev_eui, place = refused(kit, why)
        kit.store.goes_on.set()
        request = command(dev_eui, "c1").request
        if stored_as == "pursued":
            kit.pursued.add("c1")
        else:
            device = Device(dev_eui=dev_eui, wanted=Wanted(request.light, "c1", START))
            kit.store.keep(device_put(device, START))
        assert kit.side.take(command(dev_eui, "c1"), place) is Taken.LATER
        await trio.testing.wait_all_tasks_blocked()
        assert kit.settled == [None]
        assert kit.store.writes == []
        assert kit.shown == []


@pytest.mark.parametrize("why", ["removed", "crashed", "parked"])
async def test_a_command_whose_end_cannot_be_stored_is_left_to_whoever_has_the_shard(
    autojump_clock: object, why: str
) -> None:
    async with light_side() as kit:
        dev_eui, place = refused(kit, why)
        kit.store.fails = StoreTaken("another process's")
        kit.store.goes_on.set()
        assert kit.side.take(command(dev_eui, "c1"), place) is Taken.LATER
        await trio.sleep(AGAIN_S + 0.1)
        assert kit.settled == [kit.store.fails]
        assert kit.shown == []


@pytest.mark.parametrize("why", ["removed", "crashed", "parked"])
async def test_a_fault_while_a_command_is_ended_is_of_that_command_alone(why: str) -> None:
    async with light_side() as kit:
        dev_eui, place = refused(kit, why)
        kit.store.fails = ValueError("no such end can be")
        kit.store.goes_on.set()
        assert kit.side.take(command(dev_eui, "c1"), place) is Taken.LATER
        await trio.testing.wait_all_tasks_blocked()
        assert kit.settled == [kit.store.fails]
        assert place.reply.begun, "it counts as a try"
        kit.store.fails = None
        _, place = refused(kit, why)
        assert kit.side.take(command(dev_eui, "c2"), place) is Taken.LATER
        await trio.testing.wait_all_tasks_blocked()
        assert kit.settled[1:] == [None]


async def test_an_end_that_is_cut_off_is_begun_again() -> None:
    async with light_side() as kit:
        dev_eui, place = refused(kit, "removed")
        assert kit.side.take(command(dev_eui, "c1"), place) is Taken.LATER
        await trio.testing.wait_all_tasks_blocked()
    [error] = kit.settled
    assert isinstance(error, ActorStopped)
    assert kit.side.take(command(dev_eui, "c1"), kit.place()) is Taken.NO_ROOM, "it does not run"


async def test_a_command_waits_for_a_parked_light_before_it_ends_and_for_a_busy_one_longer() -> (
    None
):
    async with light_side() as kit:
        kit.lights.answer = Offer.CLOSED
        early = kit.place(waits_s=PARKED_S - 1.0)
        assert kit.side.take(command(LIGHT, "c1"), early) is Taken.NO_ROOM
        kit.lights.answer = Offer.FULL
        late = kit.place(waits_s=10 * PARKED_S)
        assert kit.side.take(command(LIGHT, "c1"), late) is Taken.NO_ROOM
        kit.lights.answer = None  # it is being removed
        assert kit.side.take(command(LIGHT, "c1"), early) is Taken.NO_ROOM
        assert kit.side.take(command(LIGHT, "c1"), late) is Taken.LATER, "and was not: it ends"


async def test_as_many_commands_end_at_once_as_are_allowed() -> None:
    async with light_side() as kit:
        for _ in range(REFUSALS_MOST):
            assert kit.side.take(command("ff" * 8, "c1"), kit.place()) is Taken.LATER
        assert kit.side.take(command("ff" * 8, "c1"), kit.place()) is Taken.NO_ROOM
        kit.store.goes_on.set()
        await trio.testing.wait_all_tasks_blocked()
        assert kit.side.take(command("ff" * 8, "c1"), kit.place()) is Taken.LATER


async def test_news_of_gateways_and_for_all_lights_reaches_those_here() -> None:
    async with light_side() as kit:
        kit.side.take(ForLights(GatewayHealthChanged("gw", False), "gw"), kit.place())
        kit.side.take(ForLights(GatewayReturned("gw", True), "gw"), kit.place())
        kit.side.take(ForLights(Tick()), kit.place())
        kit.side.take(ForLights(Swept(), "gw"), kit.place())  # no news of a gateway
        assert kit.lights.news == [("gw", False), ("gw", "answered"), Tick()]


async def test_a_listed_light_is_registered_once_and_confirmed() -> None:
    async with light_side() as kit:
        new = LightListed(Device(dev_eui="aa" * 8))
        for _ in range(2):
            assert kit.side.take(new, kit.place()) is Taken.DONE
        assert kit.lights.actors["aa" * 8].device is new.device
        kit.side.take(LightConfirmed(LIGHT), kit.place())
        assert kit.lights.news == [("confirmed", "aa" * 8)] * 2 + [("confirmed", LIGHT)]


async def test_a_light_is_taken_off_and_whoever_asked_is_told() -> None:
    async with light_side() as kit:
        kit.side.take(LightGone(LIGHT, "why", True, "asker", 7), kit.place())
        kit.side.take(LightGone(LIGHT, "why", True, "asker", 7), kit.place())  # read twice
        await trio.testing.wait_all_tasks_blocked()
        kit.side.take(LightGone("aa" * 8, "why", False, "asker", 8), kit.place())
        await trio.testing.wait_all_tasks_blocked()
        for failure in (ActorCrashed("journal", "it failed"), StoreTaken("another process's")):
            kit.removal_fails = failure
            kit.side.take(LightGone(LIGHT, "why", True, "asker", 9), kit.place())
            await trio.testing.wait_all_tasks_blocked()
        assert kit.removed == [(LIGHT, "why", True), ("aa" * 8, "why", False)]
        assert kit.answers[:2] == [
            ("asker", LightAnswered(7, "removed")),
            ("asker", LightAnswered(8, "unknown")),
        ]
        assert len(kit.answers) == 4
        for _, failed in kit.answers[2:]:
            assert isinstance(failed, LightAnswered)
            assert failed.failure is not None


async def test_the_answer_to_a_question_of_another_process_goes_back_to_it() -> None:
    async with light_side() as kit:
        question = ForLight(LIGHT, StatusRequested("by hand"), "asker", 7)
        kit.side.take(question, kit.place())
        [entry] = kit.lights.mails
        assert isinstance(entry, Entry)
        assert isinstance(entry.event, StatusRequested)
        assert entry.event.reply is not None
        entry.event.reply.resolve("asked")
        assert kit.answers == [("asker", LightAnswered(7, "asked"))]
        kit.side.take(question, kit.place())
        entry = kit.lights.mails[-1]
        assert isinstance(entry, Entry)
        assert isinstance(entry.event, StatusRequested)
        assert entry.event.reply is not None
        entry.event.reply.fail(ActorError("it crashed"))
        assert kit.answers[-1] == ("asker", LightAnswered(7, failure="ActorError: it crashed"))


REFUSALS = [(Offer.CLOSED, "parked"), (Offer.FULL, "mailbox_full"), (None, "unknown_device")]


@pytest.mark.parametrize(("answer", "refusal"), REFUSALS)
async def test_who_asked_a_light_that_takes_nothing_is_told_at_once(
    answer: Offer | None, refusal: str
) -> None:
    async with light_side() as kit:
        question = ForLight(LIGHT, StatusRequested("by hand"), "asker", 7)
        kit.lights.answer = answer
        assert kit.side.take(question, kit.place()) is Taken.DONE
        assert kit.side.take(question, replace(kit.place(), refused=True)) is Taken.DONE
        assert [to for to, _ in kit.answers] == ["asker"] * 2
        for _, told in kit.answers:
            assert isinstance(told, LightAnswered)
            assert (told.ask, told.refusal, bool(told.failure)) == (7, refusal, True)


async def test_a_question_that_may_not_pass_what_waits_is_refused_though_there_is_room() -> None:
    async with light_side() as kit:
        question = ForLight(LIGHT, StatusRequested("by hand"), "asker", 7)
        assert kit.side.take(question, replace(kit.place(), refused=True)) is Taken.DONE
        assert kit.lights.mails == []
        [(_, told)] = kit.answers
        assert isinstance(told, LightAnswered)
        assert told.refusal == "mailbox_full"


async def test_who_asked_a_light_that_crashes_over_it_is_told_at_once() -> None:
    async with light_side() as kit:
        place = kit.place()
        question = ForLight(LIGHT, StatusRequested("by hand"), "asker", 7)
        assert kit.side.take(question, place) is Taken.LATER
        [entry] = kit.lights.mails
        assert isinstance(entry, Entry)
        entry.reply.begun = True
        crash = ActorCrashed("a light", "poison")
        entry.reply.fail(crash)
        [(_, told)] = kit.answers
        assert isinstance(told, LightAnswered)
        assert (told.ask, told.failure, told.refusal) == (7, f"ActorCrashed: {crash}", "")
        assert (kit.settled, place.reply.begun) == ([crash], True)


async def test_what_is_for_the_fleet_and_requests_that_are_carried() -> None:
    async with light_side() as kit:
        request = CarriedRequest(1, "asker", START, "GET", "/")
        assert kit.side.take(request, kit.place()) is Taken.DONE
        assert kit.carried == [request]
        assert kit.side.take(LightForgotten(LIGHT), kit.place()) is Taken.DONE
        assert kit.lights.mails == []


def fleet_side(heard: list[object]) -> FleetSide:
    return FleetSide(
        FleetSidePorts(
            ears=NetworkEars(
                transmitted=lambda dev_eui, event: heard.append(("txack", dev_eui)),
                heard=lambda gateway_id, at: heard.append(("heard", gateway_id)),
                spoke=lambda dev_eui: heard.append(("spoke", dev_eui)),
                refused=lambda dev_eui, problem: heard.append(("refused", problem)),
            ),
            is_ours=lambda dev_eui, profile: "kuando" in profile,
            dated=lambda event: event,
            told=lambda device: heard.append("told"),
            inquired=lambda dev_eui, answer: heard.append(("inquired", answer.number)),
            judged=lambda dev_eui, judgement: heard.append(("judged", dev_eui)),
            unlisted=lambda dev_eui: heard.append(("unlisted", dev_eui)),
            flushed=lambda dev_eui: heard.append(("flushed", dev_eui)),
            forgotten=lambda dev_eui: heard.append(("forgotten", dev_eui)),
            carried=lambda request: heard.append(("carried", request.path)),
            audited=lambda entry: heard.append(("audited", entry.id)),
        ),
        RunClock(START),
    )


async def test_the_fleet_hears_what_concerns_it_and_nothing_of_strangers() -> None:
    heard: list[object] = []
    side = fleet_side(heard)
    side.take(NetworkTold(UPLINK))
    side.take(NetworkTold(TXACK))
    side.take(NetworkTold(Log(INFO, START, "ERROR", "DOWNLINK_GATEWAY", "QUEUE_FULL")))
    side.take(NetworkTold(TxAck(DeviceInfo("ff" * 8), START, "item", "gw", 3)))
    side.take(InquiryAnswered(LIGHT, Inquired(4)))
    side.take(LightHeardUnlisted(LIGHT))
    side.take(QueueFlushed(LIGHT))
    side.take(LightForgotten(LIGHT))
    entry = AuditEntry(id="a1", at=START, by="alice", scope="operator", what="remove", on=LIGHT)
    side.take(AuditTold(entry))
    side.take(CarriedRequest(1, "asker", START, "GET", "/path"))
    side.take(asked(LIGHT))  # for a light
    assert [one for one in heard if one != "told"] == [
        ("spoke", LIGHT),
        ("heard", "gw"),
        ("txack", LIGHT),
        ("refused", "QUEUE_FULL"),
        ("inquired", 4),
        ("unlisted", LIGHT),
        ("flushed", LIGHT),
        ("forgotten", LIGHT),
        ("audited", "a1"),
        ("carried", "/path"),
    ]
    assert heard.count("told") == 3


async def test_what_became_of_an_attempt_is_added_up_once_though_it_lies_there_twice(
    autojump_clock: object,
) -> None:
    heard: list[object] = []
    side = fleet_side(heard)
    other = "ff" * 8
    first = AttemptJudged(number=7, gateway_id="gw", first=True, answered=False, expected=0.9)
    late = replace(first, answered=True, late=True)
    second = replace(first, number=8)
    for _ in range(2):
        for told in (first, late, second):
            side.take(Judged(LIGHT, told))
        side.take(Judged(other, first))
    assert heard == [("judged", LIGHT)] * 3 + [("judged", other)]


class Door:
    """The intake of a process that has some shards."""

    def __init__(self, *here: str) -> None:
        self.engine = MemoryEngine()
        self.here = set(here)
        self.lights: list[Event] = []
        self.fleet: list[Event] = []
        rng = random.Random(1)
        replies = Replies(self.engine, rng, boot="a")
        self.router = Router(
            self.engine,
            RouterPorts(
                here=self.here.__contains__,
                knows=lambda dev_eui: True,
                light=lambda message: None,
                fleet=lambda message: None,
            ),
            replies,
            rng,
            boot="a",
        )
        self.intake = Intake(
            IntakePorts(
                here=self.here.__contains__,
                ours=lambda event: event.device.device_profile_name == "kuando",
                light=self._light,
                fleet=self.fleet.append,
            ),
            self.router,
        )

    def _light(self, event: Event) -> Delivery:
        self.lights.append(event)
        return Delivery.REGISTERED

    async def inbox(self, shard: str) -> list[Event]:
        entries = (await self.engine.read_inboxes({shard: "0-0"}, 100)).get(shard, [])
        found = [decode(entry.message) for entry in entries]
        return [one.event for one in found if isinstance(one, NetworkTold)]


@pytest.mark.parametrize("light_here", [False, True])
@pytest.mark.parametrize("fleet_here", [False, True])
async def test_an_event_reaches_its_light_and_the_fleet_wherever_they_are(
    autojump_clock: object, light_here: bool, fleet_here: bool
) -> None:
    shard = shard_of(LIGHT)
    here = [one for one, there in ((shard, light_here), (FLEET, fleet_here)) if there]
    door = Door(*here)
    await door.engine.open()
    async with trio.open_nursery() as nursery:
        await nursery.start(door.router.run)
        outcome = await door.intake.deliver(UPLINK)
        assert outcome is (Delivery.REGISTERED if light_here else Delivery.DELIVERED)
        assert await door.intake.deliver(TXACK) is Delivery.DELIVERED
        assert await door.intake.deliver(Ack(INFO, START, "i", True, 1)) is not Delivery.FULL
        stranger = TxAck(DeviceInfo("ff" * 8), START, "item", "gw", 3)
        assert await door.intake.deliver(stranger) is Delivery.UNKNOWN
        nursery.cancel_scope.cancel()
    for_light = door.lights if light_here else await door.inbox(shard)
    for_fleet = door.fleet if fleet_here else await door.inbox(FLEET)
    assert [type(event) for event in for_light] == [Uplink, Ack]
    assert [type(event) for event in for_fleet] == [Uplink, TxAck]


async def test_an_event_that_cannot_be_written_is_refused(autojump_clock: object) -> None:
    door = Door()
    await door.engine.open()
    async with trio.open_nursery() as nursery:
        await nursery.start(door.router.run)
        await door.engine.post([Post(shard_of(LIGHT), b"x") for _ in range(INBOX_MOST)])
        assert await door.intake.deliver(UPLINK) is Delivery.FULL
        door.engine.cut_off = True
        assert await door.intake.deliver(TXACK) is Delivery.FULL
        nursery.cancel_scope.cancel()


class Faulty(dict[str, LightActor]):
    """Lights, and a fault in whoever looks for one."""

    def get(self, key: object, default: object = None) -> NoReturn:
        raise RuntimeError(f"{key} cannot be looked for")


@pytest.mark.parametrize("is_stored", [True, False])
async def test_a_command_over_whose_taking_all_raises_ends_or_is_a_dead_letter(
    autojump_clock: object, is_stored: bool
) -> None:
    engine, dead_letters = MemoryEngine(), DeadLetters()
    async with light_side() as kit, trio.open_nursery() as nursery:
        kit.lights.actors = Faulty(kit.lights.actors)
        ports = InboxPorts(take=kit.side.take, known=kit.known)
        reader = InboxReader(engine, ports, RunClock(START), dead_letters)
        await engine.open()
        await nursery.start(reader.run)
        kit.store.goes_on.set()
        if not is_stored:
            kit.store.fails = ValueError("no such end can be")
        reader.take(SHARD, "0-0")
        [*_, last] = await post(engine, SHARD, command(LIGHT, "c1"), command(LIGHT, "c2"))
        await trio.sleep(5.0)
        assert [one.id for one in kit.shown] == (["c1", "c2"] if is_stored else [])
        assert reader.mark(SHARD) == last
        letters = [one.error.partition(":")[0] for one in reversed(dead_letters.recent(9))]
        each = ["RuntimeError"] * TRIES_MOST + ([] if is_stored else ["ValueError"])
        assert letters == each * 2
        nursery.cancel_scope.cancel()


async def test_a_command_that_cannot_be_ended_while_the_engine_is_away_is_tried_now_and_then(
    autojump_clock: object,
) -> None:
    engine, asked_at = MemoryEngine(), []
    async with light_side() as kit, trio.open_nursery() as nursery:

        async def away(shard: str, ids: Sequence[str]) -> set[str]:
            asked_at.append(trio.current_time())
            await trio.lowlevel.checkpoint()
            if len(asked_at) < 5:
                raise StoreUnavailable("the engine is away")
            return set()

        kit.known = away  # type: ignore[method-assign]
        ports = InboxPorts(take=kit.side.take, known=kit.known)
        reader = InboxReader(engine, ports, RunClock(START), DeadLetters())
        await engine.open()
        await nursery.start(reader.run)
        kit.store.goes_on.set()
        reader.take(SHARD, "0-0")
        await post(engine, SHARD, command("ff" * 8, "c1"))
        await trio.sleep(5.0)
        assert [one.id for one in kit.shown] == ["c1"]
        assert asked_at[4] - asked_at[0] >= 4 * AGAIN_S
        nursery.cancel_scope.cancel()


async def test_a_command_never_comes_but_by_an_inbox() -> None:
    async with light_side() as kit:
        kit.side.take(CommandTaken(LIGHT, command(LIGHT, "c").request))
        assert kit.lights.mails == []
