"""What is known about a recorded session besides its rows."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

import actwin
from actwin.errors import SessionError

if TYPE_CHECKING:
    from actwin.telemetry.ac.source import GameInfo

FORMAT: Final = "actwin-session-1"
JSON_LIMIT: Final = 4 * 1024 * 1024
"""Bytes a `session.json` may have."""
_YEARS: Final = range(1971, 9000)
_OWN_FACTS: Final = ("source", "car", "track", "layout", "driver")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class LapMark(_Model):
    """One line of a session's lap table: a lap that ended while it was recorded.

    Attributes:
        number: Laps completed with it, as the car counts.
        time: [s] Session time of the first row after it.
        lap_time: [s] As the car measured it; None when it did not say.
        valid: Whether it counts; None when the source cannot tell.
        whole: Whether the recording saw it from its beginning.
    """

    number: int
    time: float
    lap_time: float | None = Field(None, gt=0.0)
    valid: bool | None = None
    whole: bool = True


class SessionMeta(_Model):
    """The content of `session.json`.

    Attributes:
        format: Of the session folder.
        started: When the first row was taken.
        ended: When the last row was taken; None while recording.
        state: "recording" until it is closed; "recovered" when the recorder was killed and the rows were saved later.
        source: Where the rows come from: "memory", "udp", "app", "twin", "import".
        car, track, layout: Names as the source gives them.
        driver: Label of who drove.
        versions: Of actwin, Python and the platform.
        facts: Other facts of the source: versions of game and interfaces, track length [m], engine limit [1/min],
            steering lock [rad], ….
        settings: Whatever the caller wants kept: task, weather, options.
        period: [s] Expected time from row to row; None when it is not known.
        missing: Channels of FRAME and GAME the source cannot give; their columns hold nothing.
        origin: File that was imported, or session that was repaired.
        notes: Free text.
        frames: Rows.
        duration: [s] From the first row to the last.
        laps: Completed laps, in order.
        lost: Samples that could not be written.
        findings: Count of marked rows by kind of finding, after a check; None before one.
    """

    format: Literal["actwin-session-1"] = FORMAT
    started: datetime = Field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    state: Literal["recording", "complete", "recovered"] = "recording"
    source: str = ""
    car: str = ""
    track: str = ""
    layout: str = ""
    driver: str = ""
    versions: Mapping[str, str] = Field(default_factory=lambda: program_versions())
    facts: Mapping[str, str | int | float] = Field(default_factory=dict)
    settings: Mapping[str, JsonValue] = Field(default_factory=dict)
    period: float | None = Field(None, gt=0.0)
    missing: tuple[str, ...] = ()
    origin: str = ""
    notes: str = ""
    frames: int = Field(0, ge=0)
    duration: float = Field(0.0, ge=0.0)
    laps: tuple[LapMark, ...] = ()
    lost: int = Field(0, ge=0)
    findings: Mapping[str, int] | None = None

    @field_validator("started", "ended")
    @classmethod
    def _with_zone(cls, moment: datetime | None) -> datetime | None:
        """A moment without a zone is this computer's."""
        if moment is not None and moment.year not in _YEARS:  # beyond them no clock can be converted
            raise ValueError(f"the year {moment.year} is no year of a recording")
        return moment.astimezone() if moment is not None and moment.tzinfo is None else moment

    @classmethod
    def of(cls, info: GameInfo, driver: str = "", **more: Any) -> Self:
        """The meta of a session that begins.

        Args:
            info: What the source told when it was connected.
            driver: Label of who drives; empty takes the name the game gives.
            more: Other fields.
        """
        told = info._asdict() if hasattr(info, "_asdict") else dict(vars(info))
        facts = {name: value for name, value in told.items() if name not in _OWN_FACTS and _says_something(value)}
        own = {name: str(told.get(name, "")) for name in _OWN_FACTS}
        own["driver"] = driver or own["driver"]
        return cls(**(own | {"facts": facts} | more))

    @property
    def best_lap(self) -> float | None:
        """[s] Fastest lap that does not count as invalid, None when there is none."""
        return min((lap.lap_time for lap in self.laps if lap.lap_time and lap.valid is not False), default=None)

    def changed(self, **fields: Any) -> Self:
        """A copy with some fields changed, checked like a new one."""
        return type(self).model_validate(self.model_dump() | fields)

    def dump(self) -> str:
        """As JSON that `parse` reads back."""
        return self.model_dump_json(indent=2)


def parse(text: str | bytes, source: object) -> SessionMeta:
    """The meta from JSON.

    Args:
        text: Of a `session.json` or of the metadata in a telemetry file.
        source: Named in errors.

    Raises:
        SessionError: It is too large or no meta of a session.
    """
    if len(text) > JSON_LIMIT:
        raise SessionError(f"{source}: is larger than {JSON_LIMIT} bytes. It is not the meta of a session.")
    try:
        return SessionMeta.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{source}: {where + ': ' if where else ''}{first['msg']}. It is not the meta of a session."
        raise SessionError(message) from error


def program_versions() -> dict[str, str]:
    """Versions of what records."""
    return {"actwin": actwin.__version__, "python": platform.python_version(), "platform": platform.platform()}


def _says_something(value: object) -> bool:
    return value not in ("", None) and not (isinstance(value, float) and not math.isfinite(value))
