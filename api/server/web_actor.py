"""The `web` actor: the app served, from listening to a polite end.

Every caller is answered, also at the end. When asked to stop it releases the callers that wait for
a verdict (202), closes websockets with a close frame, lets short requests end, and only then stops
the server. A handler that hangs is cancelled and answered with 503; nothing that hangs keeps the
service from ending in time.
"""

import errno
import logging
import socket

import structlog
import trio
from hypercorn.config import Config
from quart_trio import QuartTrio

from api.http.app import replace_tokens
from api.http.services import Services, services_of
from api.live.client import RESTARTING
from api.server import descriptors
from api.server.accept_loop import Server
from api.server.connection import Timeouts
from api.server.connection_slots import ConnectionSlots
from api.server.hypercorn_internals import ASGIWrapper
from api.server.websocket import MESSAGE_BYTES
from api.settings.model import ApiSettings, Web

log = structlog.get_logger()

# A close frame takes one round trip to a peer that reads; one that does not is not waited for.
GOODBYE_S = 1.0
# For a handler that is cancelled at the end of `graceful_s`, to answer that the service stops.
CANCELLED_S = 0.5
# Everybody is answered; this is for the last closing of sockets.
LAST_S = 0.2
# On top of all waits: for cancelled tasks to end.
SLACK_S = 1.0
# Connections that wait to be accepted; the kernel allows 4,096 at most on most systems. When it is
# full, a client tries again after a second at the earliest.
BACKLOG = 4_096
# Unsent bytes that the kernel keeps per connection; more would only hide that a peer is slow.
SEND_BUFFER_BYTES = 256 * 1024
# What is waiting to be read by a handler: ten parts of a body of at most 64 kB each.
APP_QUEUE = 10
# A peer that was refused for not speaking HTTP is to close the connection itself. One that does
# not, and would connect again at once, is kept waiting: that costs nothing, accepting it does.
LINGER_S = 5.0
# Pings in a row that a websocket's peer may leave unanswered.
MISSED_PONGS = 3


class WebActor:
    """Serves an app made by `create_app`. `run` is the body of its task."""

    def __init__(self, app: QuartTrio, web: Web) -> None:
        self._app = app
        self._web = web
        self._services: Services = services_of(app)
        self._stop = trio.Event()
        self.slots = ConnectionSlots(web.connections_most, web.connections_unproven_most)
        """The connections."""
        self.port = 0
        """The port that it listens on, once started."""

    def replace_tokens(self, settings: ApiSettings) -> None:
        """From now on the tokens are these."""
        replace_tokens(self._app, settings)

    @property
    def shutdown_s(self) -> float:
        """How long `run` may take to end after being cancelled, for its ChildSpec."""
        return GOODBYE_S + self._web.graceful_s + CANCELLED_S + LAST_S + SLACK_S

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Raises OSError when the address cannot be had.

        The server's task is shielded, so that a cancel reaches it as a request to stop, with a
        deadline.
        """
        self._stop = trio.Event()
        self._services.shutdown.reset()
        listener = listen(self._web)
        self.port = listener.getsockname()[1]
        serving = trio.CancelScope(shield=True)
        async with trio.open_nursery() as nursery:
            try:
                await nursery.start(self._serve, listener, serving)
                log.info("listening", address=self._web.bind, port=self.port)
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._stop.set()
                serving.deadline = trio.current_time() + self.shutdown_s

    async def _serve(
        self,
        listener: socket.socket,
        scope: trio.CancelScope,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        web = self._web
        most = descriptors.connections_possible(web.connections_most)
        if most < web.connections_most:
            log.warning("fewer connections than set", possible=most, wanted=web.connections_most)
        self.slots = ConnectionSlots(most, web.connections_unproven_most)
        server = Server(
            ASGIWrapper(self._app),
            server_config(web),
            self.slots,
            timeouts(web),
            self._services.peers,
            LAST_S,
        )
        with scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(server.run, listener, self._wait_stop)
                task_status.started()

    async def _wait_stop(self) -> None:
        """Wait to be asked to stop, then for every request to be answered."""
        await self._stop.wait()
        here = self._services
        log.info("web stops", requests=here.shutdown.running, live_clients=len(here.hub))
        here.shutdown.begin()
        here.hub.close_all(RESTARTING, "the service is stopping; resume later")
        with trio.move_on_after(GOODBYE_S):
            await here.hub.wait_empty()
        with trio.move_on_after(self._web.graceful_s):
            await here.shutdown.wait_idle()
            return
        log.warning("requests are cut off", requests=here.shutdown.running)
        here.shutdown.cancel_handlers()
        with trio.move_on_after(CANCELLED_S):
            await here.shutdown.wait_idle()


def listen(web: Web) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken or not ours.

    Made here because what matters must be set on the listening socket, from which connections
    inherit it: without TCP_USER_TIMEOUT one peer that stops reading holds up shutdown for ever.
    """
    family, *_, address = socket.getaddrinfo(
        web.bind, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            milliseconds = int(web.unread_s * 1000)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, f"port {web.port} of {web.bind} is taken") from error
        raise
    return listener


def timeouts(web: Web) -> Timeouts:
    """How long each phase of a connection may last."""
    return Timeouts(
        idle_s=web.keep_alive_s,
        # Behind the deadlines of body and handler, which answer with a problem.
        busy_s=web.body_timeout_s + web.handler_s + web.wait_most_s + web.unread_s,
        unread_s=web.unread_s,
        websocket_s=MISSED_PONGS * web.ping_s,
        linger_s=min(LINGER_S, web.keep_alive_s),
    )


def server_config(web: Web) -> Config:
    """How hypercorn reads and writes."""
    config = Config()
    config.accesslog = None  # our middleware writes a line per request, with its id
    config.errorlog = logging.getLogger("hypercorn.error")
    config.alpn_protocols = ["http/1.1"]
    config.include_server_header = False
    config.keep_alive_max_requests = 1_000_000  # ChirpStack keeps one connection for days
    config.websocket_ping_interval = web.ping_s
    config.websocket_max_message_size = MESSAGE_BYTES
    config.max_app_queue_size = APP_QUEUE
    config.h11_max_incomplete_size = 32 * 1024  # a URL with 100 DevEUIs and the headers
    return config
