"""A task that is learned in seconds, for tests of the trainer."""

import json
import math

import numpy as np
import torch

from actwin.agents.networks import ActionSpec, Policy
from actwin.training.protocols import Score


class Line:
    """N masses on a line, pushed left and right; far from the middle is expensive, 50 steps end an episode."""

    def __init__(self, n: int) -> None:
        self.num_envs = n
        self.final_observation = np.zeros((n, 2), np.float32)
        self.reward_terms = {"middle": np.zeros(n, np.float32)}
        self.ended = 0

    def start(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.places = self.random.uniform(-1, 1, (self.num_envs, 2))
        self.clock = np.zeros(self.num_envs, np.int64)
        return self.places.astype(np.float32)

    def step_arrays(self, actions):
        self.places[:, 1] += 0.1 * actions[:, 0]
        self.places[:, 0] += 0.1 * self.places[:, 1]
        self.clock += 1
        self.final_observation[:] = self.places
        truncated = self.clock >= 50
        terminated = (np.abs(self.places[:, 0]) > 2.0) & ~truncated
        reward = (1.0 - np.abs(self.places[:, 0])).astype(np.float32)
        self.reward_terms["middle"][:] = reward
        ended = truncated | terminated
        self.places[ended] = self.random.uniform(-1, 1, (ended.sum(), 2))
        self.clock[ended] = 0
        self.ended += int(ended.sum())
        return self.places.astype(np.float32), reward, terminated, truncated

    def episode_stats(self):
        return {"count": float(self.ended)}

    def state(self):
        return {
            "places": torch.from_numpy(self.places.copy()), "clock": torch.from_numpy(self.clock.copy()),
            "random": json.dumps(self.random.bit_generator.state),
        }  # fmt: skip

    def load_state(self, state):
        self.places, self.clock = state["places"].numpy().copy(), state["clock"].numpy().copy()
        self.random.bit_generator.state = json.loads(state["random"])
        return self.places.astype(np.float32)


class LineWorld:
    period, observations, action, columns = 0.1, 2, ActionSpec(1), ("place", "speed")

    def __init__(self, track: str = "line") -> None:
        self.task = {"fingerprint": track, "config": {"track": track}}

    def cars(self, n: int) -> Line:
        return Line(n)

    def evaluate(self, policy: Policy, thorough: bool = False) -> Score:
        cars = Line(16)
        observation, total = cars.start(seed=5), 0.0
        for _ in range(50):
            observation, reward, *_ = cars.step_arrays(policy.drive(torch.from_numpy(observation)).numpy())
            total += float(reward.mean())
        return Score(total, math.nan, {"reward": total})
