"""Whether the MQTT broker of `[mqtt]` is reached, and lets us in and hear orders."""

import trio

from api.cli.doctor.finding import Diagnosis, ok, problem, warning
from api.mqtt.broker import V5, V311, Broker, BrokerError
from api.mqtt.made import options_of
from api.settings.model import ApiSettings

CHECK = "MQTT"
WHOLE_S = 15.0


async def mqtt(settings: ApiSettings) -> list[Diagnosis]:
    """All that is to be said of it; nothing where no broker is set."""
    section = settings.mqtt
    if section.url is None:
        return []
    options = options_of(section, client=f"{section.client}-doctor", session_s=0)
    host, port = section.where()
    where = f"the broker at {host}:{port}"
    topics = options.topics
    found: list[Diagnosis] = []

    async def ask(broker: Broker) -> None:
        version = "5" if broker.version is V5 else "3.1.1"
        found.append(ok(CHECK, f"{where} lets us in, and speaks MQTT {version}"))
        try:
            await broker.subscribe([topics.orders, topics.index])
        except BrokerError as error:
            remedy = f"allow {topics.orders} and {topics.prefix}/bridge/# there"
            found.append(problem(CHECK, str(error), remedy))

    versions = {"5": [V5], "3.1.1": [V311]}.get(section.version, [V5, V311])
    with trio.move_on_after(WHOLE_S) as patience:
        for version in versions:
            try:
                await Broker(options.address, version, None, lambda *_: None, lambda *_: None).run(
                    ask
                )
            except BrokerError as error:
                if error.other_version and version is not versions[-1]:
                    continue
                remedy = "check mqtt.url, user, password and certificates, and the broker's own log"
                found.append(problem(CHECK, f"{where} is not reached: {error}", remedy))
            break
    if patience.cancelled_caught:
        found.append(problem(CHECK, f"{where} does not answer in time", "check mqtt.url"))
    if not section.tls and section.credentials()[1] is not None and host not in LOCAL:
        text = "user and password go to the broker in clear"
        found.append(warning(CHECK, text, "use mqtts:// where the broker has TLS"))
    return found


LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
