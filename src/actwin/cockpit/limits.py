"""Limits on the controls: what is refused, what is cut to its range, how fast a control may change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actwin.errors import ConfigError, ControlError
from actwin.telemetry.channels import CONTROL_CHANNELS, CONTROLS, Controls

FLOAT_CONTROLS = tuple(channel for channel in CONTROL_CHANNELS if not channel.integer)
CODE_CONTROLS = tuple(channel for channel in CONTROL_CHANNELS if channel.integer)


@dataclass(frozen=True)
class ControlLimits:
    """Range and rate limits; a rate of infinity is none.

    Attributes:
        steer_rate: [1/s] Change of steering, in shares of the lock.
        pedal_rate: [1/s] Change of throttle and brake.
        max_throttle, max_brake: [-] Furthest a pedal may go.
    """

    steer_rate: float = np.inf
    pedal_rate: float = np.inf
    max_throttle: float = 1.0
    max_brake: float = 1.0

    def __post_init__(self) -> None:
        if not (self.steer_rate > 0.0 and self.pedal_rate > 0.0):
            raise ConfigError("Rates of the controls must be above 0; leave them out for no limit.")
        if not (0.0 <= self.max_throttle <= 1.0 and 0.0 <= self.max_brake <= 1.0):
            raise ConfigError("Limits of the pedals must lie between 0 and 1.")

    def apply(self, controls: Controls, before: Controls, period: float) -> Controls:
        """Controls that may be sent.

        Args:
            controls: CONTROLS[N] as asked for.
            before: CONTROLS[N] as sent last.
            period: [s] Time since then.

        Returns:
            CONTROLS[N], a new array.

        Raises:
            ControlError: A value that is not finite.
        """
        refuse_broken(controls)
        sent = controls.copy()
        for channel in (*FLOAT_CONTROLS, *CODE_CONTROLS):
            sent[channel.name] = np.clip(controls[channel.name], channel.low, channel.high)
        sent["throttle"] = np.minimum(sent["throttle"], self.max_throttle)
        sent["brake"] = np.minimum(sent["brake"], self.max_brake)
        for name, rate in (("steer", self.steer_rate), ("throttle", self.pedal_rate), ("brake", self.pedal_rate)):
            if np.isfinite(rate):
                step = rate * period
                sent[name] = np.clip(sent[name], before[name] - step, before[name] + step)
        return sent


def refuse_broken(controls: Controls, n: int | None = None) -> None:
    """Raises `ControlError` for controls that no car can follow.

    Args:
        controls: CONTROLS[N].
        n: Number of cars they must be for; None takes any.
    """
    if not isinstance(controls, np.ndarray) or controls.dtype != CONTROLS or controls.ndim != 1:
        kind = getattr(controls, "dtype", type(controls).__name__)
        raise ControlError(f"Controls must be a CONTROLS[N] record array, not {kind}. Start from neutral_controls(n).")
    if n is not None and len(controls) != n:
        raise ControlError(f"Controls for {len(controls)} cars were sent to {n}. Send one record for each car.")
    for channel in FLOAT_CONTROLS:
        bad = np.flatnonzero(~np.isfinite(controls[channel.name]))
        if len(bad):
            value = controls[channel.name][bad[0]]
            raise ControlError(
                f"The control '{channel.name}' of car {bad[0]} is {value}. Send finite numbers; nothing was sent."
            )
