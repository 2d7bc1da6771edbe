"""Measures what a game makes of the controls: the procedure behind `actwin calibrate-controls`.

The car stands. Steering goes from lock to lock in steps, the brake up its travel, then the throttle, out of gear where
the actuator can and on the brake in any case. Each step is held until the game's own value has settled, whose median is
what the command reaches. The steering steps also tell how long a command takes to the car.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actwin.cockpit.actuators.protocol import Actuator
from actwin.cockpit.control_maps import ControlMaps, Curve
from actwin.errors import SourceError
from actwin.telemetry.ac.source import Source
from actwin.telemetry.channels import AUTO_GEAR, Controls, neutral_controls

STEER_STEPS: Final = tuple(float(v) for v in np.linspace(-1.0, 1.0, 17))
PEDAL_STEPS: Final = tuple(float(v) for v in np.linspace(0.0, 1.0, 11))
HOLD: Final = 0.55
"""[s] For each of 42 steps: about half a minute with what comes before and after."""
SETTLED: Final = 0.5
"""[-] Share of a step, from its end, in which the value counts as settled."""
STANDING: Final = 1.0
"""[m/s] Faster cars are braked first."""
HALT: Final = 10.0
"""[s] To come to a halt."""
RESEND: Final = 0.05
"""[s] From one sending to the next."""
TRIES: Final = 3
"""For a step during which no telemetry came."""
LEAST_RANGE: Final = 0.2
"""[-] A control that moves less than this was not moved by us."""
RISE: Final = 0.002
"""[-] A step of a curve that is flatter than this belongs to a plateau."""
CORNER: Final = 1.0e-4
"""[-] By which the corners of a dead zone are told apart, so that its middle stands for the value it has."""

Array = npt.NDArray[np.float64]


class Step(NamedTuple):
    """What one command did.

    Attributes:
        command, reached: [-] Sent, and settled.
        delay: [s] From sending to a third of the change; NaN when it changed too little to tell.
    """

    command: float
    reached: float
    delay: float


def measure_controls(
    source: Source,
    actuator: Actuator,
    *,
    car: str = "",
    hold: float = HOLD,
    on_step: Callable[[str, Step], None] | None = None,
) -> ControlMaps:
    """Measures the curves of a car.

    Args:
        source: Connected; the car stands or is braked to a halt.
        actuator: To measure.
        car: As the game names it.
        hold: [s] For each step.
        on_step: Called after each with the control's name and what the step did.

    Returns:
        The curves, not saved.

    Raises:
        SourceError: The telemetry stops, the car does not halt, or a control does not follow.
    """
    _halt(source, actuator)
    steps: dict[str, list[Step]] = {}
    for name, commands in (("steer", STEER_STEPS), ("brake", PEDAL_STEPS), ("throttle", PEDAL_STEPS)):
        controls = _held(name)
        _hold(source, actuator, controls, name, commands[0], hold)
        steps[name] = []
        for command in commands:
            steps[name].append(_hold(source, actuator, controls, name, command, hold))
            if on_step:
                on_step(name, steps[name][-1])
    actuator.send(_held("steer"))
    return ControlMaps(
        car=car,
        actuator=actuator.name.partition(":")[0],
        measured=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        delay=_delay(steps["steer"]),
        steer=curve("steer", steps["steer"]),
        throttle=curve("throttle", steps["throttle"]),
        brake=curve("brake", steps["brake"]),
    )


def _held(name: str) -> Controls:
    """CONTROLS[1] around the control that is measured."""
    controls = neutral_controls(1)
    controls["brake"] = 0.0 if name == "brake" else 1.0
    controls["gear"] = 0 if name == "throttle" else AUTO_GEAR
    return controls


def _halt(source: Source, actuator: Actuator) -> None:
    controls, end = _held("steer"), time.perf_counter() + HALT
    while time.perf_counter() < end:
        actuator.send(controls)
        sample = source.read(RESEND)
        if sample is not None and sample.frame["speed"][0] < STANDING:
            return
    raise SourceError(
        "The car does not come to a halt, or sends no telemetry. Let the session go on, stop the car and see that "
        "nobody else drives it."
    )


def _hold(source: Source, actuator: Actuator, controls: Controls, name: str, command: float, hold: float) -> Step:
    """Holds one command and watches what the car makes of it; again when the telemetry stutters."""
    controls[name] = command
    for _ in range(TRIES):
        sent = float(actuator.send(controls)[name][0])
        times, values = _watch(source, actuator, controls, name, hold)
        settled = values[times > SETTLED * hold]
        if len(settled) and np.isfinite(values).all():
            reached = float(np.median(settled))
            return Step(sent, reached, _answer(times, values, reached))
    raise SourceError(
        f"No telemetry of the {name} came while it was measured. Let the session go on, and try again with a longer "
        "--hold."
    )


def _watch(source: Source, actuator: Actuator, controls: Controls, name: str, hold: float) -> tuple[Array, Array]:
    """When [s] and how far the car's own value of a control moved, while the command is sent again and again."""
    begin = again = time.perf_counter()
    times: list[float] = []
    values: list[float] = []
    while (now := time.perf_counter()) < begin + hold:
        if now - again > RESEND:
            again = now
            actuator.send(controls)
        sample = source.read(min(RESEND, begin + hold - now))
        if sample is not None:
            times.append(sample.time - begin)
            values.append(float(sample.frame[name][0]))
    return np.array(times), np.array(values)


def _answer(times: Array, values: Array, reached: float) -> float:
    """[s] When a third of the change was done; NaN for too small a change."""
    change = reached - values[0]
    if abs(change) < 0.03:
        return float("nan")
    done = np.flatnonzero((values - values[0]) / change > 1.0 / 3.0)
    return float(times[done[0]])


def _delay(steps: list[Step]) -> float:
    told = [step.delay for step in steps if np.isfinite(step.delay)]
    return float(np.median(told)) if told else 0.0


def curve(name: str, steps: list[Step]) -> Curve:
    """A rising curve through what the steps reached; dead zones and stops at their ends are left out.

    Args:
        name: Of the control.
        steps: In rising order of their commands.

    Raises:
        SourceError: The control did not follow.
    """
    points = sorted({step.command: step.reached for step in steps}.items())
    reached = [point[1] for point in points]
    if max(reached) - min(reached) < LEAST_RANGE or reached[-1] <= reached[0]:
        raise SourceError(
            f"The {name} does not follow: commands from {points[0][0]:+.2f} to {points[-1][0]:+.2f} reached "
            f"{min(reached):+.2f} to {max(reached):+.2f}. See that the game listens to this actuator, and nobody else "
            "drives."
        )
    kept = _without_plateaus(points)
    return Curve(command=tuple(p[0] for p in kept), reached=tuple(p[1] for p in kept))


def _without_plateaus(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of a strictly rising curve: of a stop at either end the corner alone, of a dead zone both corners."""
    groups = [[points[0]]]
    for before, point in pairwise(points):
        if point[1] - before[1] > RISE:
            groups.append([])
        groups[-1].append(point)
    kept = [groups[0][-1]]
    for group in groups[1:-1]:
        value = float(np.mean([reached for _, reached in group]))
        kept += [(group[0][0], value - CORNER), (group[-1][0], value + CORNER)] if len(group) > 1 else group
    return [*kept, groups[-1][0]]
