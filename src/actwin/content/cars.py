"""Car files: TOML in which every number states its unit with its source.

```toml
[chassis]
mass = { value = 798.0, unit = "kg", source = "FIA 2022 minimum with driver" }

[engine]
rpm = { value = [4000, 8000, 12000], unit = "rpm", source = "assumed" }
```

The chapters are the tables, named as in `actwin.content.car_chapters`; texts and switches are written plainly. Units
are those of the chapter's declaration or one of a few everyday ones (`deg`, `mm`, `ms`, `kN`, `kN/m`), which are
converted on reading.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from actwin.content.car import Car, build_car, nearest
from actwin.errors import ContentError

__all__ = ["Car", "read_car", "write_car"]

EVERYDAY_UNITS = {
    "deg": ("rad", math.radians(1.0)),
    "mm": ("m", 1e-3),
    "ms": ("s", 1e-3),
    "kN": ("N", 1e3),
    "kN/m": ("N/m", 1e3),
}
"""Unit of a file -> unit inside the program, factor."""

_QUANTITY_KEYS = ("value", "unit", "source")


def read_car(path: str | Path) -> Car:
    """Read a car file.

    Args:
        path: The TOML file.

    Returns:
        The validated car.

    Raises:
        ContentError: The file is absent, is no TOML, or has a wrong unit, an unknown or missing field, a value out of
            range or values that contradict each other; the message names file, field and cure.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContentError(path, "", f"cannot be read ({error.strerror}).", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentError(path, "", f"is not a TOML file: {error}.", "Correct the place named.") from error
    sources: list[tuple[str, str]] = []
    values = _read_chapter(Car, table, "", path, sources)
    return build_car({**values, "sources": tuple(sources)}, path)


def write_car(car: Car, path: str | Path) -> None:
    """Write a car file that `read_car` reads back as an equal car.

    Args:
        car: The car.
        path: The TOML file; an existing one is replaced.
    """
    title = f"# {car.identity.title}: every number with its unit and source."
    lines = [title, *_chapter_lines(car, "", dict(car.sources))]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _file_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a chapter that a file holds; `Car.sources` is spread over the numbers instead."""
    return {name: info for name, info in model.model_fields.items() if not (model is Car and name == "sources")}


def _unit(info: FieldInfo) -> str | None:
    extra = info.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) and "unit" in extra else None


def _read_chapter(
    model: type[BaseModel], table: Mapping[str, Any], prefix: str, path: Path, sources: list[tuple[str, str]]
) -> dict[str, Any]:
    """Plain values of one table, by the declaration of its chapter."""
    fields = _file_fields(model)
    for key in table:
        if key not in fields:
            raise ContentError(path, f"{prefix}{key}", "is not a field of a car file.", nearest(key, fields))
    values: dict[str, Any] = {}
    for name, info in fields.items():
        field = f"{prefix}{name}"
        if name not in table:
            raise ContentError(path, field, "is missing.", f"Add it: {info.description or 'a chapter of the car.'}")
        entry, chapter = table[name], info.annotation
        if isinstance(chapter, type) and issubclass(chapter, BaseModel):
            if not isinstance(entry, dict):
                raise ContentError(path, field, "is not a table.", f"Write it as [{field}].")
            values[name] = _read_chapter(chapter, entry, f"{field}.", path, sources)
        elif (unit := _unit(info)) is not None:
            values[name], source = _read_quantity(entry, unit, info.annotation is not float, field, path)
            sources.append((field, source))
        else:
            values[name] = tuple(entry) if isinstance(entry, list) else entry
    return values


def _read_quantity(entry: Any, unit: str, is_list: bool, field: str, path: Path) -> tuple[Any, str]:
    """Value in the program's unit, with its source."""
    value = "[...]" if is_list else "..."
    form = f'Write {{ value = {value}, unit = "{unit}", source = "..." }}.'
    if not isinstance(entry, dict):
        raise ContentError(path, field, "is a bare value without unit or source.", form)
    for key in entry:
        if key not in _QUANTITY_KEYS:
            raise ContentError(path, f"{field}.{key}", "is not part of a number.", nearest(key, _QUANTITY_KEYS))
    for key in _QUANTITY_KEYS:
        if key not in entry:
            raise ContentError(path, field, f"has no {key}.", form)
    if not isinstance(entry["source"], str) or not entry["source"].strip():
        raise ContentError(path, field, "has an empty source.", "Say where the number comes from, or write 'assumed'.")
    given = str(entry["unit"])
    known, factor = EVERYDAY_UNITS.get(given, (given, 1.0))
    if known != unit:
        allowed = [unit, *(name for name, (target, _) in EVERYDAY_UNITS.items() if target == unit)]
        raise ContentError(path, field, f"has the unit '{given}'.", f"Give the value in {' or '.join(allowed)}.")
    numbers = entry["value"] if is_list else [entry["value"]]
    if not isinstance(numbers, list) or not all(map(_is_number, numbers)):
        wanted = "a list of numbers" if is_list else "a number"
        raise ContentError(path, field, f"has the value {entry['value']!r}.", f"Give {wanted}.")
    converted = tuple(factor * number for number in numbers)
    return (converted if is_list else converted[0]), entry["source"]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chapter_lines(chapter: BaseModel, prefix: str, sources: Mapping[str, str]) -> Iterator[str]:
    """TOML lines of a chapter: its own values first, then its sub-chapters, as TOML asks."""
    tables: list[str] = []
    for name, info in _file_fields(type(chapter)).items():
        value = getattr(chapter, name)
        if isinstance(value, BaseModel):
            tables.append(name)
        elif (unit := _unit(info)) is not None:
            source = sources.get(f"{prefix}{name}", "not stated")
            yield f"{name} = {{ value = {_toml(value)}, unit = {_toml(unit)}, source = {_toml(source)} }}"
        else:
            yield f"{name} = {_toml(value)}"
    for name in tables:
        yield from ("", f"[{prefix}{name}]")
        yield from _chapter_lines(getattr(chapter, name), f"{prefix}{name}.", sources)


def _toml(value: Any) -> str:
    """A value in TOML; JSON's strings, numbers, switches and lists are valid TOML."""
    if isinstance(value, tuple) and any(isinstance(item, str) for item in value):
        return "[\n" + "".join(f"    {_toml(item)},\n" for item in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
