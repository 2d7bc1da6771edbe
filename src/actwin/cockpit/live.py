"""The seat in the game, or in what plays it: one car, paced by the game's own clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal, TypeVar

import numpy as np

from actwin.cockpit.actuators.protocol import Actuator, Pose, within_range
from actwin.cockpit.completion import NEEDED, Completion, columns
from actwin.cockpit.control_maps import ControlMaps, load_maps
from actwin.cockpit.game_clock import GameClock
from actwin.cockpit.game_match import missing_channels, named, require_the_same_road, require_what_driving_needs
from actwin.cockpit.limits import ControlLimits, refuse_broken
from actwin.content.car import Car
from actwin.content.library import load_car, load_track
from actwin.content.track import Track
from actwin.errors import ConfigError, SourceError
from actwin.pacing import Pacer
from actwin.telemetry.ac.pages import Status
from actwin.telemetry.ac.source import GameInfo, Sample, Source
from actwin.telemetry.channels import FRAME, Controls, Frames, as_floats, neutral_controls

REACTION: Final = "from telemetry to controls sent"
"""Section of the pacer: how old a frame is when the controls that answer it are sent."""
TIMEOUT: Final = 1.0
"""[s] Without a control period of the game after which it counts as stalled."""
RECONNECT: Final = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0
"""[s] Between attempts to reconnect: each pause is twice the one before."""
PLACED: Final = 1.0
"""[s] For a car that was put somewhere to show up there."""
NEAR: Final = 8.0
"""[m] From the pose asked for."""

Connection = Literal["closed", "live", "paused", "dead"]
Thing = TypeVar("Thing")


class LiveCockpit:
    """A `Cockpit` of one car that somebody else simulates.

    `read` returns once a control period has passed on the game's clock, with a FRAME as whole as the twin's. When the
    game stands still or vanishes, `read` raises within `timeout`; `reset` then reconnects.

    Args:
        source: Of telemetry.
        actuator: Of the controls; or how to open one, which is then done again after it was lost.
        track, car: As the twin knows them; None takes those that the game names.
        period: [s] Control period.
        limits: Of range and rate of the controls; None cuts to the range.
        maps: What the game makes of the controls; None takes those measured for this car and actuator, if any.
        timeout: [s] Without a control period after which the game counts as stalled.
        reconnect: [s] How long `reset` tries to find a game that was lost.
        sleep: To use instead of `time.sleep`.

    Attributes:
        frames: FRAME[1] of this moment, one array for the life of the cockpit.
        sample: The sample behind it, with what only a game tells; None before the first.
        info: What the game said about the session.
        status: `closed`, `live`, `paused` or `dead`.
        moved: Whether the last frame does not follow from the one before: the car was put somewhere else, or the
            session began anew.
        pacer: Measures how old frames are when they are answered.
    """

    def __init__(
        self,
        source: Source,
        actuator: Actuator | Callable[[], Actuator],
        track: Track | None = None,
        car: Car | None = None,
        period: float = 0.039,
        *,
        limits: ControlLimits | None = None,
        maps: ControlMaps | None = None,
        timeout: float = TIMEOUT,
        reconnect: float = RECONNECT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not timeout > period > 0.0:
            raise ConfigError(f"A control period of {period} s needs a longer timeout than {timeout} s.")
        self.source, self._period, self._limits = source, period, limits
        self._open: Callable[[], Actuator] = actuator if callable(actuator) else lambda: actuator
        self._actuator: Actuator | None = None if callable(actuator) else actuator
        self._reopens, self._lost = callable(actuator), False
        self._track, self._car, self._given_maps = track, car, maps
        self._timeout, self._reconnect, self._sleep = timeout, reconnect, sleep
        self._maps = maps or ControlMaps()
        self._bent = not self._maps.straight
        self._clock = GameClock(period)
        self._completion: Completion | None = None
        self._needed = columns(())
        self._sent: Controls = neutral_controls(1)
        self.frames: Frames = np.zeros(1, FRAME)
        self.sample: Sample | None = None
        self.info = GameInfo()
        self.status: Connection = "closed"
        self.moved = True
        self.pacer = Pacer()

    @property
    def n(self) -> int:
        """One."""
        return 1

    @property
    def period(self) -> float:
        """[s] Control period."""
        return self._period

    @property
    def track(self) -> Track:
        """The road; known once connected."""
        return self._known(self._track)

    @property
    def car(self) -> Car:
        """The car; known once connected."""
        return self._known(self._car)

    @property
    def actuator(self) -> Actuator:
        """What moves the controls; known once connected."""
        return self._known(self._actuator)

    @property
    def lacking(self) -> frozenset[str]:
        """Channels that stay 0 because this source neither tells them nor what they follow from."""
        return self._known(self._completion).lacking

    def _known(self, thing: Thing | None) -> Thing:
        if thing is None:
            raise SourceError("The cockpit is not connected to a game. Call reset() first.")
        return thing

    def connect(self, timeout: float = 2.0) -> GameInfo:
        """Finds the game and reads a first frame; may be called again to reconnect.

        Args:
            timeout: [s] To wait for the game, and again for its first sample.

        Raises:
            SourceError: No game, no live session, a source that tells too little to drive, or another track.
            UnknownNameError: The game's track or car is not known; give it by hand.
        """
        self._needed = columns(())
        self.info = self.source.connect(timeout)
        self._track = self._track or named(load_track, "track", self.info.track)
        self._car = self._car or named(load_car, "car", self.info.car)
        if self._actuator is None:
            self._actuator = self._open()
        if self._given_maps is None:
            self._maps = load_maps(self.info.car or self._car.identity.name, self._actuator.name)
            self._bent = not self._maps.straight
        first = self._next_live(time.perf_counter() + timeout)
        missing = missing_channels(first.frame, self.info.source)
        self._completion = Completion(self._track, self._car, missing, self._period)
        self._clock = GameClock(self._period, numbered="packet_id" not in missing)
        self._needed = columns(set(NEEDED) - missing)
        require_what_driving_needs(self._completion.lacking, self.info.source)
        self._begin(first)
        require_the_same_road(self._track, self.info, float(self.frames["lateral_offset"][0]))
        return self.info

    def reconnect(self) -> GameInfo:
        """Connects, with growing pauses between attempts.

        Raises:
            SourceError: The game did not come back in the time that was given.
        """
        self._drop()
        end, pause = time.perf_counter() + self._reconnect, FIRST_PAUSE
        while True:
            try:
                return self.connect(timeout=max(0.1, min(2.0, end - time.perf_counter())))
            except SourceError as error:
                self._drop()
                if time.perf_counter() + pause > end:
                    raise SourceError(f"The game did not come back within {self._reconnect:.0f} s. {error}") from error
            self._sleep(pause)
            pause = min(2.0 * pause, LONGEST_PAUSE)

    def reset(self, pose: Pose | None = None) -> Frames:
        """Begins a drive, reconnecting first if the game was lost.

        Args:
            pose: Where to put the car, at rest, if the actuator can; None drives on from where it is.

        Returns:
            FRAME[1] of this moment; whether the car was put there tells `frames`.

        Raises:
            SourceError: There is no game, and it did not come.
        """
        if self.status != "live":
            self.reconnect()
        if pose is not None:
            self.place(pose)
        else:
            self._begin(self._next_live(time.perf_counter() + self._timeout))
        return self.frames

    def place(self, pose: Pose | None) -> bool:
        """Puts the car somewhere, at rest, and waits until it is there.

        Args:
            pose: Where; None is where the game puts a car.

        Returns:
            Whether that worked.

        Raises:
            SourceError: The game is gone.
        """
        done = self._guarded(lambda: self.actuator.reset(pose))
        end = time.perf_counter() + PLACED
        while True:
            sample = self._next_live(time.perf_counter() + self._timeout)
            frame = sample.frame[0]
            near = pose is None or np.hypot(frame["x"] - pose.x, frame["y"] - pose.y) < NEAR
            if not done or near or time.perf_counter() > end:
                break
        self._begin(sample)
        return done and bool(near)

    def send(self, controls: Controls) -> Controls:
        """Moves the controls.

        Args:
            controls: CONTROLS[1].

        Returns:
            CONTROLS[1] as really sent, after limits, what the actuator can do and what the game makes of it.

        Raises:
            ControlError: A value that is not finite, or another shape; nothing is sent.
            SourceError: The controls cannot be reached any more.
        """
        refuse_broken(controls, 1)
        limited = self._limits.apply(controls, self._sent, self._period) if self._limits else within_range(controls)
        asked, gear = self._maps.invert(limited) if self._bent else limited, int(self.frames["gear"][0])
        sent = self._guarded(lambda: self.actuator.send(asked, gear))
        self._sent = self._maps.reach(sent) if self._bent else sent
        if self.sample is not None:
            self.pacer.add(REACTION, time.perf_counter() - self.sample.time)
        return self._sent

    def _guarded(self, work: Callable[[], Thing]) -> Thing:
        """Does something with the actuator; after an error it has to be opened anew."""
        try:
            return work()
        except SourceError:
            self.status, self._lost = "dead", True
            raise

    def read(self) -> Frames:
        """FRAME[1] at the end of the control period.

        Raises:
            SourceError: The game stands still or has vanished; `status` tells which.
        """
        if self.status != "live":
            raise SourceError(f"The game is {self.status}. Call reset() to connect to it.")
        end = time.perf_counter() + self._timeout
        while not self._clock.ends_period(sample := self._next_live(end)):
            pass
        self.moved = not self._clock.continues(sample)
        if self.moved:
            self._known(self._completion).forget()
        self._take(sample)
        return self.frames

    def _next_live(self, end: float) -> Sample:
        """The next sample of a running session, before a time on the clock.

        Raises:
            SourceError: There is none.
        """
        while (left := end - time.perf_counter()) > 0.0:
            sample = self.source.read(left)
            if sample is not None and sample.game["status"][0] == Status.LIVE and self._is_sound(sample):
                self.status = "live"
                return sample
        health = self.source.health()
        self.status = "dead" if health.status == "dead" else "paused"
        if self.status == "paused":
            raise SourceError("The game stands still: it is paused, in a menu or in a replay. Let the session go on.")
        raise SourceError(
            "The game has vanished: nothing new came for a second. Start a session, or run `actwin serve` to emulate "
            "one."
        )

    def _is_sound(self, sample: Sample) -> bool:
        """Whether a sample can be driven by; one that is not is left out like one that was lost."""
        return bool(np.isfinite(as_floats(sample.frame)[0, self._needed]).all())

    def _begin(self, sample: Sample) -> None:
        """Takes a sample as the first of a drive."""
        self._known(self._completion).forget()
        self._clock.begin(sample)
        self._sent = neutral_controls(1)
        self._take(sample)
        self.moved = False

    def _take(self, sample: Sample) -> None:
        self.frames[:] = sample.frame
        self._known(self._completion).fill(self.frames)
        self.sample = sample

    def _drop(self) -> None:
        """Lets go of the game; of the actuator, too, if it was lost and can be opened again."""
        self.status = "closed"
        self.source.close()
        if self._lost and self._reopens and self._actuator is not None:
            self._actuator.close()
            self._actuator = None
        self._lost = False

    def close(self) -> None:
        """Leaves the car neutral and lets go; `reset` begins anew."""
        if self._actuator is not None:
            self._actuator.close()
            self._lost = True
        self._drop()
