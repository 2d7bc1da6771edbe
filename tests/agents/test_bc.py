import numpy as np
import pytest
import torch

from actwin.agents.bc import BCConfig, Demonstrations, clone
from actwin.agents.networks import ActionSpec, Policy
from actwin.errors import ConfigError


def demonstrations(rows: int = 4000, laps: int = 10, choices: bool = False, seed: int = 0) -> Demonstrations:
    random = np.random.default_rng(seed)
    observations = random.normal(3.0, 2.0, (rows, 4)).astype(np.float32)
    actions = np.stack([np.tanh(observations[:, 0] - 3.0), 0.3 * np.sin(observations[:, 1])], -1)
    if choices:
        actions = np.column_stack([actions, observations[:, 2] > 3.0])
    return Demonstrations(observations, actions.astype(np.float32), np.arange(rows) * laps // rows)


@pytest.mark.parametrize("squash", ["clip", "tanh"])
def test_the_clone_does_what_was_demonstrated(squash: str) -> None:
    policy = Policy(4, ActionSpec(2), hidden=(32, 32), squash=squash)
    history = clone(policy, demonstrations(), BCConfig(epochs=30, batch=128, learning_rate=3e-3), seed=0)
    unseen = demonstrations(seed=1)
    error = policy.drive(torch.from_numpy(unseen.observations)) - torch.from_numpy(unseen.actions)
    assert error.square().mean() < 2e-3
    assert min(epoch.validation_loss for epoch in history) < 0.05 * history[0].validation_loss
    assert policy.normaliser.frozen


def test_a_learned_gear_is_cloned_too() -> None:
    policy = Policy(4, ActionSpec(2, 2), hidden=(32, 32))
    clone(policy, demonstrations(choices=True), BCConfig(epochs=20, batch=128, learning_rate=3e-3), seed=0)
    unseen = demonstrations(choices=True, seed=1)
    gears = policy.drive(torch.from_numpy(unseen.observations))[:, 2].numpy()
    assert (gears == unseen.actions[:, 2]).mean() > 0.95


def test_stops_early_and_keeps_the_best_weights() -> None:
    noise = demonstrations(rows=300)
    noise.actions[:] = np.random.default_rng(0).normal(0.0, 1.0, noise.actions.shape)
    policy = Policy(4, ActionSpec(2), hidden=(64, 64))
    seen = []
    history = clone(policy, noise, BCConfig(epochs=200, batch=16, patience=3, learning_rate=3e-3), 0, seen.append)
    best = min(history, key=lambda epoch: epoch.validation_loss)
    assert history[-1].number == best.number + 3
    assert seen == history


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"laps": np.zeros(4000, np.int64)}, "fewer than two laps"),
        ({"actions": np.zeros((4000, 5), np.float32)}, "do not fit"),
        ({"actions": np.full((4000, 2), np.nan, np.float32)}, "not finite"),
    ],
)
def test_unusable_demonstrations(broken: dict, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        clone(Policy(4, ActionSpec(2)), demonstrations()._replace(**broken), BCConfig(), seed=0)
