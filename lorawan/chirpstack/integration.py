"""Points the HTTP integration of ChirpStack applications at our webhook.

An application has one HTTP integration; its URL is a list separated by commas, and its headers
and its encoding hold for all of them. The rule it keeps: what others put there stays. A second
run finds nothing to do, and no secret shows in the text of a change.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from lorawan.network import HttpIntegration, ListedDevice, NetworkFault

MASK = "***"


class ChangeKind(StrEnum):
    """What is to be changed."""

    CREATE = "create"
    ADD_URL = "add_url"
    CORRECT_URL = "correct_url"
    SET_HEADER = "set_header"
    SET_ENCODING = "set_encoding"


class Change(msgspec.Struct, frozen=True):
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
) -> list[Change]:
    """Make one application send its events to us; the changes made, or due when `dry_run`.

    The result is read back: raises `NetworkFault` when the server did not keep it, other
    `NetworkError`s as the calls do, `ValueError` as `merge_integration` does.
    """
    wanted = msgspec.structs.replace(wanted, application_id=application_id)
    current = await client.http_integration(application_id)
    changes = plan_integration(current, wanted)
    if dry_run or not changes:
        return changes
    merged = merge_integration(current, wanted)
    if current is None:
        await client.create_http_integration(merged)
    else:
        await client.update_http_integration(merged)
    left = plan_integration(await client.http_integration(application_id), wanted)
    if left:
        steps = "; ".join(change.text for change in left)
        raise NetworkFault(f"application {application_id}: the server did not keep it: {steps}")
    return changes


async def ensure_integrations(
    client: IntegrationServer,
    profile_contains: str,
    wanted: HttpIntegration,
    dry_run: bool = False,
) -> list[Change]:
    """The same for every application that holds a device whose profile's name matches."""
    devices = await client.devices(profile_contains)
    changes: list[Change] = []
    for application_id in sorted({device.application_id for device in devices}):
        changes += await ensure_integration(client, application_id, wanted, dry_run)
    return changes


def plan_integration(current: HttpIntegration | None, wanted: HttpIntegration) -> list[Change]:
    """What to change so that `current` also does what is `wanted`; empty when it already does.

    `wanted` holds our one URL and our headers. Raises `ValueError` as `merge_integration` does.
    """
    merged = merge_integration(current, wanted)

    def change(kind: ChangeKind, text: str) -> Change:
        return Change(application_id=wanted.application_id, kind=kind, text=text)

    if current is None:
        names = ", ".join(sorted(merged.headers)) or "none"
        text = f"send events to {masked_url(wanted.event_endpoint_url)} as {merged.encoding}"
        return [change(ChangeKind.CREATE, f"{text}, headers: {names}")]
    changes: list[Change] = []
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


def merge_integration(current: HttpIntegration | None, wanted: HttpIntegration) -> HttpIntegration:
    """`current` with our URL, headers and encoding in it.

    A URL of ours in another spelling (scheme, query, trailing slash) is replaced. A header is
    ours under any capitalisation. The encoding is left alone while other URLs depend on it: we
    understand both, they may not. Raises `ValueError` for a URL that cannot work.
    """
    ours = wanted.event_endpoint_url.strip()
    _check_url(ours)
    if current is None:
        return msgspec.structs.replace(wanted, event_endpoint_url=ours)
    urls: list[str] = []
    for url in split_urls(current.event_endpoint_url):
        if _endpoint(url) != _endpoint(ours):
            urls.append(url)
        elif ours not in urls:
            urls.append(ours)
    if ours not in urls:
        urls.append(ours)
    names = {name.lower() for name in wanted.headers}
    foreign = {name: value for name, value in current.headers.items() if name.lower() not in names}
    return HttpIntegration(
        application_id=wanted.application_id,
        event_endpoint_url=",".join(urls),
        headers={**foreign, **wanted.headers},
        encoding=wanted.encoding if urls == [ours] else current.encoding,
    )


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
    return parts.netloc.rpartition("@")[2].lower(), parts.path.rstrip("/")


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
