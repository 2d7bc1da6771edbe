"""The report of a run: one HTML file that works offline and can be sent as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from actwin.analysis.compare import CHANNELS, Trace, compare_corners, distance_axis, trace
from actwin.analysis.figure_style import Looks
from actwin.analysis.figures import lap_traces
from actwin.analysis.figures_technique import friction_circle
from actwin.analysis.figures_training import learning_curve
from actwin.analysis.lap_table import theoretical_best
from actwin.analysis.laps import Lap, best_lap, find_laps
from actwin.analysis.outline import outline
from actwin.analysis.page import figure_place, map_with_controls, page, section, swatch, write_page
from actwin.analysis.report_tables import laps_as_html
from actwin.analysis.rollout import Rollout
from actwin.content.track import Track
from actwin.errors import ConfigError
from actwin.units import KMH_PER_MS, lap_time_text


@dataclass(frozen=True)
class LearningCurve:
    """How a driver got faster.

    Attributes:
        steps: [1] Control steps driven before each test drive, [K].
        lap_times: [s] Of the test drives, NaN where no lap was finished, [K].
        clean: Whether each was valid, [K].
    """

    steps: npt.NDArray[np.float64]
    lap_times: npt.NDArray[np.float64]
    clean: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Report:
    """What a report shows. Every text may hold anything; it is escaped.

    Attributes:
        track: The track.
        car: Title of the car.
        rollouts: One run for each driver, the driver that the report is about first.
        learning: The first driver's learning curve.
        settings: What can be set and how it was, label to text.
        provenance: Where the numbers come from (command, versions, seed, machine, date), label to text.
    """

    track: Track
    car: str
    rollouts: Sequence[Rollout]
    learning: LearningCurve | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Driver:
    """One driver's laps and the lap that stands for it: the best valid one, else the fastest."""

    rollout: Rollout
    laps: list[Lap]
    lap: Lap | None


def write_report(report: Report, path: str | Path) -> Path:
    """Writes the report.

    Args:
        report: What to show.
        path: The HTML file.

    Returns:
        The file that was written.

    Raises:
        ConfigError: There is no run to report.
        MissingExtraError: plotly is not installed.
    """
    return write_page(render(report), path)


def render(report: Report) -> str:
    """The report's HTML."""
    if not report.rollouts:
        raise ConfigError("A report needs at least one run. Drive one first, with: actwin demo")
    drivers = [_driver(rollout, report.track) for rollout in report.rollouts]
    shown = [driver for driver in drivers if driver.lap is not None]
    axis = distance_axis(report.track.length)
    channels = (*CHANNELS, "steer_angle")
    traces = [trace(driver.rollout, driver.lap, axis, channels) for driver in shown if driver.lap]
    looks = {driver.rollout.driver: i for i, driver in enumerate(drivers)}
    below = _learning_section(report, shown, looks) + _friction_section(report, shown, looks)
    sections = [
        _laps_section(drivers), *_trace_sections(report, traces, looks), f'<div class="columns">{below}</div>',
    ]  # fmt: skip
    headline = _headline(report, drivers)
    return page(
        title=f"{report.track.title}: {headline}",
        eyebrow=f"{report.track.title} · {report.car}",
        headline=headline,
        lede=_lede(report, drivers),
        tiles=_tiles(drivers),
        sections="\n".join([*filter(None, sections), _facts_section(report)]),
    )


def _driver(rollout: Rollout, track: Track) -> _Driver:
    laps = find_laps(rollout, track)
    return _Driver(rollout, laps, best_lap(laps) or min(laps, key=lambda lap: lap.time, default=None))


def _headline(report: Report, drivers: Sequence[_Driver]) -> str:
    first, name = drivers[0].lap, drivers[0].rollout.driver
    if first is None:
        return f"{name} finished no lap of {report.track.title}"
    time = lap_time_text(first.time)
    if not first.valid:
        return f"{name}: {time}, but the lap does not count"
    rivals = [driver for driver in drivers[1:] if driver.lap and driver.lap.valid]
    if not rivals:
        return f"{name} laps in {time}"
    best = min(rivals, key=lambda driver: driver.lap.time if driver.lap else math.inf)
    ahead = (best.lap.time if best.lap else math.inf) - first.time
    if abs(ahead) < 0.0005:
        return f"{name} laps in {time}, level with {best.rollout.driver}"
    word = "faster" if ahead > 0.0 else "slower"
    return f"{name} laps in {time}, {abs(ahead):.3f} s {word} than {best.rollout.driver}"


def _lede(report: Report, drivers: Sequence[_Driver]) -> str:
    parts = []
    for driver in drivers:
        if driver.lap is None:
            parts.append(f"{driver.rollout.driver} finished no lap")
        else:
            valid = "" if driver.lap.valid else " (off track, not counted)"
            parts.append(f"{driver.rollout.driver} {lap_time_text(driver.lap.time)}{valid}")
    return f"Fastest laps of {report.car} on {report.track.length / 1000.0:.3f} km: " + ", ".join(parts) + "."


def _tiles(drivers: Sequence[_Driver]) -> str:
    driver = drivers[0]
    facts: dict[str, str] = {}
    if lap := driver.lap:
        facts[f"{driver.rollout.driver}, {'best' if lap.valid else 'uncounted'} lap"] = lap_time_text(lap.time)
        if lap.valid:
            facts["Sum of its best sectors"] = lap_time_text(theoretical_best(driver.laps))
        facts["Top speed"] = f"{lap.top_speed * KMH_PER_MS:.0f} km/h"
        facts["Average speed"] = f"{_average(driver) * KMH_PER_MS:.0f} km/h"
        counted = sum(lap.valid for lap in driver.laps)
        facts["Clean laps"] = f"{counted} of {len(driver.laps)}"
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items())


def _average(driver: _Driver) -> float:
    """[m/s] Mean speed over the shown lap, over time."""
    lap = driver.lap
    assert lap is not None
    return float(driver.rollout.frames["speed"][lap.first : lap.last].mean())


def _laps_section(drivers: Sequence[_Driver]) -> str:
    index = {id(lap): i for i, driver in enumerate(drivers) for lap in driver.laps}
    laps = [lap for driver in drivers for lap in driver.laps]
    note = "Full laps, line to line. Times in minutes:seconds; only laps within the track limits can be best."
    table = laps_as_html(laps, [swatch(index[id(lap)]) for lap in laps])
    return section("Laps", note, table if laps else '<p class="note">Nobody finished a lap.</p>')


def _trace_sections(report: Report, traces: Sequence[Trace], looks: Looks) -> list[str]:
    shape = outline(report.track)
    drawing = map_with_controls(shape, traces, looks)
    if not traces:
        return [section("Track", f"{report.track.title}, {report.track.length:.0f} m.", drawing)]
    reference = 1 if len(traces) > 1 else 0
    curves = figure_place("traces", lap_traces(traces, shape, reference, looks=looks), 900)
    behind = f" Delta is the time behind {traces[reference].driver}: below zero is faster." if reference else ""
    note = (
        f"The best lap of each driver.{behind} Touch the curves and the dots on the map follow. "
        "Drag over a stretch to zoom in, double click to come back."
    )
    drawing += '<div class="scroll"><table id="readout"></table></div>'
    body = f'<div class="beside"><div class="sticky">{drawing}</div><div>{curves}</div></div>'
    sections = [section("Where the time comes from", note, body)]
    if report.track.corners and len(traces) > 1:
        sections.append(_corner_section(report.track, traces, looks))
    return sections


def _corner_section(track: Track, traces: Sequence[Trace], looks: Looks) -> str:
    rows = sorted(compare_corners(traces, track.corners), key=lambda row: -row.spread)
    names = "".join(f"<th>{swatch(looks[lap.driver])}{escape(lap.driver)}</th><th>Slowest at</th>" for lap in traces)
    head = f'<tr><th class="text">Corner</th>{names}<th>Spread</th></tr>'
    body = []
    for row in rows:
        best = min(lap.time for lap in row.laps)
        times = "".join(
            f"<td{' class=fastest' if lap.time == best else ''}>{lap.time:.3f} s</td>"
            f"<td>{lap.minimum_speed * KMH_PER_MS:.0f} km/h</td>"
            for lap in row.laps
        )
        label = f"T{row.corner.number} {row.corner.name}".strip()
        body.append(f'<tr><td class="text">{escape(label)}</td>{times}<td>{row.spread:.3f} s</td></tr>')
    note = "From half way after the corner before to half way to the next: time and lowest speed, most won first."
    table = f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(body)}</tbody></table></div>'
    return section("Corner by corner", note, table)


def _friction_section(report: Report, shown: Sequence[_Driver], looks: Looks) -> str:
    if not shown:
        return ""
    axis = distance_axis(report.track.length, 6.0)
    laps = [trace(driver.rollout, driver.lap, axis, ("ax", "ay")) for driver in shown if driver.lap]
    figure = friction_circle(laps, looks=looks)
    note = "Each point is a moment of the lap; the outline is what the tyres give."
    return section("Use of the tyres", note, figure_place("friction", figure, 380))


def _learning_section(report: Report, shown: Sequence[_Driver], looks: Looks) -> str:
    learning, learner = report.learning, report.rollouts[0].driver
    if learning is None or not len(learning.steps):
        return ""
    if not np.isfinite(learning.lap_times).any():
        return section("Learning", f"{learner} finished no lap in the {len(learning.steps)} test drives.", "")
    rivals = {driver.rollout.driver: driver.lap.time for driver in shown if driver.lap}
    rivals.pop(learner, None)
    figure = learning_curve(learning.steps, learning.lap_times, rivals, learning.clean, name=learner, looks=looks)
    note = "Lap time of test drives during the training, without exploration; hollow points left the track limits."
    return section("Learning", note, figure_place("learning", figure, 320))


def _facts_section(report: Report) -> str:
    lists = []
    for title, facts in (("Settings", report.settings), ("Provenance", report.provenance)):
        if facts:
            lines = "".join(
                f"<dt>{escape(name)}</dt><dd{' class=code' if name == 'Command' else ''}>{escape(text)}</dd>"
                for name, text in facts.items()
            )
            lists.append(f'<div><h3>{title}</h3><dl class="facts">{lines}</dl></div>')
    if not lists:
        return ""
    note = "What is needed to drive these laps again."
    return section("Settings", note, f'<div class="columns">{"".join(lists)}</div>')
