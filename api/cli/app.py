"""The verbs of `lamplighter`, and how their failures become exit codes.

A mistake of the user ends with a message and exit code 2, a failure of the environment with a
message and exit code 1; a traceback is a bug of ours. Heavy imports wait for their verb.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import errors
from api.cli.options import AsJson
from api.cli.verbs import initialize, lights, network, restored
from api.cli.verbs import send as sending
from api.cli.verbs import watch as watching
from api.cli.verbs.rollout import rollout_app

if TYPE_CHECKING:
    from api.settings.model import ApiSettings

app = typer.Typer(
    name="lamplighter",
    help="Makes sure that a light shows the colour it was told to show.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
demo_app = typer.Typer(help="A pretend world of lights and gateways, to try things out.")
app.command()(lights.devices)
app.command()(lights.device)
app.command()(lights.remove)
app.command()(lights.flush)
app.command()(sending.send)
app.command()(watching.watch)
app.command()(initialize.init)
app.command()(network.gateways)
app.command()(restored.restored)
app.add_typer(network.alerts_app, name="alerts")
app.add_typer(rollout_app, name="rollout")
app.add_typer(demo_app, name="demo")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="TOML file with the settings.", envvar="LAMPLIGHTER_CONFIG"
    ),
]


def load(config: Path | None) -> "ApiSettings":
    """The settings; ends with exit code 2 and all mistakes in words when they cannot be used."""
    from api.settings.file import SettingsError, load_settings, overlooked

    if told := overlooked(config):
        errors.print(f"Note: {told}.", markup=False)
    try:
        return load_settings(config, os.environ)
    except SettingsError as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(2) from None


@app.command()
def serve(config: Config = None) -> None:
    """Run the service against a real ChirpStack."""
    settings = load(config)
    from api.cli.verbs.serve import run_service
    from api.settings.file import load_settings

    raise typer.Exit(run_service(settings, lambda: load_settings(config, os.environ)))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
    config: Config = None,
) -> None:
    """Copy the store into one file, while the service runs or not."""
    settings = load(config)
    from api.cli.verbs.backup import run_backup

    raise typer.Exit(run_backup(settings, file))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` made.")],
    config: Config = None,
) -> None:
    """Put a backup in the place of the store; the service must not run."""
    settings = load(config)
    from api.cli.verbs.backup import run_restore

    raise typer.Exit(run_restore(settings, file))


@app.command()
def setup(
    url: Annotated[str, typer.Option(help="Where ChirpStack reaches our webhook.")],
    config: Config = None,
    application: Annotated[
        list[str] | None, typer.Option(help="Application id; all with lights unless given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, change nothing.")] = False,
) -> None:
    """Create or correct ChirpStack's HTTP integration; safe to repeat."""
    settings = load(config)
    from api.cli.verbs.setup import run_setup

    raise typer.Exit(run_setup(settings, url, application or [], dry_run=dry_run))


@app.command()
def simulate(
    seed: Annotated[
        int | None, typer.Option(min=0, help="The first seed; a fresh one unless given.")
    ] = None,
    faults: Annotated[
        str, typer.Option(help="calm, city, storm, hell, or swarm: a mixture of its own per seed.")
    ] = "swarm",
    devices: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Lights: 4, or drawn by a swarm's seed.")
    ] = None,
    gateways: Annotated[
        int | None, typer.Option(min=1, max=100, help="Gateways: 2, or drawn by a swarm's seed.")
    ] = None,
    hours: Annotated[float | None, typer.Option(min=0.01, max=10_000, help="With faults.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many, from the first one on.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Go on with new seeds for so long.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one per core.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run the production actors in a world of faults, in virtual time; hold them to the truth."""
    from api.cli.verbs.simulate import run_simulate

    raise typer.Exit(
        run_simulate(
            seed=seed,
            faults=faults,
            devices=devices,
            gateways=gateways,
            hours=hours,
            seeds=seeds,
            minutes=minutes,
            jobs=jobs,
            as_json=as_json,
        )
    )


@app.command()
def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Examine the installation and say what to do; changes nothing, takes at most a minute."""
    from api.cli.verbs.doctor import run_doctor

    raise typer.Exit(run_doctor(config, dict(os.environ), as_json=as_json))


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
) -> None:
    """Start Lamplighter with a pretend world on a lossy radio."""
    if context.invoked_subcommand is not None:
        return
    from api.cli.verbs.demo import run_demo

    raise typer.Exit(run_demo(lights=lights, gateways=gateways, port=port, seed=seed, loss=loss))


Address = Annotated[str, typer.Option("--at", help="Address of the running demo.")]
GatewayId = Annotated[str, typer.Argument(help="Gateway id, as the demo lists it.")]
DEMO_AT = "http://127.0.0.1:8090"


@demo_app.command("stop-gateway")
def stop_gateway(gateway_id: GatewayId, at: Address = DEMO_AT) -> None:
    """Take a pretend gateway off the air."""
    from api.cli.verbs.demo import control

    raise typer.Exit(control(at, f"gateways/{gateway_id}/stop"))


@demo_app.command("start-gateway")
def start_gateway(gateway_id: GatewayId, at: Address = DEMO_AT) -> None:
    """Bring a pretend gateway back."""
    from api.cli.verbs.demo import control

    raise typer.Exit(control(at, f"gateways/{gateway_id}/start"))


@demo_app.command("restart-light")
def restart_light(dev_eui: Annotated[str, typer.Argument()], at: Address = DEMO_AT) -> None:
    """Blink the power of a pretend light: it joins anew, dim green."""
    from api.cli.verbs.demo import control

    raise typer.Exit(control(at, f"lights/{dev_eui}/restart"))


def main() -> None:
    """The entry point of the `lamplighter` program."""
    # gRPC writes lost connections to standard error by itself; ours are logged with their reason
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.exit(app(prog_name="lamplighter"))
