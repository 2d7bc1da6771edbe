"""Learning speed beside Stable-Baselines3, at equal network and batch: `python benchmarks/learners.py`.

With `--device cuda` both learn on a graphics card, and ours by CUDA graphs, too.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from actwin.agents.device import chosen_device, device_label
from actwin.agents.networks import ActionSpec
from actwin.agents.ppo import PPO, PPOConfig
from actwin.agents.sac import SAC, SACConfig
from actwin.agents.td3 import TD3, TD3Config
from actwin.training.runs import physical_cores, prepare_torch
from measure import machine, markdown

OBSERVATIONS, CONTROLS = 64, 3
CARS, STEPS, MINIBATCH, EPOCHS = 1024, 32, 8192, 4
"""Of PPO."""
LOOK = 8
"""Updates of the off-policy agents between two looks at the clock."""
GRAPHS = "ours, CUDA graphs"
PRECISION = {"ours": "medium", "SB3": "highest", "SB3, medium": "medium"}
"""Of matrix products, as torch calls it; "highest" is its default. Both are single precision where a CPU has no matrix
units; medium is another, often quicker, library."""

NOTES = (
    "SAC and TD3: one update of both, on a memory of random transitions; in SAC the policy and the temperature learn "
    "in every update, in TD3 the policy in every second; rewards of one step, no layer normalisation",
    "ours clips gradients and normalises observations by running statistics, Stable-Baselines3 does neither in SAC and "
    "TD3 and only clips in PPO",
    "ours, as delivered: critics are layer-normalised, rewards are of five steps, the policy learns in every second "
    "update",
    f"PPO: {CARS} environments that cost nothing (their arrays are ready), {STEPS} steps, minibatches of {MINIBATCH}, "
    f"{EPOCHS} epochs, separate ReLU networks; acting and learning together",
    "ours steers PPO's learning rate by the divergence, scales returns and averages the policy",
    "bfloat16: weights, targets and losses stay single, matrix products of the update do not; PPO's default where the "
    "CPU multiplies it, an option of SAC and TD3",
    "SB3, medium: with the precision flag that ours sets itself",
    "of the peak: matrix products that torch counts in an update, against the rate of one of 1024 x 1024 in single "
    "precision",
)


class Contender(NamedTuple):
    """One line of the table."""

    name: str
    precision: str
    step: Callable[[], object]
    worth: int
    """Updates, or samples, that a step is."""


def ours_off_policy(
    kind: type[SAC] | type[TD3], config: Any, device: torch.device, graphs: bool = False
) -> Callable[[], object]:
    """An update of an agent with a memory full of random transitions."""
    cars = 16
    agent = kind(OBSERVATIONS, ActionSpec(CONTROLS), cars, 0.05, config, 0, device=device, graphs=graphs)
    random = np.random.default_rng(0)
    for _ in range(400):
        seen = random.normal(size=(cars, OBSERVATIONS)).astype(np.float32)
        agent.act(seen)
        ended = random.random((2, cars)) < 0.01
        agent.process(random.normal(size=cars).astype(np.float32), ended[0], ended[1], seen, seen)
    return agent.learn


def theirs_off_policy(name: str, width: int, batch: int, device: torch.device) -> Callable[[], object]:
    """The same of Stable-Baselines3."""
    import stable_baselines3
    from stable_baselines3.common.logger import Logger

    model = getattr(stable_baselines3, name)(
        "MlpPolicy", _vector_env(1), batch_size=batch, buffer_size=6400, device=device, seed=0,
        policy_kwargs={"net_arch": [width, width]},
    )  # fmt: skip
    model.set_logger(Logger(None, []))
    random = np.random.default_rng(0)
    for _ in range(6400):
        seen = random.normal(size=(2, 1, OBSERVATIONS)).astype(np.float32)
        action = random.uniform(-1.0, 1.0, (1, CONTROLS)).astype(np.float32)
        model.replay_buffer.add(seen[0], seen[1], action, random.normal(size=1), random.random(1) < 0.01, [{}])
    return lambda: model.train(LOOK, batch)


def ours_on_policy(width: int, precision: str, device: torch.device) -> Callable[[], object]:
    """A rollout and the update on it."""
    config = PPOConfig(
        hidden=(width, width), rollout=STEPS, epochs=EPOCHS, minibatch=MINIBATCH, squash="clip", precision=precision
    )
    agent = PPO(OBSERVATIONS, ActionSpec(CONTROLS), CARS, 0.05, config, 0, device=device)
    seen, rewards, ended, cut = _ready_arrays()

    def step() -> None:
        while not agent.ready:
            agent.act(seen)
            agent.process(rewards, ended, cut, seen, seen)
        agent.update()

    return step


def theirs_on_policy(width: int, device: torch.device) -> Callable[[], object]:
    """The same of Stable-Baselines3, with a vector environment that costs nothing either."""
    import stable_baselines3

    model = stable_baselines3.PPO(
        "MlpPolicy", _vector_env(CARS), n_steps=STEPS, batch_size=MINIBATCH, n_epochs=EPOCHS, device=device, seed=0,
        policy_kwargs={"net_arch": {"pi": [width, width], "vf": [width, width]}, "activation_fn": torch.nn.ReLU},
    )  # fmt: skip
    return lambda: model.learn(CARS * STEPS, reset_num_timesteps=False)


def _ready_arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    seen = random.normal(size=(CARS, OBSERVATIONS)).astype(np.float32)
    return seen, random.normal(size=CARS).astype(np.float32), random.random(CARS) < 0.005, np.zeros(CARS, np.bool_)


def _vector_env(count: int) -> Any:
    """Environments whose arrays are ready."""
    from gymnasium.spaces import Box
    from stable_baselines3.common.vec_env import VecEnv

    seen, rewards, ended, _ = (array[:count] for array in _ready_arrays())
    infos: list[dict[str, Any]] = [{} for _ in range(count)]

    class Ready(VecEnv):
        def __init__(self) -> None:
            self.render_mode = None
            box = Box(-np.inf, np.inf, (OBSERVATIONS,), np.float32)
            super().__init__(count, box, Box(-1.0, 1.0, (CONTROLS,), np.float32))

        def reset(self) -> np.ndarray:
            return seen

        def step_async(self, actions: np.ndarray) -> None:
            pass

        def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
            return seen, rewards, ended, infos

        def close(self) -> None:
            pass

        def get_attr(self, name: str, indices: Any = None) -> list[Any]:
            return [None] * count

        def set_attr(self, name: str, value: Any, indices: Any = None) -> None:
            pass

        def env_method(self, name: str, *args: Any, **keywords: Any) -> list[Any]:
            return [None] * count

        def env_is_wrapped(self, wrapper: Any, indices: Any = None) -> list[bool]:
            return [False] * count

    return Ready()


def repeated(step: Callable[[], object]) -> Callable[[], None]:
    """As many updates as Stable-Baselines3 makes in one call."""

    def steps() -> None:
        for _ in range(LOOK):
            step()

    return steps


def contenders(algorithm: str, width: int, batch: int, device: torch.device) -> list[Contender]:
    """Ours and theirs for one algorithm."""
    if algorithm == "PPO":
        ours = {"ours": "single", "ours, bfloat16": "bfloat16"}
        steps = {name: ours_on_policy(width, precision, device) for name, precision in ours.items()}
        theirs, worth = (lambda: theirs_on_policy(width, device)), CARS * STEPS
    else:
        kind, settings = {"SAC": (SAC, SACConfig), "TD3": (TD3, TD3Config)}[algorithm]
        common = {"hidden": (width, width), "batch": batch, "replay": 6400}
        equal = common | {"n_step": 1, "layer_norm": False, "actor_every": 1 if algorithm == "SAC" else 2}
        ours = {
            "ours": settings(**equal),
            "ours, bfloat16": settings(**equal, precision="bfloat16"),
            "ours, as delivered": settings(**common),
        }
        steps = {name: repeated(ours_off_policy(kind, config, device)) for name, config in ours.items()}
        if device.type == "cuda":
            steps[GRAPHS] = repeated(ours_off_policy(kind, ours["ours"], device, graphs=True))
        theirs, worth = (lambda: theirs_off_policy(algorithm, width, batch, device)), LOOK
    steps |= {"SB3": theirs(), "SB3, medium": theirs()}
    return [Contender(name, PRECISION.get(name, "medium"), step, worth) for name, step in steps.items()]


def peak(device: torch.device) -> tuple[Callable[[], object], float]:
    """A large matrix product and its floating-point operations."""
    size = 1024
    first, second = torch.randn(2, size, size, device=device)
    out = torch.empty(size, size, device=device)
    return lambda: torch.mm(first, second, out=out), 2.0 * size**3


def operations(step: Callable[[], object]) -> float:
    """Floating-point operations in the matrix products of a step."""
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def with_precision(precision: str, step: Callable[[], object]) -> Callable[[], object]:
    """A step under its own precision of matrix products."""

    def run() -> object:
        torch.set_float32_matmul_precision(precision)
        return step()

    return run


def in_turns(steps: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each call; calls alternate, so that those of one round met the same machine.

    Args:
        steps: What is measured, by name; each is called once before.
        rounds: Calls of each.
        clock: [s] Of the process where it has one thread: other programs do not count then.
    """
    for step in steps.values():
        step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            begin = clock()
            step()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            seconds[name].append(clock() - begin)
    return seconds


def clock_of(threads: int, device: torch.device) -> Callable[[], float]:
    """The process's own time, where nothing of it is spent elsewhere."""
    return time.process_time if threads == 1 and device.type == "cpu" else time.perf_counter


def measure(
    algorithm: str, width: int, batch: int, rounds: int, threads: int, device: torch.device
) -> list[tuple[str, ...]]:
    """Rows of the table for one algorithm."""
    lines = contenders(algorithm, width, batch, device)
    product, flops = peak(device)
    steps = {each.name: with_precision(each.precision, each.step) for each in lines}
    steps |= {f"peak {precision}": with_precision(precision, product) for precision in ("highest", "medium")}
    counts = {each.name: operations(steps[each.name]) for each in lines}
    if GRAPHS in counts:
        counts[GRAPHS] = counts["ours"]  # a replay calls nothing that could be counted
    seconds = in_turns(steps, rounds, clock_of(threads, device))
    highest = flops / min(*seconds["peak highest"], *seconds["peak medium"])
    rows = []
    for each in lines:
        rate = 1.0 / statistics.median(seconds[each.name])
        times = statistics.median(
            theirs / ours for theirs, ours in zip(seconds["SB3"], seconds[each.name], strict=True)
        )
        busy = counts[each.name] * rate
        share = "-" if "bfloat16" in each.name else f"{busy / highest:.0%}"
        rows.append((algorithm, each.name, f"{rate * each.worth:,.0f}", f"{times:.2f}", f"{busy / 1e9:.0f}", share))
    rows.append((algorithm, "matrix product", "", "", f"{highest / 1e9:.0f}", "100%"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=256, help="of the two hidden layers")
    parser.add_argument("--batch", type=int, default=256, help="of SAC and TD3")
    parser.add_argument("--rounds", type=int, default=30, help="turns of each line: eight updates, or a rollout of PPO")
    parser.add_argument("--threads", type=int, default=physical_cores(), help="threads of torch, for all lines")
    parser.add_argument("--algorithms", nargs="*", default=("SAC", "TD3", "PPO"), choices=("SAC", "TD3", "PPO"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="where all of them learn")
    wanted = parser.parse_args()
    device = chosen_device(wanted.device)
    warnings.simplefilter("ignore")
    prepare_torch(wanted.threads)
    rows: list[tuple[str, ...]] = []
    for algorithm in wanted.algorithms:
        rows += measure(algorithm, wanted.width, wanted.batch, wanted.rounds, wanted.threads, device)
    head = ("algorithm", "who", "a second", "times SB3", "GFLOP/s", "of the peak")
    print(f"# Learning speed\n\n{machine()}; torch {torch.__version__}, {wanted.threads} threads")
    print(f"Learning on {device_label(device)}.")
    print(
        f"Two hidden layers of {wanted.width}, batch {wanted.batch}, {OBSERVATIONS} observations, {CONTROLS} controls."
    )
    clock = "CPU time of the process" if clock_of(wanted.threads, device) is time.process_time else "wall clock"
    print(
        "SAC and TD3 in updates, PPO in samples a second; times SB3: median of the ratios of single turns; of the peak:"
    )
    print(f"median over the best. {wanted.rounds} turns each, {clock}.\n")
    print(f"{markdown(head, rows)}\n")
    for note in NOTES:
        print(f"- {note}.")


if __name__ == "__main__":
    main()
