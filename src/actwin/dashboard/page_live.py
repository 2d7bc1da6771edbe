"""The page Live: the car as it is driven now."""

from __future__ import annotations

from typing import Final

import streamlit as st

from actwin.dashboard import components, live_desk, ui
from actwin.dashboard.book import open_book
from actwin.dashboard.folders import Choice, one_line
from actwin.dashboard.live_feed import Feeds, LiveFeed
from actwin.dashboard.live_picture import Reference
from actwin.dashboard.settings import current
from actwin.units import lap_time_text

FIRST: Final = 0.8
"""[s] That the page waits for a first reading before it says what to do."""
LOOK: Final = 1.0
"""[s] Between looks for a car that is not there yet."""
_GAME: Final = "The game or its emulator"
_REPLAY: Final = "A recorded session"


def live() -> None:
    """Gauges, pedals, tyres, accelerations, place and delta time of a car, up to ten times a second."""
    ui.head("Live", "What the car does now.")
    kind, what, against = st.columns([3, 5, 5], vertical_alignment="bottom")
    with kind:
        asked, _, played = current().source.partition(":")
        kinds = [_REPLAY, _GAME] if asked == "replay" else [_GAME, _REPLAY]
        chosen = st.selectbox("Source", kinds, key="live_kind")
    with what:
        if played and asked == "replay" and "session" not in st.session_state and ui.listed().find(played):
            st.session_state["session"] = played
        feed = _replay_feed() if chosen == _REPLAY else _game_feed()
    with against:
        reference = _reference()
    if feed is not None:
        _gauges(feed, reference)


@st.cache_resource(show_spinner=False)
def feeds() -> Feeds:
    """The feeds of this server."""
    return Feeds()


def _game_feed() -> LiveFeed:
    source = "auto" if current().source.startswith("replay:") else current().source
    st.text_input("Address", source, disabled=True, help="Chosen with --source when the dashboard is started.")
    return feeds().get("source", source)


def _replay_feed() -> LiveFeed | None:
    choice = ui.choose_session("Session to play")
    return None if choice is None else feeds().get("replay", str(choice.folder.resolve()))


def _reference() -> Reference | None:
    choice = None
    if ui.listed().choices:
        choice = ui.choose_session("Compare with the best lap of", "live_against", none="nothing")
    if choice is None:
        return None
    with ui.guarded():
        return _best_lap(choice)
    return None


def _best_lap(choice: Choice) -> Reference | None:
    book = open_book(choice)
    best = book.best()
    if best is None or book.session.track is None:
        return None
    lap, trace = book.laps[best], book.trace(best)
    words = f"{lap_time_text(lap.time)} {one_line(lap.driver, 24)}".strip()
    return Reference(words, book.session.track.name, trace.distance, trace.time)


def _gauges(feed: LiveFeed, reference: Reference | None) -> None:
    if feed.wait(FIRST):
        components.cockpit(live_desk.offer(feed, reference))
    else:
        _waiting(feed)


@st.fragment(run_every=LOOK)
def _waiting(feed: LiveFeed) -> None:
    view = feed.view()
    if view.reading is not None:
        st.rerun()
    _how_to_begin(view.problem)


def _how_to_begin(problem: str) -> None:
    with st.container(border=True):
        st.subheader("No car yet", anchor=False)
        st.write(ui.plain(problem.replace("`", ""), 300))
        st.write(
            "Drive in Assetto Corsa on this machine, or start the emulator in another terminal, then wait a moment:"
        )
        st.code("actwin serve --driver expert", language="bash")
        st.write("Or choose a recorded session as the source.")
