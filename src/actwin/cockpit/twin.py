"""The seat over the twin: sending sets the controls, reading drives one control period."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwin.cockpit.limits import ControlLimits, refuse_broken
from actwin.telemetry.channels import Controls, Frames, neutral_controls
from actwin.twin.simulator import Simulator, State


class TwinCockpit:
    """A `Cockpit` of N cars in the twin.

    Args:
        simulator: The twin.
        limits: Range and rate limits of the controls; None leaves them to the simulator, which cuts to the range
            itself.

    Attributes:
        simulator: The twin.
        frames: FRAME[N] of this moment.
    """

    def __init__(self, simulator: Simulator, limits: ControlLimits | None = None) -> None:
        self.simulator = simulator
        self.limits = limits
        self._sent: Controls = neutral_controls(simulator.n)

    @property
    def n(self) -> int:
        """Number of cars."""
        return self.simulator.n

    @property
    def period(self) -> float:
        """[s] Control period."""
        return float(self.simulator.control_period)

    @property
    def frames(self) -> Frames:
        """FRAME[N] of this moment, without driving on."""
        return self.simulator.frames

    def reset(self, index: npt.ArrayLike | None = None, **start: Any) -> Frames:
        """Puts cars on the road.

        Args:
            index: Which cars; None means all.
            start: As of `Simulator.reset`; by default standing on pole position.

        Returns:
            FRAME[N] of all cars.
        """
        if not start:
            slots, offsets = self.simulator.track.grid_positions(1)
            start = {"distance": slots[0], "lateral": offsets[0]}
        self._forget(index)
        return self.simulator.reset(index, **start)

    def restore(self, state: State, index: npt.ArrayLike | None = None) -> Frames:
        """Puts cars back into earlier states, see `Simulator.restore`."""
        self._forget(index)
        return self.simulator.restore(state, index)

    def _forget(self, index: npt.ArrayLike | None) -> None:
        if self.limits is not None:
            rows = np.arange(self.n) if index is None else np.asarray(index)
            self._sent[rows] = neutral_controls(1)[0]

    def send(self, controls: Controls) -> Controls:
        """Sets the controls for the coming control period.

        Args:
            controls: CONTROLS[N].

        Returns:
            CONTROLS[N] as really sent.

        Raises:
            ControlError: A value that is not finite, or another shape; the controls before stay in force.
        """
        if self.limits is None:
            # The simulator refuses broken controls when it drives; checking twice would cost a tenth of its time.
            self._sent = controls
        else:
            refuse_broken(controls, self.n)
            self._sent = self.limits.apply(controls, self._sent, self.period)
        return self._sent

    def read(self) -> Frames:
        """FRAME[N] after one control period with the controls sent last."""
        return self.simulator.step(self._sent)
