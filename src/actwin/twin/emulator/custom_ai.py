"""The emulator's side of CSP's Custom AI: obeys the mappings that drivers create, shows the cars they drive."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.errors import SourceError
from actwin.telemetry.ac.custom_ai import (
    CAR,
    CAR_CONTROLS,
    CAR_PUBLIC,
    PREFIX,
    SIM_STATE,
    SIM_STATE_NAME,
    SIM_STATE_OLD,
    SIM_STATE_OLD_NAME,
    car_name,
    controls_name,
    public_name,
)
from actwin.telemetry.ac.frames import custom_ai_from_frames
from actwin.telemetry.ac.mapping import Mapping
from actwin.twin.emulator.game import Game
from actwin.twin.emulator.hands import Hands
from actwin.twin.emulator.interface import Interface

LOOK_EVERY: Final = 100
"""Steps from one look for new or vanished mappings to the next."""
FASTEST: Final = 100.0
"""[-] Highest time scale that is obeyed."""
SHARED: Final = tuple(name for name in CAR_PUBLIC.names or () if name in (CAR.names or ()))
"""Fields that the data of a driven car and of any car have in common."""


class _Watched:
    """A mapping that somebody else creates, looked after so that its end is seen.

    The game itself keeps such a mapping open for ever. Here it is let go when its creator removed it, so that another
    driver can take over; where mappings have names instead of files, the emulator keeps it as the game does.
    """

    def __init__(self, name: str, layout: np.dtype[Any], folder: Path | None) -> None:
        self._name, self._folder = name, folder
        self._mapping: Mapping | None = None
        self.value = np.zeros(1, layout)

    def look(self) -> bool:
        """Opens the mapping unless that is done; whether there is one of the right size."""
        if self._mapping is not None and self._mapping.replaced():
            self.close()
        if self._mapping is None:
            try:
                self._mapping = Mapping.open(self._name, self.value.itemsize, self._folder)
            except SourceError:
                return False
        return self.read()

    def read(self) -> bool:
        """Copies the mapping into `value`; whether there is one of the right size."""
        data = b"" if self._mapping is None else self._mapping.read()
        if len(data) < self.value.itemsize:
            return False
        self.value.view(np.uint8)[:] = np.frombuffer(data, np.uint8, self.value.itemsize)
        return True

    def clear(self) -> None:
        """Removes what a driver of an earlier game left, as the end of that game would have done."""
        self.look()
        if self._mapping is not None:
            self._mapping.unlink()
            self.close()

    def close(self) -> None:
        """Lets it go."""
        if self._mapping is not None:
            self._mapping.close()
            self._mapping = None


class CustomAi(Interface):
    """Custom AI of all cars of the game.

    Cars of the twin pass through each other, so that `disable_collisions` changes nothing; hand brake, hybrid systems
    and the buttons of the set-up are not modelled and ignored, and so is `extra_sleep_ms`.

    Args:
        game: To obey and show.
        folder: Of the mapping files where the platform has no named mappings; None for its default.
    """

    name = "Custom AI"

    def __init__(self, game: Game, folder: Path | None = None) -> None:
        self._game, self._folder = game, folder
        cars = range(game.n)
        self._asked = [_Watched(controls_name(car), CAR_CONTROLS, folder) for car in cars]
        self._driven: list[Hands | None] = [None for _ in cars]
        self._shown: list[Mapping | None] = [None for _ in cars]
        self._public = [Mapping.create(public_name(car), CAR_PUBLIC.itemsize, folder) for car in cars]
        self._state = _Watched(SIM_STATE_NAME, SIM_STATE, folder)
        self._old_state = _Watched(SIM_STATE_OLD_NAME, SIM_STATE_OLD, folder)
        self._state_before = np.zeros(1, SIM_STATE)[0]
        self._cars, self._public_cars = np.zeros(game.n, CAR), np.zeros(game.n, CAR_PUBLIC)
        self._until_look = 0
        for watched in (*self._asked, self._state, self._old_state):
            watched.clear()

    @property
    def places(self) -> dict[str, str]:
        """Names of the mappings, and their folder when it was chosen."""
        return {"mappings": f"{PREFIX}*"} | ({"folder": str(self._folder)} if self._folder else {})

    def receive(self) -> None:
        """Reads controls and the wishes about the whole session."""
        if self._until_look == 0:
            self._look()
            self._until_look = LOOK_EVERY
        self._until_look -= 1
        self._obey_state()
        for car, asked in enumerate(self._asked):
            driven = self._driven[car]
            if driven is None:
                continue
            if asked.read():
                driven.take(asked.value[0], self._game, car)
            else:
                self._driven[car] = None

    def _look(self) -> None:
        for car, asked in enumerate(self._asked):
            if not asked.look():
                self._driven[car] = None
            elif self._driven[car] is None:
                self._driven[car] = Hands()
                if self._shown[car] is None:
                    self._shown[car] = Mapping.create(car_name(car), CAR.itemsize, self._folder)
        if not self._state.look():
            self._old_state.look()

    def _obey_state(self) -> None:
        game, before = self._game, self._state_before
        state = np.zeros(1, SIM_STATE)[0]  # what holds when nobody asks for anything, or no longer
        if self._state.read():
            state = self._state.value[0]
        elif self._old_state.read():
            for name in SIM_STATE_OLD.names or ():
                state[name] = self._old_state.value[0][name]
        scale = float(state["time_scale"])
        game.time_scale = scale if math.isfinite(scale) and 0.0 < scale <= FASTEST else 1.0
        if bool(state["pause"]) != bool(before["pause"]):
            game.pause(bool(state["pause"]))
        if state["restart_session"] and not before["restart_session"]:
            game.restart()
        self._state_before = state.copy()

    def controls(self, car: int) -> npt.NDArray[Any] | None:
        """CONTROLS[1] of the driver of a car, None when it has none."""
        driven = self._driven[car]
        return None if driven is None else driven.controls

    def publish(self, rendered: bool) -> None:
        """Writes the data of driven cars at every step and of all cars with every picture."""
        if not (rendered or any(self._driven)):
            return
        cars, public = self._cars, self._public_cars
        custom_ai_from_frames(self._game.frames, self._game.rows, cars)
        for car, mapping in enumerate(self._shown):
            if mapping is not None and self._driven[car] is not None:
                mapping.write(cars[car].tobytes())
        if rendered:
            for name in SHARED:
                public[name] = cars[name]
            public["is_braking"] = cars["brake"] > 0.0
            for car, mapping in enumerate(self._public):
                mapping.write(public[car].tobytes())

    def close(self) -> None:
        """Removes the mappings that show the cars."""
        for watched in (*self._asked, self._state, self._old_state):
            watched.close()
        for mapping in (*self._shown, *self._public):
            if mapping is not None:
                mapping.unlink()
                mapping.close()
        self._shown, self._public = [], []
