"""The Gymnasium environment of the game: the time trial in Assetto Corsa, or in what plays it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt

from actwin.cockpit.actuators.protocol import Pose
from actwin.cockpit.live import LiveCockpit
from actwin.cockpit.opening import open_cockpit
from actwin.env.config import TaskConfig
from actwin.env.ends import REASON_NAMES
from actwin.env.spaces import action_space, flat_actions, observation_space
from actwin.env.starts import places
from actwin.env.step_info import Step, frame_info, judged_step, split_options
from actwin.env.task import Floats, Task
from actwin.env.time_trial import METADATA, Settings, check_render_mode
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.channels import FRAME, Frames

GAME_REASONS: Final[Mapping[str, str]] = {
    "game_paused": "truncated: the game stood still",
    "game_lost": "truncated: the game, or its controls, vanished",
    "car_moved": "truncated: the car was put somewhere else, or the session began anew",
}
"""Ends that only a game knows, beside those of `actwin.env.ends.REASONS`."""
OFF_COURSE: Final = 0.6
"""[rad] From the road's heading, beyond which a car does not drive on by itself."""
STANDING: Final = 1.0
"""[m/s]"""
ATTEMPTS: Final = 3
"""To begin an episode with a game that comes and goes."""


class AssettoCorsaEnv(gymnasium.Env[Floats, Any]):
    """One car against the clock, driven in the game.

    ## Description
    The task of `actwin/TimeTrial-v0` with the car of a running game, or of `actwin serve`: the same observation, action
    and reward objects judge frames of the game instead of the twin's. `gymnasium.make("actwin/AssettoCorsa-v0",
    source="memory", actuator="custom_ai", track="monza", car="dallara_f317")` makes it. A step lasts one control period
    of the game's own clock; the game does not wait for the agent.

    ## Action Space
    As of `actwin/TimeTrial-v0`, by default steering and one pedal in `Box(-1, 1, (2,), float32)`.

    ## Observation Space
    As of `actwin/TimeTrial-v0`. The place on the road comes from the world position, slips from the motion of the body
    where the game does not tell them. A task that shows what a source cannot tell is refused at `reset`.

    ## Rewards
    As of `actwin/TimeTrial-v0`. Collisions are judged by the speed that they cost.

    ## Starting State
    Drawn like the twin's, but the car stands there: a game can put a car somewhere, not give it speed. Where the
    actuator cannot do that either, a car that stands, left the road or points away from it is reset by the game, and
    any other drives on. `info["start"]` tells which: `placed`, `reset` or `here`.

    ## Episode End
    As of `actwin/TimeTrial-v0`. Truncated, too, with `info["error"]`, when the game stands still (`game_paused`) or
    vanishes (`game_lost`) for longer than a second, and when the car was moved (`car_moved`). `reset` then looks for
    the game with growing pauses and gives up after `reconnect` seconds with a `SourceError`.

    ## Arguments
    `source`: where telemetry comes from, such as `memory`, `app:HOST:PORT` or `auto`. `actuator`: what moves the
    controls, such as `custom_ai`, `app`, `vigem`, `uinput` or `auto`. `track`, `car`, `task`: as of
    `actwin/TimeTrial-v0`. `reconnect`: [s] to look for a game that was lost. `cockpit`: a seat of one's own instead of
    source and actuator. `render_mode="rgb_array"`: a view from above with a telemetry strip.

    ## Version History
    - v0: first version.
    """

    metadata = METADATA

    def __init__(
        self,
        source: str = "auto",
        actuator: str = "auto",
        track: str | None = None,
        car: str | None = None,
        task: Settings = None,
        reconnect: float = 60.0,
        cockpit: LiveCockpit | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode)
        self.task = Task(TaskConfig.of(task, track=track, car=car))
        self.render_mode = render_mode
        self.observation_space = observation_space(self.task)
        self.action_space = action_space(self.task.action_space)
        self._names = source, actuator
        self._reconnect = reconnect
        self._cockpit = cockpit
        if cockpit is not None and abs(cockpit.period - self.task.config.period) > 1e-9:
            raise ConfigError(
                f"The task decides every {self.task.config.period} s, the cockpit every {cockpit.period} s. "
                "Make the cockpit with the task's period."
            )
        self._series, self._episode, self._driving = 0, -1, False
        self._view: Any = None
        _compile(self.task)

    @property
    def cockpit(self) -> LiveCockpit:
        """The seat in the game."""
        if self._cockpit is None:
            task = self.task
            self._cockpit = open_cockpit(
                *self._names, task.track, task.car, task.config.period, reconnect=self._reconnect
            )
        return self._cockpit

    @property
    def frames(self) -> Frames:
        """FRAME[1] of this moment."""
        return self.cockpit.frames

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: Begins a new series of starts; None goes on with the series.
            options: `start`, a kind of start; `distance`, `lateral`, `heading`, a place.

        Returns:
            Observation and info.

        Raises:
            SourceError: There is no game, and none came in time.
            ConfigError: The task shows what the source cannot tell.
        """
        super().reset(seed=seed)
        if seed is not None or self._episode < 0:
            self._series, self._episode = int(self.np_random.integers(2**31)), -1
        self._episode += 1
        pose = self._drawn_pose(*split_options(options))
        how = self._begin(pose)
        self.require_what_is_shown()
        self.task.begin(self.frames)
        self._driving = True
        info = frame_info(self.frames, REASON_NAMES[0]) | {"start": how}
        return self.task.observe(self.frames)[0].copy(), info

    def _drawn_pose(self, start: str | None, fixed: Mapping[str, Any]) -> Pose:
        row = np.zeros(1, np.int64)
        drawn = places(self.task.starts.draw(self._series, row, row + self._episode, start), fixed)
        track, distance = self.task.track, float(drawn["distance"][0])
        x, y, z = track.to_world(distance, float(drawn["lateral"][0]))
        yaw = float(track.heading(distance)) + float(drawn["heading"][0])
        return Pose(float(x), float(y), float(z), yaw)

    def _begin(self, pose: Pose) -> str:
        """Puts the car where the episode begins, as far as that can be done; how it was done."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._take_place(pose)
            except SourceError:
                # A game that vanished on the way is looked for again; one that never came has had its time.
                if attempt == ATTEMPTS or self.cockpit.status == "closed":
                    raise
        raise AssertionError("unreachable")

    def _take_place(self, pose: Pose) -> str:
        cockpit = self.cockpit
        if cockpit.status != "live":
            cockpit.reconnect()
        if cockpit.place(pose):
            return "placed"
        frame = cockpit.frames[0]
        lost = frame["tyres_out"] > 0 or abs(frame["heading_error"]) > OFF_COURSE or frame["speed"] < STANDING
        if lost and cockpit.place(None):
            return "reset"
        cockpit.reset()
        return "here"

    def require_what_is_shown(self) -> None:
        """Raises `ConfigError` when the task shows what the source, which is connected, does not tell."""
        features = (*self.task.layout.of("channel"), *self.task.layout.of("code"))
        lacking = sorted({feature.column for feature in features} & self.cockpit.lacking)
        if lacking:
            raise ConfigError(
                f"The task shows {', '.join(lacking)}, which the source '{self.cockpit.info.source}' does not tell. "
                "Use another source, or leave them out of task.observation.features."
            )

    def step(self, action: Any) -> Step:
        """Drives one control period.

        Args:
            action: From `action_space`.

        Returns:
            Observation, reward, terminated, truncated, info.
        """
        if not self._driving:
            raise gymnasium.error.ResetNeeded("Call reset() before step().")
        task, cockpit = self.task, self.cockpit
        controls = task.decode(flat_actions(action, 1), cockpit.frames)
        try:
            cockpit.send(controls)
            frames = cockpit.read()
        except SourceError as error:
            return self._cut_short("game_paused" if cockpit.status == "paused" else "game_lost", str(error))
        if cockpit.moved:
            return self._cut_short("car_moved", "The car is somewhere else than where it drove.")
        task.judge(frames)
        self._driving = not task.judged.reasons[0]
        return judged_step(task, frames, task.observe(frames), REASON_NAMES[task.judged.reasons[0]])

    def _cut_short(self, reason: str, error: str) -> Step:
        """Ends an episode that the game ended: nothing is paid, the observation is the last there was."""
        self._driving = False
        info = frame_info(self.frames, reason)
        info |= {"reward_terms": dict.fromkeys(self.task.judged.terms, 0.0), "error": error}
        return self.task.observation[0].copy(), 0.0, False, True, info

    def close(self) -> None:
        """Leaves the car neutral and lets go of the game."""
        self._driving = False
        if self._cockpit is not None:
            self._cockpit.close()

    def render(self) -> npt.NDArray[np.uint8] | None:
        """The view from above, uint8[height, width, 3]; None without a render mode."""
        if self.render_mode is None:
            return None
        if self._view is None:
            from actwin.env.render import TopView

            self._view = TopView(self.task.reference, self.task.car)
        return np.asarray(self._view.draw(self.frames[0], self.task.actions.controls[0]))


def _compile(task: Task) -> None:
    """Runs everything that a step needs once, before a car moves that waits for nobody."""
    frames = np.zeros(1, FRAME)
    task.begin(frames)
    task.decode(np.zeros((1, task.action_space.width), np.float32), frames)
    task.judge(frames)
    task.observe(frames)
