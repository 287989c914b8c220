"""`/demo/...`: stop gateways and restart lights of the pretend world, for the page and the command
line.

These routes exist in a demo only, and change the world, never the service.
"""

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue

from api.http.problems import UNKNOWN_DEVICE, UNKNOWN_GATEWAY, Problem
from simulation.world.gateway import GatewayMode
from simulation.world.world import World


def demo_blueprint(world: World) -> Blueprint:
    """The routes over this world."""
    demo = Blueprint("demo", __name__, url_prefix="/demo")

    @demo.get("/state")
    async def state() -> ResponseReturnValue:
        """What is really so in the world: gateways on or off, and what each light really shows."""
        lights = {
            dev_eui: None if shown is None else [shown.red, shown.green, shown.blue]
            for dev_eui in world.stations
            for shown in [world.showing(dev_eui)]
        }
        gateways = {
            gateway_id: {"name": gateway.name, "on": gateway.mode is GatewayMode.ONLINE}
            for gateway_id, gateway in world.gateways.items()
        }
        return jsonify(gateways=gateways, lights=lights)

    @demo.post("/gateways/<gateway_id>/<verb>")
    async def gateway(gateway_id: str, verb: str) -> ResponseReturnValue:
        """Stop or start a gateway."""
        if gateway_id not in world.gateways or verb not in {"stop", "start"}:
            raise Problem(UNKNOWN_GATEWAY)
        (world.stop_gateway if verb == "stop" else world.start_gateway)(gateway_id)
        return jsonify(gateway_id=gateway_id, on=verb == "start")

    @demo.post("/lights/<dev_eui>/<verb>")
    async def light(dev_eui: str, verb: str) -> ResponseReturnValue:
        """Restart, unplug or plug a light."""
        verbs = {"restart": world.restart_light, "unplug": world.unplug, "plug": world.plug}
        if dev_eui not in world.stations or verb not in verbs:
            raise Problem(UNKNOWN_DEVICE)
        verbs[verb](dev_eui)
        return jsonify(dev_eui=dev_eui, done=verb)

    return demo
