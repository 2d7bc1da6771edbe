"""Fit of a compact track to a surveyed one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from actwin.content.ai_line import SUFFIX, line_label, read_ai_line
from actwin.content.clothoid_fit import Fit, fit_centre_line, measured, survey_curvature
from actwin.content.clothoids import ClothoidLoop
from actwin.content.corners import find_corners
from actwin.content.profiles import Linear, Smooth
from actwin.content.roadside import roadside_by_rule
from actwin.content.track import Track
from actwin.content.track_checks import check_track
from actwin.content.track_tables import CentreLineTable, read_centre_line
from actwin.errors import ConfigError, ContentError

Array = NDArray[np.float64]

LARGEST_SHARE: Final = 0.85
"""[-] Width at the inside of a bend as a share of its radius, at most."""
HEIGHT_SPACING: Final = 25.0
"""[m] Between two knots of the height."""


def _simplified(s: Array, columns: Array, tolerance: float, most: int) -> NDArray[np.intp]:
    """Indices of the points that, joined linearly and periodically, keep every column within a tolerance.

    Args:
        s: [M] Distances.
        columns: [M, C] Values.
        tolerance: Largest error allowed.
        most: Number of points at which the search stops, whatever the error.
    """
    kept = [0, len(s) // 3, 2 * len(s) // 3]
    period = s[-1] + (s[1] - s[0])
    while len(kept) < most:
        error = np.zeros(len(s))
        for column in columns.T:
            error = np.maximum(error, np.abs(column - np.interp(s, s[kept], column[kept], period=period)))
        if error.max() <= tolerance:
            break
        kept = sorted([*kept, int(np.argmax(error))])
    return np.asarray(kept)


def fit_widths(fit: Fit, table: CentreLineTable, tolerance: float = 0.15, most: int = 40) -> tuple[Array, Array, Array]:
    """Road widths beside a fitted centre line.

    The borders stay where the survey has them: what the centre line is off is put into the widths. Only in hairpins
    whose inner border comes near the centre of the bend is the road narrowed, lest it fold over itself.

    Args:
        fit: Fitted centre line.
        table: Survey.
        tolerance: [m] Error of the simplified widths at which no further knots are added.
        most: Largest number of knots.

    Returns:
        [m] knots, width to the left, width to the right.
    """
    length = fit.line.length
    order = np.argsort(fit.distance)
    raw = np.column_stack([table.width_left + fit.offset, table.width_right - fit.offset])[order]
    s = np.arange(0.0, length - 2.5, 5.0)
    smooth = np.column_stack([np.interp(s, fit.distance[order], column, period=length) for column in raw.T])
    smooth = gaussian_filter1d(smooth, 2.0, axis=0, mode="wrap")
    around = fit.line.curvature(s[:, None] + np.arange(-5.0, 6.0))
    tightest = np.column_stack([around.max(axis=1), -around.min(axis=1)])
    smooth = np.minimum(smooth, LARGEST_SHARE / np.maximum(tightest, 1e-6))
    kept = _simplified(s, smooth, tolerance, most)
    return s[kept], smooth[kept, 0], smooth[kept, 1]


def fit_track(
    path: str | Path,
    *,
    name: str = "",
    title: str = "",
    source: str = "",
    licence: str = "unknown",
    knots: int | None = None,
) -> Track:
    """Fits a compact track to a surveyed one.

    The result has corners without names and three equal sectors; it is flat, unless it comes from the game's AI line,
    which has heights; kerbs, walls and run-off follow the general rule. Its `fit_rms` and `fit_max` are the distances
    of the surveyed centre line from the fitted one.

    Args:
        path: A table that `read_centre_line` understands.
        name: Name in the library; made from the file's name when empty.
        title: Full name; the library name when empty.
        source: Where the survey comes from; the file's name when empty.
        licence: Licence of the survey.
        knots: Number of knots of curvature; one for each 55 m or, where that is not near enough, for each 37 m when
            not given; at least 24.

    Raises:
        ContentError: The table cannot be used, or the borders cross.
        ConfigError: Fewer than 8 knots, or more than the table has points for.
    """
    path = Path(path)
    table = read_centre_line(path)
    _refuse_folds(table, path)
    most = len(table.x) // 2
    if knots is not None and not 8 <= knots <= most:
        raise ConfigError(f"{knots} knots do not fit a table of {len(table.x)} points: choose 8 to {most}.")
    fit = _as_written(_fit_well(table) if knots is None else fit_centre_line(table, knots), table)
    line = fit.line
    s, left, right = fit_widths(fit, table)
    edge_left, edge_right = Linear(s, np.round(left, 2), line.length), Linear(s, np.round(right, 2), line.length)
    height, height_source, height_zero = _heights(path, line)
    label = name or _label(path)
    track = Track(
        name=label,
        title=title or label,
        line=line,
        edge_left=edge_left,
        edge_right=edge_right,
        height=height,
        bank=Linear([0.0], [0.0], line.length),
        roadside=roadside_by_rule(line, edge_left, edge_right),
        source=source or path.name,
        licence=licence,
        fit_rms=fit.rms,
        fit_max=fit.largest,
        sectors=(0.0, round(line.length / 3.0, 1), round(2.0 * line.length / 3.0, 1)),
        corners=find_corners(line),
        grid=line.length - 8.0,
        elevation_source=height_source,
        notes={"sectors": "equal thirds"} | height_zero,
    )
    check_track(track, path, largest_gap=1.0)
    return track


def _label(path: Path) -> str:
    """A name for the library from that of the file, or of the folders of the game in which an AI line lies."""
    told = line_label(path) if path.suffix.lower() == SUFFIX else path.stem
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in told.lower()).strip("_") or "track"


def _heights(path: Path, line: ClothoidLoop) -> tuple[Smooth, str, dict[str, str]]:
    """Height of the road, its source, and a note on its zero; flat where the file tells none."""
    if path.suffix.lower() != SUFFIX:
        return Smooth([0.0], [0.0], line.length), "", {}
    told = read_ai_line(path)
    s, _ = line.project(told.x, told.y)
    order = np.argsort(s)
    grid = np.arange(0.0, line.length, 5.0)
    raw = gaussian_filter1d(np.interp(grid, s[order], told.z[order], period=line.length), 2.0, mode="wrap")
    count = max(4, round(line.length / HEIGHT_SPACING))
    knots = np.round(np.arange(count) * line.length / count, 1)
    height = np.interp(knots, grid, raw, period=line.length)
    zero = float(height[0])
    source = "height of the game's AI line, smoothed over 10 m"
    return Smooth(knots, np.round(height - zero, 2), line.length), source, {"height": f"0 is {zero:.2f} m in the game"}


def _fit_well(table: CentreLineTable) -> Fit:
    """The fit with one knot for each 55 m, or more where that is over 0.12 m rms or 0.5 m off."""
    length = survey_curvature(table)[2]
    most = len(table.x) // 2
    best = fit_centre_line(table, min(max(24, round(length / 55.0)), most))
    for spacing in (45.0, 37.0):
        if best.rms <= 0.12 and best.largest <= 0.5:
            break
        fit = fit_centre_line(table, min(max(24, round(length / spacing)), most))
        best = min(best, fit, key=lambda one: one.rms)
    return best


def _as_written(fit: Fit, table: CentreLineTable) -> Fit:
    """The fit with its numbers rounded as the file holds them, so that error and geometry are those of the file."""
    exact = fit.line
    start = (round(exact.start[0], 4), round(exact.start[1], 4))
    knots, curvature = np.round(exact.knots, 4), np.round(exact.curvature_knots, 8)
    line = ClothoidLoop(knots, curvature, round(exact.length, 6), start, round(exact.start_heading, 8))
    return measured(table, line, fit.distance)


def _refuse_folds(table: CentreLineTable, path: Path) -> None:
    """A border may not pass the centre of a bend; checked on the survey, because such a table cannot be fitted."""
    s, curvature, length, _ = survey_curvature(table)
    chord = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(table.x), np.diff(table.y)))])
    for side, width, sign in (("left", table.width_left, 1.0), ("right", table.width_right, -1.0)):
        reach = np.interp(s, chord, width, period=length) * sign * curvature
        if reach.max() >= 1.0:
            at = int(np.argmax(reach))
            point = int(np.searchsorted(chord, s[at], side="right")) - 1
            problem = (
                f"the borders cross near point {point}: {width[point]:.1f} m is more than the bend's radius there."
            )
            raise ContentError(
                path, f"width_{side}", problem, "Correct the widths or the centre line around that point."
            )
