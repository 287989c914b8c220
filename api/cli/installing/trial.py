"""Whether an address and a key of ChirpStack work together: both are tried at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import trio

from api.cli.doctor import judge
from lorawan.airtime import UnknownRegion, region
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.settings import ChirpStackSettings, Deadlines
from lorawan.network import (
    ListedDevice,
    NetworkError,
    NetworkForbidden,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
)

WHOLE_S = 25.0
"""For one try: a connection (5 s) and the listings of a large fleet."""
TLS_PORT = ":443"
About = Literal["target", "key", "tenant", "ca"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why they do not work, and which answer has to be another one."""

    about: About
    says: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Found:
    """They work, and this was seen with them."""

    tls: bool
    lights: int
    gateways: int
    applications: tuple[str, ...]
    """Names of those that have lights."""
    region: str | None
    """Of the lights' profile; None without lights, and where it has none that is known here."""


async def try_chirpstack(
    settings: ChirpStackSettings, profile_contains: str, *, tls: bool | None
) -> Found | Refusal:
    """Ask ChirpStack with this key for what the service will ask for, and for the right to write.

    With `tls` None it is found out whether the server wants TLS; never the other way round, so that
    nobody who breaks TLS is given the key in clear. Nothing is changed there.
    """
    sure = settings.target.endswith(TLS_PORT) or settings.ca_file is not None
    spoken = sure if tls is None else tls
    answer = await _try(settings, profile_contains, tls=spoken)
    if not spoken and tls is None and isinstance(answer, NetworkUnavailable):
        by_tls = await _try(settings, profile_contains, tls=True)  # a proxy's error is one, too
        if not isinstance(by_tls, NetworkUnavailable) or _is_untrusted(by_tls):
            answer, spoken = by_tls, True
    if isinstance(answer, NetworkError):
        return _refusal(answer, settings, tls=spoken)
    return answer


def _is_untrusted(error: NetworkError) -> bool:
    """gRPC tells it in the text alone."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


async def _try(
    settings: ChirpStackSettings, profile_contains: str, *, tls: bool
) -> Found | Refusal | NetworkError:
    settings = replace(
        settings,
        tls=tls,
        ca_file=settings.ca_file if tls else None,
        deadlines=Deadlines(page_s=5.0, listing_s=WHOLE_S),
    )
    try:
        with trio.fail_after(WHOLE_S):
            async with ChirpStackClient(settings) as client:
                gateways = await client.gateways()
                devices = await client.devices(profile_contains)
                may = await client.inspection.may_enqueue(devices[0].dev_eui) if devices else None
                used = await _region(client, devices)
    except NetworkError as error:
        return error
    except OSError as error:
        told = error.strerror or str(error)
        return Refusal("ca", f"the file of authorities cannot be read: {told}", "name another one")
    except trio.TooSlowError:
        return NetworkTimeout(f"it did not answer everything within {WHOLE_S:g} s")
    if may is False:
        finding = judge.rights(may)
        return Refusal("key", finding.says, finding.remedy)
    names = tuple(sorted({each.application_name for each in devices}))
    return Found(tls, len(devices), len(gateways), names, used)


async def _region(client: ChirpStackClient, devices: Sequence[ListedDevice]) -> str | None:
    if not devices:
        return None
    try:
        profile = await client.inspection.profile(devices[0].device_profile_id)
        return region(profile.region).name
    except (NetworkError, UnknownRegion):
        return None  # then the default stands, and the doctor compares


def _refusal(error: NetworkError, settings: ChirpStackSettings, *, tls: bool) -> Refusal:
    if _is_untrusted(error):
        says = f"{settings.target} speaks TLS, with a certificate that nobody here vouches for"
        return Refusal("ca", says, "name the PEM file of its authority: --ca-file FILE")
    finding = judge.unreached(error, settings.target, tls=tls, tenant_id=settings.tenant_id)
    about: About = "target"
    if isinstance(error, NetworkForbidden):
        about = "tenant"
    elif isinstance(error, NetworkRefused):
        about = "key"
    return Refusal(about, finding.says, finding.remedy)
