"""Units, signs and frames that contradict each other."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.clocks import ticks_of
from actwin.telemetry.quality.findings import Floats
from actwin.telemetry.quality.magnitudes import RADIAN, Scale
from actwin.units import GRAVITY, KMH_PER_MS, MPH_PER_MS

AGREE: Final = 0.05
"""[-] Two measures of one speed that differ by less are in one unit."""
MATCH: Final = 0.06
"""[-] A ratio is recognised as a unit within this."""
BLOCK: Final = 0.5
"""[s] Measures are compared over pieces of this length ..."""
BLOCK_ROWS: Final = 4
"""... and this number of rows."""
STANDING: Final = 1.0
"""[m/s] A car that is slower in a piece stands: what its channels say of its motion is noise."""
PIECES: Final = 8
"""Pieces with enough motion that a comparison needs."""
SLOWEST: Final = 1.5
"""[s] No recording has a longer period; one that has more is in milliseconds."""
_LONG_PIECES: Final = 20
"""Pieces while the unit of time is unknown: long ones, so that a page which is read often has changed many times."""
_NEAR: Final = 0.5
"""[-] Largest natural logarithm between a slope and the one of a unit: accelerations are only roughly `v` times the
yaw rate, and their units are a factor of 10 or 57 apart."""
_TIED: Final = 0.7
"""[-] Correlation at which two channels are taken for the same quantity."""

_LEADS: Final = 0.5
"""[-] Correlation of steering and yaw rate; a car that slides steers against its turning for a while."""

_SPEED_UNITS: Final = {
    KMH_PER_MS: "km/h",
    MPH_PER_MS: "mph",
    1.0 / KMH_PER_MS: "m/s divided by 3.6 once more",
    1.0 / MPH_PER_MS: "m/s converted from mph once more",
    1000.0: "mm/s",
    100.0: "cm/s",
}
_PLACE_UNITS: Final = {1000.0: "km", 0.01: "cm", 0.001: "mm", 1.0 / 0.3048: "yards or feet"}
_TIME_UNITS: Final = {1000.0: "ms"}


class _Ratio(NamedTuple):
    value: float
    """[-] Median over pieces; NaN when too few of them have motion."""

    def agrees(self) -> bool:
        return bool(abs(self.value - 1.0) <= AGREE)


def _ways(bench: Bench, rows: int = BLOCK_ROWS) -> dict[str, Floats]:
    """[m] Way driven in each piece of at least so many rows, by what measured it."""
    blocks = bench.blocks(BLOCK, rows)
    ways = {"vel": bench.integral(bench.clean("vel")), "vx": bench.integral(_filled(bench.velocity()))}
    if bench.recording.has("x", "y"):
        place = np.column_stack([bench.clean("x"), bench.clean("y")])
        step = np.linalg.norm(np.diff(place, axis=0, prepend=place[:1]), axis=1)
        ways["x"] = np.cumsum(np.where(bench.linked, step, 0.0))
    return {
        name: np.array([way[block.stop - 1] - way[block.start] for block in blocks])
        for name, way in ways.items() if np.isfinite(way).all()
    }  # fmt: skip


def _ratio(ways: dict[str, Floats], above: str, below: str) -> _Ratio:
    if above not in ways or below not in ways:
        return _Ratio(np.nan)
    one, other = ways[above], ways[below]
    if len(one) < PIECES:
        return _Ratio(np.nan)
    enough = (one > 0.2 * np.percentile(one, 90.0)) & (other > 0.2 * np.percentile(other, 90.0))
    enough &= np.maximum(one, other) > STANDING * BLOCK
    if np.count_nonzero(enough) < PIECES:
        return _Ratio(np.nan)
    return _Ratio(float(np.median(one[enough] / other[enough])))


def _time_unit(bench: Bench) -> Scale | None:
    """Time in milliseconds makes the way that speed gives a thousand times too long."""
    ways = _ways(bench, max(BLOCK_ROWS, len(bench) // _LONG_PIECES))
    ratios = [_ratio(ways, name, "x").value for name in ("vel", "vx")]
    known = [ratio for ratio in ratios if np.isfinite(ratio)]
    if bench.order.period > SLOWEST and known and all(_named(ratio, _TIME_UNITS) for ratio in known):
        words = f"the speed leads {known[0]:.4g} times as far as the place moved: time is probably in ms"
        return Scale(("time",), 0.001, 0.0, known[0], words)
    return None


def _speed_units(bench: Bench) -> Scale | None:
    ways = _ways(bench)
    told, length, both = _ratio(ways, "vel", "x"), _ratio(ways, "vx", "x"), _ratio(ways, "vel", "vx")
    if np.isfinite(both.value) and not both.agrees():
        if told.agrees() or (not np.isfinite(told.value) and both.value < 1.0):
            return _speed_scale(("vx", "vy"), 1.0 / both.value, "the speed")
        return _speed_scale(("vel",), both.value, "the length of the velocity")
    one = told if np.isfinite(told.value) else length
    if not np.isfinite(one.value) or one.agrees():
        return None
    if np.isfinite(both.value):
        unit = _named(one.value, _PLACE_UNITS)
        factor = one.value if unit is None else unit[0]
        said = f"speed and velocity lead {one.value:.4g} times as far as the place moved"
        said += f": place probably in {unit[1]}" if unit else ""
        return Scale(("x", "y"), factor if unit else np.nan, 0.0, one.value, said)
    return _speed_scale(("vel",) if one is told else ("vx", "vy"), one.value, "the place over time")


def _speed_scale(columns: tuple[str, ...], ratio: float, truth: str) -> Scale:
    unit = _named(ratio, _SPEED_UNITS)
    words = f"{columns[0]} is {ratio:.4g} times {truth}" + (f": probably {unit[1]}" if unit else "")
    return Scale(columns, 1.0 / unit[0] if unit else np.nan, 0.0, ratio, words)


def _named(ratio: float, units: dict[float, str]) -> tuple[float, str] | None:
    return next(((size, name) for size, name in units.items() if abs(ratio / size - 1.0) <= MATCH), None)


def _slope(bench: Bench, above: Floats, below: Floats) -> float:
    """Slope of one integral over another, piece by piece; NaN when they are not tied or nothing moves.

    Args:
        bench: Gives the pieces.
        above, below: [K] Quantities accumulated over time.
    """
    way = bench.integral(bench.speed())
    blocks = [
        block for block in bench.blocks(BLOCK, BLOCK_ROWS)
        if not way[block.stop - 1] - way[block.start] <= STANDING * BLOCK
    ]  # fmt: skip
    if len(blocks) < PIECES or not (np.isfinite(above).all() and np.isfinite(below).all()):
        return np.nan
    one = np.array([above[block.stop - 1] - above[block.start] for block in blocks])
    other = np.array([below[block.stop - 1] - below[block.start] for block in blocks])
    one, other = _clipped(one), _clipped(other)
    if min(one.std(), other.std()) <= 1e-9 or abs(float(np.corrcoef(one, other)[0, 1])) < _TIED:
        return np.nan
    return _weighted_median(one[other != 0.0] / other[other != 0.0], np.abs(other[other != 0.0]))


def _clipped(values: Floats) -> Floats:
    """Values with what is extreme among them cut off: a few bad rows must not decide on a unit."""
    return np.asarray(np.clip(values, *np.percentile(values, (2.0, 98.0))))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def _turning(bench: Bench) -> Floats:
    """[rad] [K] Heading, continuous, standing still over breaks."""
    yaw = bench.clean("yaw")
    return np.cumsum(np.where(bench.linked, np.diff(yaw, prepend=yaw[:1]), 0.0))


def _course_turning(bench: Bench) -> Floats:
    """[rad] [K] Turning of the direction in which the place moves."""
    if not bench.recording.has("x", "y"):
        return np.full(len(bench), np.nan)
    place = np.column_stack([bench.clean("x"), bench.clean("y")])
    step = np.diff(place, axis=0, prepend=place[:1])
    rows = np.flatnonzero(bench.linked & (np.linalg.norm(step, axis=1) > 0.05))
    if len(rows) < PIECES:
        return np.full(len(bench), np.nan)
    course = np.unwrap(np.arctan2(step[rows, 1], step[rows, 0]))
    return np.asarray(np.interp(np.arange(len(bench)), rows, course))


def _yaw_sign(bench: Bench) -> Scale | None:
    """A heading that turns against the course: the world is mirrored when the yaw rate goes with the heading."""
    turning, course = _turning(bench), _course_turning(bench)
    slope = _slope(bench, turning, course)
    if not slope < 0.0:
        return None
    if _slope(bench, bench.integral(bench.clean("yaw_rate")), turning) > 0.0:
        words = "the course turns against yaw and yaw_rate: x and y are exchanged, or one has the other sign"
        return Scale(("x", "y"), np.nan, 0.0, slope, words)
    return Scale(("yaw",), -1.0, 0.0, slope, "yaw turns against the course: probably with the other sign")


def _yaw_rate(bench: Bench) -> Scale | None:
    slope = _slope(bench, bench.integral(bench.clean("yaw_rate")), _turning(bench))
    return _signed(slope, "yaw_rate", {1.0: "rad/s", RADIAN: "degrees/s"}, "the turning of yaw")


def _lateral(bench: Bench) -> Scale | None:
    name = "acceleration_lateral"
    turning = bench.clean("yaw_rate") * bench.speed()
    slope = _slope(bench, bench.integral(bench.clean(name)), bench.integral(turning))
    return _signed(slope, name, {1.0: "m/s²", 1.0 / GRAVITY: "g"}, "yaw rate times speed")


def _longitudinal(bench: Bench) -> Scale | None:
    name, speed = "acceleration_longitudinal", bench.speed()
    change = np.cumsum(np.where(bench.linked, np.diff(speed, prepend=speed[:1]), 0.0))
    slope = _slope(bench, bench.integral(bench.clean(name)), change)
    return _signed(slope, name, {1.0: "m/s²", 1.0 / GRAVITY: "g"}, "the change of speed")


def _signed(slope: float, column: str, units: dict[float, str], truth: str) -> Scale | None:
    """What a slope says of a column: its unit, its sign, or nothing."""
    if not np.isfinite(slope):
        return None
    size = min(units, key=lambda unit: abs(np.log(abs(slope) / unit)))
    if abs(np.log(abs(slope) / size)) > _NEAR:
        return Scale((column,), np.nan, 0.0, slope, f"{column} is {slope:.3g} times {truth}: no unit fits")
    if size == 1.0 and slope > 0.0:
        return None
    said = [units[size]] if size != 1.0 else []
    said += ["with the other sign"] if slope < 0.0 else []
    words = f"{column} is {slope:.3g} times {truth}: probably {' '.join(said)}"
    return Scale((column,), float(np.sign(slope)) / size, 0.0, slope, words)


def _steer(bench: Bench) -> Scale | None:
    moving = bench.speed() > 5.0
    turning = bench.clean("yaw_rate")[moving]
    tied = {}
    for name in ("steer", "steer_angle"):
        steer = bench.clean(name)[moving]
        if len(steer) >= 50 and min(steer.std(), turning.std()) > 1e-9:
            tied[name] = float(np.corrcoef(steer, turning)[0, 1])
    wrong = tuple(name for name, value in tied.items() if value < -_LEADS)
    if not wrong:
        return None
    words = f"{wrong[0]} and yaw_rate correlate by {tied[wrong[0]]:.2f}: probably with the other sign"
    return Scale(wrong, -1.0, 0.0, tied[wrong[0]], words)


def _course(bench: Bench) -> Scale | None:
    """A heading that is turned against the course by a constant angle."""
    if not bench.recording.has("x", "y", "yaw"):
        return None
    place = np.column_stack([bench.clean("x"), bench.clean("y")])
    step = np.diff(place, axis=0, prepend=place[:1])
    moved = bench.linked & (np.linalg.norm(step, axis=1) > 0.05) & (bench.speed() > 5.0)
    if np.count_nonzero(moved) < 50:
        return None
    slip = np.arctan2(bench.clean("vy"), bench.clean("vx")) if bench.recording.has("vx", "vy") else 0.0
    error = (bench.clean("yaw") + slip - np.arctan2(step[:, 1], step[:, 0]))[moved]
    mean = np.mean(np.exp(1j * error))
    angle = float(np.angle(mean))
    if abs(mean) < 0.9 or abs(angle) < 0.1:
        return None
    return Scale(("yaw",), 1.0, -angle, angle, f"yaw is turned by {angle:+.3f} rad against the course")


def _lap_clock(bench: Bench) -> Scale | None:
    """Lap times in milliseconds."""
    if not bench.recording.has("lap_time"):
        return None
    ticks = ticks_of(bench, "lap_time")
    if len(ticks.rows) < PIECES:
        return None
    rate = float(np.median(ticks.units / ticks.step))
    if _named(rate, _TIME_UNITS) is None:
        return None
    names = ("lap_time", "last_lap_time", "best_lap_time", "last_sector_time")
    columns = tuple(name for name in names if bench.recording.has(name))
    return Scale(columns, 0.001, 0.0, rate, f"lap_time runs {rate:.4g} times as fast as time: probably ms")


def _filled(values: Floats) -> Floats:
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known]) if len(known) else values


SCALE_CHECKS: Final = (
    _time_unit, _speed_units, _yaw_sign, _yaw_rate, _lateral, _longitudinal, _steer, _course, _lap_clock,
)  # fmt: skip
"""Each names at most one scale. In this order: a scale is applied before the next check looks, so that what is wrong
does not make its neighbours look wrong."""
