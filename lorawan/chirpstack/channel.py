"""The one HTTP/2 connection to the server, its keepalive and its reconnection.

No setting of the connection is left to a library default or to the environment.
"""

import grpc
import trio

from lorawan.chirpstack.settings import ChirpStackSettings

RECEIVE_BYTES_MOST = 8 * 1024 * 1024
"""One page of 1000 devices with 8 kB of tags each; ordinary pages stay under 1 MB."""


async def open_channel(settings: ChirpStackSettings) -> grpc.Channel:
    """A channel that connects at the first call. Raises `OSError` when `ca_file` is unreadable."""
    options = channel_options(settings)
    if not settings.tls:
        return grpc.insecure_channel(settings.target, options=options)
    roots = None
    if settings.ca_file is not None:
        roots = await trio.Path(settings.ca_file).read_bytes()
    credentials = grpc.ssl_channel_credentials(root_certificates=roots)
    return grpc.secure_channel(settings.target, credentials, options=options)


def channel_options(settings: ChirpStackSettings) -> list[tuple[str, int]]:
    """gRPC's channel arguments. Source: grpc/include/grpc/impl/channel_arg_names.h."""
    return [
        # A dead peer is noticed within 40 s even when nothing is called; with keepalive on, gRPC
        # also sets TCP_USER_TIMEOUT, so that unacknowledged data ends the connection.
        ("grpc.keepalive_time_ms", _ms(settings.keepalive_s)),
        ("grpc.keepalive_timeout_ms", _ms(settings.keepalive_timeout_s)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", _ms(settings.reconnect_min_s)),
        ("grpc.max_reconnect_backoff_ms", _ms(settings.reconnect_most_s)),
        # Despite its name this is the time that one attempt to connect may take.
        ("grpc.min_reconnect_backoff_ms", _ms(settings.connect_timeout_s)),
        ("grpc.max_receive_message_length", RECEIVE_BYTES_MOST),
        # Without its own pool two clients would share one connection and its backoff.
        ("grpc.use_local_subchannel_pool", 1),
        # A retry policy published in DNS could repeat an Enqueue.
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.enable_http_proxy", 0),
    ]


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
