"""Point ChirpStack's HTTP integration at the service, and show what changed."""

from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

import trio
from rich.console import Console

from actors.plain_text import one_line
from api.cli.console import errors
from api.settings.model import ApiSettings
from api.webhooks.endpoint import KIND_BY_PATH
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.integration import IntegrationChange, ensure_integration, merge_integration
from lorawan.network import HttpIntegration, NetworkError


class _Nothing(Exception):
    """There is no device or no application to set up."""


def run_setup(
    settings: ApiSettings, url: str, applications: Sequence[str], *, dry_run: bool
) -> int:
    """Do it; the exit code: 0 when all is as wanted, 1 when ChirpStack did not do it or knows no
    light, 2 when the URL cannot work."""
    out = Console(highlight=False, soft_wrap=True, emoji=False)
    tokens = [
        token.secret.get_secret_value() for token in settings.web.tokens.webhook if not token.hashed
    ]
    if settings.web.tokens.webhook and not tokens:
        errors.print(
            "web.tokens.webhook: setup has to write the token into ChirpStack, and knows its hash"
            " only; have one stand in clear there.",
            markup=False,
        )
        return 2
    headers = {"Authorization": f"Bearer {tokens[0]}"} if tokens else {}
    try:
        url = without_slash(url.strip())
        wanted = HttpIntegration(application_id="", event_endpoint_url=url, headers=headers)
        merge_integration(None, wanted)
    except ValueError as error:
        errors.print(f"--url: {error}", markup=False)
        return 2
    if urlsplit(url).path not in KIND_BY_PATH:
        paths = " or ".join(KIND_BY_PATH)
        errors.print(f"Note: unless a proxy changes it, the path must be {paths}.", markup=False)
    try:
        changes = trio.run(_setup, settings, wanted, tokens, applications, dry_run)
    except NetworkError as error:
        errors.print(f"ChirpStack: {error}", markup=False)
        return 1
    except _Nothing as error:
        errors.print(str(error), markup=False)
        return 1
    for change in changes:
        out.print(
            f"application {change.application_id}: {one_line(change.text, 2_000)}", markup=False
        )
    if not changes:
        out.print("Nothing to change: the integration is as it should be.")
    elif dry_run:
        out.print("Nothing was changed (dry run).")
    return 0


def without_slash(url: str) -> str:
    """Our webhook's URL without slashes behind its path: what comes there by another spelling is
    left as it is."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if not path.endswith(tuple(KIND_BY_PATH)):
        return url
    return urlunsplit(parts._replace(path=path))


async def _setup(
    settings: ApiSettings,
    wanted: HttpIntegration,
    tokens: Sequence[str],
    applications: Sequence[str],
    dry_run: bool,
) -> list[IntegrationChange]:
    changes: list[IntegrationChange] = []
    async with ChirpStackClient(settings.chirpstack.connection()) as client:
        if applications:
            there = {each.application_id for each in await client.applications()}
            for application_id in applications:
                if application_id not in there:  # a dry run would promise what cannot be done
                    raise _Nothing(f"ChirpStack shows this key no application {application_id}.")
        else:
            profile = settings.chirpstack.profile_contains
            devices = await client.devices(profile)
            applications = sorted({device.application_id for device in devices})
            if not applications:
                raise _Nothing(f"ChirpStack has no device with {profile!r} in its profile's name.")
        for application_id in dict.fromkeys(applications):
            changes += await ensure_integration(client, application_id, wanted, dry_run, tokens)
    return changes
