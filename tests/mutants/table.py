"""Writes docs/mutants.md from the sessions of a run: `python -m tests.mutants.table DIR OUT`.

Every survivor stands in the table; one without an argument is called open.
"""

import sqlite3
import sys
import tomllib
from collections import Counter
from pathlib import Path

PARTS = ("machine", "downlink", "reports")
HEAD = """# Mutants of the device machine and the codec

`make mutants` breaks the code on purpose, one change at a time (cosmic-ray), tries each change
against the quick tests, and writes this page. The verdicts are kept in
`tests/mutants/arguments.toml`. Mutants of `|` are left out: it stands in annotations, in patterns
and in the set of harmless payloads.

"""
QUERY = """
    select s.module_path, s.start_pos_row, s.operator_name, r.worker_outcome, r.test_outcome, r.diff
    from mutation_specs s left join work_results r on r.job_id = s.job_id
    order by s.module_path, s.start_pos_row, s.operator_name, s.occurrence
"""


def verdict(arguments: list[dict[str, str]], path: str, old: str, new: str) -> str:
    """What is said of a survivor: of the first argument whose words it bears."""
    for known in arguments:
        where, was, now = (known.get(key, "") for key in ("file", "was", "now"))
        if where in path and was in old and now in new:
            return f"{known['verdict']}: {known['why']}"
    return "open"


def page(sessions: Path, arguments: list[dict[str, str]]) -> str:
    """The whole page."""
    counts: dict[str, Counter[str]] = {}
    lines = []
    for part in PARTS:
        with sqlite3.connect(sessions / f"{part}.sqlite") as session:
            rows = session.execute(QUERY).fetchall()
        for path, line, operator, worker, outcome, diff in rows:
            if worker == "SKIPPED":
                continue
            tally = counts.setdefault(path, Counter())
            tally["mutants"] += 1
            tally["untried" if outcome is None else outcome.lower()] += 1
            if outcome == "SURVIVED":
                old, new = (_line(diff, sign) for sign in "-+")
                said = verdict(arguments, path, old, new)
                lines.append(f"| `{path}` | {line} | {_code(new)} | {operator[5:]} | {said} |")
    keys = ("mutants", "killed", "survived", "incompetent", "untried")
    table = [f"| file | {' | '.join(keys)} |", "|---" * (len(keys) + 1) + "|"]
    table += [f"| `{p}` | {' | '.join(str(n[k]) for k in keys)} |" for p, n in counts.items()]
    survivors = [
        "| file | line | changed to | operator | verdict |",
        "|---|---|---|---|---|",
        *lines,
    ]
    return HEAD + "\n".join([*table, "", "## Survivors", "", *survivors]) + "\n"


def _line(diff: str, sign: str) -> str:
    changed = [x for x in diff.splitlines() if x.startswith(sign) and not x.startswith(sign * 3)]
    return " ".join(changed[0][1:].split()) if changed else ""


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    told = tomllib.loads(Path(__file__).with_name("arguments.toml").read_text())
    Path(sys.argv[2]).write_text(page(Path(sys.argv[1]), told["argument"]))
