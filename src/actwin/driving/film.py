"""Films of driven runs: the view from above with its instruments, as an mp4 file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.content.library import car_names, load_car
from actwin.driving.footage import PLACE, Floats, Footage
from actwin.env.reference import Reference
from actwin.env.render import HEIGHT, WIDTH, TopView, Trail
from actwin.errors import ConfigError, MissingExtraError, SessionError
from actwin.telemetry.channels import FRAME, Controls, Frames

FPS: Final = 30
"""[Hz] Pictures a second."""
QUALITY: Final = "20"
"""x264's constant rate factor; lower is better and larger, 18 to 28 is usual."""
TRAIL: Final = 1.6
"""[s] Of the trail behind the car."""
TURNING: Final = ("yaw", "heading_error")
"""Channels that go round at half a turn."""
REACH: Final = 300.0
"""[m] Of road that the view needs beyond the line."""
LONGEST: Final = 24.0 * 3600.0
"""[s] Of a film; a session that claims more is damaged."""

Progress = Callable[[float], None]


def require_encoder(path: Path) -> None:
    """Refuses before any driving what could not be filmed after it.

    Args:
        path: Of the film.

    Raises:
        MissingExtraError: PyAV is not installed.
        ConfigError: The file's ending is not .mp4.
    """
    _encoder()
    if path.suffix.lower() != ".mp4":
        raise ConfigError(f"{path}: a film is an .mp4 file. Name it {path.with_suffix('.mp4').name}.")


def film(
    footage: Footage,
    path: str | Path,
    *,
    fps: int = FPS,
    captions: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> Path:
    """Films a drive, or the part of it that is meant, in real time.

    Args:
        footage: The drive.
        path: The .mp4 file; it is complete or not there.
        fps: [Hz] Pictures a second; frames in between are interpolated.
        captions: Lines in the upper left corner; by default driver, car and track.
        on_progress: Gets the share that is done.

    Returns:
        The file.

    Raises:
        MissingExtraError: PyAV is not installed.
        SessionError: The frames do not tell where the car was, or there are too few.
        ConfigError: The file cannot be written.
    """
    path, time = Path(path), footage.time
    require_encoder(path)
    if len(time) < 2:
        raise SessionError(f"A run of {len(time)} frames cannot be filmed. Take a longer one.")
    begin, end = max(footage.begin, float(time[0])), min(footage.end, float(time[-1]))
    if not 0.0 < end - begin <= LONGEST:
        raise SessionError(f"There is nothing to film from {begin:.1f} s to {end:.1f} s. Take another part.")
    moments = np.arange(begin, end, 1.0 / fps)
    frames = between(_placed(footage), time, moments, footage.track.length)
    rows = _rows(time, moments)
    sent = None if footage.sent is None else footage.sent[rows]
    car = load_car(footage.car) if footage.car in car_names() else None
    # The line needs no speeds, so no car either.
    view = TopView(Reference(footage.track, None, [1.0], REACH), car)
    told = captions or (footage.driver, " · ".join(filter(None, (footage.car_title, footage.track.title))))
    _encode(path, _pictures(view, frames, sent, round(TRAIL * fps), told), fps, len(moments), on_progress)
    return path


def _placed(footage: Footage) -> Frames:
    """Frames with their place in the world of our own track, whatever origin the recording's world has."""
    frames, track = footage.frames.copy(), footage.track
    for name in PLACE:
        if not np.isfinite(frames[name]).all():
            raise SessionError(
                f"The drive does not tell '{name}' at every moment, so that it cannot be filmed. "
                "Film one that was recorded from the game, the emulator or the twin."
            )
    s = track.wrap(frames["lap_distance"].astype(np.float64))
    frames["x"], frames["y"], _ = track.to_world(s, frames["lateral_offset"].astype(np.float64))
    frames["yaw"] = np.mod(track.heading(s) + frames["heading_error"] + np.pi, 2.0 * np.pi) - np.pi
    return frames


def _rows(time: Floats, moments: Floats) -> npt.NDArray[np.int64]:
    """The last frame at or before each moment."""
    return np.clip(np.searchsorted(time, moments, side="right") - 1, 0, len(time) - 1)


def _pictures(
    view: TopView, frames: Frames, sent: Controls | None, past: int, captions: Sequence[str]
) -> Iterator[npt.NDArray[np.uint8]]:
    x, y = frames["x"].astype(np.float64), frames["y"].astype(np.float64)
    pedals = (frames["throttle"] - frames["brake"]).astype(np.float64)
    for i in range(len(frames)):
        tail = slice(max(0, i - past), i + 1)
        asked = None if sent is None else sent[i]
        yield view.draw(frames[i], asked, Trail(x[tail], y[tail], pedals[tail]), captions)


def between(frames: Frames, time: Floats, moments: Floats, length: float) -> Frames:
    """Frames at other moments: numbers are interpolated, counts stay until they change.

    Args:
        frames: FRAME[T].
        time: [s] [T], rising.
        moments: [s] [K] Within the run.
        length: [m] Of the lap.
    """
    rows = _rows(time, moments)
    made = frames[rows].copy()
    for name in FRAME.names or ():
        values = frames[name]
        if values.dtype.kind != "f":
            continue
        if values.ndim > 1:
            for wheel in range(values.shape[1]):
                made[name][:, wheel] = np.interp(moments, time, values[:, wheel])
        elif name in TURNING:
            smooth = np.interp(moments, time, np.unwrap(values.astype(np.float64)))
            made[name] = np.mod(smooth + np.pi, 2.0 * np.pi) - np.pi
        elif name == "lap_distance":
            made[name] = np.mod(np.interp(moments, time, np.unwrap(values.astype(np.float64), period=length)), length)
        elif name == "lap_time":
            made[name] = values[rows] + np.where(values[rows] > 0.0, moments - time[rows], 0.0)
        elif not name.startswith(("last_", "best_")):
            made[name] = np.interp(moments, time, values)
    return made


def _encoder() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video") from error
    return av


def _encode(
    path: Path, pictures: Iterator[npt.NDArray[np.uint8]], fps: int, count: int, on_progress: Progress | None
) -> None:
    """Writes H.264 in mp4 that every browser plays; beside its place first, so that no half film stays."""
    av = _encoder()
    beside = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(beside), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": QUALITY, "preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for number, picture in enumerate(pictures, start=1):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                if on_progress is not None and number % fps == 0:
                    on_progress(number / count)
            container.mux(stream.encode(None))
        beside.replace(path)
    except (OSError, av.FFmpegError) as error:
        raise ConfigError(f"{path}: the film cannot be written ({error}). Choose another place.") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
