"""The compact track file: a TOML form of a few hundred numbers."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from actwin.content.clothoids import ClothoidLoop
from actwin.content.profiles import Linear, Smooth, Steps
from actwin.content.roadside import Roadside, roadside_by_rule
from actwin.content.track import Corner, Track
from actwin.content.track_checks import check_lists, check_track
from actwin.content.track_schema import GridTable, RoadsideTable, TrackFile
from actwin.errors import ContentError

SCHEMA: Final = 1
"""Version of the compact track file; a reader refuses any other."""
LARGEST_GAP: Final = 1.0
"""[m] A loop that misses its beginning by more than this is called open, not rounded."""


def _unreadable(path: Path, error: Exception) -> ContentError:
    return ContentError(path, "", f"cannot be read: {error}.", "Check the path and that the file is UTF-8 text.")


def read_track(path: str | Path) -> Track:
    """Reads a compact track file.

    Args:
        path: A TOML file as `write_track` makes it.

    Raises:
        ContentError: The file cannot be read, has an unknown key or another schema version, or describes no usable
        road.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ContentError(
            path, "", f"is not valid TOML: {error}.", "Mend the line named, or fit the track again."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    return build_track(raw, path)


def build_track(raw: dict[str, Any], source: str | Path) -> Track:
    """A track from the contents of a compact track file.

    Args:
        raw: The file as nested dictionaries.
        source: Its path or other origin, for error messages.
    """
    version = raw.get("schema")
    if version != SCHEMA:
        cure = f"This version of actwin reads schema {SCHEMA}; fit the track again or update actwin."
        raise ContentError(source, "schema", f"is {version!r}.", cure)
    try:
        data = TrackFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = "Remove it, or check its spelling." if first["type"] == "extra_forbidden" else "Correct this field."
        raise ContentError(source, name, f"{first['msg']}.", known) from error
    check_lists(data, source)
    track = _assemble(data)
    check_track(track, source, LARGEST_GAP)
    return track


def _assemble(data: TrackFile) -> Track:
    """The track that a checked file describes."""
    centre, length = data.centre, data.centre.length
    line = ClothoidLoop(centre.knots, centre.curvature, length, centre.start, centre.heading)
    left, right = (Linear(data.width.knots, v, length) for v in (data.width.left, data.width.right))
    rise, bank, side = data.elevation, data.banking, data.roadside
    pit_out = (data.pit_out.distance, data.pit_out.lateral) if data.pit_out else (0.0, 0.0)
    grid = data.grid or GridTable(pole=length - 8.0)
    return Track(
        name=data.name,
        title=data.title,
        line=line,
        edge_left=left,
        edge_right=right,
        height=Smooth(rise.knots, rise.height, length) if rise else Smooth([0.0], [0.0], length),
        bank=Linear(bank.knots, bank.angle, length) if bank else Linear([0.0], [0.0], length),
        roadside=_roadside(side, length) if side else roadside_by_rule(line, left, right),
        source=data.source,
        licence=data.licence,
        fit_rms=data.fit_rms,
        fit_max=data.fit_max,
        elevation_source=rise.source if rise else "",
        sectors=data.sectors,
        corners=tuple(Corner(c.number, c.name, c.start, c.apex, c.end) for c in data.corners),
        grid=grid.pole,
        grid_spacing=grid.spacing,
        pole_side=1 if grid.side == "left" else -1,
        pit_out=pit_out,
        altitude=data.altitude,
        notes=data.notes,
    )


def _roadside(data: RoadsideTable, length: float) -> Roadside:
    """Kerbs, walls and run-off that stand in the file."""
    return Roadside(
        Linear(data.knots, data.kerb_left, length),
        Linear(data.knots, data.kerb_right, length),
        Linear(data.knots, data.wall_left, length),
        Linear(data.knots, data.wall_right, length),
        Steps(data.knots, data.runoff_left, length),
        Steps(data.knots, data.runoff_right, length),
    )


def write_track(track: Track, path: str | Path) -> None:
    """Writes a track as a compact track file that `read_track` reads back.

    Kerbs, walls and run-off are not written when the general rule made them, which is so unless the track came from a
    file that has its own.

    Args:
        track: Any track.
        path: The file to write; replaced when it exists.
    """
    Path(path).write_text(format_track(track), encoding="utf-8", newline="\n")


def format_track(track: Track) -> str:
    """The text of a compact track file."""
    line = track.line
    head = [
        f"schema = {SCHEMA}",
        f"name = {_text(track.name)}",
        f"title = {_text(track.title)}",
        f"source = {_text(track.source)}",
        f"licence = {_text(track.licence)}",
        f"fit_rms = {track.fit_rms:.4g}  # [m]",
        f"fit_max = {track.fit_max:.4g}  # [m]",
        f"altitude = {track.altitude:g}  # [m] above sea level",
        _numbers("sectors", track.sectors, 1),
    ]
    if track.corners:
        head += ["corners = [", *(f"    {_corner(corner)}," for corner in track.corners), "]"]
    tables = [
        ["[centre]", f"length = {track.length:.6f}", f"start = [{line.start[0]:.4f}, {line.start[1]:.4f}]"]
        + [f"heading = {line.start_heading:.8f}", _numbers("knots", line.knots, 4)]
        + [_numbers("curvature", line.curvature_knots, 8)],
        ["[width]", _numbers("knots", track.edge_left.knots, 1)]
        + [_numbers("left", track.edge_left.values, 2), _numbers("right", track.edge_right.values, 2)],
    ]
    if track.elevation_source:
        tables.append(
            ["[elevation]", f"source = {_text(track.elevation_source)}"]
            + [_numbers("knots", track.height.knots, 1), _numbers("height", track.height.values, 2)]
        )
    if track.notes.get("banking"):
        tables.append(
            ["[banking]", f"source = {_text(track.notes['banking'])}"]
            + [_numbers("knots", track.bank.knots, 1), _numbers("angle", track.bank.values, 4)]
        )
    side = "left" if track.pole_side > 0 else "right"
    tables.append(["[grid]", f"pole = {track.grid:.2f}", f"spacing = {track.grid_spacing:g}", f'side = "{side}"'])
    tables.append(["[pit_out]", f"distance = {track.pit_out[0]:.1f}", f"lateral = {track.pit_out[1]:.2f}"])
    notes = [f"{key} = {_text(note)}" for key, note in track.notes.items() if key != "banking"]
    if notes:
        tables.append(["[notes]", *notes])
    return "\n\n".join("\n".join(block) for block in [head, *tables]) + "\n"


def _text(value: str) -> str:
    """A TOML basic string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _corner(corner: Corner) -> str:
    """A corner as a TOML inline table."""
    where = ", ".join(f"{name} = {getattr(corner, name):.2f}" for name in ("start", "apex", "end"))
    return f"{{ number = {corner.number}, name = {_text(corner.name)}, {where} }}"


def _numbers(name: str, values: Iterable[float], digits: int) -> str:
    """A TOML list of numbers, folded to lines of at most 120 characters."""
    cells = [f"{value:.{digits}f}" for value in values]
    flat = f"{name} = [{', '.join(cells)}]"
    if len(flat) <= 120:
        return flat
    folded = textwrap.wrap(", ".join(cells) + ",", width=112, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([f"{name} = [", *folded, "]"])
