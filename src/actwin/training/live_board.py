"""What the board shows of cars in running games."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actwin.training.live_car import summarise_episodes
from actwin.training.live_collector import DRIVING, EVALUATING


def live_scalars(
    pulses: Sequence[Mapping[str, Any]], books: list[dict[str, float]], told: Mapping[str, float]
) -> dict[str, float]:
    """Values by name.

    Args:
        pulses: The last report of each driver, as `LiveCar.report` makes it; empty before the first.
        books: Of the episodes that ended.
        told: What the learner counts.
    """
    known = [pulse for pulse in pulses if pulse]
    shown = {f"live/{name}": float(value) for name, value in told.items()}
    shown |= {
        f"live/{name}": float(sum(pulse.get(name, 0) for pulse in known)) for name in ("periods", "missed", "dropped")
    }
    shown |= {
        f"live/{name}": max((float(pulse.get(name, 0.0)) for pulse in known), default=0.0)
        for name in ("p50_ms", "p99_ms", "worst_ms")
    }
    driving = sum(pulse.get("doing") in (DRIVING, EVALUATING) for pulse in known)
    counts = {"games": len(pulses), "driving": driving, "idle": len(pulses) - driving}
    shown |= {f"live/{name}": float(count) for name, count in counts.items()}
    for reason in known[0]["breaks"] if known else ():
        shown[f"live/{reason}"] = float(sum(pulse["breaks"].get(reason, 0) for pulse in known))
    shown |= {f"episode/{name}": value for name, value in summarise_episodes(books).items()}
    if books and (periods := sum(book["periods"] for book in books)) > 0.0:
        terms = [name for name in books[0] if name.startswith("term/")]
        sums = {f"reward/{name.removeprefix('term/')}": sum(book[name] for book in books) / periods for name in terms}
        shown |= sums | {"reward/total": sum(sums.values())}
    return shown
