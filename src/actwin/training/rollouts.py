"""Evaluated drives as recorded sessions."""

from __future__ import annotations

import math
from pathlib import Path

from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import Session, write_session
from actwin.training.drives import Drive
from actwin.training.race import Entrant, Plan


def save_rollout(folder: Path, entrant: Entrant, number: int, drive: Drive, plan: Plan) -> Session:
    """Writes a drive as a session, which every command for sessions reads.

    Args:
        folder: Of all sessions.
        entrant: Who drove.
        number: Of the episode, from 1.
        drive: With its frames.
        plan: What was asked.

    Raises:
        SessionError: The folder cannot be written.
    """
    run = drive.rollout
    assert run is not None
    told = {
        "checkpoint": str(entrant.checkpoint or ""), "algorithm": entrant.kind, "training_seed": entrant.seed,
        "training_steps": entrant.steps, "episode": number, "start": drive.start, "start_distance": drive.place,
        "start_seed": plan.seed, "laps": plan.laps, "ended": drive.ended, "clean": drive.clean,
        "best_lap": drive.best if math.isfinite(drive.best) else None, "cumulative_reward": drive.reward,
        "off_track_events": drive.excursions, "collisions": drive.contacts,
    }  # fmt: skip
    meta = SessionMeta(
        source="twin", car=run.car, track=run.track, driver=drive.driver, period=run.period,
        notes=f"evaluation, episode {number}, start {drive.start}",
        settings=told | {"task": entrant.task.model_dump(mode="json")},
    )  # fmt: skip
    return write_session(folder, meta, run.time, run.frames, sent=drive.sent)
