"""Stable-Baselines3 learns to drive: our environments, its SAC, nothing in between.

    pip install "actwin[train]" stable-baselines3
    python examples/train_with_stable_baselines3.py --steps 20000

The environment's id is all that it needs; every setting of the task is an argument of `gymnasium.make`.
"""

from __future__ import annotations

import argparse

import gymnasium
from stable_baselines3 import SAC
from stable_baselines3.common.evaluation import evaluate_policy

import actwin.env  # noqa: F401  (registers the environments)

TASK = {"action": {"kind": "rate"}, "end": {"time_limit": 30.0}}
"""The driver decides how quickly the controls change; episodes of at most half a minute."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--track", default="oval")
    parser.add_argument("--car", default="formula_alpha_2022")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--out", default="sb3_driver")
    wanted = parser.parse_args()

    env = gymnasium.make("actwin/TimeTrial-v0", track=wanted.track, car=wanted.car, task=TASK)
    model = SAC("MlpPolicy", env, learning_starts=1000, seed=0, device="cpu")
    before, _ = evaluate_policy(model, model.get_env(), n_eval_episodes=5)
    model.learn(wanted.steps)
    after, spread = evaluate_policy(model, model.get_env(), n_eval_episodes=5)
    model.save(wanted.out)
    print(f"Return of an episode: {before:.1f} before, {after:.1f} ± {spread:.1f} after {wanted.steps:,} steps.")
    print(f"Saved as {wanted.out}.zip")


if __name__ == "__main__":
    main()
