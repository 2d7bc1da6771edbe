"""A vector environment small enough to be solved in seconds: push a mass to the middle of a line and keep it there."""

from typing import Any

import numpy as np


class PointMass:
    """N masses on a line, the action is a force; leaving the line terminates, 100 steps truncate.

    Observation: position, velocity, and a channel that never moves. Reward: 1 - |position|. With `choices`, an action
    has a second column, an index that multiplies the force by 0 or 1.
    """

    observations = 3

    def __init__(self, n: int, seed: int, choices: int = 0) -> None:
        self.num_envs, self.choices = n, choices
        self.random = np.random.default_rng(seed)
        self.position, self.velocity = np.zeros(n), np.zeros(n)
        self.clock = self.random.integers(0, 100, n)
        self.observation = np.zeros((n, 3), np.float32)
        self.final_observation = np.zeros((n, 3), np.float32)
        self._restart(np.arange(n))

    def _restart(self, rows: Any) -> None:
        self.position[rows] = self.random.uniform(-0.9, 0.9, len(rows))
        self.velocity[rows] = self.random.uniform(-0.3, 0.3, len(rows))
        self._observe(self.observation)

    def _observe(self, out: Any) -> None:
        out[:, 0], out[:, 1], out[:, 2] = self.position, self.velocity, 1.0

    def step_arrays(self, actions: Any) -> tuple[Any, Any, Any, Any]:
        force = np.clip(actions[:, 0], -1, 1) * (actions[:, 1] if self.choices else 1.0)
        self.velocity += 0.1 * force
        self.position += 0.1 * self.velocity
        self.clock += 1
        terminated = np.abs(self.position) > 1.0
        truncated = (self.clock >= 100) & ~terminated
        reward = (1.0 - np.abs(self.position)).astype(np.float32)
        self._observe(self.final_observation)
        ended = np.flatnonzero(terminated | truncated)
        self.clock[ended] = 0
        self._restart(ended)
        return self.observation, reward, terminated, truncated

    def mean_distance(self, policy: Any, steps: int = 80) -> float:
        """Mean distance from the middle, over the last half of the steps, driven without exploration."""
        import torch

        self._restart(np.arange(self.num_envs))
        self.clock[:] = 0
        distances = []
        for step in range(steps):
            self.step_arrays(policy.drive(torch.from_numpy(self.observation)).numpy())
            if step >= steps // 2:
                distances.append(np.abs(self.position).mean())
        return float(np.mean(distances))


def learn(agent: Any, env: PointMass, updates: int) -> list[dict[str, float]]:
    """The trainer's loop without the trainer."""
    shown = []
    for _ in range(updates):
        while not agent.ready:
            observation, *rest = env.step_arrays(agent.act(env.observation))
            agent.process(*rest, observation, env.final_observation)
        shown.append(agent.update())
    return shown
