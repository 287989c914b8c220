"""Losses that come in bursts: the same share, in spells of a light, both ways at once."""

import itertools
import random

import pytest
from msgspec import structs

from simulation.world.bursts import BAD_S, Bursts, bad_share
from simulation.world.profile import CALM
from simulation.world.world import World


def _lost(loss: float, greater: float, every_s: float, frames: int, seed: int = 1) -> list[bool]:
    bursts, rng = Bursts(random.Random(seed)), random.Random(f"frames/{seed}")
    return [rng.random() < bursts.chance(n * every_s, loss, greater) for n in range(frames)]


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.2, 0.3, 0.6, 0.95])
def test_the_share_lost_is_the_one_asked_for(loss: float) -> None:
    lost = _lost(loss, loss, 5.0, 400_000)
    assert sum(lost) / len(lost) == pytest.approx(loss, rel=0.06)


def test_the_lesser_direction_keeps_its_share_in_the_same_spells() -> None:
    lost = _lost(0.05, 0.2, 5.0, 400_000)
    assert sum(lost) / len(lost) == pytest.approx(0.05, rel=0.06)


def test_a_frame_soon_after_a_lost_one_is_lost_and_one_long_after_is_not() -> None:
    def after(every_s: float) -> float:
        lost = _lost(0.05, 0.05, every_s, 400_000)
        again = sum(a and b for a, b in itertools.pairwise(lost))
        return again / sum(lost)

    assert after(1.0) > 0.5
    assert after(10 * BAD_S) < 0.12


def test_the_bad_time_is_as_long_as_the_loss_asks() -> None:
    assert bad_share(0.05) == pytest.approx(0.0375 / 0.8875)
    assert bad_share(0.95) == pytest.approx(1.0, abs=0.1)


def test_both_directions_of_a_light_are_bad_at_once_and_lights_are_not() -> None:
    profile = structs.replace(CALM, uplink_loss=0.2, downlink_loss=0.2, loss_in_bursts=True)
    world = World(1, profile=profile)
    radio, lights = world.radio, ("2020204100000001", "2020204100000002")
    seen = [
        tuple(
            radio._in_bursts(light, 5.0 * n, loss) > 0.5
            for light in lights
            for loss in (profile.uplink_loss, profile.downlink_loss)
        )
        for n in range(5_000)
    ]
    assert all(first_up == first_down for first_up, first_down, _, _ in seen)
    assert any(first != second for first, _, second, _ in seen)


def test_the_same_seed_has_the_same_spells() -> None:
    assert _lost(0.1, 0.1, 5.0, 1_000, seed=3) == _lost(0.1, 0.1, 5.0, 1_000, seed=3)
    assert _lost(0.1, 0.1, 5.0, 1_000, seed=3) != _lost(0.1, 0.1, 5.0, 1_000, seed=4)
