"""Writes docs/channels.md from the channel table: `python docs/channels.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actwin.telemetry.channels import (
    CONTROL_CHANNELS,
    CONTROLS_WIDTH,
    FRAME_CHANNELS,
    FRAME_WIDTH,
    GAME_CHANNELS,
    Channel,
)

PAGE = Path(__file__).with_suffix(".md")

INTRODUCTION = """# Channels

This page is written by `python docs/channels.py` from `actwin.telemetry.channels`; edit the table there.

Units are SI, axes ISO 8855: x forward, y left, z up; steering, yaw rate and lateral acceleration are positive to the
left. A wheel channel holds four values in the order FL, FR, RL, RR and is exported as four columns with the suffixes
`_fl`, `_fr`, `_rl`, `_rr`. Every field is four bytes wide, `float32` or, where the type says so, `int32`. A value
outside its range is marked, not rejected. "In Assetto Corsa" names the page and field of the game's shared memory the
channel comes from; channels without one are derived.
"""

FRAME_HEADING = f"""
## FRAME: what is read from a car

`actwin.telemetry.channels.FRAME`, {len(FRAME_CHANNELS)} channels, {FRAME_WIDTH} values.
"""

GAME_HEADING = f"""
## GAME: what only a game tells

`actwin.telemetry.channels.GAME`, {len(GAME_CHANNELS)} channels: recorded and shown beside FRAME, never needed to drive.
"""

CONTROLS_HEADING = f"""
## CONTROLS: what is sent to a car

`actwin.telemetry.channels.CONTROLS`, {len(CONTROL_CHANNELS)} channels, {CONTROLS_WIDTH} values.
"""


def number(value: float) -> str:
    """A limit without exponent or trailing zeros."""
    return str(int(value)) if value == int(value) else str(value)


def rows(channels: tuple[Channel, ...]) -> Iterator[str]:
    """Lines of one Markdown table."""
    yield "| channel | exported as | unit | range | type | meaning | in Assetto Corsa |"
    yield "|---|---|---|---|---|---|---|"
    for channel in channels:
        kind = ("int32" if channel.integer else "float32") + (" × 4" if channel.wheels else "")
        export = f"`{channel.export}`" if channel.export else "same"
        source = f"`{channel.ac}`" if channel.ac else ""
        limits = f"{number(channel.low)} … {number(channel.high)}"
        yield f"| `{channel.name}` | {export} | {channel.unit} | {limits} | {kind} | {channel.meaning} | {source} |"


def page() -> str:
    """The whole page."""
    tables = (FRAME_HEADING, FRAME_CHANNELS), (GAME_HEADING, GAME_CHANNELS), (CONTROLS_HEADING, CONTROL_CHANNELS)
    return INTRODUCTION + "".join(heading + "\n" + "\n".join(rows(channels)) + "\n" for heading, channels in tables)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
