"""Names in place of DevEUIs and ids: which one is meant, for whom, and what a shell is offered."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import trio

from actors.board.changes import GatewayView
from api.cli import names
from api.cli.client.errors import Mistaken
from api.cli.client.http import Client
from api.cli.client.place import Place
from api.cli.completion import harmless, offers
from api.cli.show.natural import natural
from tests.cli.test_verbs import TOKENS, Here, served
from tests.support.fake_application import DEV_EUI, NOW, a_light
from tests.support.processes import COMMAND, ROOT, environment

pytestmark = pytest.mark.timeout(120)

LINE = {
    "aa00000000000001": "Line 1",
    "aa00000000000002": "Line 2",
    "aa00000000000003": "Line 20",
    "ab00000000000004": "Prüfstand Süd",
    "ab00000000000005": "prüfstand nord",
    "ac00000000000006": "Twin",
    "ac00000000000007": "Twin",
    "ad00000000000008": "",
}


@pytest.mark.parametrize(
    ("text", "dev_eui"),
    [
        ("Line 2", "aa00000000000002"),  # exact, though another one begins so
        ("line 20", "aa00000000000003"),
        ("Pru\u0308fstand Su\u0308d", "ab00000000000004"),  # as macOS writes it
        ("PRÜFSTAND N", "ab00000000000005"),
        ("ad00", "ad00000000000008"),
    ],
)
def test_the_light_that_is_meant(text: str, dev_eui: str) -> None:
    assert names.only(text, LINE, "light") == dev_eui


def test_a_beginning_never_ends_within_a_number() -> None:
    known = {one: name for one, name in LINE.items() if name != "Line 2"}
    assert names.only("Line 2", known, "light") is None
    assert "Line 20 (aa00000000000003)" in names.unknown("Line 2", known, "light")


def test_several_that_may_be_meant_are_named_in_natural_order() -> None:
    with pytest.raises(Mistaken) as told:
        names.only("Line", LINE, "light")
    assert str(told.value) == (
        "3 lights begin with 'Line': Line 1 (aa00000000000001), Line 2 (aa00000000000002), "
        "Line 20 (aa00000000000003); give more of the name"
    )
    with pytest.raises(Mistaken, match=r"2 lights are called 'twin'.*give the DevEUI of one"):
        names.only("twin", LINE, "light")
    with pytest.raises(Mistaken, match="is not empty"):
        names.only(" ", LINE, "light")


def test_an_unknown_name_tells_the_nearest_ones() -> None:
    assert "near to it: Line 1" in names.unknown("Lien 1", LINE, "light")
    told = names.unknown("Zzz", LINE, "light")
    assert told == "no light is called 'Zzz'; `lamplighter devices` lists them"


def test_an_id_in_any_spelling_is_taken_as_it_is() -> None:
    assert names.as_id("20-20-20-39-07-29-09-0A") == "202020390729090a"
    assert names.as_id("2020") is None


def test_numbers_in_names_are_ordered_as_numbers() -> None:
    listed = ["Line 10", "line 9", "Line 2b", "Line 2a", "Äpfel 3", "7", "Line " + "9" * 30]
    ordered = ["7", "Line 2a", "Line 2b", "line 9", "Line 10", "Line " + "9" * 30, "Äpfel 3"]
    assert sorted(listed, key=natural) == ordered


def test_what_a_shell_could_read_as_code_is_offered_by_id_only() -> None:
    bad = ['a\\" ; touch /tmp/x', "`id`", "$(id)", "a'b", "a*", "-rf", " a", "a\nb", "a;b", "a:b"]
    assert not any(harmless(name) for name in ("", *bad))
    known = {f"ee{n:014x}": name for n, name in enumerate(bad)} | {"ef00000000000000": "Süd 1"}
    assert [(one, "") for one in known if one.startswith("ee")] == offers(known, "ee")
    assert offers(known, "sü") == [("Süd 1", "ef00000000000000")]
    assert offers(known, "")[0] == ("Süd 1", "ef00000000000000")


async def named(here: Here) -> None:
    for dev_eui, name in LINE.items():
        here.application.board.publish(a_light(dev_eui, name=name))
    here.application.board.publish(GatewayView("0016c001f1530002", "Keller 2", since=NOW - 9000))


async def test_verbs_take_names_wherever_an_id_may_be_given() -> None:
    async with served() as here:
        await named(here)
        one = await here.do("device", "prüfstand süd")
        assert "ab00000000000004" in one.stdout, one.stderr
        sent = await here.do("send", "Line 2", "red", "--no-wait")
        assert sent.stdout.startswith("aa00000000000002 shall show red"), sent.stderr
        taken = await here.do("cancel", "line 2")
        assert taken.stdout == "No command of aa00000000000002 is open.\n", taken.stderr
        both = await here.do("rollout", "start", "red", "Line 1", "Line 20", "--no-wait")
        assert "for 2 lights" in both.stdout, both.stderr
        assert here.application.rollouts.orders[0].dev_euis == (
            *("aa00000000000001", "aa00000000000003"),
        )
        saved = await here.do("scene", "save", "day", "Twin", "--colour", "red")
        assert (saved.returncode, "2 lights are called" in saved.stderr) == (2, True)
        heard = await here.do("devices", "--gateway", "roof")
        assert "9 lights" in heard.stdout, heard.stderr
        far = await here.do("devices", "--gateway", "Kelle")
        assert far.stdout == "No light matches.\n"
        none = await here.do("devices", "--gateway", "Dach")
        assert (none.returncode, "no gateway is called 'Dach'" in none.stderr) == (2, True)


async def test_a_light_that_a_caller_may_not_see_has_no_name_for_it() -> None:
    tokens = TOKENS | {"viewer": {"guest": "guest-token-0123456789abcdef"}}
    sight = {"guest": {"dev_euis": ["aa00000000000002"]}}
    async with served(tokens=tokens, sight=sight) as here:
        await named(here)
        place = Place.of(here.env["LAMPLIGHTER_AT"], "guest-token-0123456789abcdef")
        async with Client(place) as client:
            assert await names.light(client, "line") == "aa00000000000002"
            with pytest.raises(names.Unknown) as told:
                await names.light(client, "Line 1")
            assert "aa00000000000001" not in str(told.value)
            with pytest.raises(names.Unknown, match="`lamplighter gateways` lists them"):
                await names.gateway(client, "Keller 2")
            many = ["Line 2"] * (names.ASKED_ONE_BY_ONE_MOST + 1)
            assert set(await names.lights(client, many)) == {"aa00000000000002"}
        shell = {"COMP_WORDS": "lamplighter\ndevice\nLin", "COMP_CWORD": "2"}
        token = {"LAMPLIGHTER_TOKEN": "guest-token-0123456789abcdef"}
        done = await here.do(_LAMPLIGHTER_COMPLETE="complete_bash", **shell, **token)
        assert (done.stdout, done.stderr) == ("Line\\ 2\n", "")


async def test_a_real_bash_inserts_a_name_as_one_word_and_says_nothing_without_a_service() -> None:
    async with served() as here:
        await named(here)
        assert await completed(
            here.env,
            ("device", "Line\\ 2"),
            ("device", '"Prüfstand S'),
            ("device", "ad000"),
            ("devices", "--gateway", "Ro"),
        ) == [
            ["Line\\ 2", "Line\\ 20"],
            ["Prüfstand Süd"],
            ["ad00000000000008"],
            ["Roof"],
        ]
    assert await completed(here.env, ("device", "Lin")) == [[]]


async def completed(env: dict[str, str], *lines: tuple[str, ...]) -> list[list[str]]:
    """What one bash makes of each line by the script that `--show-completion bash` prints."""
    program = " ".join(COMMAND)
    asked = "\n".join(f"completed {shlex.join(words)}" for words in lines)
    script = f"""
lamplighter() {{ {program} "$@"; }}
env() {{ command env "${{@:1:$#-1}}" {program}; }}
source <(_LAMPLIGHTER_COMPLETE=source_bash command {program})
completed() {{
  COMPREPLY=(); COMP_WORDS=(lamplighter "$@"); COMP_CWORD=$#
  _lamplighter_completion lamplighter; printf '%s\\t' "${{COMPREPLY[@]}}"; echo
}}
{asked}
"""
    with trio.fail_after(60):
        done = await trio.run_process(
            ["bash", "-c", script],
            env=environment(env),
            cwd=Path(ROOT),
            stdin=subprocess.DEVNULL,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    assert done.stderr == b"", done.stderr.decode()
    return [
        [word for word in line.split("\t") if word] for line in done.stdout.decode().splitlines()
    ]


async def test_a_light_is_revived_and_asked_by_name() -> None:
    async with served() as here:
        await named(here)
        parked = f"device {DEV_EUI}"
        here.application.supervisor.parked = {parked}
        lives = await here.do("revive", "Desk 02")
        assert (lives.returncode, lives.stdout) == (0, f"Light {DEV_EUI} lives again.\n")
        runs = await here.do("revive", "Line 1")
        assert (runs.returncode, "is not parked" in runs.stderr) == (2, True)
        here.application.supervisor.parked = {"restored store"}
        lives = await here.do("revive", "restored store", "--json")
        assert json.loads(lives.stdout) == {"actor": "restored store", "revived": True}
        runs = await here.do("revive", "restored store")
        assert (runs.returncode, "no actor 'restored store' is parked" in runs.stderr) == (2, True)
        asked = await here.do("ask", "Desk 02", "--no-wait")
        assert (asked.returncode, asked.stdout) == (0, "Desk 02 is asked for a status.\n")
        silent = await here.do("ask", "Desk 02", "--wait", "0.1")
        assert (silent.returncode, "did not answer within 0.1 s" in silent.stdout) == (3, True)
        version = await here.do("--version")
        assert version.stdout.startswith("lamplighter 0.")
