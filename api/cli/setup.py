"""`lamplighter setup`: point ChirpStack's HTTP integration at us, and show what changed."""

from collections.abc import Sequence

import trio
from rich.console import Console

from api.cli.app import errors
from api.settings import ApiSettings
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.integration import Change, ensure_integration, ensure_integrations
from lorawan.network import HttpIntegration, NetworkError


def run_setup(
    settings: ApiSettings, url: str, applications: Sequence[str], *, dry_run: bool
) -> int:
    """Do it; the exit code: 0 when all is as wanted, 1 when ChirpStack did not do it, 2 when the
    URL cannot work."""
    out = Console(highlight=False)
    try:
        changes = trio.run(_setup, settings, url, applications, dry_run)
    except NetworkError as error:
        errors.print(f"ChirpStack: {error}", markup=False)
        return 1
    except ValueError as error:
        errors.print(str(error), markup=False)
        return 2
    for change in changes:
        out.print(f"application {change.application_id}: {change.text}", markup=False)
    if not changes:
        out.print("Nothing to change: the integration is as it should be.")
    elif dry_run:
        out.print("Nothing was changed (dry run).")
    return 0


async def _setup(
    settings: ApiSettings, url: str, applications: Sequence[str], dry_run: bool
) -> list[Change]:
    tokens = settings.web.tokens.webhook
    headers = {"Authorization": f"Bearer {tokens[0].get_secret_value()}"} if tokens else {}
    wanted = HttpIntegration(application_id="", event_endpoint_url=url, headers=headers)
    changes: list[Change] = []
    async with ChirpStackClient(settings.chirpstack.connection()) as client:
        if not applications:
            profile = settings.chirpstack.profile_contains
            return await ensure_integrations(client, profile, wanted, dry_run)
        for application_id in applications:
            changes += await ensure_integration(client, application_id, wanted, dry_run)
    return changes
