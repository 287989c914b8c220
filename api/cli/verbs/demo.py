"""`lamplighter demo` and its subcommands: the service with a pretend world, to try things out."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import names
from api.cli.completion import Offer, complete_gateway, complete_light

if TYPE_CHECKING:
    from api.cli.demo.control import Resolve

demo_app = typer.Typer(help="A pretend world of lights and gateways, to try things out.")

DEMO_AT = "http://127.0.0.1:8090"


def _complete_gateway(context: typer.Context, incomplete: str) -> list[Offer]:
    context.params["at"] = context.params.get("at") or DEMO_AT
    return complete_gateway(context, incomplete)


def _complete_light(context: typer.Context, incomplete: str) -> list[Offer]:
    context.params["at"] = context.params.get("at") or DEMO_AT
    return complete_light(context, incomplete)


Address = Annotated[str, typer.Option("--at", help="Address of the running demo.")]
Gateway = Annotated[
    str,
    typer.Argument(
        metavar="GATEWAY", help="A gateway: its name or id.", autocompletion=_complete_gateway
    ),
]
Light = Annotated[
    str,
    typer.Argument(
        metavar="DEVICE", help="A light: its name or DevEUI.", autocompletion=_complete_light
    ),
]


@demo_app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    lights: Annotated[int, typer.Option(min=1, max=500, help="Pretend lights.")] = 50,
    gateways: Annotated[int, typer.Option(min=1, max=20, help="Pretend gateways.")] = 4,
    port: Annotated[
        int,
        typer.Option(min=0, max=65_535, help="Of the dashboard and API; 0 takes a free one."),
    ] = 8090,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 1,
    loss: Annotated[float, typer.Option(min=0.0, max=0.9, help="Loss per frame.")] = 0.1,
    events: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A Redis for the pretend ChirpStack's stream of events, to be read from there.",
        ),
    ] = None,
) -> None:
    """Start Lamplighter with a pretend world on a lossy radio."""
    if context.invoked_subcommand is not None:
        return
    from api.cli.demo.run import run_demo

    raise typer.Exit(
        run_demo(
            lights=lights, gateways=gateways, port=port, seed=seed, loss=loss, events_url=events
        )
    )


@demo_app.command("stop-gateway")
def stop_gateway(gateway_id: Gateway, at: Address = DEMO_AT) -> None:
    """Take a pretend gateway off the air."""
    _control(at, gateway_id, "gateways/{}/stop", names.gateway)


@demo_app.command("start-gateway")
def start_gateway(gateway_id: Gateway, at: Address = DEMO_AT) -> None:
    """Bring a pretend gateway back."""
    _control(at, gateway_id, "gateways/{}/start", names.gateway)


@demo_app.command("restart-light")
def restart_light(dev_eui: Light, at: Address = DEMO_AT) -> None:
    """Blink the power of a pretend light: it joins anew, dim green."""
    _control(at, dev_eui, "lights/{}/restart", names.light)


def _control(at: str, meant: str, path: str, resolve: "Resolve") -> None:
    from api.cli.demo.control import control

    raise typer.Exit(control(at, meant, path, resolve))
