"""`lamplighter token`: tokens for callers of the service, made here and shown once."""

import secrets
from typing import Annotated, Literal

import typer

from api.cli.console import console, errors, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson

token_app = typer.Typer(help="Tokens for callers of the service.", no_args_is_help=True)


@token_app.callback()
def _token() -> None:
    """Keeps `new` a verb of its own although it is the only one."""


@token_app.command()
def new(
    name: Annotated[str, typer.Argument(help="Who will use it, as the audit shall call them.")],
    scope: Annotated[
        Literal["viewer", "operator", "webhook"],
        typer.Option("--scope", help="What it allows: to look, to act, to deliver events."),
    ],
    as_json: AsJson = False,
) -> None:
    """Make a token, and show it this once with the line for the settings, which holds its hash.

    Nothing is stored, and no service is asked. A webhook's token stands in clear, because `setup`
    has to write it into ChirpStack.
    """
    from api.http.tokens import RANDOM_BYTES, hash_of, token_from
    from api.settings.callers import checked_name

    try:
        checked_name(name)
    except ValueError as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(Exit.MISTAKE) from None
    token = token_from(secrets.token_bytes(RANDOM_BYTES))
    written = token if scope == "webhook" else hash_of(token)
    line = f'{_key(name)} = "{written}"'
    if as_json:
        print_json({"name": name, "scope": scope, "token": token, "line": line})
        return
    out = console()
    out.print(token, markup=False, soft_wrap=True)
    errors.print("This is the only time that it is shown. In the settings:", markup=False)
    out.print(f"\n[web.tokens.{scope}]\n{line}", markup=False, soft_wrap=True)


def _key(name: str) -> str:
    """A key of TOML."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    escaped = name.replace("\\", "\\\\")
    return name if bare else f'"{escaped}"'
