"""What the emulated game tells beside the twin's frames: who and where it is, and its GAME rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.content.car import Car
from actwin.content.track import Track
from actwin.telemetry.ac.source import GameInfo
from actwin.telemetry.channels import GAME, Frames
from actwin.twin.simulator import Simulator
from actwin.units import CELSIUS_ZERO, air_density

AC_VERSION: Final = "1.16.4"
MEMORY_VERSION: Final = "1.7"
"""Version of the shared memory, as the last releases of the game write it."""
CSP_VERSION: Final = "0.2.8"
"""Of Custom Shaders Patch: the first whose Custom AI has everything that is emulated."""
DRIVER: Final = "actwin"

STATUS_OFF: Final = 0
STATUS_LIVE: Final = 2
STATUS_PAUSE: Final = 3
PRACTICE: Final = 0
"""Codes of the channels `status` and `session`."""

COLD_PRESSURE: Final = 130e3
"""[Pa] Above the atmosphere, in a tyre at `COLD`; the twin has no tyre pressure, and no car file states one."""
COLD: Final = 20.0
"""[°C]"""
ATMOSPHERE: Final = 101_325.0
"""[Pa] Standard pressure."""

STANDING: Final = 0.3
"""[m/s] Below it a car that was put into its pit box still stands there."""

SIDES: Final = np.array([1.0, -1.0, 1.0, -1.0])
"""Left or right, for FL, FR, RL, RR."""


def game_info(track: Track, car: Car, source: str = "emulator", driver: str = DRIVER) -> GameInfo:
    """What the game says of itself once a session.

    Args:
        track: The track; its name in the library stands for the folder in the game.
        car: The car of the player.
        source: Name of what tells it.
        driver: Name of the player.
    """
    return GameInfo(
        source=source,
        car=car.name,
        track=track.name,
        layout="",
        driver=driver,
        ac_version=AC_VERSION,
        sm_version=MEMORY_VERSION,
        track_length=track.length,
        max_rpm=car.engine.limiter_rpm,
        max_fuel=car.chassis.fuel_capacity,
        max_torque=max(car.engine.torque),
        max_power=car.peak_power,
        sector_count=len(track.sectors),
        steer_lock=car.steering.wheel_lock,
        csp_version=CSP_VERSION,
    )


class GameRows:
    """GAME[N] of the cars of a simulator.

    Rates of the body come from the frames before. What the twin does not model keeps the value of a healthy car in
    its element: no damage, no dirt, brakes at the temperature of the air (as the game shows them for cars without brake
    data), one temperature across a tread, and a pressure that follows the temperature of the carcass as an ideal gas.

    Args:
        simulator: The twin; its conditions, assists and cars are read here and by `refresh`.

    Attributes:
        rows: GAME[N], renewed in place.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.rows: npt.NDArray[Any] = np.zeros(simulator.n, GAME)
        self._distance = np.zeros(simulator.n)
        self._boxed = np.zeros(simulator.n, bool)
        self._before = np.zeros((3, simulator.n))
        self.refresh()
        self.restart()

    def refresh(self) -> None:
        """Reads weather, assists and cars again, after one of them was changed."""
        simulator, rows = self._simulator, self.rows
        conditions, assists, cars = simulator.conditions, simulator.assists, simulator.cars
        density = air_density(conditions.air_temperature, simulator.track.altitude) * conditions.density_factor
        rows["status"], rows["session"] = STATUS_LIVE, PRACTICE
        rows["air_temperature"], rows["road_temperature"] = conditions.air_temperature, conditions.road_temperature
        rows["air_density"], rows["surface_grip"] = density, conditions.grip
        rows["wind_speed"] = conditions.wind_speed
        rows["wind_direction"] = np.mod(conditions.wind_direction, 2.0 * np.pi)
        rows["brake_temperature"] = conditions.air_temperature
        rows["abs_level"] = [car.assists.abs_slip_ratio * (car.assists.abs and assists.abs) for car in cars]
        rows["tc_level"] = [
            car.assists.traction_control_slip_ratio * (car.assists.traction_control and assists.traction_control)
            for car in cars
        ]
        rows["brake_bias"] = [car.brakes.front_share for car in cars]
        rows["drs_available"] = [car.aero.has_drs for car in cars]
        rows["auto_shifter"] = 1
        self._body(cars)

    def _body(self, cars: tuple[Car, ...]) -> None:
        """Dimensions that rates and angles are computed with, each [N] or [N, 4]."""
        chassis = [car.chassis for car in cars]
        axles = [(car.suspension.front, car.suspension.rear) for car in cars]
        tyres = [(car.tyres.front, car.tyres.rear) for car in cars]
        self._front_share = np.array([body.front_share for body in chassis])
        still = [
            body.front_share * front.static_ride_height + (1.0 - body.front_share) * rear.static_ride_height
            for body, (front, rear) in zip(chassis, axles, strict=True)
        ]
        self._cog_height = np.array([body.cog_height for body in chassis]) - still
        self._front_track = np.array([body.track_front for body in chassis])
        self._camber = _wheels([(front.static_camber, rear.static_camber) for front, rear in axles])
        self._lean = _wheels([(1.0 - front.camber_gain, 1.0 - rear.camber_gain) for front, rear in axles]) * SIDES
        self._wear_full = _wheels([(front.wear_full, rear.wear_full) for front, rear in tyres])
        self._wear_loss = _wheels([(1.0 - front.wear_grip, 1.0 - rear.wear_grip) for front, rear in tyres])

    def restart(self) -> None:
        """A new session: nothing driven yet, every car out of its box."""
        self._distance[:] = 0.0
        self._boxed[:] = False
        self.moved(np.arange(len(self.rows)), boxed=False)

    def moved(self, index: npt.NDArray[np.int64], boxed: bool) -> None:
        """Some cars were put somewhere else: their rates start anew.

        Args:
            index: Which.
            boxed: Whether they now stand in the pits.
        """
        self._boxed[index] = boxed
        for rate in ("pitch_rate", "roll_rate", "vz"):
            self.rows[rate][index] = 0.0
        frames = self._simulator.frames
        self._before[:, index] = self._posture(frames)[:, index]

    def _posture(self, frames: Frames) -> npt.NDArray[np.float64]:
        """[3, N] Pitch, roll [rad] and height of the centre of gravity above the road [m]."""
        posture = np.empty((3, len(frames)))
        posture[0], posture[1] = frames["pitch"], frames["roll"]
        front, rear = frames["ride_height_front"], frames["ride_height_rear"]
        posture[2] = self._cog_height + rear + self._front_share * (front - rear)
        return posture

    def update(self, frames: Frames, elapsed: float, step: float) -> npt.NDArray[Any]:
        """Rows of this moment.

        Args:
            frames: FRAME[N] of this moment.
            elapsed: [s] Since the session began.
            step: [s] Since the last update, 0 for none.

        Returns:
            GAME[N], the array `rows`.
        """
        rows, now = self.rows, self._posture(frames)
        if step > 0.0:
            rows["pitch_rate"], rows["roll_rate"], rows["vz"] = (now - self._before) / step
        self._before = now
        rows["cg_height"] = now[2]
        self._distance += frames["speed"] * step
        rows["distance_driven"] = self._distance
        # Sessions without an end count down from zero.
        rows["session_time_left"] = -elapsed
        rows["spline_position"] = frames["lap_progress"]
        self._boxed &= frames["speed"] < STANDING
        rows["in_pit"] = rows["in_pit_lane"] = self._boxed
        if len(rows) > 1:
            order = np.lexsort((-frames["lap_progress"], -frames["lap_count"]))
            rows["position"][order] = np.arange(1, len(rows) + 1)
        else:
            rows["position"] = 1
        self._wheels(frames)
        return rows

    def _wheels(self, frames: Frames) -> None:
        rows = self.rows
        surface, core = frames["tyre_surface_temperature"], frames["tyre_core_temperature"]
        for third in ("inner", "middle", "outer"):
            rows[f"tyre_temperature_{third}"] = surface
        warming = (core + CELSIUS_ZERO) / (COLD + CELSIUS_ZERO)
        rows["tyre_pressure"] = (COLD_PRESSURE + ATMOSPHERE) * warming - ATMOSPHERE
        rows["tyre_condition"] = 1.0 - self._wear_loss * np.minimum(frames["tyre_wear"] / self._wear_full, 1.0)
        travel = frames["suspension_travel"]
        roll = (travel[:, 1] - travel[:, 0]) / self._front_track
        # The body leans to its right for a positive roll: the tops of the left wheels lean inwards, which is negative.
        rows["camber"] = self._camber - self._lean * roll[:, None]


def _wheels(axles: list[tuple[float, float]]) -> npt.NDArray[np.float64]:
    """[N, 4] Values of front and rear axle, for the wheels FL, FR, RL, RR."""
    return np.array([[front, front, rear, rear] for front, rear in axles])
