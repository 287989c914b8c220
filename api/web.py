"""The `web` actor: hypercorn serving the app, from listening to a polite end.

The rule it keeps: nobody is cut off without a word. When asked to stop it releases the callers that
wait for a verdict (202), closes websockets with a close frame, lets short requests end, and only
then takes the server down. Hypercorn does none of this by itself (0.18, trio worker).
"""

import errno
import logging
import socket
from functools import partial

import structlog
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart_trio import QuartTrio

from api import connection
from api.live.client import RESTARTING
from api.services import Services, services_of
from api.settings import Web

log = structlog.get_logger()

# A close frame takes one round trip to a peer that reads; who does not read is not waited for.
GOODBYE_S = 1.0
# When hypercorn is told to stop, everybody is answered; this is for the last closing of sockets.
# A longer grace would always be used up where a websocket was open: its ping task sleeps on.
LAST_S = 0.2
# On top of all waits: a cancelled task needs a turn to end.
SLACK_S = 1.0
BACKLOG = 512
# Unsent bytes that the kernel keeps per connection; more would only hide that a peer is slow.
SEND_BUFFER_BYTES = 256 * 1024
# What is waiting to be read by a handler: ten parts of a body of at most 64 kB each.
APP_QUEUE = 10


class WebActor:
    """Serves an app made by `create_app`. `run` is the body of its task."""

    def __init__(self, app: QuartTrio, web: Web) -> None:
        self._app = app
        self._web = web
        self._services: Services = services_of(app)
        self._stop = trio.Event()
        self.port = 0
        """The port that it listens on, once started."""

    @property
    def shutdown_s(self) -> float:
        """How long `run` may take to end after being cancelled, for its ChildSpec."""
        return GOODBYE_S + self._web.graceful_s + LAST_S + self._web.unread_s + SLACK_S

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Raises OSError when the address cannot be had.

        The server's task is shielded, so that a cancel reaches it as a request to stop, with a
        deadline.
        """
        connection.install()
        self._stop = trio.Event()
        self._services.drain.renew()
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
        with scope:
            config = server_config(self._web, listener.detach())
            async with trio.open_nursery() as nursery:
                trigger = partial(self._wait_stop, config)
                await nursery.start(partial(serve, self._app, config, shutdown_trigger=trigger))
                task_status.started()

    async def _wait_stop(self, config: Config) -> None:
        """Hypercorn's shutdown trigger: wait to be asked, then for everybody to be answered."""
        await self._stop.wait()
        here = self._services
        log.info("web stops", requests=here.drain.running, live_clients=len(here.hub))
        here.drain.begin()
        here.hub.close_all(RESTARTING, "the service is stopping; resume later")
        with trio.move_on_after(GOODBYE_S):
            await here.hub.wait_empty()
        with trio.move_on_after(self._web.graceful_s):
            await here.drain.wait_idle()
        config.graceful_timeout = LAST_S  # read when it stops


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


def server_config(web: Web, descriptor: int) -> Config:
    """How hypercorn serves on this listening socket."""
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.backlog = BACKLOG
    config.accesslog = None  # the gate writes a line per request, with its id
    config.errorlog = logging.getLogger("hypercorn.error")
    config.alpn_protocols = ["http/1.1"]
    config.include_server_header = False
    config.keep_alive_timeout = web.keep_alive_s
    config.keep_alive_max_requests = 1_000_000  # ChirpStack keeps one connection for days
    config.read_timeout = web.read_timeout_s
    config.websocket_ping_interval = web.ping_s
    config.websocket_max_message_size = connection.MESSAGE_BYTES
    config.max_app_queue_size = APP_QUEUE
    config.h11_max_incomplete_size = 32 * 1024  # a URL with 100 DevEUIs and the headers
    return config
