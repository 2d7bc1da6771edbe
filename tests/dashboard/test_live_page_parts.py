"""The live page behind the gauges: feeds, replays, what is shown of a reading."""

from __future__ import annotations

import io
import math
import time

import numpy as np
import pytest
from tests_dashboard import driven_frames, write_driven

from actwin.dashboard import live_desk, live_feed
from actwin.dashboard.live_feed import Feeds, LiveFeed, View
from actwin.dashboard.live_picture import Reference, picture
from actwin.dashboard.live_reader import Answer, pack, receive
from actwin.dashboard.replay import ReplaySource
from actwin.driving.watching import Reading
from actwin.errors import SourceError
from actwin.telemetry.ac.source import GameInfo, Health, Sample
from actwin.telemetry.channels import GAME
from actwin.telemetry.store.schema import absent


def reading(row: int = 400, **info: object) -> Reading:
    frames = driven_frames([84.0])[row : row + 1]
    told = GameInfo(**({"source": "test", "track": "monza", "car": "kart", "max_rpm": 12_000.0} | info))
    return Reading(told, Sample(1.0, frames, absent("game", 1)), Health("live", 25.0, 2, 0.01))


def wait_for(condition, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_reading_is_shown_in_drivers_units() -> None:
    now = reading()
    shown = picture(View(now, "", 2.0))
    frame = now.sample.frame[0]
    assert shown["car"]["speed"] == pytest.approx(3.6 * float(frame["speed"]), abs=1e-3)
    assert shown["car"]["gy"] == pytest.approx(float(frame["ay"]) / 9.80665, abs=1e-3)
    assert shown["laps_left"] == pytest.approx(float(frame["fuel"]) / 2.0, rel=1e-3)
    assert shown["facts"] == "25 samples/s, 2 lost"
    assert shown["at"] == pytest.approx([float(frame["x"]), float(frame["y"])], abs=0.6)
    assert shown["car"]["pressure"] == [None] * 4


def test_what_a_source_does_not_tell_is_not_shown() -> None:
    app, memory, remote = (picture(View(reading(source=name), "", 2.0))["car"] for name in ("app", "memory", "udp"))
    assert app["valid"] is True
    assert memory["valid"] is None, "only the app tells it"
    assert memory["flag"] is not None
    assert remote["flag"] is None
    assert app["speed"] == memory["speed"] == remote["speed"]


def test_delta_is_positive_behind_the_reference() -> None:
    now = reading()
    frame = now.sample.frame[0]
    axis = np.linspace(0.0, 5800.0, 500)
    reference = Reference("best", "monza", axis, axis / 100.0)
    shown = picture(View(now, "", math.nan), reference)
    expected = float(frame["lap_time"]) - float(frame["lap_distance"]) / 100.0
    assert shown["delta"] == pytest.approx(expected, abs=0.02)
    elsewhere = picture(View(now, "", math.nan), reference._replace(track="spa"))
    assert "delta" not in elsewhere
    assert "spa" in elsewhere["note"]


def test_an_unknown_track_and_a_path_for_a_name_have_no_map(tmp_path) -> None:
    for name in ("nowhere", "../../etc/passwd", str(tmp_path / "track.toml"), ""):
        shown = picture(View(reading(track=name), "", math.nan))
        assert shown["track"] is None
        assert shown["car"]["gear"] >= 1


def test_not_a_number_is_never_sent_to_the_page() -> None:
    import json

    now = reading()
    for name in now.sample.frame.dtype.names:
        if now.sample.frame[name].dtype.kind == "f":
            now.sample.frame[name] = np.nan
    json.dumps(picture(View(now, "", math.nan)), allow_nan=False)


def test_what_the_reader_says_arrives_as_it_was() -> None:
    now = reading()
    number, again, problem = receive(io.BytesIO(pack(Answer(7, now, ""))))
    assert (number, problem) == (7, "")
    assert str(again.info) == str(now.info)  # unknown numbers are NaN
    assert again.health == now.health
    assert again.sample.frame.tobytes() == now.sample.frame.tobytes()
    assert again.sample.game.tobytes() == now.sample.game.tobytes()
    assert receive(io.BytesIO(pack(Answer(3, None, "Nobody.")))) == (3, None, "Nobody.")
    with pytest.raises(EOFError):
        receive(io.BytesIO(pack(Answer(7, now, ""))[:-1]))


def test_a_feed_tells_why_there_is_no_car() -> None:
    feed = LiveFeed("source", "nonsense")
    assert wait_for(lambda: "Unknown source 'nonsense'" in feed.view().problem)
    assert picture(feed.view())["facts"].startswith("Unknown source")
    feed.close()
    assert wait_for(lambda: not feed.alive)


def test_a_replay_plays_rows_in_order_and_begins_anew(tmp_path) -> None:
    folder = write_driven(tmp_path, lap_times=[20.0])
    source = ReplaySource(folder, pace=10.0)
    info = source.connect()
    assert (info.track, info.source) == ("monza", "twin")
    passed, backwards = [(-1, 0.0)], 0
    end = time.monotonic() + 20.0
    while time.monotonic() < end and not backwards:
        sample = source.read(0.2)
        if sample is not None:
            now = (int(sample.frame["lap_count"][0]), float(sample.frame["lap_distance"][0]))
            backwards += now <= passed[-1]
            passed.append(now)
    assert backwards == 1, "it did not begin anew"
    assert len(passed) > 10
    assert passed[-1][0] == 0
    source.close()
    with pytest.raises(SourceError):
        source.read(0.0)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory) -> str:
    return str(write_driven(tmp_path_factory.mktemp("replayed"), lap_times=[20.0]))


def test_gauges_are_told_what_they_do_not_show_yet(replayed) -> None:
    feeds = Feeds()
    feed = feeds.get("replay", replayed)
    assert feed.wait(20.0)
    assert feeds.get("replay", replayed) is feed
    address = live_desk.offer(feed, None)
    assert live_desk.offer(feed, None) == address
    name = address.removeprefix(live_desk.PREFIX)
    first = live_desk.look(name)
    assert first["track"]["line"]
    assert wait_for(lambda: live_desk.look(name, str(first["number"])) is not None), "it plays on"
    assert live_desk.look(name, "", "monza")["track"] == {"name": "monza"}
    with pytest.raises(LookupError):
        live_desk.look("0" * 32)

    feed._reader.kill()  # it is started again
    assert wait_for(lambda: feed.view().reading is None)
    assert wait_for(lambda: feed.view().reading is not None)
    other = feeds.get("source", "nonsense")
    assert other is not feed
    assert wait_for(lambda: not feed.alive)
    assert live_desk.look(name)["words"] == "Ended"
    feeds.close()


def test_a_feed_ends_when_nobody_looks(replayed, monkeypatch) -> None:
    monkeypatch.setattr(live_feed, "IDLE", 0.2)
    feed = LiveFeed("replay", replayed)
    assert wait_for(lambda: not feed.alive)


def test_what_a_silent_reader_told_is_not_live(monkeypatch) -> None:
    monkeypatch.setattr(LiveFeed, "_run", lambda self: None)
    feed = LiveFeed("source", "auto")
    feed._view = View(reading(), "", math.nan, 5)
    assert feed.view().reading.health.status == "live"
    feed._told -= 3.0
    old = feed.view()
    assert old.reading.health.status == "dead"
    assert old.reading.health.age > 3.0
    assert old.number != 5


def test_a_replay_without_rows_is_an_error(tmp_path) -> None:
    from actwin.telemetry.store.meta import SessionMeta
    from actwin.telemetry.store.session import write_session

    frames = driven_frames([20.0])[:0]
    folder = write_session(tmp_path, SessionMeta(source="twin"), np.zeros(0), frames, np.zeros(0, GAME)).folder
    with pytest.raises(SourceError, match="no rows"):
        ReplaySource(folder).connect()
