"""Channels of a lap as the analysis of driving needs them: present, without holes, wheels side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from actwin.analysis.compare import Trace
from actwin.telemetry.channels import WHEELS

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MOST_HOLES: Final = 0.2
"""[-] Share of unknown values up to which a channel is bridged; beyond it the channel counts as absent."""
PAUSE: Final = 1.0
"""[s] A longer step from one sample to the next is a pause, in which nothing was driven."""


class AbsentError(Exception):
    """A number cannot be made because something is missing; `str` reads on from "a lap that ...".

    Args:
        channels: That would have been needed; of several one is enough.
        needs: What is missing, where it is no channel.
    """

    def __init__(self, channels: Sequence[str] = (), needs: str = "") -> None:
        self.channels, self.needs = tuple(channels), needs
        super().__init__(f"has no {' nor '.join(self.channels)}" if channels else f"lacks {needs}")

    @property
    def reason(self) -> str:
        """For a table of absent numbers."""
        return f"needs {self.needs}" if self.needs else f"needs {' or '.join(self.channels)}, which was not recorded"


def lap_of(columns: Mapping[str, npt.NDArray[Any]] | DataFrame, driver: str = "") -> Trace:
    """A lap at its own samples, of columns `time` [s], `distance` [m] and any channels; text is left out.

    Args:
        columns: A table, or arrays by name: `DrivenLap.telemetry` or `DrivenLap.arrays`.
        driver: Who drove.
    """
    arrays = {str(name): np.asarray(columns[name]) for name in columns}
    time, distance = (np.asarray(arrays.pop(name), np.float64) for name in ("time", "distance"))
    return Trace(driver, distance, time, {name: v.astype(np.float64) for name, v in arrays.items() if _is_number(v)})


def _is_number(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind in "biuf"


def known(lap: Trace, name: str) -> bool:
    """Whether a lap has a channel with values in four fifths of its samples or more."""
    if name not in lap.channels:
        return False
    values = lap.channels[name]
    return len(values) > 0 and float(np.isfinite(values).mean()) >= 1.0 - MOST_HOLES


def clean(lap: Trace, name: str) -> Floats:
    """[M] A channel with its holes bridged linearly.

    Raises:
        AbsentError: The lap does not have it.
    """
    if not known(lap, name):
        raise AbsentError((name,))
    return bridged(lap.channels[name])


def bridged(values: npt.NDArray[Any]) -> Floats:
    """[M] Values with what is not finite interpolated over; at least one must be finite."""
    values = np.asarray(values, np.float64)
    good = np.isfinite(values)
    if good.all():
        return values
    rows = np.arange(len(values))
    filled: Floats = np.interp(rows, rows[good], values[good])
    return filled


def wheels(lap: Trace, name: str) -> Floats:
    """[M, 4] A wheel channel, FL, FR, RL, RR; from one array or from four columns with the wheels' suffixes.

    Raises:
        AbsentError: The lap does not have it.
    """
    if name in lap.channels and lap.channels[name].ndim == 2 and known(lap, name):
        return np.stack([bridged(column) for column in lap.channels[name].T], axis=1)
    names = [f"{name}_{wheel}" for wheel in WHEELS]
    if not all(known(lap, each) for each in names):
        raise AbsentError((name,))
    return np.stack([clean(lap, each) for each in names], axis=1)


def has_wheels(lap: Trace, name: str) -> bool:
    """Whether a lap has a wheel channel."""
    try:
        return bool(wheels(lap, name).size)
    except AbsentError:
        return False


def steering(lap: Trace) -> Floats:
    """[-] or [rad] Steering, left positive: the share of the lock where known, else the steering-wheel angle."""
    if known(lap, "steer"):
        return clean(lap, "steer")
    if known(lap, "steer_angle"):
        return clean(lap, "steer_angle")
    raise AbsentError(("steer", "steer_angle"))


def forward_speed(lap: Trace) -> Floats:
    """[m/s] Along the car's own axis; the speed where it was not recorded."""
    return clean(lap, "vx") if known(lap, "vx") else clean(lap, "speed")


def lateral(lap: Trace) -> Floats:
    """[m/s²] Lateral acceleration, left positive; of yaw rate times speed where it was not recorded."""
    if known(lap, "ay"):
        return clean(lap, "ay")
    if known(lap, "yaw_rate") and known(lap, "speed"):
        return clean(lap, "yaw_rate") * clean(lap, "speed")
    raise AbsentError(("ay", "yaw_rate with speed"))


def longitudinal(lap: Trace) -> Floats:
    """[m/s²] Longitudinal acceleration; the change of speed where it was not recorded."""
    if known(lap, "ax"):
        return clean(lap, "ax")
    if known(lap, "speed") and len(lap.time) > 2:
        steps = np.maximum(np.diff(lap.time), 1e-6)
        rate = np.diff(clean(lap, "speed")) / steps
        return np.concatenate(([rate[0]], 0.5 * (rate[1:] + rate[:-1]), [rate[-1]]))
    raise AbsentError(("ax", "speed"))


def weights(time: Floats) -> Floats:
    """[s] Time that each sample stands for, [M]; pauses count for nothing, the sum is the driven time."""
    steps = np.diff(time)
    steps = np.where((steps > PAUSE) | ~np.isfinite(steps), 0.0, np.maximum(steps, 0.0))
    whole = np.zeros(len(time))
    whole[:-1] += 0.5 * steps
    whole[1:] += 0.5 * steps
    return whole


def time_above(time: Floats, margin: Floats) -> float:
    """[s] For how long a quantity, linear between its samples, is above zero; pauses count for nothing.

    Args:
        time: [s] [M].
        margin: [M] The quantity.
    """
    return float(stretch_above(time, margin).sum())


def stretch_above(time: Floats, margin: Floats) -> Floats:
    """[s] The same for each step between two samples, [M - 1]."""
    steps = np.diff(time)
    steps = np.where(steps > PAUSE, 0.0, np.maximum(steps, 0.0))
    low, high = np.minimum(margin[:-1], margin[1:]), np.maximum(margin[:-1], margin[1:])
    rise = np.maximum(high - low, 1e-12)
    return np.asarray(steps * np.where(low > 0.0, 1.0, np.where(high > 0.0, high / rise, 0.0)))


def runs(flags: Flags) -> list[tuple[int, int]]:
    """First and last index of each stretch of true values."""
    edges = np.diff(np.concatenate(([0], np.asarray(flags, np.int8), [0])))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))
