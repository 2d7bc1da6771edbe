"""Evaluations as tables for people, Markdown pages and other programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from actwin.analysis.laps import Lap
    from actwin.training.comparison import Line
    from actwin.training.drives import Drive
    from actwin.training.intervals import Interval
    from actwin.training.race import Plan, Race

Sheet = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Heads and rows of a table for people; its first column is a name, the others are figures."""


def driver_sheets(lines: Sequence[Line]) -> list[Sheet]:
    """The comparison in two tables that fit on a screen: of laps, and of how they were driven."""
    from actwin.units import kmh, lap_time_text

    sectors = max(len(line.sectors) for line in lines)
    laps: Sheet = (("Driver", "Clean", "Best lap", *_sector_heads(sectors), "Mean lap", "To profile", "From grid"), [])
    ways: Sheet = (("Driver", "Off track", "Contacts", "Average", "Reward", "Border", "Steering", "Pedals"), [])
    for line in lines:
        driven = line.of != "prediction"
        laps[1].append((
            line.name, f"{line.clean}/{line.episodes}" if driven else "", lap_time_text(line.best),
            *_sector_texts(line.sectors, sectors), _spread(line.lap, lap_time_text, 3) if driven else "",
            f"{line.gap:+.2%}" if math.isfinite(line.gap) else "-", _known(line.opening, lap_time_text),
        ))  # fmt: skip
        if driven:
            ways[1].append((
                line.name, str(line.excursions), _contacts(line.contacts, line.collision),
                f"{_spread(line.mean_speed, lambda value: f'{kmh(value):.1f}', 1, kmh)} km/h",
                _spread(line.reward, lambda value: f"{value:.1f}", 1), f"{line.outline_border:+.2f} m",
                f"{line.steering.mean:.3f} /s", f"{line.pedals.mean:.3f} /s",
            ))  # fmt: skip
    return [laps, ways]


def episode_sheets(race: Race) -> list[Sheet]:
    """A row for each episode."""
    from actwin.units import kmh, lap_time_text

    sectors = _most_sectors(race)
    heads = ("Driver", "Episode", "Start", "At", "Laps", "Best lap", *_sector_heads(sectors), "Off track", "Contacts",
             "Average", "Reward", "Border", "Ended")  # fmt: skip
    rows = []
    for entry in race.entries:
        for number, drive in enumerate(entry.drives, start=1):
            best = min((lap for lap in drive.laps if lap.valid), key=lambda lap: lap.time, default=None)
            rows.append((
                drive.driver, str(number), drive.start, f"{drive.place:.0f} m", f"{len(drive.valid)}/{drive.asked}",
                lap_time_text(drive.best), *_sector_texts(best.sectors if best else (), sectors),
                str(drive.excursions), _contacts(drive.contacts, drive.collision), f"{kmh(drive.mean_speed):.1f} km/h",
                f"{drive.reward:.1f}", f"{drive.outline_border:+.2f} m", drive.ended,
            ))  # fmt: skip
    return [(heads, rows)]


def lap_sheets(race: Race) -> list[Sheet]:
    """A row for each full lap."""
    from actwin.units import kmh, lap_time_text

    sectors = _most_sectors(race)
    heads = ("Driver", "Episode", "Start", "Lap", "Time", *_sector_heads(sectors), "Top speed", "Track limits")
    rows = [
        (drive.driver, str(episode), drive.start, str(number), lap_time_text(lap.time),
         *_sector_texts(lap.sectors, sectors), f"{kmh(lap.top_speed):.0f} km/h",
         "clean" if lap.valid else f"{lap.tyres_out} wheels off")
        for episode, drive, number, lap in _laps(race)
    ]  # fmt: skip
    return [(heads, rows)]


def legend(race: Race, plan: Plan) -> str:
    """What the comparison's figures are."""
    from actwin.training.evaluation import RANDOM

    drives = race.entries[0].drives
    count = sum(drive.start == RANDOM for drive in drives)
    sample = f"the {count} random starts" if count else "all starts"
    spread = "; ± is the 95 % interval (Student's t), of several seeds over their runs" if count > 1 else ""
    laps = "1 full lap" if plan.laps == 1 else f"{plan.laps} full laps"
    return (
        f"{laps} from each of {plan.episodes} starts, seed {plan.seed}. "
        f"Means are over {sample}{spread}. Clean: all laps driven and counted, never off the track, no wall touched. "
        "Border: least distance of a corner of the car to the track edge, negative beyond it. "
        f"Reward: by the task of {race.entries[0].entrant.name}."
    )


def markdown(sheets: Sequence[Sheet]) -> str:
    """Tables for a Markdown page."""
    parts = []
    for heads, rows in sheets:
        rule = ["---", *["---:"] * (len(heads) - 1)]
        cells = [heads, rule, *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in cells))
    return "\n\n".join(parts)


def comma_separated(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV: SI units, full precision, empty where nothing is known."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def driver_values(race: Race, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The comparison for other programs; SI units, None where nothing is known."""
    files = {entry.entrant.name: entry.entrant for entry in race.entries}
    rows = []
    for line in lines:
        entrant = files.get(line.name)
        row: dict[str, Any] = {
            "world": race.title, "driver": line.name, "of": line.of,
            "checkpoint": str(entrant.checkpoint) if entrant and entrant.checkpoint else None,
            "algorithm": entrant.kind if entrant else None, "seed": entrant.seed if entrant else None,
            "training_steps": entrant.steps if entrant else None, "seeds": line.seeds, "episodes": line.episodes,
            "clean": line.clean, **_interval_values("clean_share", line.clean_share), "best_lap": _finite(line.best),
            **_numbered(line.sectors), **_interval_values("mean_lap", line.lap), "grid_lap": _finite(line.opening),
            "gap_to_profile": _finite(line.gap),
        }  # fmt: skip
        if line.of != "prediction":
            row |= {
                "off_track_events": line.excursions, "collisions": line.contacts, "collision_energy": line.collision,
                **_interval_values("average_speed", line.mean_speed), **_interval_values("reward", line.reward),
                **_interval_values("steering_rate", line.steering), **_interval_values("pedal_rate", line.pedals),
                "least_border_centre": line.centre_border, "least_border_outline": line.outline_border,
            }  # fmt: skip
        rows.append(row)
    return rows


def episode_values(race: Race) -> list[dict[str, Any]]:
    """Every episode for other programs."""
    return [
        {"world": race.title, "driver": drive.driver, "episode": number, **_episode(drive)}
        for entry in race.entries
        for number, drive in enumerate(entry.drives, start=1)
    ]


def lap_values(race: Race) -> list[dict[str, Any]]:
    """Every full lap for other programs."""
    return [
        {"world": race.title, "driver": drive.driver, "episode": episode, "start": drive.start, "lap": number,
         "time": lap.time, **_numbered(lap.sectors), "valid": lap.valid, "top_speed": lap.top_speed,
         "tyres_out": lap.tyres_out}
        for episode, drive, number, lap in _laps(race)
    ]  # fmt: skip


def everything(races: Sequence[Race], plan: Plan) -> dict[str, Any]:
    """The whole evaluation as one tree for JSON."""
    from actwin.training.comparison import compare
    from actwin.training.intervals import CONFIDENCE

    return {
        "plan": plan._asdict(),
        "confidence": CONFIDENCE,
        "races": [
            {
                "world": race.title, "track": race.task.track.name, "car": race.task.car.name,
                "speed_profile_lap": race.predicted, "reward_of": race.entries[0].entrant.name,
                "drivers": driver_values(race, compare(race)), "episodes": episode_values(race),
                "laps": lap_values(race),
            }
            for race in races
        ],
    }  # fmt: skip


def _episode(drive: Drive) -> dict[str, Any]:
    return {
        "start": drive.start, "start_distance": drive.place, "ended": drive.ended, "clean": drive.clean,
        "laps": len(drive.laps), "valid_laps": len(drive.valid), "best_lap": _finite(drive.best),
        "mean_lap": _finite(drive.mean), "grid_lap": _finite(drive.opening), "off_track_events": drive.excursions,
        "collisions": drive.contacts, "collision_energy": drive.collision, "average_speed": drive.mean_speed,
        "reward": drive.reward, "least_border_centre": drive.centre_border,
        "least_border_outline": drive.outline_border, "steering_rate": drive.steering, "pedal_rate": drive.pedals,
    }  # fmt: skip


def _laps(race: Race) -> Iterator[tuple[int, Drive, int, Lap]]:
    """Episode, drive, number of the lap in it, lap."""
    for entry in race.entries:
        for episode, drive in enumerate(entry.drives, start=1):
            for number, lap in enumerate(drive.laps, start=1):
                yield episode, drive, number, lap


def _most_sectors(race: Race) -> int:
    return max((len(lap.sectors) for _, _, _, lap in _laps(race)), default=0)


def _sector_heads(count: int) -> list[str]:
    return [f"S{number}" for number in range(1, count + 1)]


def _sector_texts(sectors: Sequence[float], count: int) -> list[str]:
    return [f"{time:.3f}" for time in sectors] + [""] * (count - len(sectors))


def _numbered(sectors: Sequence[float]) -> dict[str, float]:
    return {f"sector_{number}": time for number, time in enumerate(sectors, start=1)}


def _interval_values(name: str, value: Interval) -> dict[str, float | None]:
    return {name: _finite(value.mean), f"{name}_low": _finite(value.low), f"{name}_high": _finite(value.high)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


_same: Final[Callable[[float], float]] = float


def _spread(value: Interval, text: Callable[[float], str], digits: int, scale: Callable[[float], float] = _same) -> str:
    half = f" ± {scale(value.half):.{digits}f}" if math.isfinite(value.half) else ""
    return f"{text(value.mean)}{half}" if math.isfinite(value.mean) else "-"


def _known(value: float, text: Callable[[float], str]) -> str:
    return text(value) if math.isfinite(value) else ""


def _contacts(count: int, energy: float) -> str:
    return f"{count} ({energy / 1000.0:.1f} kJ)" if count else "0"
