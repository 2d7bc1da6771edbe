"""`actwin check`: what is wrong in a recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption, SessionsOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.telemetry.quality.findings import Finding
    from actwin.telemetry.quality.report import Report

EXAMPLES = "Examples: actwin check last · actwin check last --json · actwin check 2026-11-21 --repair"


def check(
    session: Annotated[str, typer.Argument(help="Name of a session, the beginning of it, its folder, or last.")],
    folder: SessionsOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Write a repaired copy as a new session.")] = False,
    mark: Annotated[
        bool, typer.Option("--mark/--no-mark", help="Keep the findings in the session's quality column.")
    ] = True,
    most: Annotated[int, typer.Option(min=0, help="Findings of each kind to list.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Look for gaps, repeated and frozen rows, impossible values, teleports, wrong clocks, units and lap counts."""
    from actwin.telemetry.quality.checks import check as check_session
    from actwin.telemetry.quality.repair import mark as keep_marks
    from actwin.telemetry.quality.repair import repair as write_repaired
    from actwin.telemetry.store.folder import DEFAULT
    from actwin.telemetry.store.listing import find_session

    root = folder or DEFAULT
    found = find_session(session, root)
    report = check_session(found)
    if mark and found.has_table:  # one that is being recorded is only looked at
        keep_marks(found, report)
    done: dict[str, Any] = {}
    if repair:
        made, what = write_repaired(found, root, report)
        done = {"repaired": made.name, "repair": what.words()}
    if as_json:
        typer.echo(json.dumps(report.as_dict() | done))
        return
    _print(report, most)
    if done:
        console().print(f"Repaired copy: {done['repaired']} ({done['repair']}).", soft_wrap=True)


def _print(report: Report, most: int) -> None:
    out = console()
    rate = f"{report.rate:.1f} Hz" if report.period > 0.0 else "no rate"
    out.print(f"{report.name}: {len(report.time)} rows, {report.duration:.1f} s, {rate}", soft_wrap=True)
    shown = [each for kind in report.findings_of for each in _of_kind(report, kind)[:most]]
    if shown:
        rows = table("Kind", "Row", "Rows", "At", "Channel", "What", numbers=(1, 2, 3))
        for finding in sorted(shown, key=report.findings.index):
            rows.add_row(
                finding.kind.name, str(finding.first), str(finding.last - finding.first + 1),
                f"{report.time[finding.first]:.2f} s", finding.channel, finding.words,
            )  # fmt: skip
        out.print(rows)
    if len(report.findings) > len(shown):
        out.print(f"{len(report.findings) - len(shown)} more; show them with --most.", soft_wrap=True)
    counts = ", ".join(f"{name} {count}" for name, count in report.findings_of.items()) or "nothing"
    out.print(f"Found: {counts}. Rows marked: {report.marked} of {len(report.time)}.", soft_wrap=True)
    if report.flat:
        flat = ", ".join(f"{name} = {value:g}" for name, value in report.flat.items())
        out.print(f"One value throughout: {flat}.", soft_wrap=True)
    for clock in report.clocks:
        pace = f"{clock.rate:.1f} a second" if clock.name == "packet_id" else f"{clock.rate:.4f} of time"
        out.print(f"Clock {clock.name}: {pace}, single steps within {clock.jitter * 1000.0:.1f} ms.", soft_wrap=True)


def _of_kind(report: Report, kind: str) -> list[Finding]:
    return [each for each in report.findings if each.kind.name == kind]
