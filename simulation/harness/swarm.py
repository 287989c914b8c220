"""The swarm: most faults absent, the others from mild to absurd, drawn anew for each seed."""

import random

import msgspec

from simulation.harness.scenario import Demand, Scenario, ServiceFaults
from simulation.world.answer_delay import ANSWER_DELAYS, HELD, HELD_SF12, PROMPT
from simulation.world.forwarder import BARE, FORWARDERS
from simulation.world.layout import FIRMWARE_MIX
from simulation.world.profile import OffTime, Profile


def swarm(seed: int) -> Scenario:
    """A profile of its own for each seed: some faults, often absent, sometimes extreme.

    Leaving most faults out of each run lets the others reach depths that all of them together
    would hide. Source: Groce et al., "Swarm Testing", ISSTA 2012.
    """
    rng = random.Random(f"swarm/{seed}")

    def some(low: float, high: float, present: float = 0.4) -> float:
        """Absent mostly; else from low to high, each order of magnitude alike."""
        return 0.0 if rng.random() >= present else low * (high / low) ** rng.random()

    world = Profile(
        name="swarm",
        answer_delay=PROMPT,
        forwarders=(BARE,),
        uplink_loss=some(0.01, 0.6, 0.6),
        downlink_loss=some(0.01, 0.6, 0.6),
        rayleigh_fading=rng.random() < 0.3,
        tx_error=some(0.01, 0.3),
        ack_lost=some(0.01, 0.4),
        ack_late=some(0.01, 0.4),
        ack_doubled=some(0.01, 0.4),
        outage_every_s=some(900.0, 14_400.0),
        flap_every_s=some(900.0, 7_200.0, 0.2),
        silent_every_s=some(900.0, 7_200.0, 0.2),
        tx_fault_every_s=some(900.0, 7_200.0, 0.2),
        event_lost=some(0.01, 0.5),
        event_doubled=some(0.01, 0.5),
        event_late=some(0.01, 0.6, 0.5),
        event_late_s=(1.0, 30.0 * 20.0 ** rng.random()),
        call_slow=some(0.01, 0.4),
        call_unavailable=some(0.01, 0.3),
        call_timeout=some(0.01, 0.2, 0.3),
        call_reply_lost=some(0.01, 0.3),
        call_fault=some(0.01, 0.2, 0.3),
        call_refused=some(0.001, 0.02, 0.1),
        call_forbidden=some(0.001, 0.02, 0.1),
        call_unknown=some(0.001, 0.02, 0.1),
        call_invalid=some(0.001, 0.02, 0.1),
        server_clock_off_s=rng.choice((0.5, 2.0, 5.0)),
        server_clock_every_s=some(600.0, 3_600.0, 0.2),
        down_every_s=some(600.0, 7_200.0),
        auto_uplink_answers_commands=rng.random() < 0.5,
        off_time=rng.choice(tuple(OffTime)),
        reply_watchdog=rng.random() < 0.2,
        restart_every_s=some(900.0, 14_400.0),
        unplug_every_s=some(1_800.0, 14_400.0, 0.3),
        unplugged_s=(20.0, 1_200.0),
        watchdog_uplinks=rng.choice((0, 0, 0, 3)),
        foreign_every_s=some(60.0, 3_600.0, 0.3),
        retained_events=rng.choice((0, 3, 10, 14, 18, 100)),
    )
    other = random.Random(f"swarm/clocks/{seed}")  # its own, so that a seed's other faults stay
    if other.random() < 0.6:
        world = msgspec.structs.replace(
            world,
            gateway_clock_off_s=other.choice((5.0, 25.0, 60.0)),
            gateway_clock_every_s=300.0 * 12.0 ** other.random(),
            gps_wrong=other.choice((0.0, 0.2, 0.6)),
        )
    if other.random() < 0.5:
        world = msgspec.structs.replace(
            world, mac_downlinks=other.choice((0.3, 0.9)), empty_uplinks=other.choice((0.0, 0.5))
        )
    service = ServiceFaults(
        kill_every_s=some(300.0, 7_200.0),
        kill_at_commit=some(0.0005, 0.02),
        down_s=(0.5, rng.choice((5.0, 60.0, 900.0))),
        clock_off_s=some(0.5, 4.0, 0.3),
        store_slow=some(0.01, 0.5, 0.3),
        store_fails_every_s=some(600.0, 7_200.0, 0.3),
        store_answer_lost=some(0.01, 0.2, 0.3),
        light_crash=some(0.001, 0.05),
        part_crash=some(0.0005, 0.01, 0.25),
        flood_every_s=some(300.0, 3_600.0, 0.2),
        poison_every_s=some(300.0, 3_600.0, 0.2),
    )
    if other.random() < 0.4:
        service = msgspec.structs.replace(
            service,
            clock_off_s=other.choice((4.0, 45.0, 120.0, 3_600.0, 3e7)),
            clock_set_every_s=other.choice((0.0, 120.0, 900.0)),
        )
    people = Demand(
        command_every_s=60.0 * 30.0 ** rng.random(),
        colours=rng.choice((2, 2, 3, 5)),
        burst=some(0.02, 0.3),
        short_ttl=some(0.02, 0.3),
        no_keep=some(0.02, 0.5),
        repeated=some(0.02, 0.3),
        other=some(0.02, 0.3),
    )
    taking_back = random.Random(f"withdrawals/{seed}")  # apart: what other draws give stays
    if taking_back.random() < 0.3:
        people = msgspec.structs.replace(people, withdrawn=taking_back.uniform(0.05, 0.5))
    sf12 = rng.random() < 0.2
    if sf12 and rng.random() < 0.5:  # more than the air of an hour can carry
        people = msgspec.structs.replace(people, command_every_s=30.0)
        world = msgspec.structs.replace(world, ack_lost=0.5)
    world = _with_bad_days_of_the_server(_with_gateways_that_take_nothing(world, seed), seed)
    world = _with_forwarders_and_firmware(world, seed)
    return Scenario(
        seed=seed,
        faults="swarm",
        devices=rng.randint(1, 5),
        gateways=rng.randint(1, 3),
        hours=rng.choice((0.5, 0.75, 1.0)),
        world=world,
        service=service,
        people=people,
        sf12=sf12,
        old_firmware=rng.random() < 0.3,
        scheduler_interval_s=rng.choice((0.1, 1.0)),
        quick_watch=rng.random() < 0.5,
        wire=rng.choice(("event", "json", "protobuf")),
    )


def _with_gateways_that_take_nothing(world: Profile, seed: int) -> Profile:
    """Dead radio boards, forwarders that never acknowledge or err every other time, a webhook
    receiver that hangs before ours, and changes of RX2's data rate. From a source of its own: the
    other draws stay what they are.
    """
    rng = random.Random(f"swarm/{seed}/gateways that take nothing")
    dice = rng.random()
    if dice < 0.15:
        every_s = 900.0 * 8.0 ** rng.random()
        world = msgspec.structs.replace(world, swallow_every_s=every_s)
    elif dice < 0.25:
        world = msgspec.structs.replace(world, silent_every_s=600.0, silent_s=(600.0, 3_600.0))
    elif dice < 0.32:
        world = msgspec.structs.replace(world, tx_error=0.5)
    elif dice < 0.40:
        world = msgspec.structs.replace(world, event_latency_s=(5.0, 5.05))
    elif dice < 0.48:
        world = msgspec.structs.replace(world, rx2_every_s=600.0 * 6.0 ** rng.random())
    return world


def _with_bad_days_of_the_server(world: Profile, seed: int) -> Profile:
    """A database that is locked, a server that stands still and then works off what waited, a proxy
    that answers in its place, a key without a right to one light, devices disabled for a while.
    From a source of its own: the other draws stay what they are.
    """
    rng = random.Random(f"swarm/{seed}/bad days of the server")
    drawn: dict[str, float] = {}
    for what, present in (
        ("locked_every_s", 0.25),
        ("frozen_every_s", 0.25),
        ("proxy_every_s", 0.2),
        ("no_right_every_s", 0.2),
        ("disabled_every_s", 0.2),
    ):
        every_s = 400.0 * 10.0 ** rng.random()
        drawn[what] = every_s if rng.random() < present else 0.0
    return msgspec.structs.replace(world, **drawn)


def _with_forwarders_and_firmware(world: Profile, seed: int) -> Profile:
    """Which program each gateway runs, how lights answer, both changed by updates, and losses that
    come in bursts. From a source of its own: the other draws stay what they are.
    """
    rng = random.Random(f"swarm/{seed}/forwarders and firmware")
    kinds, delays = tuple(FORWARDERS.values()), (*ANSWER_DELAYS.values(), HELD, HELD_SF12)
    drawn: dict[str, object] = {
        "forwarders": tuple(rng.choice(kinds) for _ in range(3)),
        "answer_delay": rng.choice(delays),
        "loss_in_bursts": rng.random() < 0.25,
    }
    other = {rng.choice(FIRMWARE_MIX)[0]: rng.choice(delays)}
    if rng.random() < 0.3:
        drawn["answer_delays"] = other
    every_s = 600.0 * 6.0 ** rng.random()
    if rng.random() < 0.15:
        drawn |= {"update_every_s": every_s, "forwarders_later": kinds}
    every_s = 600.0 * 6.0 ** rng.random()
    if rng.random() < 0.15:
        drawn |= {"firmware_every_s": every_s, "answer_delays_later": delays}
    return msgspec.structs.replace(world, **drawn)
