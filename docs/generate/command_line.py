"""Every verb of the command line with its arguments and options, and the exit codes, from typer."""

from collections.abc import Iterator

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from api.cli.app import app
from api.cli.exits import Exit
from docs.generate.markdown import meanings, table

SHARED = {
    "--at": "`--at URL`",
    "--token": "`--token TOKEN`",
    "--config": "`--config FILE`",
    "--json": "`--json`",
}
"""Options of many verbs, told once above."""


Verb = TyperCommand | TyperGroup


def every_verb(words: str = "lamplighter", group: object = None) -> Iterator[tuple[str, Verb]]:
    """Every verb with the words that call it."""
    verb = group or get_command(app)
    if isinstance(verb, TyperGroup):
        if verb.invoke_without_command:
            yield words, verb
        for name, below in verb.commands.items():
            yield from every_verb(f"{words} {name}", below)
    elif isinstance(verb, TyperCommand):
        yield words, verb


def verbs() -> str:
    """A section for each verb."""
    return "\n\n".join(_verb(called, verb) for called, verb in every_verb())


def exit_codes() -> str:
    """What a script may branch on."""
    told = meanings(Exit)
    return table(("code", "meaning"), [(str(code.value), told[code.name]) for code in Exit])


def options_of(verb: Verb) -> list[TyperOption]:
    """The options of a verb, without `--help`."""
    return [each for each in verb.params if isinstance(each, TyperOption)]


def _verb(called: str, verb: Verb) -> str:
    arguments = [each for each in verb.params if isinstance(each, TyperArgument)]
    options = options_of(verb)
    usage = " ".join([called, *(_argument(each) for each in arguments)])
    rows = [
        (_spelling(each), _default(each), _range(each), each.help or "")
        for each in options
        if each.opts[0] not in SHARED
    ]
    shared = [SHARED[each.opts[0]] for each in options if each.opts[0] in SHARED]
    about = (verb.help or "").strip().split("\n\n")[0].replace("\n", " ")
    text = [f"### `{usage}`", about]
    if rows:
        text.append(table(("option", "default", "values", "meaning"), rows))
    if shared:
        text.append(f"{'Also' if rows else 'Takes'} {', '.join(shared)}.")
    return "\n\n".join(text)


def _argument(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _spelling(option: TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    return f"{names} `{option.metavar or str(option.name).upper()}`"


def _default(option: TyperOption) -> str:
    default = option.default
    if default is None or default is False or callable(default):
        return ""
    return str(default)


def _range(option: TyperOption) -> str:
    low, high = getattr(option, "min", None), getattr(option, "max", None)
    if low is None and high is None:
        return ""
    return f"from {low:g}" if high is None else f"{low:g} to {high:g}"
