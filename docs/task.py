"""Writes docs/task.md from the registries of `actwin.env`: `python docs/task.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from actwin.env.action_sets import DISCRETE_SETS
from actwin.env.config import DEFAULT_REWARD, ObservationConfig, TaskConfig
from actwin.env.ends import REASONS
from actwin.env.features import FEATURES, PRESETS
from actwin.env.layout import Layout
from actwin.env.rewards import TERMS
from actwin.env.starts import STARTS
from actwin.env.weather import WEATHERS

PAGE = Path(__file__).with_suffix(".md")

INTRODUCTION = """# The task

This page is written by `python docs/task.py` from the registries of `actwin.env`; edit the tables there.

A task says what a driver sees, what its actions mean, what it is paid for, how episodes begin and how they end. All
of it is settings of `actwin.env.task.TaskConfig`, stored in every checkpoint. It reads frames and nothing else, so the
same task drives in the twin and in the game.

```python
import actwin.env
import gymnasium

task = {"action": {"kind": "rate"}, "reward": {"progress": 0.02, "failure": 3.0}}
env = gymnasium.make("actwin/TimeTrial-v0", track="spa", car="dallara_f317", task=task)
cars = gymnasium.make_vec("actwin/TimeTrial-v0", num_envs=4096, track="spa", task=task)
```

Trainers call `cars.unwrapped.step_arrays(actions)`, which returns the same arrays in every step and builds no
dictionaries.
"""


def table(rows: Mapping[str, str], name: str) -> Iterator[str]:
    """Lines of a Markdown table of names and meanings."""
    yield f"| {name} | meaning |"
    yield "|---|---|"
    for key, text in rows.items():
        yield f"| `{key}` | {text} |"


def features() -> Iterator[str]:
    """Lines of the table of features."""
    yield "| feature | from | unit | 1 stands for | meaning |"
    yield "|---|---|---|---|---|"
    for feature in FEATURES.values():
        scale = "10 m + share × horizon × 60 m/s (y: 0.3 of it)" if feature.source == "points" else f"{feature.scale:g}"
        yield f"| `{feature.name}` | {feature.source} | {feature.unit} | {scale} | {feature.doc} |"


def weathers() -> Iterator[str]:
    """Lines of the table of weathers."""
    yield "| weather | grip | rolling resistance | air, road | wind |"
    yield "|---|---|---|---|---|"
    for name, here in WEATHERS.items():
        warm = f"{here.air_temperature:g} °C, {here.road_temperature:g} °C"
        yield f"| `{name}` | {here.grip:g} | × {here.rolling:g} | {warm} | {here.wind_speed:g} m/s |"


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Lines of the table of settings."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{prefix}{name}.")
        else:
            default = info.default if name != "reward" else "see above"
            yield f"| `{prefix}{name}` | `{default}` | {info.description} |"


def page() -> str:
    """The whole page."""
    presets = {name: ", ".join(f"`{part}`" for part in parts) for name, parts in PRESETS.items()}
    terms = {name: f"{text} (default weight {DEFAULT_REWARD.get(name, 0):g})" for name, text in TERMS.items()}
    sets = {name: f"{chosen.doc}, {len(chosen.choices)} entries" for name, chosen in DISCRETE_SETS.items()}
    parts = [
        INTRODUCTION,
        "## Features\n",
        "Listed in `observation.features` by name; an observation holds them in the order channel, code, controls,\n"
        "line, points, samples, rays, each scaled and limited to ±`observation.clip`.\n",
        *features(),
        "\n### Presets\n",
        *table(presets, "preset"),
        "\n### The default observation\n",
        Layout(ObservationConfig()).table(),
        "\n## Actions\n",
        "`action.kind` is `absolute` (positions), `rate` (changes) or `discrete` (an entry of a set); `action.pedals`\n"
        "is `one_axis` or `separate`; `action.gear` is `automatic` or `learned`, which adds the index of the gear.\n"
        "`Task.encode` turns controls back into actions, for demonstrations.\n",
        *table(sets, "discrete set"),
        "\n## Reward terms\n",
        "The reward is the sum of the terms, each times its weight. Costs are negative terms; weights never are.\n",
        *table(terms, "term"),
        "\n## Starts\n",
        *table(STARTS, "start"),
        "\n## Ends\n",
        *table(REASONS, "reason"),
        "\n## Weather\n",
        "Beside it stands `physics.grip`. Cold tyres and worn ones have less grip only with `physics.tyre_thermal`.\n",
        *weathers(),
        "\n## Settings\n",
        "| setting | default | meaning |",
        "|---|---|---|",
        *settings(TaskConfig),
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
