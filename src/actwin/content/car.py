"""The model of one car: its chapters with the origin of every number."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from actwin.content.car_chapters import Chapter, Chapters
from actwin.content.car_checks import MisfitError, check_car
from actwin.errors import ConfigError, ContentError, UnknownNameError
from actwin.units import RADS_PER_RPM


class Car(Chapters):
    """All parameters of one car, immutable, in SI units (engine speeds in rpm, temperatures in °C).

    Values are read as `car.chassis.mass`; `car.source_of("chassis.mass")` says where a number comes from. Cars come
    from files (`actwin.content.cars.read_car`); variations come from `with_wing` and `scaled`.
    """

    sources: tuple[tuple[str, str], ...] = Field(default=(), repr=False, description="Origin of each number.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_car(self)
        return self

    @property
    def name(self) -> str:
        """Name in commands and file names."""
        return self.identity.name

    @property
    def peak_power(self) -> float:
        """[W] Highest power at the crank within the torque map's knots below the limiter."""
        engine = self.engine
        pairs = zip(engine.rpm, engine.torque, strict=True)
        return max(rpm * RADS_PER_RPM * torque for rpm, torque in pairs if rpm <= engine.limiter_rpm)

    def source_of(self, field: str) -> str:
        """Where a number comes from.

        Args:
            field: Dotted name, such as `chassis.mass` or `tyres.front.radius`.

        Returns:
            The source that the car file states.

        Raises:
            UnknownNameError: The car has no number of that name.
        """
        sources = dict(self.sources)
        if field not in sources:
            raise UnknownNameError("car parameter", field, sources)
        return sources[field]

    def with_wing(self, level: float) -> Car:
        """The same car with other wings.

        Args:
            level: 0 (`aero.min_*`, the fastest trim) to 1 (`aero.max_*`, the most downforce); areas are linear between.

        Returns:
            A new car.

        Raises:
            ConfigError: The level is outside 0..1.
        """
        if not 0.0 <= level <= 1.0:
            raise ConfigError(f"Wing level {level:g} is outside 0 (least downforce) to 1 (most). Choose one inside.")
        aero = self.aero
        areas = {
            name: getattr(aero, f"min_{name}") + level * (getattr(aero, f"max_{name}") - getattr(aero, f"min_{name}"))
            for name in ("drag_area", "downforce_area")
        }
        return self._changed({"aero": {"wing": level, **areas}}, f"wing level {level:g}")

    def scaled(
        self, *, mass: float = 1.0, grip: float = 1.0, power: float = 1.0, drag: float = 1.0, downforce: float = 1.0
    ) -> Car:
        """The same car with some of its parameters multiplied, for variations and randomisation.

        Args:
            mass: [-] Factor on the mass and the three inertias.
            grip: [-] Factor on both grips of all tyres at every load.
            power: [-] Factor on the torque map, clutch capacity included.
            drag: [-] Factor on the drag area at every wing level.
            downforce: [-] Factor on the downforce area at every wing level.

        Returns:
            A new car.

        Raises:
            ContentError: The result is no possible car, such as a factor of zero or below.
        """
        grips = ("grip_x", "grip_y", "grip_slope_x", "grip_slope_y", "grip_curve")
        change = {
            "chassis": _times(self.chassis, mass, "mass", "yaw_inertia", "pitch_inertia", "roll_inertia"),
            "tyres": {axle: _times(getattr(self.tyres, axle), grip, *grips) for axle in ("front", "rear")},
            "engine": {"torque": tuple(power * torque for torque in self.engine.torque)} if power != 1.0 else {},
            "transmission": _times(self.transmission, power, "clutch_torque"),
            "aero": _times(self.aero, drag, "drag_area", "min_drag_area", "max_drag_area")
            | _times(self.aero, downforce, "downforce_area", "min_downforce_area", "max_downforce_area"),
        }
        factors = {"mass": mass, "grip": grip, "power": power, "drag": drag, "downforce": downforce}
        reasons = [f"{name} x {factor:g}" for name, factor in factors.items() if factor != 1.0]
        return self._changed(change, ", ".join(reasons))

    def _changed(self, change: Mapping[str, Any], reason: str) -> Car:
        """A validated copy with other values, whose sources say why they differ from the file."""
        merged = _merged(self.model_dump(), change)
        changed = set(_leaves(change))
        merged["sources"] = tuple(
            (field, f"{source}; changed: {reason}" if field in changed else source) for field, source in self.sources
        )
        return build_car(merged, self.name)


def build_car(values: Mapping[str, Any], origin: object) -> Car:
    """Validate plain values as a car.

    Args:
        values: Nested values in the structure of `Car`, in its units.
        origin: The file or car that the values come from, for the error.

    Returns:
        The car.

    Raises:
        ContentError: A value is missing, unknown, out of range or contradicts another one.
    """
    try:
        return Car.model_validate(values)
    except ValidationError as error:
        raise _explained(error, origin) from error


def nearest(name: str, known: Iterable[str]) -> str:
    """Advice for an unknown name: the nearest known one, or all of them."""
    candidates = sorted(known)
    near = difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(candidates)}."


def _explained(error: ValidationError, origin: object) -> ContentError:
    """The first complaint of pydantic in our words."""
    first = error.errors()[0]
    misfit = first.get("ctx", {}).get("error")
    if isinstance(misfit, MisfitError):
        return ContentError(origin, misfit.field, misfit.problem, misfit.cure)
    field = ".".join(str(part) for part in first["loc"])
    problem = first["msg"].replace("Input should be", "should be").replace("String should", "should")
    return ContentError(origin, field, f"is {first['input']!r}, but {problem}.", _advice(first["loc"]))


def _advice(location: tuple[int | str, ...]) -> str:
    """What a field expects, from its declaration."""
    model: type[BaseModel] = Car
    for part in location:
        info = model.model_fields.get(str(part))
        if info is None:
            break
        if isinstance(info.annotation, type) and issubclass(info.annotation, Chapter):
            model = info.annotation
            continue
        extra = info.json_schema_extra
        unit = extra.get("unit") if isinstance(extra, dict) else None
        return f"Give {f'the value in {unit}' if unit else 'another value'}. It means: {info.description}"
    return "See the bundled cars for an example."


def _times(chapter: Chapter, factor: float, *names: str) -> dict[str, float]:
    return {name: factor * getattr(chapter, name) for name in names} if factor != 1.0 else {}


def _merged(base: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    return base | {
        key: _merged(base[key], value) if isinstance(value, Mapping) else value for key, value in change.items()
    }


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
