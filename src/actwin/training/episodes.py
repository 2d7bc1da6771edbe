"""What the board shows of training episodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.env.ends import REASON_NAMES


def episode_scalars(
    books: Mapping[str, npt.NDArray[Any]], sectors: Mapping[int, npt.NDArray[np.float32]]
) -> dict[str, float]:
    """Episodes that ended, and sectors that were driven, in a few numbers.

    Args:
        books: Of E episodes, see `Race.episode_stats`; empty when none ended.
        sectors: [s] Times by sector from 0, see `Race.sector_times`.

    Returns:
        Means over the episodes: `duration` [s], `return`, `term_NAME` for each reward term, `mean_speed` [m/s] along
        the racing line, `off_track_time` [s]; events a kilometre: `excursions_per_km`, `collision_per_km` [J];
        `collisions`, the share of the episodes that hit a wall; `laps` and `valid_laps`, their numbers; `best_lap` and
        `mean_lap` [s] of valid laps; `end_REASON`, shares of the reasons for their ends; `sector_1`, … [s], the
        fastest. What there was none of is left out.
    """
    shown = {f"sector_{sector + 1}": float(times.min()) for sector, times in sectors.items()}
    if not books:
        return shown
    kilometres = max(float(books["progress"].sum()) / 1000.0, 1e-3)
    shown |= {
        "duration": float(books["duration"].mean()),
        "return": float(books["return"].mean()),
        "mean_speed": float(books["progress"].sum()) / max(float(books["duration"].sum()), 1e-3),
        "off_track_time": float(books["off_track_time"].mean()),
        "excursions_per_km": float(books["excursions"].sum()) / kilometres,
        "collision_per_km": float(books["collision"].sum()) / kilometres,
        "collisions": float((books["collision"] > 0.0).mean()),
        "laps": float(books["laps"].sum()),
        "valid_laps": float(books["valid_laps"].sum()),
    }
    shown |= {name.replace("/", "_"): float(sums.mean()) for name, sums in books.items() if name.startswith("term/")}
    if (laps := books["best_lap"][books["best_lap"] > 0.0]).size:
        shown |= {"best_lap": float(laps.min()), "mean_lap": float(laps.mean())}
    for code, name in enumerate(REASON_NAMES[1:], start=1):
        shown[f"end_{name}"] = float((books["reason"] == code).mean())
    return shown
