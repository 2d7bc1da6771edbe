"""What the app tells about the cars, under the names of the assetto_corsa_gym plugin.

Its world axes are the game's turned round: x is the game's z, y the game's x, z the game's y; velocity and angular
velocity keep the game's axes. Fields of the shared-memory pages that it does not have come as `physics.NAME` and
`graphics.NAME`.
"""

import json
import math
import os

WHEELS = ("fl", "fr", "rl", "rr")
EXTRA_WHEELS = (
    # name with {} for the wheel, acsys.CS
    ("tyre_slip_ratio_{}", "SlipRatio"),
    ("Dy_{}", "DY"),
    ("wheel_speed_{}", "WheelAngularSpeed"),
    ("{}_tire_temperature_core", "CurrentTyresCoreTemp"),
    ("{}_damper_linear_potentiometer", "SuspensionTravel"),
    ("{}_wheel_load", "Load"),
    ("{}_tire_pressure", "DynamicPressure"),
)
EXTRA_LISTS = (
    ("Mz", "Mz"),
    ("dynamic_pressure", "DynamicPressure"),
    ("tyre_loaded_radius", "TyreLoadedRadius"),
    ("tyres_load", "Load"),
    ("NdSlip", "NdSlip"),
    ("SuspensionTravel", "SuspensionTravel"),
    ("CamberRad", "CamberRad"),
)
SCALARS = (
    ("speed", "SpeedMS"),
    ("accStatus", "Gas"),
    ("brakeStatus", "Brake"),
    ("actualGear", "Gear"),
    ("RPM", "RPM"),
    ("steerAngle", "Steer"),
    ("LastFF", "LastFF"),
    ("LapInvalidated", "LapInvalidated"),
    ("NormalizedSplinePosition", "NormalizedSplinePosition"),
    ("LapCount", "LapCount"),
    ("BestLap", "BestLap"),
    ("cgHeight", "CGHeight"),
)
FROM_GRAPHICS = (
    ("packetId", "packetId"),
    ("currentTime", "iCurrentTime"),
    ("iLastTime", "iLastTime"),
    ("completedLaps", "completedLaps"),
    ("isInPit", "isInPit"),
    ("penaltyTime", "penaltyTime"),
)
SIZES = (("CAR_MASS", "weight"), ("CAR_DIM_X", "length"), ("CAR_DIM_Y", "height"), ("CAR_DIM_Z", "width"))
ALREADY_SAID = {
    "physics": ("heading", "pitch", "roll", "numberOfTyresOut"),
    "graphics": tuple(field for _, field in FROM_GRAPHICS),
}


class Telemetry:
    """Asks the game.

    Args:
        ac, acsys: The game's modules.
        pages: `memory.Pages`.
        extra: Whether messages carry tyres and the fields of the pages.
    """

    def __init__(self, ac, acsys, pages, extra=True):
        self._ac = ac
        self._cs = acsys.CS
        self._wheels = [getattr(acsys.WHEELS, wheel.upper()) for wheel in WHEELS]
        self._pages = pages
        self._extra = extra

    def identity(self):
        """Car, track, layout and number of cars; changes when the static facts do."""
        count = self._ac.getCarsCount()
        return (
            name(self._ac.getCarName(0)),
            name(self._ac.getTrackName(0)),
            name(self._ac.getTrackConfiguration(0)),
            count if isinstance(count, int) else 1,
        )

    def ego(self, now):
        """The message about the driven car.

        Args:
            now: [s] The app's clock.

        Returns:
            A dict; what the game does not tell is None or absent.
        """
        physics, graphics = self._pages.fields("physics"), self._pages.fields("graphics")
        message = {"timestamp_ac": now}
        for key, field in FROM_GRAPHICS:
            message[key] = graphics.get(field)
        for key, state in SCALARS:
            message[key] = self._state(0, state)
        _spread(message, "world_position_{}", "yzx", self._vector(0, "WorldPosition", 3))
        _spread(message, "local_velocity_{}", "yzx", self._vector(0, "LocalVelocity", 3))
        _spread(message, "velocity_{}", "xyz", self._vector(0, "Velocity", 3))
        _spread(message, "angular_velocity_{}", "xyz", self._vector(0, "LocalAngularVelocity", 3))
        acceleration = self._vector(0, "AccG", 3) or (None, None, None)
        message["accelX"], message["accelY"] = acceleration[0], acceleration[2]
        _spread(message, "SlipAngle_{}", WHEELS, self._vector(0, "SlipAngle", 4))
        if "heading" in physics:
            message["yaw"] = -physics["heading"]
        for field in ("pitch", "roll", "numberOfTyresOut"):
            message[field] = physics.get(field)
        if self._extra:
            self._add_extra(message, physics, graphics)
        return message

    def static(self):
        """Facts that hold for the session."""
        ac, page, physics = self._ac, self._pages.fields("static"), self._pages.fields("physics")
        car, track, layout, _ = self.identity()
        contacts = [self._vector(0, "TyreContactPoint", 3, wheel) for wheel in self._wheels]
        facts = {
            "CarName": car,
            "TrackName": track,
            "TrackConfiguration": layout,
            "TrackLength": ac.getTrackLength(0),
            "WindSpeed": ac.getWindSpeed(),
            "WindDirection": ac.getWindDirection(),
            "LastSplits": ac.getLastSplits(0),
            "isCarInPitlane": _truth(ac.isCarInPitlane(0)),
            "isCarInPit": _truth(ac.isCarInPit(0)),
            "autoShifterOn": physics.get("autoShifterOn"),
            "penaltiesEnabled": page.get("penaltiesEnabled"),
            "CAR_WHEEL_R": self._vector(0, "TyreRadius", 4),
            "CAR_TRACK": _distance(contacts[2], contacts[3]),
            "CAR_WHEELBASE": _distance(contacts[0], contacts[2]),
            "WorldPosition": self._vector(0, "WorldPosition", 3),
            "DriverName": name(ac.getDriverName(0)),
        }
        for wheel, contact in zip(WHEELS, contacts):
            facts["TyreContactPoint_" + wheel.upper()] = contact
        patch = getattr(ac, "ext_patchVersion", None)
        facts["csp_version"] = patch() if patch is not None else None
        facts.update(("static." + field, value) for field, value in page.items())
        return facts

    def opponents(self, count):
        """Place and speed of every other car.

        Args:
            count: Number of cars in the session.
        """
        return [self._opponent(car) for car in range(1, count) if name(self._ac.getCarName(car))]

    def live(self):
        """Whether somebody drives, and the number of the physics step."""
        return self._pages.number("graphics", "status"), self._pages.number("physics", "packetId")

    def gear(self):
        """The engaged gear as the game counts: 0 reverse, 1 neutral, 2 first."""
        return self._state(0, "Gear")

    def pedals(self):
        """Throttle and brake as the game shows them, each 0..1 or None."""
        return self._state(0, "Gas"), self._state(0, "Brake")

    def _opponent(self, car):
        position, velocity = self._vector(car, "WorldPosition", 3), self._vector(car, "Velocity", 3)
        return {
            "id": car,
            "world_position": None if position is None else [position[2], position[0], position[1]],
            "speedKMH": self._state(car, "SpeedKMH"),
            "yaw": None if velocity is None else math.atan2(velocity[0], velocity[2]),
        }

    def _add_extra(self, message, physics, graphics):
        """Tyres and pages."""
        for pattern, state in EXTRA_WHEELS:
            _spread(message, pattern, WHEELS, self._vector(0, state, 4))
        for key, state in EXTRA_LISTS:
            message[key] = self._vector(0, state, 4)
        message["tyre_heading_vector"] = self._vector(0, "TyreHeadingVector", 3, self._wheels[0])
        for page, fields in (("physics", physics), ("graphics", graphics)):
            for field, value in fields.items():
                if field not in ALREADY_SAID[page]:
                    message[page + "." + field] = value

    def _state(self, car, state):
        """One number of a car's state, None when the game has none."""
        number = getattr(self._cs, state, None)
        value = None if number is None else self._ac.getCarState(car, number)
        if isinstance(value, bool):
            return int(value)
        return value if isinstance(value, (int, float)) else None

    def _vector(self, car, state, length, *wheel):
        """Numbers of a car's state, None when the game has none."""
        number = getattr(self._cs, state, None)
        value = None if number is None else self._ac.getCarState(car, number, *wheel)
        if not isinstance(value, (list, tuple)) or len(value) < length:
            return None
        return list(value[:length])


def name(value):
    """A folder name; empty for the -1 that the game says instead."""
    return value if isinstance(value, str) and value != "-1" else ""


def body(root, car):
    """Mass and size from the car's ui file, as far as it states them.

    Args:
        root: Folder of the game.
        car: The car's folder name.
    """
    path = os.path.join(root, "content", "cars", car, "ui", "ui_car.json")
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            specs = json.loads(file.read(1 << 20), strict=False)["specs"]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return {}
    facts = {}
    for key, field in SIZES:
        try:
            facts[key] = float(str(specs[field]).lower().replace("kg", "").replace("m", ""))
        except (KeyError, TypeError, ValueError):
            continue
    return facts


def _spread(message, pattern, suffixes, values):
    """One entry for each value."""
    if values is not None:
        for suffix, value in zip(suffixes, values):
            message[pattern.format(suffix)] = value


def _distance(a, b):
    """[m] Between two points, None when one is not known."""
    if a is None or b is None:
        return None
    return math.sqrt(sum((p - q) ** 2 for p, q in zip(a, b)))


def _truth(value):
    """1 for yes, 0 for no."""
    return int(bool(value) and value != -1)
