"""The settings of demonstrations and their clone."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from actwin.agents.bc import BCConfig
from actwin.errors import UnknownNameError
from actwin.telemetry.quality.findings import KINDS
from actwin.telemetry.store.folder import DEFAULT

MARKS: Final = tuple(kind.name for kind in KINDS)


class ImitationConfig(BaseModel):
    """Demonstrations by the scripted expert or from recorded drives, cloned before reinforcement learning."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    sessions: tuple[str, ...] = Field(
        default=(),
        description="recorded drives: names, beginnings of names, folders, patterns like *monza*, `last`, or files of "
        "other programs (.csv, .ld)",
    )
    folder: str = Field(default=DEFAULT.as_posix(), description="where sessions lie that are given by name")
    drivers: tuple[str, ...] = Field(default=(), description="only what these drove; empty takes everybody")
    only_valid: bool = Field(default=False, description="leave out laps that do not count")
    slowest: float | None = Field(
        default=None, gt=1, description="only whole laps up to this multiple of the fastest, such as 1.07"
    )
    accept: tuple[str, ...] = Field(
        default=(), description="findings of `actwin check` whose rows are used all the same, such as range"
    )
    any_car: bool = Field(default=False, description="also drives of other cars than env.car")
    any_track: bool = Field(default=False, description="also drives whose track has another name than env.track")
    expert: bool | None = Field(
        default=None, description="whether the scripted expert demonstrates; by default when no sessions are given"
    )
    cars: int = Field(default=64, ge=1, description="experts that drive at once")
    seconds: float = Field(default=100.0, gt=0, description="[s] how long each of them drives")
    pace: float = Field(default=1.0, gt=0, le=1.2, description="share of the expert's speed")
    deviation: float = Field(
        default=0.5, ge=0, description="size of the expert's smooth deviations from line and speed"
    )
    noise: float = Field(default=0.1, ge=0, le=1, description="disturbance of the controls; the correction is cloned")
    bc: BCConfig = BCConfig()

    @field_validator("sessions", "drivers", "accept", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        """A single name stands for a list of one."""
        return (value,) if isinstance(value, str) else value

    @field_validator("accept")
    @classmethod
    def _known_marks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in MARKS:
                raise ValueError(str(UnknownNameError("finding", name, MARKS)))
        return names

    @property
    def with_expert(self) -> bool:
        """Whether the scripted expert demonstrates."""
        return not self.sessions if self.expert is None else self.expert
