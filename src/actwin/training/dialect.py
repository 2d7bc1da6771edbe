"""Other names that settings are known by, translated into ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actwin.env.config import TaskConfig
from actwin.errors import ConfigError

TRAIN: Final[Mapping[str, str]] = {
    "total_timesteps": "steps", "eval_interval": "evaluate_every", "save_interval": "save_every",
}  # fmt: skip
LAP_START_SHARE: Final = 0.3
"""Share of the episodes that begin where `lap_start` says; the others begin anywhere, or a driver who fails in the
first corner would never see the second."""


def translate(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Settings under the names of `RunConfig`.

    Known are `env.lap_start`, `agent.gamma`, `agent.lr`, `agent.batch_size`, `agent.hidden_units`, `agent.n_quantiles`,
    `train.total_timesteps`, `train.eval_interval` and `train.save_interval`. IQN, which chooses among named actions,
    gets them where `env.action` is not set.

    Args:
        tree: Sections of a run, the agent's with its `type`; it is not changed.

    Raises:
        ConfigError: A setting is given under both its names.
    """
    sections = {name: dict(part) if isinstance(part, Mapping) else part for name, part in tree.items()}
    env, agent, train = (sections.get(name) for name in ("env", "agent", "train"))
    if isinstance(env, dict) and "lap_start" in env:
        kind = str(env.pop("lap_start"))
        rest = {} if kind == "anywhere" else {"anywhere": 1.0 - LAP_START_SHARE}
        _put(env, "start", {"mixture": {kind: LAP_START_SHARE} | rest}, "env.lap_start")
    if isinstance(train, dict):
        for theirs, ours in TRAIN.items():
            if theirs in train:
                _put(train, ours, train.pop(theirs), f"train.{theirs}")
    if isinstance(agent, dict):
        _translate_agent(agent, env if isinstance(env, dict) else {})
        if agent.get("type") == "iqn":
            env = sections.setdefault("env", {})
            if isinstance(env, dict):
                env.setdefault("action", {"kind": "discrete"})
    return sections


def _translate_agent(agent: dict[str, Any], env: Mapping[str, Any]) -> None:
    kind = agent.get("type")
    if "gamma" in agent:
        gamma = agent.pop("gamma")
        if not isinstance(gamma, int | float) or not 0.0 < gamma < 1.0:
            raise ConfigError(
                f"agent.gamma is {gamma!r}. Give a discount between 0 and 1, or agent.horizon in seconds."
            )
        period = TaskConfig.of({"physics": env.get("physics") or {}}).period
        _put(agent, "horizon", round(period / (1.0 - gamma), 6), "agent.gamma")
    if "batch_size" in agent:
        _put(agent, "minibatch" if kind == "ppo" else "batch", agent.pop("batch_size"), "agent.batch_size")
    if "hidden_units" in agent:
        width = agent.pop("hidden_units")
        _put(agent, "hidden", [width, width], "agent.hidden_units")
    if "n_quantiles" in agent:
        _put(agent, "quantiles", agent.pop("n_quantiles"), "agent.n_quantiles")
    if "lr" in agent and kind != "iqn":
        rate = agent.pop("lr")
        for name in ("actor_lr", "critic_lr"):
            _put(agent, name, rate, "agent.lr")


def _put(section: dict[str, Any], name: str, value: Any, theirs: str) -> None:
    if name in section:
        raise ConfigError(f"{theirs} and {theirs.split('.')[0]}.{name} say the same thing. Give one of them.")
    section[name] = value
