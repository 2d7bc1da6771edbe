"""Sessions and runs to look at; nothing is simulated."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from actwin.content.library import load_track
from actwin.telemetry.channels import FRAME
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import write_session

STARTED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def driven_frames(lap_times: list[float], track_name: str = "monza", period: float = 0.05) -> np.ndarray:
    """FRAME[T]: whole laps of given times at a speed that waves around the lap, begun 200 m before the line."""
    track = load_track(track_name)
    parts = []
    for lap, lap_time in enumerate([lap_times[0], *lap_times, lap_times[-1]]):
        share = np.arange(0.0, 1.0, period / lap_time)
        parts.append(np.column_stack([np.full(len(share), lap), share, np.full(len(share), lap_time)]))
    lap, share, lap_time = np.concatenate(parts).T
    keep = (lap + share > 0.97) & (lap + share < len(lap_times) + 1.02)
    lap, share, lap_time = lap[keep], share[keep], lap_time[keep]
    wave = 0.012 * np.sin(8.0 * np.pi * share)
    s = track.length * (share + wave)
    frames = np.zeros(len(s), FRAME)
    frames["lap_distance"] = track.wrap(s)
    offset = 1.5 * np.sin(6.0 * np.pi * share + lap)
    frames["lateral_offset"] = offset
    frames["x"], frames["y"], _ = track.to_world(track.wrap(s), offset)
    frames["speed"] = track.length / lap_time * (1.0 + 0.3 * np.cos(8.0 * np.pi * share))
    frames["throttle"] = np.clip(0.6 + np.sin(8.0 * np.pi * share), 0.0, 1.0)
    frames["brake"] = np.clip(-0.4 - np.sin(8.0 * np.pi * share), 0.0, 1.0)
    frames["gear"] = np.clip(frames["speed"] / 11.0, 1, 8).astype(int)
    frames["rpm"] = 6000.0 + 60.0 * frames["speed"]
    frames["steer"] = 0.1 * np.sin(20.0 * np.pi * share)
    frames["ax"] = 6.0 * np.cos(8.0 * np.pi * share)
    frames["ay"] = frames["speed"] ** 2 * track.curvature(track.wrap(s))
    frames["yaw_rate"] = frames["speed"] * track.curvature(track.wrap(s))
    frames["fuel"] = 30.0 - 2.0 * (lap + share)
    frames["lap_count"], frames["lap_valid"], frames["last_lap_valid"] = lap.astype(int), 1, 1
    frames["lap_time"] = share * lap_time
    frames["last_lap_time"] = np.where(
        lap > 1, np.array([lap_times[0], *lap_times, lap_times[-1]])[lap.astype(int) - 1], 0
    )
    return frames


def write_driven(
    root: Path, driver: str = "Ada", lap_times: list[float] | None = None, hours: float = 0.0, **more: Any
) -> Path:
    """A session on Monza; the folder."""
    frames = driven_frames(lap_times or [84.0, 83.0, 85.0])
    meta = SessionMeta(
        **({"started": STARTED + timedelta(hours=hours), "source": "twin", "track": "monza", "car": "kart",
            "driver": driver, "period": 0.05} | more)
    )  # fmt: skip
    return write_session(root, meta, np.arange(len(frames)) * 0.05, frames).folder


def write_run(root: Path, name: str = "first", rows: int = 40) -> Path:
    """A training run that has ended; the folder."""
    from actwin.training.config import RunConfig, dump_config

    folder = root / name
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dump_config(RunConfig()), encoding="utf-8")
    lines = [
        {
            "step": 1000 * i,
            "seconds": 2.0 * i,
            "reward/total": 0.1 * i,
            "reward/progress": 0.2 * i,
            "reward/slip": -0.1 * i,
        }
        | ({"evaluation/best_lap": 90.0 - i, "evaluation/clean_share": 1.0} if i % 10 == 0 else {})
        for i in range(rows)
    ]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return folder
