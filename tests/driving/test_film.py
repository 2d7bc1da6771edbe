"""Films: pictures at even moments, one file that plays, and clear words where there is nothing to film."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest

from actwin.analysis.rollout import Rollout
from actwin.cli import main
from actwin.driving import film as film_module
from actwin.driving.film import between, film, require_encoder
from actwin.driving.footage import Footage, find_footage, of_rollout
from actwin.driving.recording import run
from actwin.env.reference import Reference
from actwin.env.render import HEIGHT, WIDTH, TopView
from actwin.errors import ConfigError, MissingExtraError, SessionError, UnknownNameError
from actwin.telemetry.channels import FRAME, neutral_controls
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.session import write_session


@pytest.fixture(scope="module")
def driven() -> Rollout:
    """Four seconds at the start of the oval."""
    return run("oval", "formula_alpha_2022", {"throttle": 0.6}, 100, distance=20.0, speed=40.0)


@pytest.fixture(scope="module")
def footage(driven: Rollout) -> Footage:
    return of_rollout(driven)


def test_a_film_plays_in_real_time(footage, tmp_path) -> None:
    av = pytest.importorskip("av")
    told = []
    path = film(footage._replace(begin=1.0, end=2.5), tmp_path / "new" / "lap.mp4", fps=20, on_progress=told.append)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (WIDTH, HEIGHT, 20)
        assert stream.codec_context.name == "h264"
        pictures = [picture.to_ndarray(format="rgb24") for picture in file.decode(stream)]
    assert len(pictures) == 30
    assert told == [20 / 30]
    assert np.abs(pictures[0].astype(int) - pictures[-1]).mean() > 1.0
    assert [each.name for each in path.parent.iterdir()] == ["lap.mp4"]


def test_numbers_are_interpolated_and_counts_are_not() -> None:
    frames = np.zeros(3, FRAME)
    frames["speed"] = [10.0, 20.0, 30.0]
    frames["yaw"] = [3.1, -3.1, -3.0]
    frames["lap_distance"] = [990.0, 10.0, 30.0]
    frames["lap_time"] = [80.0, 0.2, 1.2]
    frames["gear"] = [2, 3, 4]
    frames["last_lap_time"] = [0.0, 80.8, 80.8]
    frames["load"] = np.arange(3)[:, None] * 100.0
    made = between(frames, np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5]), 1000.0)
    assert made["speed"].tolist() == [15.0, 25.0]
    # Over half a turn the short way, over the line forward.
    assert abs(made["yaw"][0]) == pytest.approx(np.pi, abs=1e-3)
    assert made["lap_distance"].tolist() == [0.0, 20.0]
    # The lap clock runs on; it is not the mean of two laps' times.
    assert made["lap_time"] == pytest.approx([80.5, 0.7])
    assert made["gear"].tolist() == [2, 3]
    assert made["last_lap_time"] == pytest.approx([0.0, 80.8])
    assert made["load"][:, 2].tolist() == [50.0, 150.0]


def test_the_picture_shows_road_pedals_and_words(footage) -> None:
    view = TopView(Reference(footage.track, None, [1.0], 300.0))
    frame, asked = footage.frames[50].copy(), neutral_controls(1)[0]
    bare = view.draw(frame)
    assert (bare.shape, bare.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    named = view.draw(frame, asked, captions=("Somebody", "Something on the oval"))
    assert (named[20:80, 20:200] != bare[20:80, 20:200]).any()
    frame["brake"] = 1.0
    braking = view.draw(frame, asked, captions=("Somebody", "Something on the oval"))
    assert (braking != named).any(axis=2)[HEIGHT - 132 :, 400:470].sum() > 500
    assert np.array_equal(braking[: HEIGHT - 132], named[: HEIGHT - 132])


def test_sessions_rollouts_and_laps_are_found(driven, tmp_path) -> None:
    path = driven.save(tmp_path / "runs" / "drive")
    assert len(find_footage(str(path)).frames) == len(driven)
    meta = SessionMeta(source="twin", car=driven.car, track=driven.track, driver="Ada", period=driven.period)
    sent = np.repeat(neutral_controls(1), len(driven))
    write_session(tmp_path / "sessions", meta, driven.time, driven.frames, sent=sent)
    found = find_footage("last", root=tmp_path / "sessions")
    assert (found.driver, found.track.name, len(found.sent)) == ("Ada", "oval", len(driven))
    np.testing.assert_allclose(found.frames["speed"], driven.frames["speed"])
    with pytest.raises(SessionError, match="no lap that counts"):
        find_footage("last:best", root=tmp_path / "sessions")
    with pytest.raises(UnknownNameError, match="lap '7'"):
        find_footage("last:7", root=tmp_path / "sessions")


def test_a_session_on_an_unknown_track_is_refused(driven, tmp_path) -> None:
    meta = SessionMeta(source="memory", car="some_car", track="some_track", period=driven.period)
    write_session(tmp_path, meta, driven.time, driven.frames)
    with pytest.raises(SessionError, match=r"its track is not known\. Give one with --track"):
        find_footage("last", root=tmp_path)
    assert find_footage("last", "oval", tmp_path).car_title == "some_car"


def test_what_cannot_be_filmed_is_said(footage, tmp_path) -> None:
    lost = footage.frames.copy()
    lost["lateral_offset"][10] = np.nan
    with pytest.raises(SessionError, match="lateral_offset"):
        film(footage._replace(frames=lost), tmp_path / "a.mp4")
    with pytest.raises(SessionError, match="nothing to film from 9"):
        film(footage._replace(begin=9.0), tmp_path / "a.mp4")
    with pytest.raises(SessionError, match="1 frames"):
        film(footage._replace(frames=footage.frames[:1], time=footage.time[:1]), tmp_path / "a.mp4")
    with pytest.raises(ConfigError, match=r"a film is an \.mp4 file"):
        require_encoder(Path("film.gif"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written"):
        film(footage._replace(end=0.2), tmp_path / "file" / "a.mp4")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_film_leaves_nothing(footage, tmp_path, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(film_module.TopView, "draw", stop)
    with pytest.raises(KeyboardInterrupt):
        film(footage, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_encoder_names_its_extra(monkeypatch, footage, tmp_path, capsys) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "av":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r'pip install "actwin\[video\]"'):
        film(footage, tmp_path / "a.mp4")
    with pytest.raises(SystemExit):
        main(["video", "last"])
    assert "actwin[video]" in capsys.readouterr().err


def test_the_command_names_its_file(capsys, driven, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    driven.save(tmp_path / "drive")
    with pytest.raises(SystemExit) as ended:
        main(["video", "drive.npz", "--fps", "10"])
    assert not ended.value.code
    assert "drive.mp4" in capsys.readouterr().out
    assert (tmp_path / "drive.mp4").stat().st_size > 10_000
