"""Drives a car through the "Custom AI" shared memory of Custom Shaders Patch (CSP).

The controls are created first; CSP then lets them drive and creates the car's data, which here tell the gear and
whether a teleport has worked. How CSP reads `teleport_dir` and the DRS button has not been seen in a running game.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.cockpit.actuators.protocol import Pose, neutral, within_range
from actwin.cockpit.actuators.shifter import Shifter
from actwin.cockpit.limits import refuse_broken
from actwin.errors import SourceError
from actwin.telemetry.ac.custom_ai import (
    CAR,
    CAR_CONTROLS,
    SIM_STATE,
    SIM_STATE_NAME,
    TELEPORT_NONE,
    TELEPORT_PITS,
    TELEPORT_POSITION,
    car_name,
    controls_name,
    neutral_car_controls,
)
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.channels import AUTO_GEAR, Controls

ANSWER: Final = 2.0
"""[s] For CSP to take the car."""
ARRIVAL: Final = 1.0
"""[s] For a teleport."""
LEAST_HOLD: Final = 0.03
"""[s] A teleport is asked for at least so long: ten physics steps of the game."""
NEAR: Final = 5.0
"""[m] From the pose asked for; a car may be set down beside it."""
POLL: Final = 0.003


class CustomAI:
    """The controls of one car.

    Gears are the game's: the automatic shifter unless a gear is asked for, always the automatic clutch; CSP's clutch
    field is left alone, as a live report advises.

    Args:
        folder: Of the mappings, elsewhere than on Windows; None is the platform's place.
        car: Number of the car, from 0.
        wait: [s] For CSP to answer; 0 does not wait.

    Raises:
        SourceError: Nobody takes the controls.
    """

    def __init__(self, folder: str | None = None, car: int = 0, wait: float = ANSWER) -> None:
        self.name = f"custom_ai:{folder}" if folder else "custom_ai"
        self._folder, self._number = folder, car
        self._state: npt.NDArray[Any] = neutral_car_controls()
        self._shifter = Shifter()
        self._car: Mapping | None = None
        self._open = True
        self._controls = Mapping.create(controls_name(car), CAR_CONTROLS.itemsize, folder)
        self._write()
        if wait > 0.0 and not self._answered(wait):
            self.close()
            raise SourceError(
                "Nobody takes the controls of Custom AI: it needs Assetto Corsa in a live session with Custom Shaders "
                "Patch 0.1.78 or newer and [CUSTOM_AI] ENABLED=1 (`actwin install-app` sets it), or `actwin serve`."
            )

    def _answered(self, wait: float) -> bool:
        """Whether the car's data appear and move on."""
        end, first = time.perf_counter() + wait, None
        while time.perf_counter() < end:
            now = self._look()
            if now is not None:
                first = now["packet_id"][0] if first is None else first
                if now["packet_id"][0] != first:
                    return True
            time.sleep(POLL)
        return False

    def _look(self) -> npt.NDArray[Any] | None:
        """CAR[1] of this moment; None without one."""
        if self._car is not None and self._car.replaced():
            self._car.close()
            self._car = None
        if self._car is None:
            try:
                self._car = Mapping.open(car_name(self._number), CAR.itemsize, self._folder)
            except SourceError:
                return None
        data = self._car.read()
        return np.frombuffer(data, CAR, 1) if len(data) >= CAR.itemsize else None

    def _write(self) -> None:
        if self._controls.replaced():
            # The game, or its emulator, was restarted and cleared its memory.
            self._controls.close()
            self._controls = Mapping.create(controls_name(self._number), CAR_CONTROLS.itemsize, self._folder)
        self._controls.write(self._state.tobytes())

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """Writes the controls; see `Actuator.send`. The clutch stays released."""
        refuse_broken(controls, 1)
        sent = within_range(controls)
        sent["clutch"] = 1.0
        state, wanted = self._state, int(sent["gear"][0])
        state["gas"], state["brake"], state["steer"] = sent["throttle"], sent["brake"], -sent["steer"]
        state["drs"] = sent["drs"] > 0.5
        state["autoshift_active"] = wanted == AUTO_GEAR
        state["gear_up"], state["gear_dn"] = self._shifter.buttons(wanted, self._engaged(wanted, gear))
        self._write()
        return sent

    def _engaged(self, wanted: int, gear: int | None) -> int | None:
        if wanted == AUTO_GEAR or gear is not None:
            return gear
        car = self._look()
        return None if car is None else int(car["gear"][0]) - 1

    def reset(self, pose: Pose | None = None) -> bool:
        """Teleports the car: to a pose, or to the pits. The lap in which that happens does not count in the game."""
        before = self._look()
        if before is None:
            return False
        self.send(neutral(1.0))
        state, target = self._state, None
        state["teleport_to"] = TELEPORT_PITS
        if pose is not None:
            # AC's world: x is our y, y is our z, z is our x.
            target = np.array([pose.y, pose.z, pose.x])
            state["teleport_to"] = TELEPORT_POSITION
            state["teleport_pos"] = target
            state["teleport_dir"] = math.sin(pose.yaw), 0.0, math.cos(pose.yaw)
        self._write()
        start = time.perf_counter()
        arrived = False
        while time.perf_counter() - start < ARRIVAL and not (arrived and time.perf_counter() - start > LEAST_HOLD):
            time.sleep(POLL)
            arrived = self._arrived(before, target)
        state["teleport_to"] = TELEPORT_NONE
        self._write()
        return arrived

    def _arrived(self, before: npt.NDArray[Any], target: npt.NDArray[Any] | None) -> bool:
        """Whether the car stands at the target; at the pits: whether the game has run on and the car stands."""
        now = self._look()
        if now is None or now["packet_id"][0] == before["packet_id"][0]:
            return False
        if target is None:
            return bool(now["speed_kmh"][0] < 1.0)
        return bool(np.linalg.norm(now["position"][0] - target) < NEAR)

    def let_go(self) -> None:
        """Lets go and leaves the controls as they are, for somebody else who holds them, too."""
        self._open = False
        self._controls.close()
        if self._car is not None:
            self._car.close()
            self._car = None

    def close(self) -> None:
        """Leaves the car neutral and lets go; where the mapping is a file, the emulator then takes the car back."""
        if self._open:
            with contextlib.suppress(OSError, SourceError):
                self.send(neutral())
            self._controls.unlink()
        self.let_go()


class CustomAISimulation:
    """Pause, restart, collisions and speed of time, as far as CSP allows.

    Args:
        folder: As for `CustomAI`.
    """

    def __init__(self, folder: str | None = None) -> None:
        self._mapping = Mapping.create(SIM_STATE_NAME, SIM_STATE.itemsize, folder)
        self._state = np.zeros(1, SIM_STATE)
        self._state["time_scale"] = 1.0

    def set(
        self, *, pause: bool = False, restart: bool = False, collisions: bool = True, time_scale: float = 1.0
    ) -> None:
        """Asks for a state of the simulation.

        Args:
            pause: Stands still.
            restart: Starts the session again; a live report saw it open a menu and stay there.
            collisions: Cars hit each other and walls.
            time_scale: [-] Speed of time, 1 = real; since CSP 0.2.8, how fast is possible is not known.
        """
        self._state["pause"], self._state["restart_session"] = pause, restart
        self._state["disable_collisions"], self._state["time_scale"] = not collisions, time_scale
        self._mapping.write(self._state.tobytes())

    def close(self) -> None:
        """Asks for the usual state and lets go."""
        self.set()
        self._mapping.close()
