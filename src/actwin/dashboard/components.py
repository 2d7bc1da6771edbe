"""The two elements that pages are made of besides Streamlit's own: figures, and the gauges of a car."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from actwin.dashboard.figure_store import keep
from actwin.dashboard.serve import asset_address

_LOADER: Final = (
    'const module = await import(new URL("{address}", window.location.origin).href);\nexport default module.default;\n'
)


def figure(drawn: Any, key: str, narrow: int = 0) -> None:
    """Shows one figure.

    Args:
        drawn: A plotly figure.
        key: Name of its place on the page; a new figure in the same place keeps the old one until it is drawn.
        narrow: [px] Its height on a phone; 0 keeps the figure's own.
    """
    _mount("figures", {"kind": "single", "figures": [keep(drawn)], "narrow": narrow}, key)


def linked(traces: Any, track: Any, key: str) -> None:
    """Shows curves beside a map that follows their cursor and their zoom.

    Args:
        traces: Of `lap_traces`.
        track: Of `track_map`, with the same laps.
        key: Name of their place on the page.
    """
    _mount("figures", {"kind": "linked", "figures": [keep(traces), keep(track)], "narrow": 0}, key)


def cockpit(address: str) -> None:
    """Shows a car's gauges, which ask for what they show by themselves.

    Args:
        address: Of `live_desk.offer`.
    """
    _mount("cockpit", {"address": address}, "cockpit")


def _mount(name: str, data: dict[str, Any], key: str) -> None:
    script = _LOADER.format(address=asset_address(f"{name}.js"))
    st.components.v2.component(f"actwin_{name}", js=script, isolate_styles=False)(data=data, key=key)
