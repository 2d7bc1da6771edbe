"""The configuration of a run: one frozen tree of validated settings, read from YAML and changed by dotted names."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from actwin.agents.device import DeviceName
from actwin.agents.iqn import IQNConfig
from actwin.agents.off_policy import OffPolicyConfig
from actwin.agents.ppo import PPOConfig
from actwin.agents.registry import ALGORITHMS, AgentConfig
from actwin.env.task import TaskConfig
from actwin.errors import ConfigError
from actwin.training.dialect import translate
from actwin.training.imitation_config import ImitationConfig as ImitationConfig
from actwin.training.live_config import LiveConfig


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrainConfig(_Settings):
    """How long to train and how often to look."""

    cars: int = Field(default=512, ge=1, description="parallel cars")
    steps: int = Field(default=20_000_000, ge=0, description="car steps in all; 0 leaves the clone as it is")
    minutes: float | None = Field(
        default=None, gt=0, description="[min] budget of wall-clock time for reinforcement learning"
    )
    evaluate_every: int = Field(default=1_000_000, ge=1, description="car steps between evaluations")
    save_every: int = Field(default=5_000_000, ge=1, description="car steps between checkpoints, step_N.pt")
    keep: int | None = Field(
        default=None, ge=0, description="how many of those, the newest; all of them when not given"
    )
    evaluate: bool = Field(default=True, description="whether there are test drives, which choose best.pt")
    offline: bool = Field(
        default=False,
        description="learn from the demonstrations alone, without driving; steps are then updates, here and in "
        "evaluate_every and save_every",
    )
    save_memory: bool = Field(
        default=True, description="whether an agent's memory lies beside last.pt, for a resume that is exact"
    )
    threads: int = Field(
        default=0, ge=0, description="CPU threads of the learner, 0 for all physical cores but at most 8"
    )
    device: DeviceName = Field(
        default="cpu", description="where updates are computed; auto is a graphics card where torch can use one"
    )
    cuda_graphs: bool = Field(
        default=False, description="whether updates of agents with a memory are replayed as CUDA graphs on such a card"
    )


class RunConfig(_Settings):
    """Everything that a run depends on; saved with it and in its checkpoints."""

    seed: int = Field(default=0, ge=0)
    env: TaskConfig = TaskConfig.of()
    imitation: ImitationConfig | None = ImitationConfig()
    agent: AgentConfig = Field(default=PPOConfig(), description="the learning algorithm, by its `type`")
    train: TrainConfig = TrainConfig()
    live: LiveConfig | None = Field(
        default=None, description="running games to learn in, in real time; without it the cars are in the twin"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """What the agents themselves would refuse too, but only after minutes of demonstrations."""
        agent, action = self.agent, self.env.action
        if isinstance(agent, IQNConfig) and action.kind != "discrete":
            raise ValueError(
                f"agent.type: IQN chooses among named actions, but env.action.kind is {action.kind}. Set "
                "env.action.kind=discrete, or agent.type to ppo, sac, qr_sac or td3"
            )
        if not isinstance(agent, IQNConfig) and action.kind == "discrete":
            raise ValueError(
                f"agent.type: {agent.type.upper()} decides continuous controls, but env.action.kind is discrete. Set "
                "it to absolute or rate, or use agent.type=iqn"
            )
        if isinstance(agent, OffPolicyConfig) and action.gear == "learned":
            raise ValueError(
                f"agent.type: {agent.type.upper()} decides continuous controls only, but env.action.gear is learned. "
                "Set it to automatic, or use agent.type=ppo"
            )
        if not isinstance(agent, PPOConfig) and agent.batch > agent.replay:
            raise ValueError(
                f"agent.batch: a batch of {agent.batch} does not fit a memory of {agent.replay} transitions. Raise "
                "agent.replay or lower agent.batch"
            )
        return self

    @model_validator(mode="after")
    def _learns_live(self) -> Self:
        if self.live is not None and isinstance(self.agent, PPOConfig):
            raise ValueError(
                "live: PPO learns in step with all its cars, from what its policy of this very moment did; games in "
                "real time do not wait. Set agent.type to sac, qr_sac, td3 or iqn, or leave out live"
            )
        return self

    @model_validator(mode="after")
    def _learns_offline(self) -> Self:
        if not self.train.offline:
            return self
        if isinstance(self.agent, PPOConfig):
            raise ValueError(
                "train.offline: PPO learns only from what it does itself. Set agent.type to sac, qr_sac, td3 or iqn"
            )
        if self.live is not None:
            raise ValueError("train.offline: there is nothing to drive, but live names games. Leave one of them out")
        if self.imitation is None or not self.agent.demo_share:
            raise ValueError(
                "train.offline: demonstrations are all there is to learn from. Give imitation.sessions, and an "
                "agent.demo_share above 0"
            )
        return self


def load_config(path: str | Path | None = None, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads a run configuration.

    Args:
        path: A YAML file with the sections of `RunConfig`; what is not in it has its default. None reads nothing.
        overrides: Dotted settings like "agent.actor_lr=1e-4", applied in order.

    Raises:
        ConfigError: The file cannot be read, a setting does not exist (the nearest name is given) or does not fit.
    """
    tree = _read(Path(path)) if path is not None else {}
    for override in overrides:
        _apply(tree, override)
    return parse_config(tree, str(path) if path is not None else "settings")


def parse_config(tree: Mapping[str, Any], source: str = "settings") -> RunConfig:
    """A run configuration from plain values, for example those in a checkpoint.

    Args:
        tree: Sections of `RunConfig`.
        source: Named in errors.

    Raises:
        ConfigError: As for `load_config`.
    """
    tree = translate(_with_algorithm(tree, source))
    if unknown := next(_unknown_keys(tree, RunConfig), None):
        raise ConfigError(f"{source}: {unknown}")
    try:
        return RunConfig.model_validate(dict(tree))
    except ValidationError as error:
        problems = [_problem(each["loc"], each["msg"], each["input"]) for each in error.errors()]
        raise ConfigError(f"{source}: {'; '.join(problems)}.") from error


def _with_algorithm(tree: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Settings whose agent names its algorithm: PPO where none is named, in lower case however it was written."""
    agent = tree.get("agent", {})
    if not isinstance(agent, Mapping):
        return dict(tree)
    kind = str(agent.get("type", "ppo")).lower().replace("-", "_")
    if kind not in ALGORITHMS:
        near = difflib.get_close_matches(kind, ALGORITHMS, n=1, cutoff=0.5)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(ALGORITHMS)}."
        raise ConfigError(f"{source}: agent.type: there is no algorithm '{kind}'. {hint}")
    return dict(tree) | {"agent": dict(agent) | {"type": kind}}


def _problem(path: Sequence[Any], message: str, given: Any) -> str:
    """One complaint of a validation, with the setting it is about, where it is about one, and what was given."""
    place, words = _place(path), message.removeprefix("Value error, ")
    if words.startswith("Input should") and isinstance(given, str | int | float | None):
        words = f"{words.partition(', unable')[0]}, not {given!r}"
    return f"{place}: {words}" if place else words


def _place(path: Sequence[Any]) -> str:
    """Dotted name of a setting; the name of the algorithm, which validation puts in between, is left out."""
    parts = [str(part) for part in path]
    if len(parts) > 2 and parts[0] == "agent":
        del parts[1]
    return ".".join(parts)


def dump_config(config: RunConfig) -> str:
    """The resolved configuration as YAML that `load_config` reads back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class _Loader(yaml.SafeLoader):
    """YAML in which 3e-4 is a number, as everyone writes it; YAML 1.1 wants 3.0e-4."""


_FLOAT: Final = re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789"))


def _parse(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file. Presets lie in the folder configs/.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Give the YAML file of a run.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(tree, dict | None):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}, not sections like 'env:' and 'agent:'.")
    return tree or {}


def _apply(tree: dict[str, Any], override: str) -> None:
    name, separator, text = override.partition("=")
    if not separator or not name:
        raise ConfigError(f"'{override}' is not a setting. Write it like agent.actor_lr=1e-4.")
    try:
        value = _parse(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"'{override}': the value cannot be read. Put quotes around text.") from error
    *sections, key = name.strip().split(".")
    for section in sections:
        if not isinstance(tree.get(section), dict):
            tree[section] = {}
        tree = tree[section]
    tree[key] = value


def _unknown_keys(tree: Mapping[str, Any], model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        field = model.model_fields.get(str(key))
        if field is None:
            near = difflib.get_close_matches(str(key), model.model_fields, n=1, cutoff=0.5)
            hint = f"Did you mean '{prefix}{near[0]}'?" if near else f"Known here: {', '.join(model.model_fields)}."
            yield f"there is no setting '{prefix}{key}'. {hint}"
        elif isinstance(value, Mapping):
            for inner in _models(field.annotation, value):
                yield from _unknown_keys(value, inner, f"{prefix}{key}.")


def _models(annotation: Any, value: Mapping[str, Any]) -> list[type[BaseModel]]:
    """The settings model that a mapping is meant for: of several, the one whose `type` it names."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    choices = typing.get_args(annotation) or (annotation,)
    models = [each for each in choices if isinstance(each, type) and issubclass(each, BaseModel)]
    if len(models) > 1:
        models = [each for each in models if value.get("type") == each.model_fields["type"].default]
    return models
