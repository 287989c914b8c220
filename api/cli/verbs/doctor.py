"""`lamplighter doctor`: the findings as lines or JSON, and the exit code."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from actors.plain_text import one_line
from api.cli.console import console, print_json
from api.cli.doctor.finding import Diagnosis, Level, ok, problem, warning
from api.cli.exits import Exit
from api.cli.options import AsJson
from api.cli.settings_option import Config

_SIGNS = {
    Level.OK: ("✓ ok", "green"),
    Level.WARNING: ("! warning", "yellow"),
    Level.PROBLEM: ("✗ problem", "bold red"),
    Level.UNKNOWN: ("? unknown", "dim"),
}

# Of one finding: all mistakes in the settings, say.
SAID_MOST = 5_000


def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Examine the installation and say what to do; changes nothing, takes at most a minute."""
    raise typer.Exit(run_doctor(config, dict(os.environ), as_json=as_json))


def run_doctor(config: Path | None, environ: dict[str, str], *, as_json: bool) -> int:
    """Examine and report; 0 without problems, 1 with."""
    findings = look(config, environ)
    if as_json:
        import msgspec

        told = [
            {key: _utf8(text) for key, text in msgspec.to_builtins(each).items()}
            for each in findings
        ]
        print_json({"ok": not problems_in(findings), "findings": told})
    else:
        tell(console(), findings)
    return Exit.FAILED if problems_in(findings) else Exit.OK


def look(config: Path | None, environ: dict[str, str]) -> list[Diagnosis]:
    """Every finding."""
    from api.settings.file import SettingsError, load_settings, overlooked

    try:
        settings = load_settings(config, environ)
    except SettingsError as error:
        remedy = "correct them; nothing else was looked at"
        findings = [
            problem("settings", f"{each.field or 'settings'}: {each.problem}", remedy)
            for each in error.mistakes
        ]
        if left := overlooked(config):
            findings.append(warning("settings", left, "name it"))
        return findings
    import trio

    from api.cli.doctor.examine import examine

    where = f"readable ({config or 'from the environment'})"
    left = overlooked(config)
    first = warning("settings", left, "name it, or remove it") if left else ok("settings", where)
    token = environ.get("LAMPLIGHTER_TOKEN")
    return [first, *trio.run(examine, settings, time.time, config, token)]


def problems_in(findings: Sequence[Diagnosis]) -> int:
    """How many are problems."""
    return sum(each.level is Level.PROBLEM for each in findings)


def _utf8(text: str) -> str:
    """A path may hold bytes that are no UTF-8, which JSON cannot carry."""
    return text.encode("utf-8", "replace").decode()


def tell(out: Console, findings: Sequence[Diagnosis]) -> None:
    """One line each, with its remedy below, and how many of each kind."""
    for each in findings:
        sign, style = _SIGNS[each.level]
        line = Text(f"{sign:<10} ", style=style) + Text(f"{each.check:<12} ", style="bold")
        out.print(line + Text(one_line(each.says, SAID_MOST), style="default"), soft_wrap=True)
        if each.remedy:
            out.print(Text(f"{'':<11}{'':<13}→ {one_line(each.remedy, SAID_MOST)}"), soft_wrap=True)
    counts = [(level, sum(each.level is level for each in findings)) for level in _SIGNS]
    out.print("\n" + ", ".join(f"{count} {level}" for level, count in counts if count))
