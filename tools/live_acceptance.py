"""Learns in two emulators in real time and drives before and after: `python tools/live_acceptance.py --minutes 10`.

Two processes of `actwin serve` play the game. `actwin train configs/bc_sac_live.yaml` learns in them; then the clone
that learning began with and the best policy that came of it drive several laps each, at the same time, one in each
emulator. Asked for: flying laps faster than the clone's beyond the 95 % intervals of both, and no deadline missed. The
exit code is 0 when that holds; the page says so either way. All of it takes about 12 minutes longer than the training.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from closed_loop import ACTWIN, process, wait_until_served

from actwin.training.board import read_metrics
from actwin.training.intervals import Interval, mean_interval
from actwin.training.runs import BEST
from actwin.units import lap_time_text

CONFIG = Path("configs/bc_sac_live.yaml")
PAGE = Path("docs/results/live_training.md")
TRACK, CAR = "red_bull_ring", "formula_alpha_2022"
CLONE = "step_0.pt"
SLOWEST = 120.0
"""[s] For a lap, after which a driver is taken for stranded; the expert needs 69 s."""

Drives = Mapping[str, Mapping[str, Any]]


def train(out: Path, minutes: float, games: Sequence[Path], more: Sequence[str]) -> None:
    """Trains in the emulators; its output is shown."""
    places = ", ".join(f"{{source: 'memory:{game.as_posix()}', actuator: custom_ai}}" for game in games)
    words = ["train", str(CONFIG), "--out", str(out), f"live.games=[{places}]", f"train.minutes={minutes:g}", *more]
    if code := subprocess.run([*ACTWIN, *words], check=False).returncode:
        raise SystemExit(f"The training ended with {code}.")


def drive(checkpoints: Mapping[str, Path], games: Sequence[Path], laps: int) -> Drives:
    """Lets each checkpoint drive from the grid in a game of its own, at the same time; what `actwin drive` says."""
    running = {}
    for (name, checkpoint), game in zip(checkpoints.items(), games, strict=True):
        place = game.as_posix()
        words = ["drive", str(checkpoint), "--source", f"memory:{place}", "--actuator", f"custom_ai:{place}", "--json",
                 "--start", "grid", "--laps", str(laps + 1), "--seconds", str(SLOWEST * (laps + 1))]  # fmt: skip
        running[name] = subprocess.Popen([*ACTWIN, *words], stdout=subprocess.PIPE, encoding="utf-8")
    said = {name: one.communicate()[0] for name, one in running.items()}
    if silent := [name for name, text in said.items() if not text.strip()]:
        raise SystemExit(f"{', '.join(silent)} did not drive.")
    return {name: json.loads(text) for name, text in said.items()}


def flying(drive: Mapping[str, Any]) -> Interval:
    """Mean of the laps that count, without the one from the grid."""
    return mean_interval([lap["time"] for lap in drive["laps"][1:] if lap["valid"]])


def passed(drives: Drives, last: Mapping[str, float]) -> tuple[bool, bool]:
    """Whether the clone was beaten beyond doubt, and whether every deadline was met."""
    clone, best = map(flying, drives.values())
    missed = last["live/missed"] + sum(drive["missed"] for drive in drives.values())
    return best.high < clone.low, missed == 0


def page(options: argparse.Namespace, drives: Drives, rows: Sequence[Mapping[str, float]]) -> str:
    """What was measured, misses included."""
    last = next(row for row in reversed(rows) if "live/missed" in row)
    faster, punctual = passed(drives, last)
    processor = f"{platform.machine()}, {os.cpu_count()} logical processors, {platform.system()}"
    command = " ".join(["python tools/live_acceptance.py", f"--minutes {options.minutes:g}", f"--laps {options.laps}",
                        *options.set])  # fmt: skip
    parts = [
        "# Training in running games",
        f"`{command}`, {datetime.now(UTC):%Y-%m-%d}, {processor}, Python {platform.python_version()}. Two emulators, "
        f"their two drivers and the learner share the machine. {CAR} on {TRACK}; a clone of the expert, then SAC in "
        "real time from both cars.",
        f"Faster than the clone it began with: **{'yes' if faster else 'no'}**. "
        f"No deadline missed: **{'yes' if punctual else 'no'}**.",
        "## Driven afterwards",
        "From the grid, without exploration, in real time. ± is half the 95 % interval of the flying laps that count "
        "(Student's t); the emulator repeats itself but for the moments at which controls arrive.",
        "\n".join([
            "| driver | flying laps that count | mean | best | deadlines missed | telemetry to controls, p99 |",
            "|---|---:|---:|---:|---:|---:|",
            *(_driven(name, drive) for name, drive in drives.items()),
        ]),
    ]  # fmt: skip
    return "\n\n".join([*parts, *_learned(last, rows)]) + "\n"


def _learned(last: Mapping[str, float], rows: Sequence[Mapping[str, float]]) -> list[str]:
    rates = [row["time/updates_per_second"] for row in rows if row.get("agent/updates")]
    judged = [
        f"| {row['seconds'] / 60.0:.1f} | {row['step']:.0f} | {_lap(row.get('evaluation/best_lap'))} "
        f"| {row['evaluation/value']:.2f} |"
        for row in rows
        if "evaluation/value" in row
    ]
    return [
        "## While learning",
        f"{last['step']:.0f} steps in {last['seconds'] / 60.0:.1f} min, {last.get('agent/updates', 0.0):.0f} updates, "
        f"{sum(rates) / max(len(rates), 1):.0f} a second. "
        f"**{last['live/missed']:.0f} of {last['live/periods']:.0f} deadlines missed**; from telemetry to the controls "
        f"that answer it p50 {last['live/p50_ms']:.1f}, p99 {last['live/p99_ms']:.1f}, worst "
        f"{last['live/worst_ms']:.1f} ms. {last['live/dropped']:.0f} chunks left out, {last['live/gaps']:.0f} gaps, "
        f"{last['live/restarts']:.0f} drivers started again.",
        "One flying lap each, without exploration, by the newest weights:",
        "\n".join(["| minute | steps | lap | score |", "|---:|---:|---:|---:|", *judged]),
    ]


def _lap(time: float | None) -> str:
    return lap_time_text(time) if time is not None and math.isfinite(time) else "no lap that counts"


def _driven(name: str, drive: Mapping[str, Any]) -> str:
    laps, valid = drive["laps"][1:], [lap["time"] for lap in drive["laps"][1:] if lap["valid"]]
    mean, reaction = flying(drive), drive["sections"]["from telemetry to controls sent"]
    spread = f" ± {mean.half:.3f}" if mean.values > 1 else ""
    return (
        f"| {name} | {len(valid)} of {len(laps)} | {_lap(mean.mean)}{spread} "
        f"| {_lap(min(valid, default=None))} | {drive['missed']} of {drive['periods']} "
        f"| {1e3 * reaction['p99']:.1f} ms |"
    )


def main() -> int:
    """Runs the acceptance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="[min] of learning in the games")
    parser.add_argument("--laps", type=int, default=6, help="flying laps of each driver afterwards")
    parser.add_argument("--out", type=Path, default=Path("runs/live_acceptance"))
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="further settings of the run")
    options = parser.parse_args()
    if options.laps < 2:
        parser.error("one lap has no interval; give at least 2")
    run = options.out / "run"
    games = [options.out / "games" / str(number) for number in (1, 2)]
    with contextlib.ExitStack() as running:
        for game in games:
            game.mkdir(parents=True, exist_ok=True)
            log = game.with_suffix(".txt")
            serve = ["serve", "--driver", "none", "--track", TRACK, "--car", CAR, "--folder", str(game),
                     "--without", "app", "--without", "udp"]  # fmt: skip
            wait_until_served(running.enter_context(process(serve, log)), log)
        train(run, options.minutes, games, options.set)
        drives = drive({"clone": run / CLONE, "trained": run / BEST}, games, options.laps)
    rows = read_metrics(run)
    text = page(options, drives, rows)
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(text, encoding="utf-8")
    (options.out / "drives.json").write_text(json.dumps(drives, indent=1), encoding="utf-8")
    print(text)
    last = next(row for row in reversed(rows) if "live/missed" in row)
    return 0 if all(passed(drives, last)) else 1


if __name__ == "__main__":
    sys.exit(main())
