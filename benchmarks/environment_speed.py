"""Control steps a second with observation, reward, ends and resets: `python benchmarks/environment_speed.py`."""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from actwin.env.time_trial import TimeTrialEnv, TimeTrialVectorEnv
from actwin.twin.simulator import Simulator
from measure import Speed, calls_per_second, machine, speed_table

BATCHES = (16, 256, 1024, 4096, 16_384, 65_536)
THREADED_FROM = 1024
TASK = {"action": {"kind": "rate"}, "end": {"time_limit": 20.0}}
"""Controls that change smoothly and episodes of at most 20 s, so that resets are part of the load."""

NOTES = {
    "environment": "physics, 130-value observation with 48 look-ahead points, 7 reward terms, ends, resets",
    "physics alone": "the same cars and controls without anything of the environment",
    "gymnasium, one car": "`TimeTrialEnv.step` with its info dictionary",
}


def actions(n: int, width: int) -> list[np.ndarray]:
    """Smooth random driving: a few batches of actions that are used in turn."""
    random = np.random.default_rng(0)
    return [random.normal((0.0, 0.3), (0.05, 0.5), (n, width)).astype(np.float32) for _ in range(7)]


def environment(track: str, car: str, n: int, threads: int, seconds: float) -> list[Speed]:
    """The whole step, and the physics alone with the same controls."""
    env = TimeTrialVectorEnv(n, track=track, car=car, task=TASK, threads=threads, stagger=True)
    env.reset(seed=0)
    batches = actions(n, env.task.action_space.width)
    count = 0

    def step() -> None:
        nonlocal count
        env.step_arrays(batches[count % len(batches)])
        count += 1

    for _ in range(20):
        step()
    rate = 1.0 / env.task.config.period
    whole = n * calls_per_second(step, seconds)
    simulator: Simulator = env.race.cockpit.simulator
    state, controls = simulator.snapshot(), env.task.actions.controls
    physics = n * calls_per_second(lambda: simulator.step(controls), seconds, lambda: simulator.restore(state), 50)
    return [Speed("environment", "", n, threads, rate, whole), Speed("physics alone", "", n, threads, rate, physics)]


def one_car(track: str, car: str, seconds: float) -> Speed:
    """The Gymnasium environment of one car."""
    env = TimeTrialEnv(track, car, TASK)
    env.reset(seed=0)
    action = np.array([0.0, 0.2], np.float32)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return Speed("gymnasium, one car", "", 1, 1, 1.0 / env.task.config.period, calls_per_second(step, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--track", default="monza")
    parser.add_argument("--car", default="formula_alpha_2022")
    parser.add_argument("--seconds", type=float, default=1.0, help="measured time of each line")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of the threaded lines")
    parser.add_argument("--cars", type=int, nargs="*", default=BATCHES, help="numbers of cars")
    wanted = parser.parse_args()

    start = time.perf_counter()
    speeds = [one_car(wanted.track, wanted.car, wanted.seconds)]
    first = time.perf_counter() - start - wanted.seconds
    for n in wanted.cars:
        for threads in sorted({1, wanted.threads}):
            if threads == 1 or n >= THREADED_FROM:
                speeds += environment(wanted.track, wanted.car, n, threads, wanted.seconds)
    print(f"# Environment speed\n\n{machine()}\n\n{speed_table(speeds)}\n")
    for name, note in NOTES.items():
        print(f"- {name}: {note}.")
    print("\nActions are random, so an episode lasts about two seconds: many resets for a step. Best of five windows.")
    print(f"\nFirst environment in this process, loading or compiling included: {first:.1f} s.")


if __name__ == "__main__":
    main()
