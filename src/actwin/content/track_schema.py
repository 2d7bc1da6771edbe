"""What stands in a compact track file, table by table."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Table(BaseModel):
    """Base of all tables: frozen, finite, no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CentreTable(Table):
    """Centre line: curvature at knots of the lap distance."""

    length: float = Field(gt=0)
    start: tuple[float, float] = (0.0, 0.0)
    heading: float = 0.0
    knots: tuple[float, ...] = Field(min_length=1)
    curvature: tuple[float, ...] = Field(min_length=1)


class WidthTable(Table):
    """Centre line to the edges."""

    knots: tuple[float, ...] = Field(min_length=1)
    left: tuple[float, ...]
    right: tuple[float, ...]


class ElevationTable(Table):
    """Height of the road."""

    source: str = Field(min_length=1)
    knots: tuple[float, ...] = Field(min_length=1)
    height: tuple[float, ...]


class BankingTable(Table):
    """Cross slope of the road."""

    source: str = Field(min_length=1)
    knots: tuple[float, ...] = Field(min_length=1)
    angle: tuple[float, ...]


class CornerTable(Table):
    """A corner of the circuit."""

    number: int = Field(ge=1)
    name: str = ""
    start: float = Field(ge=0)
    apex: float = Field(ge=0)
    end: float = Field(ge=0)


class GridTable(Table):
    """Where a race starts."""

    pole: float = Field(ge=0)
    spacing: float = Field(default=8.0, gt=0)
    side: str = Field(default="left", pattern="^(left|right)$")


class PitOutTable(Table):
    """Where cars come out of the pits."""

    distance: float = Field(ge=0)
    lateral: float


class RoadsideTable(Table):
    """Kerbs, walls and run-off."""

    knots: tuple[float, ...] = Field(min_length=1)
    kerb_left: tuple[float, ...]
    kerb_right: tuple[float, ...]
    wall_left: tuple[float, ...]
    wall_right: tuple[float, ...]
    runoff_left: tuple[int, ...]
    runoff_right: tuple[int, ...]


class TrackFile(Table):
    """The compact track file as it stands in TOML; lengths in metres, angles in radians, curvature in 1/m."""

    schema_version: int = Field(alias="schema")
    name: str = Field(pattern="^[a-z0-9_]+$")
    title: str
    source: str
    licence: str
    fit_rms: float = Field(default=0.0, ge=0)
    fit_max: float = Field(default=0.0, ge=0)
    altitude: float = 0.0
    centre: CentreTable
    width: WidthTable
    elevation: ElevationTable | None = None
    banking: BankingTable | None = None
    sectors: tuple[float, ...] = (0.0,)
    corners: tuple[CornerTable, ...] = ()
    grid: GridTable | None = None
    pit_out: PitOutTable | None = None
    roadside: RoadsideTable | None = None
    notes: dict[str, str] = Field(default_factory=dict)
