"""`actwin patterns`: how a session was driven."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table
from actwin.units import KMH_PER_MS, lap_time_text

if TYPE_CHECKING:
    from actwin.analysis.driven_laps import DrivenLap
    from actwin.analysis.pattern_report import DrivingReport
    from actwin.analysis.session import DrivenSession

EXAMPLES = "Examples: actwin patterns last · actwin patterns demo --lap 2 · actwin patterns SESSION --json"
CORNERS: Final = (
    ("Brakes m", "brake_point", 1.0, 0), ("Peak %", "peak_brake", 100.0, 0), ("Turns in m", "turn_in", 1.0, 0),
    ("Apex m", "apex", 1.0, 0), ("Slowest km/h", "minimum_speed", KMH_PER_MS, 1), ("Gear", "gear", 1.0, 0),
    ("Throttle m", "throttle_on", 1.0, 0), ("Full m", "full_throttle", 1.0, 0),
    ("Exit km/h", "exit_speed", KMH_PER_MS, 1), ("Time s", "time", 1.0, 3),
)  # fmt: skip
"""Heads, columns, factors and digits of the corners of a lap."""
STEADY: Final = (
    ("Brakes ± m", "brake_point_std", 1.0, 1), ("Slowest ± km/h", "minimum_speed_std", KMH_PER_MS, 1),
    ("Throttle ± m", "throttle_on_std", 1.0, 1), ("Time ± s", "time_std", 1.0, 3), ("Worth s", "lost", 1.0, 3),
)  # fmt: skip
"""The same of the consistency."""


def patterns(
    session: Annotated[
        str,
        typer.Argument(
            help="Session by name, its beginning or folder, last; a rollout; a folder of sessions or rollouts."
        ),
    ] = "last",
    lap: Annotated[
        int | None,
        typer.Option("--lap", "-l", min=0, help="Lap whose corners and losses are told; the slowest that counts."),
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
    drivers = ", ".join(dict.fromkeys(lap.driver for lap in report.laps if lap.driver))
    out.print(f"{opened.name}: {_counted(report.laps)}{' by ' if drivers else ''}{drivers}", soft_wrap=True)
    _print_habits(report)
    _print_consistency(report, most)
    _print_corners(report)
    _print_losses(report, most)
    _print_events(report, most)
    for found in (report.styles, report.recognition):
        if found is not None:
            out.print(found.sentence, soft_wrap=True)
    for note in report.notes:
        out.print(note, soft_wrap=True)


def _counted(laps: Sequence[DrivenLap]) -> str:
    what = "lap" if all(lap.whole for lap in laps) else "part of a lap" if len(laps) == 1 else "parts of lap"
    return f"{len(laps)} {what}{'' if len(laps) == 1 else 's'}"


def _print_reasons(what: str, reasons: Mapping[str, str]) -> None:
    """What is missing, one line for each reason."""
    for reason in dict.fromkeys(reasons.values()):
        names = ", ".join(name.replace("_", " ") for name, why in reasons.items() if why == reason)
        console().print(f"{what}: {names} ({reason}).", soft_wrap=True)


def _print_habits(report: DrivingReport) -> None:
    from actwin.analysis.patterns import PATTERNS

    drivers = list(dict.fromkeys(report.patterns["driver"]))
    rows = table("Habit", *[driver or "mean" for driver in drivers], "What", numbers=tuple(range(1, len(drivers) + 1)))
    groups = report.patterns.groupby("driver", sort=False)
    for pattern in PATTERNS:
        if pattern.name in report.patterns.attrs["absent"]:
            continue
        means, spreads = groups[pattern.name].mean(), groups[pattern.name].std()
        cells = [
            pattern.text(means[driver]) + (f" ± {spread}" if (spread := pattern.text(spreads[driver])) else "")
            for driver in drivers
        ]
        rows.add_row(pattern.name.replace("_", " "), *cells, f"{pattern.shown_unit}: {pattern.meaning}")
    console().print(rows)
    _print_reasons("Not told", report.patterns.attrs["absent"])
    source = {"car": "the car's own", "data": "the hull of these laps"}.get(report.patterns.attrs["limit"])
    if source:
        console().print(f"Means over the laps ± their standard deviation; the g-g limit is {source}.", soft_wrap=True)


def _cells(row: Any, columns: tuple[tuple[str, str, float, int], ...]) -> list[str]:
    """Numbers of a row of a table; empty where not known."""
    return [f"{row[name] * factor:.{digits}f}" if row[name] == row[name] else "" for _, name, factor, digits in columns]


def _print_consistency(report: DrivingReport, most: int) -> None:
    if report.consistency is None or not (repeated := report.consistency[report.consistency["laps"] > 1]).size:
        return
    heads = ("Least steady", "Driver", "Laps", *(head for head, *_ in STEADY))
    rows = table(*heads, numbers=tuple(range(2, len(heads))))
    for _, row in repeated.head(most).iterrows():
        rows.add_row(row["label"], row["driver"], str(row["laps"]), *_cells(row, STEADY))
    console().print(rows)


def _name(lap: DrivenLap) -> str:
    driver = f" of {lap.driver}" if lap.driver else ""
    place = f" in {lap.session.names[lap.drive]}" if len(lap.session.drives) > 1 else ""
    return f"lap {lap.number}{driver}{place} ({lap_time_text(lap.time) if lap.whole else f'{lap.time:.1f} s of it'})"


def _print_corners(report: DrivingReport) -> None:
    if report.corners is None:
        return
    each = len(report.spans)
    first = each * report.laps.index(report.lap)
    mine = report.corners.iloc[first : first + each]
    console().print(f"Corners of {_name(report.lap)}, places as lap distances:", soft_wrap=True)
    rows = table("Corner", *(head for head, *_ in CORNERS), numbers=tuple(range(1, 1 + len(CORNERS))))
    for _, row in mine[mine["time"].notna()].iterrows():
        rows.add_row(row["label"], *_cells(row, CORNERS))
    console().print(rows)


def _print_losses(report: DrivingReport, most: int) -> None:
    if report.reference is None or not report.losses:
        return
    lap, best = report.lap, report.reference
    console().print(
        f"Where {_name(lap)} is {lap.time - best.time:+.3f} s behind {_name(best)}; the losses sum to that:",
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
        rows = table("Anomaly", "Driver", "Lap", "At s", "At m", "What", numbers=(2, 3, 4))
        for event in report.events[:most]:
            lap, found = event.lap, event.anomaly
            place = f"{found.distance:.0f}"
            rows.add_row(found.kind, lap.driver, str(lap.number), f"{found.time:.2f}", place, found.words)
        out.print(rows)
        if len(report.events) > most:
            out.print(f"{len(report.events) - most} more; show them with --most.")
    else:
        out.print("No anomalies.")
    _print_reasons("Not looked for", report.unseen)


def _key(lap: DrivenLap) -> dict[str, Any]:
    return {"drive": lap.session.names[lap.drive], "lap": lap.number, "driver": lap.driver}


def _plain(session: DrivenSession, report: DrivingReport) -> dict[str, Any]:
    """The report as plain values; null where nothing is known."""
    tables = {"patterns": report.patterns, "corners": report.corners, "consistency": report.consistency}
    made: dict[str, Any] = {"session": session.name, "spans": [span._asdict() for span in report.spans]}
    made |= {
        name: None if rows is None else json.loads(rows.to_json(orient="records")) for name, rows in tables.items()
    }
    made["absent"] = dict(report.patterns.attrs["absent"])
    made["limit"] = report.patterns.attrs["limit"]
    made["anomalies"] = [_key(event.lap) | event.anomaly._asdict() for event in report.events]
    made["unseen"] = report.unseen
    made["lap"] = _key(report.lap)
    made["reference"] = None if report.reference is None else _key(report.reference)
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
