"""The model is worth something only if it notices: each breakage made by hand must be found."""

from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Search
from hypothesis.stateful import run_state_machine_as_test

from actors.device import attempt_outcomes, deadlines, reconcile, sessions, setup, verification
from actors.device.model import Device, Phase, Pursuit, Stage
from actors.device.transition import Transition, replace
from tests.model.test_machine_model import MachineAgainstWorld

REDUCED = settings(
    max_examples=200,  # each breakage is found within 100
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Search.generate],  # whether it is found, not how small
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def _proven(*, fence: bool = True, baseline: bool = True, colour: bool = True) -> Any:
    """`verification.proven` with one of its conditions gone."""

    def proven(device: Device, goal: Pursuit) -> bool:
        proof, report, session = goal.proof, device.report, device.session
        if proof is None or report is None or session is None:
            return False
        return (
            report.dev_addr == session.dev_addr == proof.dev_addr
            and (report.f_cnt >= proof.fence or not fence)
            and (report.light == goal.goal or not colour)
            and (report.downlinks_received > proof.baseline or not baseline)
        )

    return proven


def _always_failed(transition: Transition) -> None:
    transition.enter(Phase.FAILED)


def _nothing(*_: Any) -> None:
    pass


def _no_resubmission(transition: Transition, sent: Any, due: Any = deadlines._attempt_due) -> None:
    if sent.stage is not Stage.SUBMITTED:
        due(transition, sent)


def _never_next(value: Any, **fields: Any) -> Any:
    return replace(value, **({**fields, "next_at": None} if "next_at" in fields else fields))


def _settings_without_counter(transition: Transition) -> bool:
    known = transition.device.setup is not None and transition.device.attempt is not None
    return known and setup.next_step(transition, arrived=True)


def _join_ignored(transition: Transition, event: Any) -> bool:
    return False


# What is replaced, by what, and how the model must complain.
BREAKAGES: dict[str, tuple[Any, str, Any, str]] = {
    "no fence": (verification, "proven", _proven(fence=False), "a false verified"),
    "no baseline": (verification, "proven", _proven(baseline=False), "a false verified"),
    "no colour": (verification, "proven", _proven(colour=False), "a false verified"),
    "always failed": (reconcile, "enter_failed", _always_failed, "said to have failed"),
    "an early echo is forgotten": (
        attempt_outcomes,
        "_echo_came_first",
        _nothing,
        "nobody was told",
    ),
    "a lost submission stays lost": (
        deadlines,
        "_attempt_due",
        _no_resubmission,
        "ticks without end",
    ),
    "no next attempt": (reconcile, "replace", _never_next, "no next attempt"),
    "settings without counter": (
        setup,
        "heard",
        _settings_without_counter,
        "settings the light never got",
    ),
    "a join ends nothing": (sessions, "accept_join", _join_ignored, "did not end the session"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_model_notices(name: str) -> None:
    module, attribute, broken, complaint = BREAKAGES[name]
    patched = mock.patch.object(module, attribute, broken)
    with patched, pytest.raises(AssertionError, match=complaint):
        run_state_machine_as_test(MachineAgainstWorld, settings=REDUCED)


def test_it_finds_nothing_where_nothing_is_broken() -> None:
    run_state_machine_as_test(MachineAgainstWorld, settings=REDUCED)
