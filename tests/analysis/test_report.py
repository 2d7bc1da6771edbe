"""The report is one safe file that needs no network."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from actwin.analysis.figure_style import PRINT, style_of
from actwin.analysis.laps import find_laps
from actwin.analysis.page import open_in_browser, write_track_page
from actwin.analysis.report import LearningCurve, Report, write_report
from actwin.content.library import load_track
from actwin.errors import ConfigError

pytest.importorskip("plotly")
HOSTILE = "<script>alert('x')</script> & \"Ayrton\""


class Page(HTMLParser):
    """Collects tags with their attributes, shown text, and scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.scripts, self.styles = "", [], []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._inside == "style":
            self.styles.append(data)
        else:
            self.text += data


@pytest.fixture(scope="module")
def track():
    return load_track("oval")


@pytest.fixture(scope="module")
def run_on(track):
    """A run at constant speed on the oval's centre line."""
    from actwin.analysis.rollout import Rollout
    from actwin.telemetry.channels import FRAME

    def drive(driver: str, speed: float, valid: bool = True) -> Rollout:
        distance = np.arange(-50.0, 2.0 * track.length + 60.0, speed * 0.039)
        frames = np.zeros(len(distance), FRAME)
        frames["lap_distance"] = track.wrap(distance)
        frames["x"], frames["y"] = track.position(distance)
        frames["speed"], frames["gear"], frames["lap_valid"] = speed, 4, valid
        frames["tyres_out"] = 0 if valid else 3
        return Rollout(frames, 0.039, "oval", "kart", driver)

    return drive


@pytest.fixture(scope="module")
def page(track, run_on, tmp_path_factory):
    learning = LearningCurve(np.array([0.0, 1e6, 2e6]), np.array([np.nan, 31.0, 30.5]), np.array([False, False, True]))
    report = Report(
        track, HOSTILE, [run_on(HOSTILE, 51.0), run_on("Expert", 50.0), run_on("Clone", 52.0, valid=False)], learning,
        {HOSTILE: "value"}, {"Command": HOSTILE},
    )  # fmt: skip
    path = write_report(report, tmp_path_factory.mktemp("report") / "deep" / "report.html")
    return Page(path.read_text(encoding="utf-8"))


def test_nothing_is_loaded_from_anywhere(page) -> None:
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed", "img", "base"), tag
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name) or "data:"
            assert value.startswith("data:"), f"<{tag} {name}={value}>"
    for style in page.styles:
        assert "@import" not in style
        assert all(url.startswith("data:") for url in re.findall(r"url\([\"']?([^\"')]+)", style))


def test_the_browser_is_told_to_load_nothing(page) -> None:
    metas = [attributes for tag, attributes in page.tags if tag == "meta"]
    policies = [meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert "default-src 'none'" in policies[0]
    assert "http" not in policies[0]


def test_texts_are_shown_and_never_run(page) -> None:
    assert page.text.count(HOSTILE) >= 5
    code = [text for attributes, text in page.scripts if attributes.get("type") != "application/json"]
    assert len(code) == 2, "plotly and the page's own script"
    assert not any("alert('x')" in text for text in code)


def test_figures_are_data_beside_their_places(page) -> None:
    places = {attributes["id"] for tag, attributes in page.tags if attributes.get("class") == "figure"}
    data = {attributes["id"]: json.loads(text) for attributes, text in page.scripts if "id" in attributes}
    assert places == {"map", "traces", "learning", "friction"}
    assert set(data) == {f"{place}-data" for place in places}
    meta = data["map-data"]["layout"]["meta"]
    assert meta["drivers"] == [HOSTILE, "Expert", "Clone"]
    assert len(meta["speed"]) == len(meta["cursor"]) == 3


def test_the_headline_says_who_won_by_how_much(page, track, run_on) -> None:
    gap = track.length / 50.0 - track.length / 51.0
    assert f"{gap:.3f} s faster than Expert" in page.text
    assert len(find_laps(run_on("A", 50.0), track)) == 2


def test_a_driver_without_a_lap_is_said_so(track, run_on, tmp_path) -> None:
    run = run_on("Novice", 40.0)
    short = type(run)(run.frames[:30], run.period, run.track, run.car, run.driver)
    html = write_report(Report(track, "Kart", [short]), tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Novice finished no lap" in html


def test_a_report_of_nothing_is_refused(track, tmp_path) -> None:
    with pytest.raises(ConfigError, match="at least one run"):
        write_report(Report(track, "Kart", []), tmp_path / "r.html")


def test_a_track_has_a_page_of_its_own(tmp_path) -> None:
    page = Page(write_track_page(load_track("monza"), tmp_path / "monza.html").read_text(encoding="utf-8"))
    assert "Lesmo 1" in page.text


def test_no_browser_is_opened_without_a_screen(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail("opened"))
    assert open_in_browser(tmp_path / "x.html") is False


def test_a_driver_looks_the_same_everywhere(track, run_on, tmp_path) -> None:
    run = run_on("Novice", 40.0)
    lost = type(run)(run.frames[:30], run.period, run.track, run.car, run.driver)
    page = Page(
        write_report(Report(track, "Kart", [lost, run_on("Expert", 50.0)]), tmp_path / "r.html").read_text("utf-8")
    )
    data = {attributes["id"]: json.loads(text) for attributes, text in page.scripts if "id" in attributes}
    swatches = {attributes["stroke"] for tag, attributes in page.tags if tag == "line"}
    lines = {line["line"]["color"] for line in data["traces-data"]["data"]}
    lines -= {PRINT.throttle, PRINT.brake}  # the pedals of a lap that stands alone
    assert swatches == lines == {style_of(1).colour}


def test_a_learner_that_never_finished_is_said_so(track, run_on, tmp_path) -> None:
    learning = LearningCurve(np.zeros(3), np.full(3, np.nan), np.zeros(3, bool))
    html = write_report(Report(track, "Kart", [run_on("A", 50.0)], learning), tmp_path / "r.html").read_text("utf-8")
    assert "A finished no lap in the 3 test drives" in html
