"""Whether speed, velocity, acceleration and place tell of one motion."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from actwin.telemetry.quality.bench import Bench
from actwin.telemetry.quality.findings import MOTION, TELEPORT, Finding, Flags, Floats, Rows, runs
from actwin.units import GRAVITY

SPEED_MARGIN: Final = 0.5
"""[m/s] Speed and length of the velocity may differ by this ..."""
SPEED_SHARE: Final = 0.03
"""[-] ... and this share: readers that leave the vertical part out lose 0.03 m/s at Monza."""
JUMP_MARGIN: Final = 0.5
"""[m/s] Velocity may change in a step by this ..."""
JUMP_FACTOR: Final = 2.5
"""[-] ... and so many times the rate that it usually keeps below:"""
JUMP_RATE: Final = 2.0 * GRAVITY
"""[m/s²] ... or this if it is more: what accelerations miss between rare samples."""
JUMP_USUAL: Final = 98.0
"""[%] Percentile of the rates of change that is called usual; braking and cornering are most of a lap, hits are not."""
PLACE_MARGIN: Final = 1.0
"""[m] The place may differ by this from where the velocity leads ..."""
PLACE_SHARE: Final = 0.25
"""[-] ... and this share of the way: the game's two pages are up to a rendered frame apart."""
ROAD_SHARE: Final = 0.5
"""[-] The same for distances along a reference line, which is longer or shorter than the car's way in a corner."""
ROAD_MARGIN: Final = 3.0
"""[m] The same."""
RETURN_WITHIN: Final = 1.0
"""[s] A value that comes back within this was away; otherwise it moved."""
LINE_SHARE: Final = 0.1
"""[-] A fall by more than all but this share of the lap is the line."""
_JUMPS_AWAY: Final = 4
"""Further jumps among which the way back is looked for."""
FASTEST: Final = 130.0
"""[m/s] Taken for the speed when nothing tells it."""
_ALIGNED: Final = 0.2
"""[-] Largest median miss of the predicted way, as a share of it, at which the prediction's direction is believed."""


class Jump(NamedTuple):
    """A discontinuity, by kept rows."""

    first: int
    last: int
    size: float
    returns: bool
    """Whether the value came back after `last`."""


def jumps(residual: Floats, limit: Floats, time: Floats, linked: Flags) -> list[Jump]:
    """Steps that are too large, paired where a later one takes the first one back.

    Args:
        residual: [K, D] Change at each row beyond the expected one.
        limit: [K] Largest length of it that is no jump.
        time: [s] [K].
        linked: [K] Whether a row follows the one before.
    """
    size = np.linalg.norm(residual, axis=1)
    rows = np.flatnonzero(np.nan_to_num(size) > limit)
    found, i = [], 0
    while i < len(rows):
        row = int(rows[i])
        back = _way_back(residual, rows[i + 1 :], row, time, linked, limit)
        if back is None:
            found.append(Jump(row, row, float(size[row]), False))
            i += 1
        else:
            found.append(Jump(row, back - 1, float(size[row]), True))
            i = int(np.searchsorted(rows, back, side="right"))
    return found


def _way_back(residual: Floats, later: Rows, row: int, time: Floats, linked: Flags, limit: Floats) -> int | None:
    """The row on which the sum of the jumps since `row` is nothing again."""
    total = residual[row].copy()
    for candidate in later[:_JUMPS_AWAY].tolist():
        if time[candidate] - time[row] > RETURN_WITHIN or not linked[row + 1 : candidate + 1].all():
            return None
        total = total + residual[candidate]
        if float(np.linalg.norm(total)) <= max(0.1 * float(np.linalg.norm(residual[row])), float(limit[candidate])):
            return int(candidate)
    return None


def check_speed(bench: Bench) -> list[Finding]:
    """Rows on which the speed and the length of the velocity differ."""
    told, velocity = bench.raw("vel"), bench.velocity()
    with np.errstate(invalid="ignore"):
        wrong = np.abs(told - velocity) > SPEED_MARGIN + SPEED_SHARE * np.maximum(told, velocity)
    findings = []
    for first, last in runs(wrong):
        rows = slice(first, last + 1)
        worst = int(np.nanargmax(np.abs(told[rows] - velocity[rows]))) + first
        size = float(told[worst] - velocity[worst])
        words = f"speed is {told[worst]:.2f} m/s, the velocity has {velocity[worst]:.2f} m/s"
        channel = _blame(bench, told, velocity, first, last)
        findings.append(Finding(MOTION, bench.row(first), bench.row(last), channel, size, words))
    return findings


def _blame(bench: Bench, told: Floats, velocity: Floats, first: int, last: int) -> str:
    """Which of the two leaves the level of the rows around; the one that jumps more at the ends."""
    before, after = max(first - 1, 0), min(last + 1, len(told) - 1)
    rise = [abs(v[first] - v[before]) + abs(v[last] - v[after]) for v in (told, velocity)]
    if not rise[1] > rise[0]:
        return "vel"
    vx, vy = bench.raw("vx"), bench.raw("vy")
    return "vy" if abs(vy[first] - vy[before]) > abs(vx[first] - vx[before]) else "vx"


def check_jumps(bench: Bench) -> list[Finding]:
    """Velocity that changes by far more in a step than it ever does in this recording: a bad value, or a hit.

    The change is taken in the world and beyond what the accelerations account for; of the speed alone where there is no
    velocity. Rows on which the car lost energy to a wall are hits that the recording knows of.
    """
    name, change = _velocity_change(bench)
    step = np.nan_to_num(bench.order.step)
    size = np.linalg.norm(change, axis=1)
    known = bench.linked & np.isfinite(size) & (step > 0.0)
    if not known.any():
        return []
    usual = float(np.percentile(size[known] / step[known], JUMP_USUAL))
    hit = np.nan_to_num(bench.raw("collision")) > 0.0
    change = np.where((known & ~hit)[:, None], change, 0.0)
    findings = []
    also = tuple(column for column in ("vel", "vy") if column != name and bench.recording.has(column))
    limit = JUMP_MARGIN + max(JUMP_FACTOR * usual, JUMP_RATE) * step
    for jump in jumps(change, limit, bench.time, bench.linked):
        words = f"the velocity jumps by {jump.size:.1f} m/s" + (
            " and back" if jump.returns else ": a hit, or bad values"
        )
        rows = bench.row(jump.first), bench.row(jump.last)
        findings.append(Finding(MOTION, *rows, name, jump.size, words, jump.returns, also))
    return findings


def _velocity_change(bench: Bench) -> tuple[str, Floats]:
    """Column and change [m/s] [K, D] of the velocity since the row before, beyond what the accelerations say."""
    if bench.recording.has("vx", "vy", "yaw"):
        name, frame = "vx", ["acceleration_longitudinal", "acceleration_lateral"]
        velocity = _in_world(bench, bench.clean("vx"), bench.clean("vy"))
    else:
        name = "vx" if bench.recording.has("vx") and not bench.recording.has("vel") else "vel"
        velocity, frame = bench.clean(name)[:, None], ["acceleration_longitudinal"]
    change = np.diff(velocity, axis=0, prepend=velocity[:1])
    if bench.recording.has(*frame):
        parts = [bench.clean(column) for column in frame]
        rates = _in_world(bench, parts[0], parts[1]) if len(parts) > 1 else parts[0][:, None]
        change = change - np.column_stack([np.diff(bench.integral(rate), prepend=0.0) for rate in rates.T])
    return name, change


def _in_world(bench: Bench, ahead: Floats, left: Floats) -> Floats:
    """[K, 2] A vector of the car frame, in the world."""
    yaw = bench.clean("yaw")
    cosine, sine = np.cos(yaw), np.sin(yaw)
    return np.column_stack([ahead * cosine - left * sine, ahead * sine + left * cosine])


def check_place(bench: Bench) -> list[Finding]:
    """Places that the car cannot have reached since the row before.

    World position is compared with the way that velocity and heading lead, or with the length of the way where these do
    not fit each other; then distance and share of the lap with the way, unless the position jumped there as well.
    """
    findings = _position_jumps(bench) if bench.recording.has("x", "y") else []
    known = {finding.first for finding in findings}
    for name in ("lap_distance", "lap_progress", "spline_position"):
        if bench.recording.has(name):
            found = [each for each in _road_jumps(bench, name) if each.first not in known]
            known.update(each.first for each in found)
            findings += found
    return findings


def _position_jumps(bench: Bench) -> list[Finding]:
    place = np.column_stack([bench.raw("x"), bench.raw("y")])
    rows = _updates(bench, place)
    if len(rows) < 2:
        return []
    way = bench.integral(_known_speed(bench))
    moved, driven = np.diff(place[rows], axis=0), np.diff(way[rows])
    led = _led(bench, rows)
    length = np.linalg.norm(moved, axis=1)
    far = driven > PLACE_MARGIN * 0.1
    miss = np.linalg.norm(moved - led, axis=1)
    if np.isfinite(miss).all() and far.any() and np.median(miss[far] / driven[far]) < _ALIGNED:
        residual = moved - led
    else:
        over = np.maximum(length - driven, 0.0) / np.maximum(length, 1e-9)
        residual = moved * over[:, None]
    return _as_findings(bench, rows, residual, PLACE_MARGIN + PLACE_SHARE * np.abs(driven), "x", "the place")


def _led(bench: Bench, rows: Rows) -> Floats:
    """[m] [U - 1, 2] Where heading and velocity lead from each update to the next."""
    ahead, left = bench.clean("vx"), np.nan_to_num(bench.clean("vy"))
    if not bench.recording.has("vx"):
        ahead = bench.speed()
    velocity = _in_world(bench, ahead, left)
    return np.column_stack([np.diff(bench.integral(part)[rows]) for part in velocity.T])


def _road_jumps(bench: Bench, name: str) -> list[Finding]:
    place = bench.raw(name)
    rows = _updates(bench, place[:, None])
    if len(rows) < 2:
        return []
    whole = float(place[rows].max()) if name == "lap_distance" else 1.0
    scale = 1.0 if name == "lap_distance" else lap_length(bench)
    before, after = place[rows][:-1] / whole, place[rows][1:] / whole
    over_line = np.minimum(before, after) + 1.0 - np.maximum(before, after) < LINE_SHARE
    driven = np.diff(bench.integral(_known_speed(bench))[rows])
    moved = (after - before) * whole * scale
    limit = ROAD_MARGIN + ROAD_SHARE * driven
    # Less than the way driven, or the other way round the track, is no jump.
    residual = np.where(over_line | (np.abs(moved) <= driven + limit), 0.0, moved - driven)
    return _as_findings(bench, rows, residual[:, None], limit, name, "the place on the lap")


def _as_findings(bench: Bench, rows: Rows, residual: Floats, limit: Floats, channel: str, words: str) -> list[Finding]:
    """Teleports from residuals between updates."""
    linked = np.concatenate(([False], _unbroken(bench, rows)))
    padded = np.vstack([np.zeros((1, residual.shape[1])), np.where(linked[1:, None], residual, 0.0)])
    limits = np.concatenate(([np.inf], limit))
    findings = []
    for jump in jumps(padded, limits, bench.time[rows], linked):
        first = int(rows[jump.first])
        last = int(rows[jump.last + 1]) - 1 if jump.returns else first
        said = f"{words} jumps by {jump.size:.1f} m" + (" and back" if jump.returns else "")
        marked = bench.row(first), bench.row(last)
        findings.append(
            Finding(TELEPORT, *marked, channel, jump.size, said, jump.returns, ("y",) if channel == "x" else ())
        )
    return findings


def _updates(bench: Bench, place: Floats) -> Rows:
    """Kept rows on which a place is known and new, or begins after a break."""
    known = np.flatnonzero(np.isfinite(place).all(axis=1))
    if not len(known):
        return known
    new = np.any(np.diff(place[known], axis=0, prepend=np.nan) != 0.0, axis=1)
    new[1:] |= ~_unbroken(bench, known)
    return known[new]


def _unbroken(bench: Bench, rows: Rows) -> Flags:
    """[len(rows) - 1] Whether no break lies between a row and the next of the list."""
    breaks = np.cumsum(~bench.linked)
    return np.asarray(np.diff(breaks[rows]) == 0)


def _known_speed(bench: Bench) -> Floats:
    speed = bench.speed()
    return speed if np.isfinite(speed).all() else np.full(len(bench), FASTEST)


def lap_length(bench: Bench) -> float:
    """[m] Length of a lap: as told, else from the way driven for a share of it; NaN when nothing shows it."""
    told = bench.recording.track_length
    if np.isfinite(told) and told > 0.0:
        return float(told)
    progress = next((name for name in ("lap_progress", "spline_position") if bench.recording.has(name)), None)
    if progress is None or not np.isfinite(bench.speed()).all():
        return np.nan
    share, way = np.diff(bench.clean(progress)), np.diff(bench.integral(bench.speed()))
    forward = bench.linked[1:] & (share > 0.0) & (share < LINE_SHARE) & (way > 0.0)
    return float(way[forward].sum() / share[forward].sum()) if forward.any() else np.nan
