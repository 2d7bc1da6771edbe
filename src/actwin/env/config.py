"""The settings of a task: frozen models, unknown names refused, defaults that work."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from actwin.env.weather import weather
from actwin.errors import ConfigError, UnknownNameError
from actwin.twin.world import Conditions


class Settings(BaseModel):
    """Base of all settings of a task."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ObservationConfig(Settings):
    """What the driver sees; names and meanings are in `actwin.env.features`."""

    features: tuple[str, ...] = Field(("with_speed",), min_length=1, description="Names of features or presets.")
    horizon: float = Field(6.0, gt=0.0, le=30.0, description="[s] How far the look-ahead reaches at the current speed.")
    least_reach: float = Field(60.0, gt=0.0, description="[m] Reach of the look-ahead at standstill.")
    points: int = Field(16, ge=1, le=64, description="Look-ahead points on each line.")
    progression: float = Field(
        1.5, ge=1.0, le=4.0, description="1 spaces the points evenly; more puts them nearer the car."
    )
    rays: int = Field(11, ge=1, le=64, description="Rays in the feature `rays`, fanned from right to left.")
    ray_range: float = Field(200.0, gt=0.0, description="[m] Distance at which a ray gives up.")
    ray_fan: float = Field(2.4, gt=0.0, le=6.2832, description="[rad] Angle between the outermost rays.")
    frames: int = Field(
        1,
        ge=1,
        le=16,
        description="Moments that the channels of the car are shown of: this one, and those of the control periods "
        "before.",
    )
    history: int = Field(2, ge=1, le=8, description="Control periods back that the feature `previous_controls` shows.")
    clip: float = Field(10.0, gt=0.0, description="Scaled values are limited to this size.")


class ActionConfig(Settings):
    """What the driver's numbers mean; see `actwin.env.actions`."""

    kind: Literal["absolute", "rate", "discrete"] = Field(
        "absolute", description="Positions, their changes, or a named set."
    )
    pedals: Literal["one_axis", "separate"] = Field("one_axis", description="Throttle and brake on one axis or on two.")
    gear: Literal["automatic", "learned"] = Field("automatic", description="Who shifts.")
    discrete_set: str = Field("iqn35", description="Name of the set when `kind` is discrete.")
    steer_rate: float = Field(
        4.0, gt=0.0, description="[1/s] Change of steering at full action, in shares of its range at the speed."
    )
    pedal_rate: float = Field(12.0, gt=0.0, description="[1/s] Change of a pedal at full action.")
    steer_speed: float = Field(
        25.0,
        ge=0.0,
        description="[m/s] Above it the steering range shrinks with the square of speed; 0 keeps the full range.",
    )
    least_steer: float = Field(0.15, gt=0.0, le=1.0, description="Share of the lock that is left at any speed.")


class StartConfig(Settings):
    """How episodes begin; see `actwin.env.starts`."""

    mixture: Mapping[str, float] = Field(
        {"anywhere": 0.9, "grid": 0.1}, description="Probability of each kind of start."
    )
    slowest: float = Field(0.4, ge=0.0, description="Least share of the racing speed in a start anywhere.")
    fastest: float = Field(0.95, gt=0.0, description="Greatest share of the racing speed in a start anywhere.")
    lateral: float = Field(
        0.6, ge=0.0, le=1.0, description="Spread across the road, 1 from edge to edge, about the line."
    )
    heading: float = Field(0.05, ge=0.0, le=1.5, description="[rad] Largest heading error.")
    flying_distance: float = Field(300.0, gt=0.0, description="[m] Run-up to the line of a flying start.")
    replay_before: tuple[float, float] = Field((4.0, 8.0), description="[s] How long before a mistake a replay begins.")
    replay_pool: int = Field(1024, ge=1, description="Moments before mistakes that are kept.")

    @model_validator(mode="after")
    def _spans(self) -> Self:
        if self.slowest > self.fastest:
            raise ValueError("start.slowest must not exceed start.fastest")
        if not 0.0 < self.replay_before[0] <= self.replay_before[1]:
            raise ValueError("start.replay_before must be two rising times above 0 s")
        return self

    @field_validator("mixture")
    @classmethod
    def _probabilities(cls, mixture: Mapping[str, float]) -> Mapping[str, float]:
        if not mixture or min(mixture.values()) < 0.0 or sum(mixture.values()) <= 0.0:
            raise ValueError("start.mixture needs at least one kind with a probability above 0")
        return dict(mixture)


class EndConfig(Settings):
    """When an episode ends; see `actwin.env.ends`."""

    time_limit: float = Field(60.0, gt=0.0, description="[s] Truncates.")
    lap_limit: int = Field(
        0, ge=0, description="Line-to-line laps after which the episode is truncated; 0 is no limit."
    )
    off_track_wheels: int = Field(
        3, ge=1, le=4, description="Wheels beyond the track limits that count as off the track; AC counts 3 as cutting."
    )
    off_track_time: float = Field(0.0, ge=0.0, description="[s] Off the track without a break that terminates.")
    spin_angle: float = Field(1.9, gt=0.0, le=3.1416, description="[rad] Heading error that terminates.")
    backward_distance: float = Field(15.0, gt=0.0, description="[m] Lost against the furthest point that terminates.")
    stall_speed: float = Field(2.0, ge=0.0, description="[m/s] Below it a car counts as standing.")
    stall_time: float = Field(5.0, gt=0.0, description="[s] Standing without a break that terminates.")
    wall_energy: float = Field(20_000.0, ge=0.0, description="[J] Lost to walls in one control period that terminates.")


class PhysicsConfig(Settings):
    """The twin under the task."""

    substeps: int = Field(13, ge=1, description="Physics steps in a control period.")
    physics_step: float = Field(0.003, gt=0.0, le=0.005, description="[s] Length of a physics step; AC's is 0.003.")
    abs: bool = Field(True, description="Anti-lock brakes, where the car has them.")
    traction_control: bool = Field(False, description="Traction control, where the car has it.")
    grip: float = Field(1.0, gt=0.0, le=2.0, description="Factor on the grip of the road, beside the weather's.")
    control_delay: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="[s] From the decision to the car following it, a whole number of physics steps; "
        "`actwin drive` measures the game's.",
    )
    tyre_thermal: bool = Field(False, description="Whether tyre temperature and wear change the grip.")


class RandomisationConfig(Settings):
    """What differs from episode to episode; see `actwin.env.randomisation`. A spread of 0.05 draws factors evenly from
    0.95 to 1.05; 0 leaves a thing as it is."""

    mass: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the car's mass.")
    grip: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the grip of all tyres.")
    front_grip: float = Field(0.0, ge=0.0, lt=0.5, description="Further spread of the front tyres' grip: balance.")
    stiffness: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the tyres' stiffness.")
    downforce: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the downforce.")
    drag: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the drag.")
    power: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the engine's torque.")
    brakes: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the brakes' torque.")
    front_brakes: float = Field(0.0, ge=0.0, lt=0.5, description="Further spread of the front brakes: bias.")
    steering: float = Field(0.0, ge=0.0, lt=0.5, description="Spread of the steering's reach.")
    fuel: float = Field(0.0, ge=0.0, le=1.0, description="Fullest tank at the start; 0 takes the usual fuel.")
    cold_tyres: float = Field(
        0.0, ge=0.0, le=150.0, description="[K] Coldest tyres at the start, below the middle of their window."
    )
    worn_tyres: float = Field(
        0.0, ge=0.0, le=1.0, description="Most worn tyres at the start, as a share of a worn-out tyre's wear."
    )
    wind: float = Field(
        0.0, ge=0.0, le=20.0, description="[m/s] Strongest wind, from any side, that is added to the weather's."
    )
    sensor_noise: float = Field(
        0.0, ge=0.0, le=1.0, description="Standard deviation of errors of the observation, in its scaled units."
    )


class CurriculumConfig(Settings):
    """From easy to hard by measured success; see `actwin.env.curriculum`. Easy means more grip, and starts nearer the
    line and slower."""

    window: int = Field(0, ge=0, description="Episodes after which the difficulty may change; 0 has no curriculum.")
    begin: float = Field(0.0, ge=0.0, le=1.0, description="Difficulty at first; 1 is the task as configured.")
    step: float = Field(0.1, gt=0.0, le=1.0, description="Change of the difficulty at a time.")
    rise_at: float = Field(0.7, gt=0.0, le=1.0, description="Share of episodes without a failure that makes it harder.")
    fall_at: float = Field(0.3, ge=0.0, lt=1.0, description="Share below which it becomes easier.")
    extra_grip: float = Field(0.3, ge=0.0, le=1.0, description="Grip added at difficulty 0, as a share.")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.fall_at >= self.rise_at:
            raise ValueError("curriculum.fall_at must be below curriculum.rise_at")
        return self


DEFAULT_REWARD: Mapping[str, float] = {
    "progress": 0.02,
    "track_limits": 0.5,
    "smoothness": 0.02,
    "slip": 0.02,
    "collision": 0.1,
    "failure": 3.0,
    "lap_bonus": 1.0,
}
"""About one a second at 50 m/s, and three seconds lost for a failure."""


class TaskConfig(Settings):
    """Everything that decides what an action does, what is seen and what is paid."""

    track: str = Field("monza", description="Name of a bundled track, or the path of a track file.")
    car: str = Field("formula_alpha_2022", description="Name of a bundled car, or the path of a car file.")
    weather: str = Field("clear", description="Name of a weather, see `actwin.env.weather`.")
    observation: ObservationConfig = ObservationConfig()
    action: ActionConfig = ActionConfig()
    reward: Mapping[str, float] = Field(DEFAULT_REWARD, description="Weight of each named term, not negative.")
    start: StartConfig = StartConfig()
    end: EndConfig = EndConfig()
    physics: PhysicsConfig = PhysicsConfig()
    randomisation: RandomisationConfig = RandomisationConfig()
    curriculum: CurriculumConfig = CurriculumConfig()

    @field_validator("reward")
    @classmethod
    def _known_terms(cls, reward: Mapping[str, float]) -> Mapping[str, float]:
        from actwin.env.rewards import TERMS

        for name, weight in reward.items():
            if name not in TERMS:
                raise UnknownNameError("reward term", name, TERMS)
            if weight < 0.0:
                raise ValueError(f"the weight of '{name}' must not be negative: costs are negative terms already")
        return dict(reward)

    @field_validator("weather")
    @classmethod
    def _known_weather(cls, name: str) -> str:
        weather(name)
        return name

    @property
    def conditions(self) -> Conditions:
        """Weather, road and rules for the twin."""
        known = weather(self.weather)
        return known._replace(grip=known.grip * self.physics.grip, tyre_thermal=self.physics.tyre_thermal)

    @property
    def period(self) -> float:
        """[s] Length of a control period."""
        return self.physics.substeps * self.physics.physics_step

    @property
    def frequency(self) -> float:
        """[Hz] Control steps a second."""
        return 1.0 / self.period

    @classmethod
    def of(cls, settings: TaskConfig | Mapping[str, Any] | None = None, **changes: Any) -> TaskConfig:
        """A configuration from another one, a mapping or nothing, with some top-level settings changed.

        Args:
            settings: What to begin with; None means the defaults.
            changes: `track=...`, `car=...` and so on; None leaves a setting as it is.

        Raises:
            ConfigError: A setting that does not exist or does not fit.
        """
        values = settings.model_dump() if isinstance(settings, TaskConfig) else dict(settings or {})
        try:
            return cls.model_validate(values | {name: value for name, value in changes.items() if value is not None})
        except ValidationError as error:
            raise ConfigError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    """The first complaint of a validation in one line, with the nearest name for an unknown one."""
    first = error.errors()[0]
    *path, name = (str(part) for part in first["loc"]) if first["loc"] else ("task",)
    where = ".".join(("task", *path, name)) if first["loc"] else "task"
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg']}, not {first['input']!r}."
    model: Any = TaskConfig
    for part in path:
        model = model.model_fields[part].annotation
    near = difflib.get_close_matches(name, model.model_fields, n=1, cutoff=0.5)
    return f"{where} does not exist. " + (
        f"Did you mean {near[0]}?" if near else f"Known: {', '.join(model.model_fields)}."
    )
