"""Who may ask: tokens by scope and name, people that a proxy signs in, and what each may see."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, SecretStr

from actors.board.sight import EVERYTHING, Sight
from api.http.auth import LOCAL, Credential, People, Scope
from api.http.tokens import is_hash, problem_of, written_digest
from api.settings.section import Section

TOKENS_MOST = 500
"""Of one scope. Each request that shows a token is compared with all of them, 0.1 us each."""
USERS_MOST = 10_000
SIGHT_MOST = 10_000
"""Values of one limit; a light is looked up in them."""

_NAME = re.compile(r"\w[\w.@+/\\ -]{0,63}")
_NUMBERED = re.compile(r"(public|viewer|operator|webhook) \d+")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_DEV_EUI = re.compile(r"[0-9a-f]{16}")
# What the service reads itself; a name in one of these would be read twice, as two things.
_TAKEN = frozenset(
    {
        "authorization",
        "host",
        "origin",
        "cookie",
        "content-type",
        "x-lamplighter-token",
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "forwarded",
        "idempotency-key",
        "prefer",
    }
)


class TokenSetting(Section):
    """One token as it is written: in clear or hashed."""

    name: str = ""
    """Empty for one that is called by its number."""
    secret: SecretStr

    @property
    def hashed(self) -> bool:
        """Whether nobody can read the token here."""
        return is_hash(self.secret.get_secret_value())


def checked_name(name: str) -> str:
    """A name of a token or of a person. Raises ValueError for one that would mislead."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ValueError(
            f"{name[:64]!r} is no name: 1 to 64 letters, digits, blanks and . _ @ + / \\ -, "
            "a letter or digit first"
        )
    if _NUMBERED.fullmatch(name.lower()) or name.lower() == LOCAL:
        raise ValueError(f"{name!r} is how somebody without a name is called")
    return name


def _tokens(value: object) -> object:
    """A list, texts with commas between them, or a table of names."""
    if isinstance(value, str | SecretStr):
        value = [part.strip() for part in _text(value).split(",") if part.strip()]
    if isinstance(value, Mapping):
        pairs = [
            (checked_name(str(name)), one)
            for name, given in value.items()
            for one in (given if isinstance(given, list | tuple) else [given])
        ]
    elif isinstance(value, list | tuple):
        pairs = [("", one) for one in value]
    else:
        raise ValueError("must be a list of tokens, or a table of names with a token each")  # noqa: TRY004 pydantic's way
    found = []
    for number, (name, one) in enumerate(pairs, start=1):
        if isinstance(one, TokenSetting):
            found.append(one)
            continue
        if not isinstance(one, str | SecretStr):
            raise ValueError(f"token {name or number} must be text")  # noqa: TRY004 pydantic's way
        if problem := problem_of(_text(one)):
            raise ValueError(f"token {name or f'number {number}'} {problem}")
        found.append(TokenSetting(name=name, secret=SecretStr(_text(one))))
    if len(found) > TOKENS_MOST:
        raise ValueError(f"more than {TOKENS_MOST} tokens")
    return tuple(found)


def _text(value: str | SecretStr) -> str:
    return value if isinstance(value, str) else value.get_secret_value()


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError("is no name of a header: letters, digits and -")
    if name.lower() in _TAKEN:
        raise ValueError("is a header that says something else")
    return name


def _users(value: object) -> object:
    """`alice=operator,bob=viewer` in the environment."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    return {name.strip(): scope.strip() for name, _, scope in pairs}


def _known_names(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) > USERS_MOST:
        raise ValueError(f"more than {USERS_MOST} names")
    for name in value:
        if not _NUMBERED.fullmatch(name):
            checked_name(name)
    if len({name.casefold() for name in value}) < len(value):
        raise ValueError("a name stands twice, in other letters")
    return value


def _values(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _limit(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > SIGHT_MOST:
        raise ValueError(f"more than {SIGHT_MOST} values")
    if not all(value.strip() for value in values):
        raise ValueError("has an empty value")
    return values


def _dev_euis(values: tuple[str, ...]) -> tuple[str, ...]:
    lower = tuple(value.lower() for value in values)
    for value in lower:
        if not _DEV_EUI.fullmatch(value):
            raise ValueError(f"{value[:32]!r} is no DevEUI: 16 hexadecimal digits")
    return lower


TokenSettings = Annotated[tuple[TokenSetting, ...], BeforeValidator(_tokens)]
HeaderName = Annotated[str, AfterValidator(_header)]
UserScope = Literal["viewer", "operator"]
Users = Annotated[dict[str, UserScope], BeforeValidator(_users), AfterValidator(_known_names)]
Limit = Annotated[tuple[str, ...], BeforeValidator(_values), AfterValidator(_limit)]
DevEuis = Annotated[
    tuple[str, ...], BeforeValidator(_values), AfterValidator(_limit), AfterValidator(_dev_euis)
]


class SightSettings(Section):
    """The lights that one name may see; of each kind that is given one value has to fit."""

    applications: Limit = ()
    tags: Limit = ()
    dev_euis: DevEuis = ()

    def sight(self) -> Sight:
        """The same for the service."""
        return Sight(self.applications, self.tags, self.dev_euis)


Sights = Annotated[dict[str, SightSettings], AfterValidator(_known_names)]


class Tokens(Section):
    """Bearer tokens by scope: a list, or a table of names with a token each (or several, to change
    one without a gap). One that `lamplighter token new` made may stand here as its hash."""

    viewer: TokenSettings = ()
    """Tokens that may read everything and change nothing."""
    operator: TokenSettings = ()
    """Tokens that may read and change everything, but deliver no events."""
    webhook: TokenSettings = ()
    """Tokens with which ChirpStack delivers events; they may do nothing else."""

    @property
    def configured(self) -> bool:
        """Whether there is any token."""
        return bool(self.viewer or self.operator or self.webhook)

    def named(self) -> Iterator[tuple[Scope, str, TokenSetting]]:
        """Every token with its scope, and the name by which it is called."""
        for scope, several in (
            (Scope.VIEWER, self.viewer),
            (Scope.OPERATOR, self.operator),
            (Scope.WEBHOOK, self.webhook),
        ):
            number = 0
            for token in several:
                number += not token.name
                yield scope, token.name or f"{scope.value} {number}", token

    def credentials(self, sights: Mapping[str, SightSettings]) -> list[Credential]:
        """For the gatekeeper."""
        return [
            Credential(
                name,
                scope,
                written_digest(token.secret.get_secret_value()),
                sights[name].sight() if name in sights else EVERYTHING,
                hashed=token.hashed,
            )
            for scope, name, token in self.named()
        ]


def people_of(
    users: Mapping[str, UserScope], others: str, sights: Mapping[str, SightSettings]
) -> People:
    """Those whom a proxy signs in."""
    return People(
        {name.casefold(): Scope(scope) for name, scope in users.items()},
        None if others == "none" else Scope(others),
        {name.casefold(): one.sight() for name, one in sights.items()},
    )
