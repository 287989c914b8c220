"""Tables in Markdown, and what a field means: the string that stands below it in its class."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Sequence
from itertools import pairwise


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` within a cell is written so that it ends no cell."""

    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def meanings(owner: type) -> dict[str, str]:
    """What each field of a class means, by its name; one without such a string is left out."""
    found: dict[str, str] = {}
    for each in reversed(owner.__mro__):
        if each.__module__.split(".")[0] in {"actors", "api", "lorawan", "store"}:
            found.update(_below_fields(each))
    return found


def _below_fields(owner: type) -> Iterable[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    if not isinstance(definition, ast.ClassDef):
        return
    for field, below in pairwise(definition.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            name = field.target.id
        elif isinstance(field, ast.Assign) and isinstance(field.targets[0], ast.Name):
            name = field.targets[0].id  # a member of an enum
        else:
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield name, " ".join(str(below.value.value).split())
