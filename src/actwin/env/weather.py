"""Weather by name, as the physics feels it: grip, drag of water, temperatures, wind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actwin.errors import UnknownNameError
from actwin.twin.world import Conditions

WEATHERS: Final[Mapping[str, Conditions]] = {
    "clear": Conditions(),
    "hot": Conditions(air_temperature=34.0, road_temperature=50.0, grip=0.985),
    "cloudy": Conditions(air_temperature=17.0, road_temperature=20.0),
    "windy": Conditions(wind_speed=9.0, wind_direction=0.8),
    "damp": Conditions(air_temperature=15.0, road_temperature=16.0, grip=0.88, rolling=1.1),
    "light_rain": Conditions(air_temperature=14.0, road_temperature=15.0, grip=0.76, rolling=1.3),
    "rain": Conditions(air_temperature=13.0, road_temperature=14.0, grip=0.66, rolling=1.8),
    "heavy_rain": Conditions(air_temperature=12.0, road_temperature=13.0, grip=0.55, rolling=2.6, wind_speed=6.0),
}
"""Grip in rain as the ratio of wet to dry friction of treaded tyres on asphalt, falling with the depth of water (Wong,
"Theory of Ground Vehicles", ch. 1: 0.5 to 0.7 wet against 0.8 to 0.9 dry); the rest is chosen to be plausible. AC
itself, without CSP, has no rain."""


def weather(name: str) -> Conditions:
    """The conditions of a named weather.

    Raises:
        UnknownNameError: There is no such weather.
    """
    if name not in WEATHERS:
        raise UnknownNameError("weather", name, WEATHERS)
    return WEATHERS[name]
