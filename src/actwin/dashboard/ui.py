"""Pieces of a page: its head, empty states, text from outside, the look of everything."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Final

import streamlit as st

from actwin.analysis.report_tables import rows_as_html
from actwin.dashboard.folders import Choice, Listing, list_sessions, one_line
from actwin.dashboard.settings import current
from actwin.errors import ActwinError

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@])")


def plain(text: str, limit: int = 200) -> str:
    """Text from outside where Streamlit reads Markdown: every sign stands for itself.

    Args:
        text: Anything.
        limit: Signs that are kept.
    """
    return _MARKDOWN.sub(r"\\\1", one_line(text, limit))


def style() -> None:
    """Puts the look of the pages in place."""
    st.html(f"<style>{files('actwin.dashboard').joinpath('assets', 'app.css').read_text(encoding='utf-8')}</style>")


@contextmanager
def guarded() -> Iterator[None]:
    """Shows what goes wrong in a part of a page instead of losing the page."""
    try:
        yield
    except ActwinError as error:
        st.error(plain(str(error), 600), icon=":material/error:")
    except Exception:
        logging.getLogger("actwin.dashboard").exception("a part of a page failed")
        st.error("This part of the page failed. What happened is in the terminal that runs `actwin dashboard`.")


def empty(title: str, words: str, commands: Sequence[str]) -> None:
    """What to do when there is nothing to show.

    Args:
        title: What is missing.
        words: Why, and what helps; our own words.
        commands: To type.
    """
    with st.container(border=True, key="empty"):
        st.subheader(title, anchor=False)
        st.write(words)
        for command in commands:
            st.code(command, language="bash")


def head(title: str, words: str = "") -> None:
    """The title of a page; both texts are our own."""
    st.html(f'<div class="aw-head"><h1>{title}</h1><p>{words}</p></div>')


def heading(text: str, note: str = "") -> None:
    """The title of a part of a page; both texts are our own."""
    st.html(f'<div class="aw-heading"><h2>{text}</h2><p>{note}</p></div>')


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> None:
    """A table to read: whole sentences, every row in sight.

    Args:
        heads: Headings.
        rows: Texts, from outside too.
        texts: How many columns, from the left, hold words; the others hold numbers.
    """
    st.html(f'<div class="aw-table">{rows_as_html(heads, rows, texts)}</div>')


def listed() -> Listing:
    """The sessions that can be chosen; looked up again every few seconds."""
    return _listed(str(current().sessions))


@st.cache_data(ttl=5.0, show_spinner=False)
def _listed(root: str) -> Listing:
    return list_sessions(current().sessions)


def choose_session(label: str = "Session", key: str = "session", none: str = "", without: str = "") -> Choice | None:
    """A session to choose, the same on all pages; shows what to do when there is none.

    Args:
        label: Of the choice.
        key: Of what is chosen, common to the pages.
        none: Word for choosing nothing; empty when something must be chosen.
        without: Name of a session that is not offered.
    """
    listing = listed()
    if not listing.choices:
        _no_sessions(listing)
        return None
    names = [choice.name for choice in listing.choices if choice.name != without]
    labels = {choice.name: choice.label for choice in listing.choices}
    offered = [none, *names] if none else names
    asked = st.query_params.get(key, "")  # an address can name a session, if it is listed
    chosen = remembered(key, offered, asked if asked in offered else offered[0])
    name = st.selectbox(
        label, offered, index=offered.index(chosen), format_func=lambda each: labels.get(each, each), key=f"{key}_box"
    )
    st.session_state[key] = name
    if listing.refused and not none:
        with st.expander(f"{len(listing.refused)} folders cannot be read"):
            for folder, why in listing.refused.items():
                st.text(f"{folder}: {why}")
    return listing.find(name)


def remembered(key: str, offered: Sequence[Any], default: Any) -> Any:
    """What was chosen before on any page, if it is still offered."""
    chosen = st.session_state.get(key, default)
    return chosen if chosen in offered else default


def remembered_list(key: str, offered: Sequence[str]) -> list[str]:
    """Several that were chosen before, as far as they are still offered."""
    return [each for each in st.session_state.get(key, []) if each in offered]


def _no_sessions(listing: Listing) -> None:
    if listing.refused:
        empty("No session can be read", "Every folder here is damaged or leads elsewhere.", ["actwin sessions"])
        for folder, why in listing.refused.items():
            st.text(f"{folder}: {why}")
        return
    empty(
        "No sessions yet",
        "Record a drive in the game or its emulator, or import a recording from MoTeC or another logger.",
        ["actwin serve --driver expert &\nactwin record --laps 3", "actwin import my_recording.ld"],
    )


def page(body: Callable[[], None]) -> Callable[[], None]:
    """A page that says what goes wrong."""

    def show() -> None:
        style()
        with guarded():
            body()

    show.__name__ = body.__name__
    return show
