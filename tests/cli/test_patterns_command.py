"""`actwin patterns`, on laps of the twin's expert and on recordings of the game."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from actwin.analysis.rollout import Rollout
from actwin.cli import main
from actwin.content.library import load_track
from actwin.telemetry.channels import FRAME

DATA = Path(__file__).parents[3] / "shared" / "data" / "telemetry"
PERIOD = 0.039


def run(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(["patterns", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def _drive(driver: str, early: float, laps: int = 4) -> Rollout:
    """Laps of the oval by formula, braking `early` metres before the usual place."""
    track = load_track("oval")
    s = np.linspace(0.0, track.length, 4000, endpoint=False)
    slow, top, brakes, drive = 30.0, 55.0, 15.0, 6.0
    square = np.full(len(s), top**2)
    for corner in track.corners:
        release, throttle = corner.start - early, corner.apex
        reach = track.difference(s, release)
        square = np.minimum(square, np.where(reach <= 0.0, slow**2 - 2.0 * brakes * reach, np.inf))
        after = track.difference(s, throttle)
        inside = (reach > 0.0) & (after < 0.0)
        square = np.where(inside, slow**2, square)
        square = np.minimum(square, np.where(after >= 0.0, slow**2 + 2.0 * drive * after, np.inf))
    around = np.tile(np.sqrt(square), laps + 1)
    place = np.arange(len(around)) * (track.length / len(s)) - 0.5 * track.length
    around = np.roll(around, len(s) // 2)
    time = np.concatenate(([0.0], np.cumsum(np.diff(place) / (0.5 * (around[1:] + around[:-1])))))
    t = np.arange(0.0, time[-1], PERIOD)
    distance = np.interp(t, time, place)
    frames = np.zeros(len(t), FRAME)
    speed = np.interp(t, time, around)
    along = np.gradient(speed, t)
    bend = track.curvature(track.wrap(distance))
    frames["lap_distance"] = track.wrap(distance)
    frames["x"], frames["y"] = track.position(track.wrap(distance))
    frames["yaw"] = np.mod(track.heading(track.wrap(distance)) + np.pi, 2.0 * np.pi) - np.pi
    frames["speed"] = frames["vx"] = speed
    frames["ax"], frames["ay"], frames["yaw_rate"] = along, speed**2 * bend, speed * bend
    frames["steer"], frames["gear"], frames["rpm"] = 6.0 * bend, np.clip(speed / 12.0, 1, 6), 200.0 * speed
    frames["throttle"], frames["brake"] = along > -1.0, np.clip(-along / brakes, 0.0, 1.0) * (along < -1.0)
    frames["lap_valid"] = 1
    frames["border_left"] = frames["border_right"] = 6.0
    return Rollout(frames, PERIOD, "oval", "formula_alpha_2022", driver)


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drives")
    for driver, early in (("Anna", 0.0), ("Berta", 25.0)):
        _drive(driver, early).save(folder / driver.lower())
    return folder


def test_habits_corners_losses_and_drivers_are_told(capsys, session: Path) -> None:
    code, out, err = run(capsys, str(session))
    assert (code, err) == (0, "")
    assert "laps by Anna, Berta" in out
    assert "full throttle" in out
    assert "Turn 1" in out
    assert "of Berta" in out
    assert "s behind lap" in out
    assert "Corners of lap" in out
    assert "brakes 25 m early into Turn" in out
    assert "No anomalies." in out
    assert "always naming the commonest driver 50 %" in out


def test_the_same_is_told_as_json(capsys, session: Path) -> None:
    code, out, _ = run(capsys, str(session), "--json", "--driver", "Berta")
    told = json.loads(out)
    assert code == 0
    assert [span["name"] for span in told["spans"]] == ["Turn 1", "Turn 2"]
    assert {row["driver"] for row in told["patterns"]} == {"Anna", "Berta"}
    early = [row["brake_point"] for row in told["corners"] if row["corner"] == 1]
    assert max(early) - min(early) == pytest.approx(25.0, abs=2.0)
    lost = sum(loss["seconds"] for loss in told["losses"])
    times = {row["driver"]: row["lap_time"] for row in told["patterns"]}
    assert lost == pytest.approx(times["Berta"] - times["Anna"], abs=0.01)
    assert told["recognition"]["baseline"] == 0.5
    assert all(math.isfinite(row["grip_use"]) for row in told["patterns"])


def test_who_and_what_is_not_there_is_named(capsys, session: Path, tmp_path: Path) -> None:
    code, _, err = run(capsys, str(session), "--driver", "Cleo")
    assert (code, "Unknown driver 'Cleo'" in err) == (1, True)
    code, _, err = run(capsys, str(session), "--lap", "99")
    assert (code, "Unknown lap '99'" in err) == (1, True)
    short = _drive("Anna", 0.0)
    Rollout(short.frames[:50], PERIOD, "oval", "formula_alpha_2022", "Anna").save(tmp_path / "short")
    code, _, err = run(capsys, str(tmp_path / "short.npz"))
    assert (code, "holds no lap to look at" in err) == (1, True)


@pytest.mark.skipif(not DATA.is_dir(), reason="shared/data is not beside the checkout")
@pytest.mark.parametrize("name", ["ac_monza_bmw_z4_gt3_b.csv", "ac_imola_shared_memory_8hz.csv", "motec_adl_sample.ld"])
def test_recordings_with_few_channels_tell_what_they_can(capsys, tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit):
        main(["import", str(DATA / name), "--folder", str(tmp_path)])
    capsys.readouterr()
    known = ["--track", "monza"] if "monza" in name else []
    code, out, err = run(capsys, "last", "--folder", str(tmp_path), "--json", *known)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["patterns"]
    if known:  # from 2,184 m to 3,976 m of a lap, on a track whose corners are known
        labels = [row["label"] for row in told["corners"] if row["time"]]
        assert labels == ["Lesmo 1", "Lesmo 2", "Variante Ascari (T8)"]
    assert told["absent"], "these recordings lack channels"
    for row in told["patterns"]:
        assert all(row[column] is None for column in told["absent"])
        assert 0.0 <= row["full_throttle"] < 1.0
