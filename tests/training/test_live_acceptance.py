from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest


def drive(times: list[float], missed: int = 0) -> dict[str, Any]:
    laps = [{"number": n, "time": time, "valid": time > 0.0} for n, time in enumerate([75.0, *times], start=1)]
    sections = {"from telemetry to controls sent": {"p99": 0.004}}
    return {"laps": laps, "missed": missed, "periods": 1000, "sections": sections}


@pytest.mark.parametrize(
    ("trained", "missed", "verdict"),
    [
        (drive([68.0, 68.1, 68.05]), 0, ("yes", "yes")),
        (drive([68.0, 68.1, 68.05], missed=1), 0, ("yes", "no")),
        (drive([68.0, 68.1, 68.05]), 2, ("yes", "no")),
        (drive([69.5, 69.7, 69.6]), 0, ("no", "yes")),
        (drive([68.0]), 0, ("no", "yes")),  # one lap is no evidence
        (drive([]), 0, ("no", "yes")),
    ],
)
def test_the_page_says_what_was_asked_for_and_missed(
    trained: dict[str, Any], missed: int, verdict: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools")
    import live_acceptance

    drives = {"clone": drive([69.6, 69.7, 69.65]), "trained": trained}
    told = ("periods", "missed", "dropped", "gaps", "restarts", "p50_ms", "p99_ms", "worst_ms")
    row = {"step": 100.0, "seconds": 60.0} | {f"live/{name}": 0.0 for name in told} | {"live/missed": float(missed)}
    rows = [{"step": 0.0, "seconds": 30.0, "evaluation/value": -80.0, "evaluation/best_lap": float("inf")}, row]
    text = live_acceptance.page(argparse.Namespace(minutes=10.0, laps=3, set=[]), drives, rows)
    assert "| clone | 3 of 3 | 1:09.650 ± 0.124 | 1:09.600 | 0 of 1000 | 4.0 ms |" in text
    assert f"clone it began with: **{verdict[0]}**. No deadline missed: **{verdict[1]}**" in text
    assert "| 0.5 | 0 | no lap that counts | -80.00 |" in text
    assert f"**{missed} of 0 deadlines missed**" in text
