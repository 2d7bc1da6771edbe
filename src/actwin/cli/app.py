"""The commands of `actwin`."""

from __future__ import annotations

from typing import Annotated

import typer

import actwin
from actwin.cli import (
    calibrate_controls,
    cars,
    check,
    compare,
    dashboard,
    demo,
    doctor,
    drive,
    evaluate,
    export,
    export_policy,
    import_,
    install_app,
    laps,
    launch,
    patterns,
    record,
    report,
    runs,
    serve,
    sessions,
    sim,
    sql,
    tracks,
    train,
    video,
    watch,
)

app = typer.Typer(
    name="actwin",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: actwin demo",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"actwin {actwin.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """A digital twin of Assetto Corsa's cars and tracks, with drivers trained in it.

    Drivers learn in a fast simulator of the car and the track. No game is needed.
    """


app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.add_typer(tracks.app, name="tracks")
app.add_typer(cars.app, name="cars")
app.command("sim", epilog=sim.EXAMPLES)(sim.sim)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("launch", epilog=launch.EXAMPLES)(launch.launch)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("runs", epilog=runs.EXAMPLES)(runs.runs)
app.command("install-app", epilog=install_app.EXAMPLES)(install_app.install_app)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("dashboard", epilog=dashboard.EXAMPLES)(dashboard.dashboard)
app.command("serve", epilog=serve.EXAMPLES)(serve.serve)
app.command("watch", epilog=watch.EXAMPLES)(watch.watch)
app.command("record", epilog=record.EXAMPLES)(record.record)
app.command("sessions", epilog=sessions.EXAMPLES)(sessions.sessions)
app.command("laps", epilog=laps.EXAMPLES)(laps.laps)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("patterns", epilog=patterns.EXAMPLES)(patterns.patterns)
app.command("sql", epilog=sql.EXAMPLES)(sql.sql)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("export", epilog=export.EXAMPLES)(export.export)
app.command("video", epilog=video.EXAMPLES)(video.video)
app.command("export-policy", epilog=export_policy.EXAMPLES)(export_policy.export_policy)
app.command("import", epilog=import_.EXAMPLES)(import_.import_recordings)
app.command("drive", epilog=drive.EXAMPLES)(drive.drive)
app.command("calibrate-controls", epilog=calibrate_controls.EXAMPLES)(calibrate_controls.calibrate_controls)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
