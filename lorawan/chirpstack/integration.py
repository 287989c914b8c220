"""Points the HTTP integration of ChirpStack applications at our webhook.

An application has one HTTP integration; its URL is a list separated by commas, and its headers and
its encoding hold for all of them. What others put there stays, also what only looks like ours, for
an overwritten header cannot be restored. A second run finds nothing to do, and no secret shows in
the text of a change.

An Authorization is ours when it holds a token of ours, or is any bearer token where our URL is the
only one. Beside a foreign one, and where a URL holds a user's name (from which ChirpStack's client
makes an Authorization, unless there is one), our token goes into a header of our own.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from lorawan.network import HttpIntegration, ListedDevice, NetworkFault

MASK = "***"
AUTHORIZATION = "Authorization"
TOKEN_HEADER = "X-Lamplighter-Token"  # noqa: S105 the name of a header
"""For our token where Authorization belongs to somebody else."""
_BEARER = "bearer "
_OWN_PORT = {"http": ":80", "https": ":443"}


class ChangeKind(StrEnum):
    """What is to be changed."""

    CREATE = "create"
    ADD_URL = "add_url"
    CORRECT_URL = "correct_url"
    SET_HEADER = "set_header"
    SET_ENCODING = "set_encoding"


class IntegrationChange(msgspec.Struct, frozen=True):
    """One step of a plan; `text` is for people, with every secret masked."""

    application_id: str
    kind: ChangeKind
    text: str


class IntegrationServer(Protocol):
    """The calls that the set-up makes; `ChirpStackClient` has them. They raise
    `NetworkError`s."""

    async def http_integration(self, application_id: str) -> HttpIntegration | None:
        """The integration of an application, or None."""
        ...

    async def create_http_integration(self, integration: HttpIntegration) -> None:
        """Create it."""
        ...

    async def update_http_integration(self, integration: HttpIntegration) -> None:
        """Replace it."""
        ...

    async def devices(self, profile_contains: str) -> Sequence[ListedDevice]:
        """Every device whose profile's name contains this."""
        ...


async def ensure_integration(
    client: IntegrationServer,
    application_id: str,
    wanted: HttpIntegration,
    dry_run: bool = False,
    tokens: Collection[str] = (),
) -> list[IntegrationChange]:
    """Make one application send its events to us; the changes made, or due when `dry_run`.

    The result is read back: raises `NetworkFault` when the server did not keep it, other
    `NetworkError`s as the calls do, `ValueError` as `merge_integration` does.
    """
    wanted = msgspec.structs.replace(wanted, application_id=application_id)
    current = await client.http_integration(application_id)
    changes = plan_integration(current, wanted, tokens)
    if dry_run or not changes:
        return changes
    merged = merge_integration(current, wanted, tokens)
    if current is None:
        await client.create_http_integration(merged)
    else:
        await client.update_http_integration(merged)
    left = plan_integration(await client.http_integration(application_id), wanted, tokens)
    if left:
        steps = "; ".join(change.text for change in left)
        raise NetworkFault(f"application {application_id}: the server did not keep it: {steps}")
    return changes


async def ensure_integrations(
    client: IntegrationServer,
    profile_contains: str,
    wanted: HttpIntegration,
    dry_run: bool = False,
    tokens: Collection[str] = (),
) -> list[IntegrationChange]:
    """The same for every application that holds a device whose profile's name matches."""
    devices = await client.devices(profile_contains)
    changes: list[IntegrationChange] = []
    for application_id in sorted({device.application_id for device in devices}):
        changes += await ensure_integration(client, application_id, wanted, dry_run, tokens)
    return changes


def plan_integration(
    current: HttpIntegration | None, wanted: HttpIntegration, tokens: Collection[str] = ()
) -> list[IntegrationChange]:
    """What to change so that `current` also does what is `wanted`; empty when it already does.

    `wanted` holds our one URL and our headers. Raises `ValueError` as `merge_integration` does.
    """
    merged = merge_integration(current, wanted, tokens)

    def change(kind: ChangeKind, text: str) -> IntegrationChange:
        return IntegrationChange(application_id=wanted.application_id, kind=kind, text=text)

    if current is None:
        names = ", ".join(sorted(merged.headers)) or "none"
        text = f"send events to {masked_url(merged.event_endpoint_url)} as {merged.encoding}"
        return [change(ChangeKind.CREATE, f"{text}, headers: {names}")]
    changes: list[IntegrationChange] = []
    before, after = split_urls(current.event_endpoint_url), split_urls(merged.event_endpoint_url)
    if before != after:
        ours = masked_url(wanted.event_endpoint_url)
        stale = [masked_url(url) for url in before if url not in after]
        if stale or len(before) > len(after):
            text = f"replace {', '.join(stale) or 'its repetitions'} by {ours}"
            changes.append(change(ChangeKind.CORRECT_URL, text))
        else:
            changes.append(change(ChangeKind.ADD_URL, f"add {ours}{_shared(before)}"))
    others = [url for url in after if url != wanted.event_endpoint_url.strip()]
    for name in sorted(merged.headers):
        if current.headers.get(name) != merged.headers[name]:
            was = f" (was {MASK})" if _find(current.headers, name) is not None else ""
            text = f"set header {name} to {MASK}{was}{_shared(others)}"
            changes.append(change(ChangeKind.SET_HEADER, text))
    if current.encoding is not merged.encoding:
        text = f"send {merged.encoding} instead of {current.encoding}"
        changes.append(change(ChangeKind.SET_ENCODING, text))
    return changes


def merge_integration(
    current: HttpIntegration | None, wanted: HttpIntegration, tokens: Collection[str] = ()
) -> HttpIntegration:
    """`current` with our URL, headers and encoding in it.

    A URL of ours in another spelling (scheme, query, trailing slash) is replaced; so is the one
    that we had before we moved to another host, where the integration shows that it was ours. A
    header is ours under any capitalisation, but Authorization only as described above; `tokens` are
    ours besides the one in `wanted`. The encoding stays while other URLs depend on it: we
    understand both, they may not. Raises `ValueError` for a URL that cannot work.
    """
    ours = wanted.event_endpoint_url.strip()
    _check_url(ours)
    present = HttpIntegration(wanted.application_id, "", {}) if current is None else current
    before = split_urls(present.event_endpoint_url)
    known = _ours(wanted, tokens)
    moved = _moved(before, ours, present.headers, known)
    urls: list[str] = []
    for url in before:
        if _endpoint(url) != _endpoint(ours) and url != moved:
            urls.append(url)
        elif ours not in urls:
            urls.append(ours)
    if ours not in urls:
        urls.append(ours)
    alone = urls == [ours] and bool(before)
    return HttpIntegration(
        application_id=wanted.application_id,
        event_endpoint_url=",".join(urls),
        headers=_headers(present.headers, wanted.headers, known, urls, alone=alone),
        encoding=wanted.encoding if urls == [ours] else present.encoding,
    )


def _headers(
    present: Mapping[str, str],
    wanted: Mapping[str, str],
    known: Collection[str],
    urls: Sequence[str],
    *,
    alone: bool,
) -> dict[str, str]:
    """The present headers with ours set among them, in the present order."""
    ours = dict(wanted)
    authorization = next((name for name in ours if name.lower() == AUTHORIZATION.lower()), None)
    foreign = [
        name
        for name, value in present.items()
        if name.lower() == AUTHORIZATION.lower()
        and value.strip()
        and value not in known
        and not (alone and value.lower().startswith(_BEARER))
    ]
    if authorization is not None and (foreign or any(map(_has_user, urls))):
        value = ours.pop(authorization)
        ours[TOKEN_HEADER] = value[len(_BEARER) :] if value.lower().startswith(_BEARER) else value
    merged: dict[str, str] = {}
    small = {name.lower(): name for name in ours}
    for name, value in present.items():
        mine = small.get(name.lower())
        merged[name if mine is None else mine] = value if mine is None else ours[mine]
    return {**merged, **ours}


def _ours(wanted: HttpIntegration, tokens: Collection[str]) -> set[str]:
    """Values of headers that only we use: our tokens as they are, and as bearers."""
    found = {value for value in wanted.headers.values() if value}
    found |= {value[len(_BEARER) :] for value in found if value.lower().startswith(_BEARER)}
    return found | set(tokens) | {f"Bearer {token}" for token in {*found, *tokens}}


def _moved(
    before: Sequence[str], ours: str, headers: Mapping[str, str], known: Collection[str]
) -> str | None:
    """Our URL from before we moved: the only one that ends like ours, in an integration that has
    our token. If there are two of them, or ours is there, others may be another Lamplighter's."""
    if not any(value in known for value in headers.values()):
        return None
    end = _webhook_end(ours)
    like = [url for url in before if end and _webhook_end(url) == end]
    if len(like) != 1 or _endpoint(like[0]) == _endpoint(ours):
        return None
    return like[0]


def _webhook_end(url: str) -> str:
    """The part of the path that is ours whatever a proxy puts before it; empty without one."""
    parts = _split(url)
    _, mark, end = ("", "", "") if parts is None else parts.path.partition("/webhooks/chirpstack")
    return f"{mark}{end}".rstrip("/")


def _has_user(url: str) -> bool:
    parts = _split(url)
    return parts is not None and "@" in parts.netloc


def split_urls(event_endpoint_url: str) -> list[str]:
    """The URLs of an integration, as the server takes them apart."""
    return [url.strip() for url in event_endpoint_url.split(",") if url.strip()]


def masked_url(url: str) -> str:
    """The URL with the values of its query and its user's part masked."""
    parts = _split(url)
    if parts is None:
        return MASK
    place = parts.netloc.rpartition("@")[2]
    netloc = f"{MASK}@{place}" if "@" in parts.netloc else place
    names = [(name, MASK) for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    return urlunsplit((parts.scheme, netloc, parts.path, urlencode(names, safe="*"), ""))


def _check_url(url: str) -> None:
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{masked_url(url)} is no absolute http or https URL")
    if "," in url or any(character.isspace() for character in url):
        raise ValueError(f"{masked_url(url)} holds a comma or a blank: ChirpStack would split it")


def _endpoint(url: str) -> tuple[str, str] | None:
    parts = _split(url)
    if parts is None:
        return None
    place = parts.netloc.rpartition("@")[2].lower()
    return place.removesuffix(_OWN_PORT.get(parts.scheme, " ")), parts.path.rstrip("/")


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _find(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def _shared(others: Sequence[str]) -> str:
    if not others:
        return ""
    return f" (shared with {', '.join(masked_url(url) for url in others)})"
