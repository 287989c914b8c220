"""The `lamplighter` program: all its verbs, put together. Heavy imports wait for their verb."""

import os
import sys
from typing import Annotated

import typer

from api.cli.verbs import (
    ask,
    audit,
    backup,
    bridge,
    calibrate,
    cancel,
    cluster,
    demo,
    doctor,
    history,
    hook,
    init,
    initialize,
    lights,
    metrics,
    move,
    network,
    plan,
    restored,
    risks,
    rollout,
    scene,
    schedule,
    send,
    serve,
    setup,
    simulate,
    token,
    watch,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from actors.cluster.release import installed_version

        typer.echo(f"lamplighter {installed_version()}")
        raise typer.Exit


app = typer.Typer(
    name="lamplighter",
    help="Makes sure that a light shows the colour it was told to show.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Show the version, and leave."
        ),
    ] = False,
) -> None:
    """Makes sure that a light shows the colour it was told to show."""


# In the order in which `--help` lists them.
for verb in (
    lights.devices,
    lights.device,
    history.history,
    lights.remove,
    lights.flush,
    lights.revive,
    send.send,
    cancel.cancel,
    ask.ask,
    watch.watch,
    initialize.initialize,
    network.gateways,
    calibrate.calibrate,
    risks.risks,
    audit.audit,
    cluster.cluster,
    restored.restored,
    init.init,
    serve.serve,
    backup.backup,
    backup.restore,
    move.move,
    setup.setup,
    simulate.simulate,
    doctor.doctor,
):
    app.command()(verb)
app.add_typer(network.alerts_app, name="alerts")
app.add_typer(rollout.rollout_app, name="rollout")
app.add_typer(metrics.metrics_app, name="metrics")
app.add_typer(plan.plan_app, name="plan")
app.add_typer(bridge.bridge_app, name="bridge")
app.add_typer(scene.scene_app, name="scene")
app.add_typer(hook.hook_app, name="hook")
app.add_typer(schedule.schedule_app, name="schedule")
app.add_typer(demo.demo_app, name="demo")
app.add_typer(token.token_app, name="token")


def main() -> None:
    """The entry point of the `lamplighter` program."""
    # gRPC writes lost connections to standard error by itself; ours are logged with their reason
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    sys.exit(app(prog_name="lamplighter"))
