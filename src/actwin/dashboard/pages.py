"""Which pages there are. A page is a module with one function; a new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import streamlit as st
from PIL import Image

from actwin.analysis.figure_style import SCREEN
from actwin.dashboard.ui import page

PAGES = (
    ("Live", "live", ":material/speed:"),
    ("Laps", "laps", ":material/timer:"),
    ("Compare", "compare", ":material/stacked_line_chart:"),
    ("Corners", "corners", ":material/turn_slight_right:"),
    ("Patterns", "patterns", ":material/blur_on:"),
    ("Training", "training", ":material/model_training:"),
)
"""Title, address and icon of each page, in the order of the menu; the first is shown at `/`."""


def show() -> None:
    """Shows the page that the address asks for."""
    st.set_page_config(page_title="actwin", page_icon=_icon(), layout="wide")
    pages = {line[1]: _page(*line) for line in PAGES}
    chosen = st.navigation(list(pages.values()), position="top")
    if wanted := st.session_state.pop("go_to", None):
        st.switch_page(pages[wanted])
    chosen.run()


@st.cache_resource(show_spinner=False)
def _icon() -> Image.Image:
    """A chequered flag; Streamlit would fetch a named icon for the browser's tab from elsewhere."""
    icon = Image.new("RGB", (32, 32), SCREEN.paper)
    for row in range(4):
        for column in range(4):
            if (row + column) % 2 == 0:
                icon.paste(SCREEN.ink, (8 * column, 8 * row, 8 * column + 8, 8 * row + 8))
    return icon


def body(address: str) -> Callable[[], None]:
    """The function `address` of the module `page_address`, loaded when it is looked at: the first page is quick."""

    def shown() -> None:
        getattr(import_module(f"actwin.dashboard.page_{address}"), address)()

    shown.__name__ = address
    return shown


def _page(title: str, address: str, icon: str) -> Any:
    return st.Page(page(body(address)), title=title, icon=icon, url_path=address, default=address == PAGES[0][1])
