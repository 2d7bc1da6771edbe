"""`actwin patterns`: how a session was driven."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.analysis.pattern_report import DrivingReport
    from actwin.analysis.session import DrivenSession

EXAMPLES = "Examples: actwin patterns last · actwin patterns demo --lap 2 · actwin patterns SESSION --json"
SCALES: Final = {"1/min": (1.0, 0), "1/s": (1.0, 2), "-": (100.0, 1)}
"""Factor and digits to show a pattern with, by its unit; shares are shown in per cent."""
IN_G: Final = ("lateral_g", "braking_g")


def patterns(
    session: Annotated[
        str, typer.Argument(help="Session by name, its beginning or folder, last; or a rollout, or a demo's folder.")
    ] = "last",
    lap: Annotated[
        int | None, typer.Option("--lap", "-l", min=0, help="Lap whose losses are told; the slowest that counts.")
    ] = None,
    driver: Annotated[str, typer.Option("--driver", help="Whose lap that is, where several drove.")] = "",
    track: Annotated[
        str | None, typer.Option("--track", "-t", help="Track by name or file (the game's fast_lane.ai too).")
    ] = None,
    most: Annotated[int, typer.Option(min=0, help="Rows of each list to show.")] = 12,
    as_json: JsonOption = False,
    folder: SessionsOption = None,
) -> None:
    """Show habits, corners, lost time, anomalies and styles of the laps of a session."""
    from actwin.analysis.pattern_report import driving_report
    from actwin.analysis.session import open_session
    from actwin.telemetry.store.folder import DEFAULT

    opened = open_session(session, track, folder or DEFAULT)
    report = driving_report(opened, lap, driver)
    if as_json:
        typer.echo(json.dumps(_plain(opened, report), indent=2))
        return
    out = console()
    laps, drivers = len(report.laps), ", ".join(dict.fromkeys(lap.driver for lap in report.laps if lap.driver))
    out.print(f"{opened.name}: {laps} laps{' by ' if drivers else ''}{drivers}", soft_wrap=True)
    _print_habits(report)
    _print_consistency(report, most)
    _print_losses(report, most)
    _print_events(report, most)
    for found in (report.styles, report.recognition):
        if found is not None:
            out.print(found.sentence, soft_wrap=True)
    for note in report.notes:
        out.print(note, soft_wrap=True)


def _print_habits(report: DrivingReport) -> None:
    from actwin.analysis.patterns import PATTERNS

    drivers = list(dict.fromkeys(report.patterns["driver"]))
    rows = table("Habit", *[driver or "mean" for driver in drivers], "What", numbers=tuple(range(1, len(drivers) + 1)))
    groups = report.patterns.groupby("driver", sort=False)
    for pattern in PATTERNS:
        if pattern.name in report.patterns.attrs["absent"]:
            continue
        means, spreads = groups[pattern.name].mean(), groups[pattern.name].std()
        cells = [_cell(pattern.name, pattern.unit, means[driver], spreads[driver]) for driver in drivers]
        unit = "g" if pattern.name in IN_G else {"-": "%"}.get(pattern.unit, pattern.unit)
        rows.add_row(pattern.name.replace("_", " "), *cells, f"{unit}: {pattern.meaning}")
    console().print(rows)
    for name, reason in report.patterns.attrs["absent"].items():
        console().print(f"Not told: {name.replace('_', ' ')} {reason}.", soft_wrap=True)
    source = {"car": "the car's own", "data": "the hull of these laps"}.get(report.patterns.attrs["limit"])
    if source:
        console().print(f"Means over the laps ± their standard deviation; the g-g limit is {source}.", soft_wrap=True)


def _cell(name: str, unit: str, mean: float, spread: float) -> str:
    scale, digits = (1.0, 2) if name in IN_G else SCALES[unit]
    if not math.isfinite(mean):
        return ""
    return f"{mean * scale:.{digits}f}" + (f" ± {spread * scale:.{digits}f}" if math.isfinite(spread) else "")


def _print_consistency(report: DrivingReport, most: int) -> None:
    from actwin.units import KMH_PER_MS

    if report.consistency is None or report.consistency["laps"].max() < 2:
        return
    heads = ("Least steady", "Driver", "Laps", "Brakes ± m", "Slowest ± km/h", "Throttle ± m", "Time ± s", "Worth s")
    rows = table(*heads, numbers=(2, 3, 4, 5, 6, 7))
    for _, row in report.consistency.head(most).iterrows():
        numbers = (
            (row["brake_point_std"], 1.0, 1), (row["minimum_speed_std"], KMH_PER_MS, 1),
            (row["throttle_on_std"], 1.0, 1), (row["time_std"], 1.0, 3), (row["lost"], 1.0, 3),
        )  # fmt: skip
        cells = [f"{value * scale:.{digits}f}" if math.isfinite(value) else "" for value, scale, digits in numbers]
        rows.add_row(row["label"], row["driver"], str(row["laps"]), *cells)
    console().print(rows)


def _print_losses(report: DrivingReport, most: int) -> None:
    from actwin.units import lap_time_text

    if report.lap is None or report.reference is None:
        return
    lap, best = report.lap, report.reference
    names = [f"lap {each.number}{' of ' if each.driver else ''}{each.driver}" for each in (lap, best)]
    console().print(
        f"Where {names[0]} ({lap_time_text(lap.time)}) loses {lap.time - best.time:+.3f} s "
        f"to {names[1]} ({lap_time_text(best.time)}):",
        soft_wrap=True,
    )
    rows = table("Lost s", "Where", "How", numbers=(0,))
    for loss in report.losses[:most]:
        rows.add_row(f"{loss.seconds:+.3f}", loss.corner, loss.sentence)
    if rest := report.losses[most:]:
        rows.add_row(f"{sum(loss.seconds for loss in rest):+.3f}", f"{len(rest)} others", "")
    console().print(rows)


def _print_events(report: DrivingReport, most: int) -> None:
    out = console()
    if report.events:
        rows = table("Anomaly", "Lap", "At s", "At m", "What", numbers=(1, 2, 3))
        for event in report.events[:most]:
            found = event.anomaly
            rows.add_row(found.kind, str(event.lap.number), f"{found.time:.2f}", f"{found.distance:.0f}", found.words)
        out.print(rows)
        if len(report.events) > most:
            out.print(f"{len(report.events) - most} more; show them with --most.")
    else:
        out.print("No anomalies.")
    for kind, reason in report.unseen.items():
        out.print(f"Not looked for: {kind} {reason}.", soft_wrap=True)


def _plain(session: DrivenSession, report: DrivingReport) -> dict[str, Any]:
    """The report as plain values; null where nothing is known."""
    tables = {"patterns": report.patterns, "corners": report.corners, "consistency": report.consistency}
    made: dict[str, Any] = {"session": session.name, "spans": [span._asdict() for span in report.spans]}
    made |= {
        name: None if rows is None else json.loads(rows.to_json(orient="records")) for name, rows in tables.items()
    }
    made["absent"] = dict(report.patterns.attrs["absent"])
    made["limit"] = report.patterns.attrs["limit"]
    made["anomalies"] = [{"lap": event.lap.number, "driver": event.lap.driver} | event.anomaly._asdict()
                         for event in report.events]  # fmt: skip
    made["unseen"] = report.unseen
    if report.lap is not None and report.reference is not None:
        made["compared"] = {"lap": report.lap.number, "reference": report.reference.number}
    made["losses"] = [loss._asdict() for loss in report.losses]
    if report.styles is not None:
        made["styles"] = {"groups": report.styles.groups.tolist(), "silhouette": report.styles.silhouette,
                          "by_chance": report.styles.by_chance, "p_value": report.styles.p_value,
                          "separated": report.styles.separated}  # fmt: skip
    if report.recognition is not None:
        found = report.recognition
        made["recognition"] = {"accuracy": found.accuracy, "low": found.low, "high": found.high,
                               "baseline": found.baseline, "laps": found.laps}  # fmt: skip
    made["notes"] = list(report.notes)
    return made
