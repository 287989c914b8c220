"""Each status code of a real server as the error that tells what to do about it."""

from collections.abc import Iterator

import grpc
import pytest

from lorawan.chirpstack import ChirpStackClient, ChirpStackSettings
from lorawan.chirpstack.errors import CallMissing
from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnknown,
)
from tests.support.grpc_peer import GrpcPeer, running_peer
from tests.support.small_network import LIGHT

KEY = "the-secret-key"
ENQUEUE = "DeviceService.Enqueue"

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def peer() -> Iterator[GrpcPeer]:
    with running_peer() as peer:
        yield peer


async def failure(peer: GrpcPeer, code: grpc.StatusCode, text: str) -> NetworkError:
    peer.fail(ENQUEUE, code, text)
    settings = ChirpStackSettings(target=f"127.0.0.1:{peer.port}", api_key=KEY)
    async with ChirpStackClient(settings) as client:
        with pytest.raises(NetworkError) as caught:
            await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=1.0)
    return caught.value


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (Code.UNAUTHENTICATED, "ExpiredSignature", NetworkRefused),
        (Code.UNAUTHENTICATED, "", NetworkForbidden),
        (Code.PERMISSION_DENIED, "", NetworkIntermediary),
        (Code.NOT_FOUND, "Object does not exist (id: x)", NetworkUnknown),
        (Code.INTERNAL, 'violates foreign key constraint "device_queue_item"', NetworkUnknown),
        (Code.INTERNAL, "FOREIGN KEY constraint failed", NetworkUnknown),
        (Code.INTERNAL, "codec failed", NetworkFault),
        (Code.INTERNAL, "", NetworkFault),
        (Code.UNKNOWN, "", NetworkFault),
        (Code.DATA_LOSS, "", NetworkFault),
        (Code.ABORTED, "", NetworkFault),
        (Code.RESOURCE_EXHAUSTED, "", NetworkFault),
        (Code.INVALID_ARGUMENT, "FPort must be between 1 - 255", NetworkInvalid),
        (Code.FAILED_PRECONDITION, "", NetworkIntermediary),
        (Code.OUT_OF_RANGE, "", NetworkIntermediary),
        (Code.ALREADY_EXISTS, "", NetworkInvalid),
        (Code.UNIMPLEMENTED, "", CallMissing),
        (Code.UNAVAILABLE, "upstream connect error", NetworkTimeout),
        (Code.CANCELLED, "", NetworkTimeout),
        (Code.DEADLINE_EXCEEDED, "", NetworkTimeout),
    ],
)
async def test_a_status_becomes_an_error_that_says_so(
    peer: GrpcPeer, code: grpc.StatusCode, text: str, expected: type[NetworkError]
) -> None:
    error = await failure(peer, code, text)
    assert type(error) is expected
    assert isinstance(error.__cause__, grpc.RpcError)
    assert "DeviceService.Enqueue" in str(error)
    assert code.name in str(error)
    assert text in str(error)
    assert KEY not in repr(error) + repr(error.__cause__)


async def test_no_right_is_explained(peer: GrpcPeer) -> None:
    text = str(await failure(peer, Code.UNAUTHENTICATED, ""))
    assert "read-only" in text
    assert "another tenant" in text
    assert "unknown" in text


async def test_a_long_text_of_the_server_is_cut_and_put_on_one_line(peer: GrpcPeer) -> None:
    text = str(await failure(peer, Code.INTERNAL, "line\n" * 1000))
    assert "\n" not in text
    assert len(text) < 500


async def test_an_error_in_the_servers_code_is_a_fault(peer: GrpcPeer) -> None:
    def crash(_request: object, _context: object) -> None:
        raise ZeroDivisionError

    peer.answer(ENQUEUE, crash)
    settings = ChirpStackSettings(target=f"127.0.0.1:{peer.port}", api_key=KEY)
    async with ChirpStackClient(settings) as client:
        with pytest.raises(NetworkFault):
            await client.enqueue(LIGHT, f_port=15, data=b"", expires_at=1.0)


def test_every_status_code_has_a_meaning() -> None:
    assert {code for code in Code if code is not Code.OK} == {
        Code.CANCELLED, Code.UNKNOWN, Code.INVALID_ARGUMENT, Code.DEADLINE_EXCEEDED,
        Code.NOT_FOUND, Code.ALREADY_EXISTS, Code.PERMISSION_DENIED, Code.UNAUTHENTICATED,
        Code.RESOURCE_EXHAUSTED, Code.FAILED_PRECONDITION, Code.ABORTED, Code.UNIMPLEMENTED,
        Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS, Code.OUT_OF_RANGE,
    }  # fmt: skip
