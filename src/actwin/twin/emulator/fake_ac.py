"""The Python modules `ac` and `acsys` that Assetto Corsa offers to its apps, told by the twin's frames.

Names and shapes of the values are those of the official "AC Python documentation" and of what public apps use; units
and axes are the game's and come from `actwin.telemetry.ac.frames`. What the twin has no channel for (aligning torque,
grip coefficients, loaded radius) is 0, as it is in the game's own packets for some of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cached_property
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.telemetry.ac.frames import remote_from_frames, write_graphics, write_physics, write_static
from actwin.telemetry.ac.pages import (
    GRAPHICS,
    GRAPHICS_NAME,
    PHYSICS,
    PHYSICS_NAME,
    STATIC,
    STATIC_NAME,
)
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import FRAME, GAME, Frames

Records = npt.NDArray[Any]

CSP_VERSION: Final = "0.2.8"
"""Of Custom Shaders Patch, when the session does not say: the first with everything that actwin uses."""
KEPT_LINES: Final = 500
NO_SUCH_CAR: Final = -1
"""What the game's functions return instead of raising."""

# acsys.CS name → (record, field)
_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "SpeedMS": ("remote", "speed_Ms"),
    "SpeedMPH": ("remote", "speed_Mph"),
    "SpeedKMH": ("physics", "speedKmh"),
    "Gas": ("physics", "gas"),
    "Brake": ("physics", "brake"),
    "Clutch": ("physics", "clutch"),
    "Gear": ("physics", "gear"),
    "BestLap": ("graphics", "iBestTime"),
    "CGHeight": ("physics", "cgHeight"),
    "DriveTrainSpeed": ("physics", "rpms"),
    "RPM": ("remote", "engineRPM"),
    "LapCount": ("graphics", "completedLaps"),
    "LapTime": ("graphics", "iCurrentTime"),
    "LastLap": ("graphics", "iLastTime"),
    "LastFF": ("physics", "finalFF"),
    "NormalizedSplinePosition": ("graphics", "normalizedCarPosition"),
    "PerformanceMeter": ("physics", "performanceMeter"),
    "Steer": ("remote", "steer"),
    "TurboBoost": ("physics", "turboBoost"),
    "AccG": ("physics", "accG"),
    "LocalVelocity": ("physics", "localVelocity"),
    "LocalAngularVelocity": ("physics", "localAngularVel"),
    "Velocity": ("physics", "velocity"),
    "WorldPosition": ("graphics", "carCoordinates"),
    "RideHeight": ("physics", "rideHeight"),
    "CamberRad": ("physics", "camberRAD"),
    "CurrentTyresCoreTemp": ("physics", "tyreCoreTemperature"),
    "DynamicPressure": ("physics", "wheelsPressure"),
    "DY": ("remote", "Dy"),
    "Load": ("physics", "wheelLoad"),
    "Mz": ("remote", "Mz"),
    "NdSlip": ("remote", "ndSlip"),
    "SlipAngle": ("remote", "slipAngle"),
    "SlipRatio": ("remote", "slipRatio"),
    "SuspensionTravel": ("physics", "suspensionTravel"),
    "ThermalState": ("physics", "tyreTempM"),
    "TyreDirtyLevel": ("physics", "tyreDirtyLevel"),
    "TyreLoadedRadius": ("remote", "tyreLoadedRadius"),
    "TyreRadius": ("static", "tyreRadius"),
    "TyreSlip": ("remote", "tyreSlip"),
    "WheelAngularSpeed": ("physics", "wheelAngularSpeed"),
}
_WHEEL_FIELDS: Final = {
    "TyreContactNormal": "tyreContactNormal",
    "TyreContactPoint": "tyreContactPoint",
    "TyreHeadingVector": "tyreContactHeading",
}
_WHEEL_NAMES: Final = ("FL", "FR", "RL", "RR")
_STATES: Final = (*_FIELDS, *_WHEEL_FIELDS, "LapInvalidated", "CamberDeg", "Aero")


class _Moment:
    """All cars at one moment in the game's records, converted when somebody asks."""

    def __init__(self, frames: Frames, games: Records, static: Records, corners: Records, packet: int) -> None:
        self.frames, self.games, self.static, self._corners = frames, games, static, corners
        self._packet = packet

    @cached_property
    def physics(self) -> Records:
        pages = np.zeros(len(self.frames), PHYSICS)
        write_physics(self.frames, self.games, pages, float(self.static["maxTurboBoost"][0]))
        sine, cosine = np.sin(self.frames["yaw"]), np.cos(self.frames["yaw"])
        ahead, left = self._corners[:, 0], self._corners[:, 1]
        x = self.frames["x"][:, None] + cosine[:, None] * ahead - sine[:, None] * left
        y = self.frames["y"][:, None] + sine[:, None] * ahead + cosine[:, None] * left
        height = np.broadcast_to(self.frames["z"][:, None], x.shape)
        # The game's X, Y, Z are our y, z, x.
        pages["tyreContactPoint"] = np.nan_to_num(np.stack((y, height, x), axis=-1))
        return pages

    @cached_property
    def graphics(self) -> Records:
        pages = np.zeros(len(self.frames), GRAPHICS)
        write_graphics(self.frames, self.games, pages)
        pages["packetId"] = self._packet
        return pages

    @cached_property
    def remote(self) -> Records:
        return remote_from_frames(self.frames, self.games)


class FakeAc:
    """A game as its apps see it.

    Args:
        info: The session; its `csp_version` decides whether the `ext_` functions exist.
        car: The driven car, for its dimensions.
        cars: Number of cars in the session.
        csp: Whether Custom Shaders Patch is there although `info` does not name a version.

    Attributes:
        ac, acsys: The two modules.
        on_reset: Called when an app asks to put the car back on the road.
        journal: Last lines that apps wrote to log and console.
    """

    def __init__(self, info: GameInfo, car: Car, cars: int = 1, csp: bool = True) -> None:
        self.on_reset: Callable[[], None] = lambda: None
        self.journal: deque[str] = deque(maxlen=KEPT_LINES)
        self._csp = info.csp_version or (CSP_VERSION if csp else "")
        self._texts: dict[int, str] = {}
        self._packet = 0
        self.acsys = _acsys_module()
        self.begin(info, car)
        self.update(np.zeros(cars, FRAME), np.zeros(cars, GAME))
        self.ac = self._ac_module()

    def begin(self, info: GameInfo, car: Car) -> None:
        """A session with another car, track or driver.

        Args:
            info: The session.
            car: The driven car.
        """
        self.info = info
        self._static = np.zeros(1, STATIC)
        write_static(info, self._static)
        self._static["tyreRadius"] = np.repeat([car.tyres.front.radius, car.tyres.rear.radius], 2)
        chassis = car.chassis
        front, rear = (1.0 - chassis.front_share) * chassis.wheelbase, -chassis.front_share * chassis.wheelbase
        self._corners = np.array(
            [
                (front, 0.5 * chassis.track_front),
                (front, -0.5 * chassis.track_front),
                (rear, 0.5 * chassis.track_rear),
                (rear, -0.5 * chassis.track_rear),
            ]
        )

    def update(self, frames: Frames, games: Records) -> None:
        """A new moment, one rendered frame after the last.

        Args:
            frames: FRAME[N], car 0 is the driven one.
            games: GAME[N].
        """
        self._packet += 2  # the game counts two for a frame
        self._static["numCars"] = len(frames)
        self._moment = _Moment(frames.copy(), games.copy(), self._static, self._corners, self._packet)

    def read_page(self, name: str, size: int) -> bytes | None:
        """Bytes of a shared-memory page of the driven car, None when there is no page of that name.

        Args:
            name: Of the mapping.
            size: [byte] Wanted.
        """
        pages = {PHYSICS_NAME: "physics", GRAPHICS_NAME: "graphics", STATIC_NAME: "static"}
        if name not in pages:
            return None
        page: bytes = getattr(self._moment, pages[name])[:1].tobytes()
        return page[:size]

    @property
    def texts(self) -> dict[int, str]:
        """What the apps' windows show, by number of the label."""
        return self._texts

    def _ac_module(self) -> ModuleType:
        module = ModuleType("ac")
        functions = {**self._session_functions(), **self._window_functions(), **self._patch_functions()}
        functions["getCarState"] = self._state
        for name, function in functions.items():
            setattr(module, name, function)
        return module

    def _session_functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "getCarsCount": lambda: len(self._moment.frames),
            "getCarName": self._for_car(lambda car: self.info.car),
            "getDriverName": self._for_car(lambda car: self.info.driver if car == 0 else f"Driver {car}"),
            "getTrackName": self._for_car(lambda car: self.info.track),
            "getTrackConfiguration": self._for_car(lambda car: self.info.layout),
            "getTrackLength": self._for_car(lambda car: self.info.track_length),
            "getWindSpeed": lambda: float(self._moment.graphics["windSpeed"][0]),
            "getWindDirection": lambda: float(self._moment.graphics["windDirection"][0]),
            "getLastSplits": self._for_car(lambda car: [0] * self.info.sector_count),
            "getCurrentSplits": self._for_car(lambda car: [0] * self.info.sector_count),
            "isCarInPitlane": self._for_car(lambda car: int(self._moment.games["in_pit_lane"][car])),
            "isCarInPitline": self._for_car(lambda car: int(self._moment.games["in_pit_lane"][car])),
            "isCarInPit": self._for_car(lambda car: int(self._moment.games["in_pit"][car])),
            "isAIControlled": self._for_car(lambda car: int(self._moment.games["ai_controlled"][car])),
            "isConnected": self._for_car(lambda car: 1),
            "isAcLive": lambda: True,
        }

    def _window_functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "log": self.journal.append,
            "console": self.journal.append,
            "newApp": lambda name: 0,
            "setSize": lambda window, width, height: 1,
            "setTitle": lambda window, title: 1,
            "setPosition": lambda control, x, y: 1,
            "addLabel": lambda window, text: len(self._texts) + 1,
            "setText": lambda label, text: self._texts.__setitem__(label, text),
            "addRenderCallback": lambda window, function: 1,
        }

    def _patch_functions(self) -> dict[str, Callable[..., Any]]:
        if not self._csp:
            return {}
        return {
            "ext_resetCar": lambda: self.on_reset(),
            "ext_takeAStepBack": lambda: self.on_reset(),
            "ext_patchVersion": lambda: self._csp,
            "ext_isAltPressed": lambda: False,
            "ext_isButtonPressed": lambda key: False,
        }

    def _for_car(self, function: Callable[[int], Any]) -> Callable[[int], Any]:
        """The function for cars that exist, -1 for others."""
        return lambda car: function(car) if 0 <= car < len(self._moment.frames) else NO_SUCH_CAR

    def _state(self, car: int, state: int, wheel: int = 0) -> Any:
        """`ac.getCarState`: a number, or a tuple of three or four."""
        if not 0 <= car < len(self._moment.frames) or not 0 <= state < len(_STATES):
            return NO_SUCH_CAR
        name = _STATES[state]
        if name == "LapInvalidated":
            return int(self._moment.frames["lap_valid"][car] == 0)
        if name == "CamberDeg":
            return tuple(np.degrees(self._moment.physics["camberRAD"][car]).tolist())
        if name == "Aero":
            return 0.0
        if name in _WHEEL_FIELDS:
            return tuple(self._moment.physics[_WHEEL_FIELDS[name]][car, wheel].tolist())
        record, field = _FIELDS[name]
        records = getattr(self._moment, record)
        value = records[field][min(car, len(records) - 1)].tolist()
        return tuple(value) if isinstance(value, list) else value


def _acsys_module() -> ModuleType:
    module: Any = ModuleType("acsys")
    module.CS = SimpleNamespace(**{name: number for number, name in enumerate(_STATES)})
    module.WHEELS = SimpleNamespace(**{name: number for number, name in enumerate(_WHEEL_NAMES)})
    made: ModuleType = module
    return made
