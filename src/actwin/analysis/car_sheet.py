"""Every number of a car with its unit, meaning and source, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from actwin.content.car import Car


class Number(NamedTuple):
    """One line of the sheet."""

    field: str
    """Dotted name, as `Car.source_of` takes it."""
    value: float | tuple[float, ...]
    unit: str
    """Of the value inside the program; `-` for a pure number."""
    meaning: str
    source: str
    """Where the number comes from, as the car file says."""


def car_sheet(car: Car) -> list[Number]:
    """All numbers of a car.

    Args:
        car: The car.
    """
    return list(_numbers(car, "", dict(car.sources)))


def _numbers(chapter: BaseModel, prefix: str, sources: dict[str, str]) -> Iterator[Number]:
    for name, info in type(chapter).model_fields.items():
        value, extra = getattr(chapter, name), info.json_schema_extra
        if isinstance(value, BaseModel):
            yield from _numbers(value, f"{prefix}{name}.", sources)
        elif isinstance(extra, dict) and "unit" in extra:
            field = f"{prefix}{name}"
            yield Number(field, value, str(extra["unit"]), info.description or "", sources.get(field, ""))
