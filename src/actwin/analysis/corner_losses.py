"""Where a lap loses time against another one, and through what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from actwin.analysis.compare import Trace, delta
from actwin.analysis.corner_causes import LEAST_PLACE, Cause, Phase, Stretch, cause_in_corner, cause_on_straight
from actwin.analysis.corner_points import CornerPoints, corner_points
from actwin.analysis.corner_spans import CornerSpan
from actwin.analysis.pattern_channels import Floats

SHORTEST_STRAIGHT: Final = 60.0
"""[m] A shorter stretch between two corners counts as the exit of the first."""
LEVEL: Final = 0.005
"""[s] A smaller difference is none."""


class Loss(NamedTuple):
    """What a lap lost in one stretch of the track against the reference; the losses of a lap sum to its delta."""

    corner: str
    """Label of the corner, or `straight to ...`."""
    number: int
    """Of the corner; 0 for a straight."""
    begin: float
    """[m] Where the stretch begins: at the earlier braking of the two laps, or where the straight does."""
    end: float
    """[m] Where it ends; smaller than `begin` for a corner across the line."""
    seconds: float
    """[s] Lost, positive = slower than the reference; negative was gained."""
    phase: Phase
    """Of the stretch in which most of it was lost."""
    cause: str
    """What was done differently there, empty when nothing stands out."""
    sentence: str
    """The whole in words: `brakes 11 m early into Ascari, loses 0.08 s`."""


def where_time_is_lost(lap: Trace, reference: Trace, spans: Sequence[CornerSpan]) -> list[Loss]:
    """All stretches of a lap, corners and straights, the greatest loss first, gains last.

    The lap is divided where corners begin (the earlier braking point or lift of the two laps, the bend's entry at the
    latest) and end, so the losses sum to the difference of the lap times. The seconds are measured; the cause is the
    difference in driving that, by a first-order estimate, explains most of what was lost in the worst phase.

    Args:
        lap, reference: On one distance axis that starts at the line.
        spans: Corners in order of their apexes.

    Raises:
        ValueError: The laps are on different axes.
    """
    behind = delta(lap, reference)
    axis = lap.distance
    points = [corner_points(each, spans) for each in (lap, reference)]
    stretches = _divide(axis, spans, *points)
    losses: dict[tuple[str, int], Loss] = {}
    for begin, end, corner in stretches:
        at = np.interp([begin, end], axis, behind)
        seconds = float(at[1] - at[0])
        if corner < 0:
            found = _straight(lap, reference, spans, (begin, end), seconds)
        else:
            mine, theirs = points[0][corner], points[1][corner]
            found = _corner(lap, reference, spans[corner], (mine, theirs), (begin, end), seconds, behind)
        key = (found.corner, found.number)
        losses[key] = _joined(losses[key], found) if key in losses else found
    return sorted(losses.values(), key=lambda loss: -loss.seconds)


def _joined(first: Loss, last: Loss) -> Loss:
    """The two parts of a stretch across the line as one; the words are those of the part that counts more."""
    worse = max(first, last, key=lambda loss: abs(loss.seconds))
    seconds = first.seconds + last.seconds
    words = worse.sentence.rpartition(",")[0] if worse.seconds * seconds > 0.0 else ""
    sentence = _ended(words or f"{'slower' if seconds > 0.0 else 'quicker'} on {worse.corner}", worse.corner, seconds)
    return worse._replace(begin=last.begin, end=first.end, seconds=seconds, sentence=sentence)


def _divide(
    axis: Floats, spans: Sequence[CornerSpan], mine: Sequence[CornerPoints], theirs: Sequence[CornerPoints]
) -> list[tuple[float, float, int]]:
    """Begin, end and index of the corner (-1 for a straight) of stretches that cover the lap without gaps."""
    start, finish = float(axis[0]), float(axis[-1])
    pieces: list[list[float]] = []
    for i, span in enumerate(spans):
        begin = _begin(span, mine[i], theirs[i])
        if span.entry <= span.exit:
            pieces.append([begin, span.exit, i])
        else:
            pieces += [[start, span.exit, i], [max(begin, span.entry) if begin < span.exit else begin, finish, i]]
    pieces.sort()
    for before, after in pairwise(pieces):
        apex = spans[int(before[2])].apex
        if after[0] < before[1]:  # braked before the bend ended
            before[1] = after[0] = min(max(after[0], apex if before[0] < apex < before[1] else before[0]), before[1])
        elif after[0] - before[1] < SHORTEST_STRAIGHT:
            before[1] = after[0]
    stretches: list[tuple[float, float, int]] = []
    at = start
    for begin, end, corner in pieces:
        if begin > at:
            stretches.append((at, begin, -1))
        if end > max(at, begin):
            stretches.append((max(at, begin), end, int(corner)))
        at = max(at, end)
    if at < finish:
        stretches.append((at, finish, -1))
    return stretches


def _begin(span: CornerSpan, mine: CornerPoints, theirs: CornerPoints) -> float:
    places = [span.entry]
    for points in (mine, theirs):
        place = points.brake_point if math.isfinite(points.brake_point) else points.lift
        if math.isfinite(place) and (place < span.entry or span.entry > span.exit):
            places.append(place)
    return min(places)


def _corner(
    lap: Trace,
    reference: Trace,
    span: CornerSpan,
    points: tuple[CornerPoints, CornerPoints],
    limits: tuple[float, float],
    seconds: float,
    behind: Floats,
) -> Loss:
    theirs = points[1]
    begin, end = limits
    turn = theirs.turn_in if math.isfinite(theirs.turn_in) else span.entry
    slow = theirs.minimum_speed_at if math.isfinite(theirs.minimum_speed_at) else span.apex
    marks = np.maximum.accumulate(np.clip([begin, min(turn, slow), slow, end], begin, end))
    parts = np.diff(np.interp(marks, lap.distance, behind))
    worst = int(np.argmax(parts if seconds > 0.0 else -parts))
    phase: Phase = ("braking", "middle", "exit")[worst]
    stretch = Stretch(phase, float(marks[worst]), float(marks[worst + 1]), float(parts[worst]))
    cause = cause_in_corner(lap, reference, points, stretch)
    late = points[0].brake_point - theirs.brake_point
    tail = (
        f" after braking {late:.0f} m late" if phase != "braking" and parts[worst] > 0.0 and late >= LEAST_PLACE else ""
    )
    return _loss(span.label, span.number, (begin, end), seconds, phase, cause, tail)


def _straight(
    lap: Trace, reference: Trace, spans: Sequence[CornerSpan], limits: tuple[float, float], seconds: float
) -> Loss:
    later = [span for span in spans if span.apex >= limits[1] - 1e-9] or list(spans[:1])
    name = f"straight to {later[0].label}" if later else "whole lap"
    cause = cause_on_straight(lap, reference, Stretch("straight", *limits, seconds))
    return _loss(name, 0, limits, seconds, "straight", cause, "")


def _loss(
    place: str, number: int, limits: tuple[float, float], seconds: float, phase: Phase, cause: Cause | None, tail: str
) -> Loss:
    where = {"braking": "into", "middle": "through", "exit": "out of", "straight": "on the"}[phase]
    if cause is None:
        words, text = "", f"{'slower' if seconds > 0.0 else 'quicker'} {where} {place}{tail}"
    else:
        words, text = cause.words, f"{cause.words} {cause.where} {place}{tail}"
    return Loss(place, number, *limits, seconds, phase, words, _ended(text, place, seconds))


def _ended(words: str, place: str, seconds: float) -> str:
    if abs(seconds) < LEVEL:
        return f"level {'on the' if place.startswith('straight') else 'through'} {place}"
    amount = f"{abs(seconds):.2f}" if abs(seconds) >= 0.01 else f"{abs(seconds):.3f}"
    return f"{words}, {'loses' if seconds > 0.0 else 'gains'} {amount} s"
