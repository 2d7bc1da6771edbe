"""What our agents learn beside Stable-Baselines3 at equal steps: `python benchmarks/learning.py`.

Gymnasium's own tasks, equal networks, learning rates, discounts and updates for each step; the return of twenty
episodes without exploration, over some seeds.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch

from actwin.agents.arrays import Flags, Floats
from actwin.agents.networks import ActionSpec
from actwin.agents.ppo import PPOConfig
from actwin.agents.registry import AgentConfig, new_agent
from actwin.agents.sac import SACConfig
from actwin.agents.td3 import TD3Config
from actwin.training.runs import prepare_torch
from measure import machine, markdown

EPISODES = 20
FIRST_EVALUATION_SEED = 10_000
OFF_POLICY = {"width": 256, "batch": 256, "rate": 3e-4, "gamma": 0.99, "polyak": 0.005, "starts": 1000}
"""Of SAC and TD3: hidden layers, learning rate, discount, how fast targets follow, steps before the first update."""
NO_LIMIT = 1e9
Decide = Callable[[Floats], Floats]
"""Actions in [-1, 1] of one observation, without exploration."""


class OnPolicy(NamedTuple):
    """Settings of PPO, the same for both."""

    envs: int = 1
    steps: int = 2048
    batch: int = 64
    epochs: int = 10
    rate: float = 3e-4
    gamma: float = 0.99
    trace: float = 0.95


class Recipe(NamedTuple):
    """How long a task is learnt, and PPO's settings for it."""

    off_policy_steps: int
    on_policy_steps: int
    on_policy: OnPolicy = OnPolicy()


RECIPES = {
    "Pendulum-v1": Recipe(10_000, 100_000, OnPolicy(envs=4, steps=1024, rate=1e-3, gamma=0.9)),
    "MountainCarContinuous-v0": Recipe(50_000, 50_000, OnPolicy(rate=1e-3)),
    "HalfCheetah-v5": Recipe(50_000, 200_000),
    "Hopper-v5": Recipe(50_000, 200_000),
    "Walker2d-v5": Recipe(50_000, 200_000),
}


class GymCars:
    """N copies of a Gymnasium task as the arrays that our agents learn from; actions in [-1, 1].

    Args:
        task: Name of a registered environment with a `Box` of actions.
        n: Copies.
        seed: Of the first.
    """

    def __init__(self, task: str, n: int, seed: int) -> None:
        self.envs = [gymnasium.make(task) for _ in range(n)]
        self.low, self.high = self.envs[0].action_space.low, self.envs[0].action_space.high
        first = [env.reset(seed=seed + i)[0] for i, env in enumerate(self.envs)]
        self.observation = np.stack(first).astype(np.float32)
        self.final_observation = self.observation.copy()
        self.reward = np.zeros(n, np.float32)
        self.terminated, self.truncated = np.zeros((2, n), np.bool_)

    def step_arrays(self, actions: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        """One step of every copy; those that end begin anew."""
        scaled = self.low + 0.5 * (np.clip(actions, -1.0, 1.0) + 1.0) * (self.high - self.low)
        for i, env in enumerate(self.envs):
            seen, self.reward[i], self.terminated[i], self.truncated[i], _ = env.step(scaled[i])
            self.final_observation[i] = seen
            if self.terminated[i] or self.truncated[i]:
                seen, _ = env.reset()
            self.observation[i] = seen
        return self.observation, self.reward, self.terminated, self.truncated


def ours(algorithm: str, task: str, recipe: Recipe, seed: int) -> Decide:
    """Trains our agent."""
    n = recipe.on_policy.envs if algorithm == "PPO" else 1
    cars = GymCars(task, n, seed)
    agent = new_agent(
        _our_config(algorithm, recipe), cars.observation.shape[1], ActionSpec(len(cars.low)), n, 1.0, seed
    )
    for _ in range(_steps(algorithm, recipe) // n):
        observation, *rest = cars.step_arrays(agent.act(cars.observation))
        agent.process(*rest, observation, cars.final_observation)
        if agent.ready:
            agent.update()
    return lambda seen: agent.policy.decide(seen[None])[0]


def _our_config(algorithm: str, recipe: Recipe) -> AgentConfig:
    """Our settings that mean what Stable-Baselines3 does."""
    if algorithm == "PPO":
        theirs = recipe.on_policy
        return PPOConfig(
            hidden=(64, 64), activation="tanh", horizon=1.0 / (1.0 - theirs.gamma), trace=theirs.trace,
            rollout=theirs.steps, epochs=theirs.epochs, minibatch=theirs.batch, actor_lr=theirs.rate,
            critic_lr=theirs.rate, divergence=0.0, entropy=0.0, precision="single", averaging=1.0, gradient_norm=0.5,
            std=1.0, std_range=(1e-3, 10.0), normaliser_steps=recipe.on_policy_steps,
        )  # fmt: skip
    common = {
        "hidden": (OFF_POLICY["width"],) * 2, "batch": OFF_POLICY["batch"], "actor_lr": OFF_POLICY["rate"],
        "critic_lr": OFF_POLICY["rate"], "horizon": 1.0 / (1.0 - OFF_POLICY["gamma"]), "n_step": 1, "round_steps": 1,
        "updates_per_step": 1.0, "learning_starts": OFF_POLICY["starts"], "replay": recipe.off_policy_steps + 1,
        "polyak": OFF_POLICY["polyak"], "layer_norm": False, "gradient_norm": NO_LIMIT,
        "normaliser_steps": recipe.off_policy_steps,
    }  # fmt: skip
    if algorithm == "SAC":
        more = {
            "temperature": 1.0, "temperature_lr": OFF_POLICY["rate"], "target_entropy": -1.0, "std": 1.0,
            "std_range": (1e-3, 7.0), "actor_every": 1,
        }  # fmt: skip
        return SACConfig(**common, **more)
    return TD3Config(**common, noise_range=(0.1, 0.1))


def theirs(algorithm: str, task: str, recipe: Recipe, seed: int) -> Decide:
    """Trains Stable-Baselines3's."""
    import stable_baselines3 as sb3
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.noise import NormalActionNoise

    n = recipe.on_policy.envs if algorithm == "PPO" else 1
    env = make_vec_env(task, n, seed=seed)
    settings: dict[str, Any]
    if algorithm == "PPO":
        ppo = recipe.on_policy
        settings = {
            "n_steps": ppo.steps, "batch_size": ppo.batch, "n_epochs": ppo.epochs, "learning_rate": ppo.rate,
            "gamma": ppo.gamma, "gae_lambda": ppo.trace,
        }  # fmt: skip
    else:
        settings = {
            "learning_rate": OFF_POLICY["rate"], "batch_size": OFF_POLICY["batch"], "gamma": OFF_POLICY["gamma"],
            "tau": OFF_POLICY["polyak"], "learning_starts": OFF_POLICY["starts"], "train_freq": 1, "gradient_steps": 1,
            "buffer_size": recipe.off_policy_steps + 1, "policy_kwargs": {"net_arch": [OFF_POLICY["width"]] * 2},
        }  # fmt: skip
    if algorithm == "TD3":
        count = env.action_space.shape[0]
        settings["action_noise"] = NormalActionNoise(np.zeros(count), np.full(count, 0.1))
    model = getattr(sb3, algorithm)("MlpPolicy", env, seed=seed, device="cpu", **settings)
    model.learn(_steps(algorithm, recipe))
    low, high = env.action_space.low, env.action_space.high

    def decide(seen: Floats) -> Floats:
        action = model.predict(seen, deterministic=True)[0]
        return 2.0 * (action - low) / (high - low) - 1.0

    return decide


def _steps(algorithm: str, recipe: Recipe) -> int:
    """Of all environments together; whole rollouts in PPO."""
    if algorithm != "PPO":
        return recipe.off_policy_steps
    rollout = recipe.on_policy.envs * recipe.on_policy.steps
    return -(-recipe.on_policy_steps // rollout) * rollout


def mean_return(task: str, decide: Decide) -> float:
    """Mean undiscounted return of episodes that are the same for everyone."""
    env = gymnasium.make(task)
    low, high = env.action_space.low, env.action_space.high
    total = 0.0
    for episode in range(EPISODES):
        seen, _ = env.reset(seed=FIRST_EVALUATION_SEED + episode)
        ended = False
        while not ended:
            action = low + 0.5 * (decide(seen.astype(np.float32)) + 1.0) * (high - low)
            seen, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
            total += float(reward)
            ended = terminated or truncated
    return total / EPISODES


def compare(algorithm: str, task: str, recipe: Recipe, seeds: int) -> tuple[str, ...]:
    """A row of the table."""
    returns: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for name, train in (("ours", ours), ("SB3", theirs)):
        begin = time.perf_counter()
        policies = [train(algorithm, task, recipe, seed) for seed in range(seeds)]
        seconds[name] = (time.perf_counter() - begin) / seeds
        returns[name] = [mean_return(task, decide) for decide in policies]
        print(f"{task} {algorithm} {name}: {', '.join(f'{each:.0f}' for each in returns[name])}", flush=True)
    means = {name: float(np.mean(each)) for name, each in returns.items()}
    spreads = {name: float(np.std(each, ddof=1)) if seeds > 1 else 0.0 for name, each in returns.items()}
    verdict = "yes" if means["ours"] >= means["SB3"] - spreads["SB3"] else "no"
    cells = [f"{means[name]:.0f} ± {spreads[name]:.0f}" for name in ("ours", "SB3")]
    times = [f"{seconds[name]:.0f}" for name in ("ours", "SB3")]
    return task, algorithm, f"{_steps(algorithm, recipe):,}", *cells, verdict, *times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="*", default=("Pendulum-v1", "HalfCheetah-v5"), help=f"of {[*RECIPES]}")
    parser.add_argument("--algorithms", nargs="*", default=("SAC", "TD3", "PPO"), choices=("SAC", "TD3", "PPO"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="for SAC and TD3, instead of the task's own")
    parser.add_argument("--ppo-steps", type=int, help="for PPO, instead of the task's own")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch, for both")
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    prepare_torch(wanted.threads)
    rows = []
    for task in wanted.tasks:
        recipe = RECIPES.get(task, Recipe(50_000, 200_000))
        recipe = recipe._replace(
            off_policy_steps=wanted.steps or recipe.off_policy_steps,
            on_policy_steps=wanted.ppo_steps or recipe.on_policy_steps,
        )
        rows += [compare(algorithm, task, recipe, wanted.seeds) for algorithm in wanted.algorithms]
    head = ("task", "algorithm", "steps", "ours", "SB3", "within its spread", "ours [s]", "SB3 [s]")
    print(
        f"\n# Learning beside Stable-Baselines3\n\n{machine()}; torch {torch.__version__}, {wanted.threads} threads\n"
    )
    print(f"Return of {EPISODES} episodes without exploration, mean ± standard deviation of {wanted.seeds} seeds.\n")
    print(f"{markdown(head, rows)}\n")
    print("- Within its spread: our mean is no lower than theirs less one standard deviation of theirs.")
    print(
        "- Unlike theirs, ours normalises observations by running statistics, has orthogonal first weights and critics"
    )
    print("  at the level of the rewards, and explores with its own policy before it first learns, where theirs draws")
    print("  actions evenly; our PPO scales returns and normalises advantages over the rollout, not the minibatch.")
    print("- Seconds are of one seed's training.")


if __name__ == "__main__":
    main()
