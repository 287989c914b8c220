"""The verbs as processes against the real server over a fake application: output and exit codes."""

import json
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess

import msgspec
import pytest
import trio
from msgspec.structs import replace

from actors.board.changes import AlertView
from actors.board.rollout import State
from actors.device.command import CommandStatus
from actors.quality.model import Grade, Line, Rule
from api.settings.model import ApiSettings, ChirpStack
from tests.support.fake_application import DEV_EUI, GATEWAY, NOW, FakeApplication, a_light
from tests.support.fake_cluster import one_lost
from tests.support.fake_quality import a_grade, a_risk, told_of
from tests.support.ports import free_port
from tests.support.processes import LOOK_S, PATIENCE_S, Running, run, run_meanwhile
from tests.support.web_server import Server

pytestmark = pytest.mark.timeout(120)

OPERATOR = "operator-token-0123456789abcdef"
VIEWER = "viewer-token-0123456789abcdef"
TOKENS = {
    "operator": [OPERATOR],
    "viewer": [VIEWER],
    "webhook": ["webhook-token-0123456789abcdef"],
}


class Here:
    """A served service, and `lamplighter` pointed at it."""

    def __init__(self, server: Server, application: FakeApplication) -> None:
        self.application = application
        self.env = {"LAMPLIGHTER_AT": f"http://127.0.0.1:{server.port}"}

    async def do(self, *words: str, **env: str) -> CompletedProcess[str]:
        """One verb, which must not end with a traceback."""
        done = await run_meanwhile(*words, env=self.env | env)
        assert "Traceback" not in done.stderr, done.stderr
        return done


async def until(what: str, true: Callable[[], object]) -> None:
    """The service tells nobody when these come true."""
    began = trio.current_time()
    while not true():
        assert trio.current_time() < began + PATIENCE_S, f"not within {PATIENCE_S} s: {what}"
        await trio.sleep(LOOK_S)


@asynccontextmanager
async def served(lights: int = 1, **web: object) -> AsyncGenerator[Here, None]:
    application = FakeApplication(lights)
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    server = Server(application, ApiSettings(chirpstack=chirpstack, web={"port": 0, **web}))
    with trio.fail_after(3 * PATIENCE_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(application.board.run)
            await nursery.start(server.run)
            try:
                yield Here(server, application)
            finally:
                server.scope.cancel(reason="the test is over")
                nursery.cancel_scope.cancel(reason="the test is over")


async def test_lights_are_listed_found_and_inspected() -> None:
    async with served(3) as here:
        listed = await here.do("devices", "--sort", "dev-eui")
        assert listed.returncode == 0, listed.stderr
        assert listed.stdout.index("2020200000000001") < listed.stdout.index(DEV_EUI)
        assert "green" in listed.stdout
        assert "✓ verified" in listed.stdout
        assert "3 lights: 3 verified" in listed.stdout
        none = await here.do("devices", "--search", "nowhere")
        assert (none.returncode, none.stdout) == (0, "No light matches.\n")
        data = json.loads((await here.do("devices", "--json")).stdout)
        assert data["total"] == 3
        one = await here.do("device", DEV_EUI.upper())
        assert "It shows green, as it should." in one.stdout
        assert "Roof: online, RSSI -97 dBm, SNR 7 dB" in one.stdout
        assert "1 restart" in one.stdout
        assert json.loads((await here.do("device", DEV_EUI, "--json")).stdout)["uplinks"] == 0
        known = here.application.board.devices[DEV_EUI]
        here.application.board.publish(msgspec.structs.replace(known, missed=4, healed=1))
        one = await here.do("device", DEV_EUI)
        assert "4 events whose webhook was lost" in one.stdout
        assert "once, found with nothing to wake it" in one.stdout
        gateways = await here.do("gateways")
        assert "✓ online" in gateways.stdout
        assert "0.0 of 360 s (0%)" in gateways.stdout


async def test_what_is_to_be_expected_is_listed_the_worst_first() -> None:
    async with served(3) as here:
        board, quality = here.application.board, here.application.quality
        second = "2020200000000001"
        for risk in (a_risk(DEV_EUI, 0.998), a_risk(second, 0.6, Rule.TREND, since=NOW - 7_200)):
            quality.lights[risk.dev_eui] = risk
            board.tell_risk(risk.dev_eui, told_of(risk))
        listed = await here.do("risks")
        assert listed.returncode == 0, listed.stderr
        assert listed.stdout.index(second) < listed.stdout.index(DEV_EUI), listed.stdout
        assert "2 lights: warned of 1 trend; of 1 light more nothing known yet" in listed.stdout
        warned = json.loads((await here.do("risks", "--warned", "--json")).stdout)
        assert [one["dev_eui"] for one in warned["risks"]] == [second]
        one = (await here.do("device", second)).stdout
        assert "60 %: 3 of the last 40 statuses" in one
        assert "trend: its margin falls by 0.9 dB a day" in one


async def test_figures_of_commands_are_told_in_words_and_for_programs() -> None:
    async with served(2) as here:
        told = await here.do("metrics", "reliability")
        assert told.returncode == 0, told.stderr
        assert "3 commands ended within 24 h, 2 verified" in told.stdout
        assert "1 of 3 commands" in told.stdout, told.stdout
        worst = await here.do("metrics", "reliability", "--csv", "--hours", "2")
        assert worst.stdout.splitlines()[0].startswith("dev_eui,name,commands,verified,failed,")
        assert len(worst.stdout.splitlines()) == 2
        one = json.loads((await here.do("metrics", "commands", DEV_EUI, "--json")).stdout)
        assert one["dev_eui"] == DEV_EUI
        assert "success rate" in (await here.do("metrics", "commands")).stdout
        risks = await here.do("metrics", "risks", "--csv")
        assert risks.stdout.startswith("dev_eui,name,chance_30s,")
        both = await here.do("metrics", "commands", "--csv", "--json")
        assert (both.returncode, "do not go together" in both.stderr) == (2, True)


async def test_the_processes_of_a_fleet_are_listed_with_their_shards() -> None:
    async with served() as here:
        alone = await here.do("cluster")
        assert "One process serves this fleet alone; its store is sqlite." in alone.stdout
        here.application.cluster.now = one_lost()
        told = await here.do("cluster", "--shards")
        assert told.returncode == 0, told.stderr
        assert "11 of 65 shards have no owner that is alive" in told.stdout
        assert told.stdout.count("expired") == 11
        data = json.loads((await here.do("cluster", "--json")).stdout)
        assert data["shards_unowned"] == 11


async def test_gateways_are_graded_with_their_lines() -> None:
    async with served() as here:
        words = "46 of 57 first attempts answered, 56 promised"
        graded = a_grade(GATEWAY, Grade.D, Line.ANSWERED, words)
        here.application.quality.graded[GATEWAY] = graded
        told = (await here.do("gateways", "--quality")).stdout
        assert told.count(words) == 2
        data = json.loads((await here.do("gateways", "--quality", "--json")).stdout)
        assert (data["total"], data["gateways"][0]["worst"]) == (1, "answered")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("device", "xyz"), "no light is called 'xyz'"),
        (("device", "f" * 16), "no such device"),
        (("send", DEV_EUI, "reddish"), "is no colour"),
        (("send", DEV_EUI, "red", "--blink", "900"), "1 to 255"),
        (("send", DEV_EUI, "red", "--idempotency-key", "é"), "printable ASCII"),
        (("initialize",), "--all"),
        (("init", DEV_EUI, "--all"), "--all"),
        (("init", "--json"), "--all"),
        (("rollout", "start", "red"), "--all"),
        (("rollout", "start", "red", DEV_EUI, "--all"), "--all"),
        (("devices", "--at", "ftp://x"), "is no address"),
        (("watch", "123"), "no light is called '123'"),
        (("risks", "--limit", "0"), "--limit"),
    ],
)
async def test_mistakes_end_with_2_and_words(words: tuple[str, ...], said: str) -> None:
    async with served() as here:
        done = await here.do(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr.replace("\n", " ")
    assert done.stdout == ""


async def test_nobody_there_ends_with_1() -> None:
    nowhere = {"LAMPLIGHTER_AT": f"127.0.0.1:{free_port()}"}
    for words in (("devices",), ("send", DEV_EUI, "red"), ("watch",), ("watch", "--json")):
        done = await run_meanwhile(*words, env=nowhere)
        assert done.returncode == 1
        assert "no service answers at http://127.0.0.1:" in done.stderr
        assert "Traceback" not in done.stderr


async def test_tokens() -> None:
    async with served(tokens=TOKENS) as here:
        assert (await here.do("devices")).returncode == 2
        assert "--token" in (await here.do("devices")).stderr
        assert (await here.do("devices", LAMPLIGHTER_TOKEN=VIEWER)).returncode == 0
        refused = await here.do("send", DEV_EUI, "red", "--token", VIEWER)
        assert (refused.returncode, "operator" in refused.stderr) == (2, True)
        assert (await here.do("watch", "--token", "x" * 30)).returncode == 2
        done = await here.do("send", DEV_EUI, "red", "--no-wait", "--token", OPERATOR)
        assert done.returncode == 0


@pytest.mark.parametrize(
    ("status", "changes", "code"),
    [
        (CommandStatus.VERIFIED, {}, 0),
        (CommandStatus.HELD, {"reason": "no gateway"}, 4),
        (CommandStatus.SUPERSEDED, {"superseded_by": "cmd-9"}, 6),
        (CommandStatus.EXPIRED, {}, 7),
        (CommandStatus.REJECTED, {"reason": "no such device"}, 8),
    ],
)
async def test_send_shows_the_steps_until_the_verdict(
    status: CommandStatus, changes: dict[str, str], code: int
) -> None:
    async with served() as here, trio.open_nursery() as nursery:

        async def happen() -> None:
            await until("accepted", lambda: "cmd-1" in here.application.commands.given)
            here.application.commands.step("cmd-1", CommandStatus.QUEUED)
            here.application.commands.step("cmd-1", status, **changes)

        nursery.start_soon(happen)
        done = await here.do("send", DEV_EUI, "red", "--blink", "50/50", "--ttl", "60", "--no-keep")
        command = here.application.commands.given["cmd-1"]
    assert done.returncode == code, done.stdout + done.stderr
    assert "accepted and stored" in done.stdout
    assert "in ChirpStack's queue" in done.stdout
    assert done.stdout.count("accepted and stored") == 1
    assert (command.light.red, command.light.on, command.light.off) == (255, 50, 50)
    assert command.expires_at - command.accepted_at == 60
    assert not command.keep


async def test_send_that_is_not_verified_in_time() -> None:
    async with served() as here:
        done = await here.do("send", DEV_EUI, "blue", "--wait", "0.3", "--json")
        assert done.returncode == 3
        assert json.loads(done.stdout)["status"] == "accepted"
        assert (await here.do("send", DEV_EUI, "blue", "--no-wait")).returncode == 0
        twice = ("send", DEV_EUI, "off", "--no-wait", "--idempotency-key", "k")
        await here.do(*twice)
        again = await here.do(*twice)
        assert "earlier command" in again.stderr
        other = await here.do("send", DEV_EUI, "red", "--no-wait", "--idempotency-key", "k")
        assert (other.returncode, "another request" in other.stderr) == (2, True)


async def test_watch_tells_what_changes_and_ends_politely(tmp_path: Path) -> None:
    async with served() as here:
        with Running(tmp_path, "watch", "--json", env=here.env) as watching:
            await until("it watches", lambda: here.application.board.statistics().subscribers)
            here.application.board.publish(a_light(name="Renamed"))
            await trio.to_thread.run_sync(lambda: watching.wait_output("Renamed"))
            assert json.loads(watching.output.splitlines()[0])["kind"] == "device"
            watching.send(signal.SIGINT)
            assert await watching.until_ended(PATIENCE_S) == 0
            assert "Traceback" not in watching.errors


async def test_initialisations_and_alerts() -> None:
    async with served() as here:
        alert = AlertView("a1", "overdue", DEV_EUI, "Desk 02 is overdue", NOW, NOW)
        here.application.board.publish(alert)
        assert "Desk 02 is overdue" in (await here.do("alerts")).stdout
        seen = await here.do("alerts", "acknowledge", "a1", "--by", "me")
        assert seen.returncode == 0, seen.stderr
        begun = await here.do("initialize", DEV_EUI, "--force", "--wait", "0")
        assert begun.returncode == 0, begun.stderr
        assert here.application.initializer.runs[0][1:] == ([DEV_EUI], True)
        # as it was called in 0.1.0
        late = await here.do("init", "--all", "--wait", "1.5", "--json")
        assert late.returncode == 3
        assert json.loads(late.stdout)["runs"][0]["total"] == 1


async def test_rollouts_are_begun_followed_and_steered() -> None:
    async with served() as here, trio.open_nursery() as nursery:
        nursery.start_soon(finish_the_first, here.application)
        start = await here.do("rollout", "start", "red", "--tag", "floor=2", "--pace", "60")
        assert start.returncode == 0, start.stderr
        assert "done: 1 of 1 verified" in start.stdout
        assert "running: 0 verified, 0 failed, 0 of 1 over\n" in start.stdout, "it is in a pipe"
        [order] = here.application.rollouts.orders
        assert (order.light.red, order.pace_per_min) == (255, 60)
        later = await here.do("rollout", "start", "off", DEV_EUI, "--no-wait", "--name", "night")
        assert later.returncode == 0, later.stderr
        assert here.application.rollouts.orders[1].dev_euis == (DEV_EUI,)
        assert "night" in (await here.do("rollout", "list")).stdout
        waited = await here.do("rollout", "watch", "roll-2", "--wait", "0.1")
        assert (waited.returncode, "it goes on" in waited.stdout) == (3, True)
        assert DEV_EUI in (await here.do("rollout", "show", "roll-2")).stdout
        for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
            done = await here.do("rollout", verb, "roll-2", "--json")
            assert json.loads(done.stdout)["state"] == state
        assert (await here.do("rollout", "watch", "roll-2")).returncode == 9, "it was cancelled"
        again = await here.do("rollout", "resume", "roll-2")
        assert again.returncode in {1, 2}
        assert "cancelled" in again.stderr


async def finish_the_first(application: FakeApplication) -> None:
    """Let the first rollout end as soon as it was asked for."""
    await until("a rollout was begun", lambda: "roll-1" in application.rollouts.rolled)
    rollout, parts = application.rollouts.rolled["roll-1"]
    over = replace(rollout, state=State.DONE, waiting=0, verified=rollout.total)
    application.rollouts.rolled["roll-1"] = over, parts


async def test_completion_asks_the_server() -> None:
    async with served() as here:
        shell = {"COMP_WORDS": f"lamplighter device {DEV_EUI[:6]}", "COMP_CWORD": "2"}
        done = await here.do(_LAMPLIGHTER_COMPLETE="complete_bash", **shell)
        assert DEV_EUI in done.stdout


def test_every_verb_and_exit_code_is_described() -> None:
    from typer.main import get_command

    from api.cli.app import app
    from api.cli.exits import Exit

    text = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    command = get_command(app)
    names = list(getattr(command, "commands", {}))
    assert len(names) > 10
    assert [name for name in names if f"`lamplighter {name}" not in text] == []
    for group in ("rollout", "alerts"):
        below = getattr(command, "commands")[group].commands  # noqa: B009 not typed by typer
        assert [n for n in below if f"`lamplighter {group} {n}" not in text] == []
    assert [code for code in Exit if f"| {int(code)} |" not in text] == []
    assert run("--help").returncode == 0
