"""Shared memory: mappings, the writer of the pages, the source that reads them."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac import mapping as mapping_module
from actwin.telemetry.ac.frames import BLANK_FRAME, BLANK_GAME
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.ac.memory import DEAD_AFTER, SharedMemorySource
from actwin.telemetry.ac.page_writer import PageWriter
from actwin.telemetry.ac.pages import GRAPHICS_NAME, PHYSICS, PHYSICS_NAME, STATIC, STATIC_NAME, Status, write_text
from actwin.telemetry.ac.source import GameInfo, Sample

INFO = GameInfo(car="dallara_f317", track="monza", track_length=5793.0, max_rpm=7200.0)


class Game:
    """A car that goes east at 50 m/s, in steps that the test asks for."""

    def __init__(self, folder: Path, size_style: Literal["exact", "2048"] = "exact") -> None:
        self.writer = PageWriter(folder, size_style)
        self.writer.begin(INFO)
        self.frame, self.game = BLANK_FRAME.copy(), BLANK_GAME.copy()
        self.frame["vx"] = self.frame["speed"] = 50.0
        self.frame["yaw"] = self.frame["vy"] = 0.0
        self.game["status"] = Status.LIVE

    def step(self, steps: int = 1, picture: bool = True) -> None:
        self.frame["packet_id"] += steps
        packet = int(self.frame["packet_id"][0])
        self.frame["x"], self.frame["lap_time"] = 0.15 * packet, 0.003 * packet
        self.writer.physics_from(self.frame, self.game)
        if picture:
            self.writer.graphics_from(self.frame, self.game)


@pytest.fixture
def game(tmp_path: Path) -> Iterator[Game]:
    made = Game(tmp_path)
    yield made
    made.writer.close()


def connected(folder: Path, game: Game, **options: Any) -> SharedMemorySource:
    """A source on a game that moves while it connects."""
    source = SharedMemorySource(folder, sleep=lambda _: game.step(), **options)
    source.connect()
    source._sleep = time.sleep
    return source


# Mappings


def test_a_mapping_is_shared(tmp_path: Path) -> None:
    with Mapping.create("block", 8, tmp_path) as mine, Mapping.open("block", 8, tmp_path, writable=True) as theirs:
        assert mine.created
        assert not theirs.created
        mine.write(b"abc", 2)
        assert theirs.read() == b"\0\0abc\0\0\0"
        theirs.view[7] = 9
        assert mine.array(np.uint8)[0] == 0
        assert mine.read()[7] == bytes(mine.view)[7] == 9


def test_opening_never_creates(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="actwin serve"):
        Mapping.open("nothing", 8, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with Mapping.create("block", 8, tmp_path), Mapping.open("block", 8, tmp_path) as reader:
        with pytest.raises(ValueError, match="read-only"):
            reader.write(b"a")
        with pytest.raises(TypeError):
            reader.view[0] = 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "Global:x", "a\0"])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name"):
        Mapping.create(name, 8, tmp_path)


@pytest.mark.parametrize("size", [0, -1, 1 << 40])
def test_sizes_are_bounded(tmp_path: Path, size: int) -> None:
    with pytest.raises(ConfigError, match="not possible"):
        Mapping.create("block", size, tmp_path)


def test_writes_must_fit(tmp_path: Path) -> None:
    with Mapping.create("block", 8, tmp_path) as mapping:
        for data, offset in ((bytes(9), 0), (b"a", 8), (b"a", -1)):
            with pytest.raises(ValueError, match="do not fit"):
                mapping.write(data, offset)


def test_a_longer_file_keeps_its_length_and_a_shorter_one_grows(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(bytes(2048))
    (tmp_path / "short").write_bytes(bytes(4))
    for name, length in (("long", 2048), ("short", 580)):
        with Mapping.create(name, 580, tmp_path) as mapping:
            assert not mapping.created
            assert len(mapping.read()) == 580
        assert (tmp_path / name).stat().st_size == length


@pytest.mark.skipif(os.name == "nt", reason="symbolic links and pipes are of other systems")
def test_only_real_files_are_opened(tmp_path: Path) -> None:
    """A link in a folder that everybody may write to could lead to somebody's file."""
    (tmp_path / "precious").write_bytes(bytes(8))
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        for make in (Mapping.create, Mapping.open):
            with pytest.raises(SourceError):
                make(name, 8, tmp_path)


def test_a_shortened_file_is_a_short_read(tmp_path: Path) -> None:
    with Mapping.create("block", 580, tmp_path) as mapping:
        os.truncate(tmp_path / "block", 10)
        assert mapping.read() == bytes(10)
        os.truncate(tmp_path / "block", 0)
        assert mapping.read() == b""
        mapping.write(b"abc")
        assert mapping.read() == b"abc"


def test_unlink_leaves_the_memory_of_somebody_else(tmp_path: Path) -> None:
    mine = Mapping.create("block", 8, tmp_path)
    assert not mine.replaced()
    (tmp_path / "block").unlink()
    assert mine.replaced()
    with Mapping.create("block", 8, tmp_path) as theirs:
        mine.unlink()
        assert not theirs.replaced()
        theirs.unlink()
    mine.close()
    mine.close()
    assert not list(tmp_path.iterdir())


def test_windows_holds_what_it_opens_and_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of calls that the named mappings of Windows need, on a stand-in for the system."""
    system: dict[str, bytearray] = {}
    log: list[str] = []

    class Memory(bytearray):
        def close(self) -> None:
            log.append("close map")

    def fake_mmap(_: int, size: int, tagname: str, access: int) -> Memory:
        log.append(f"map {tagname} {size}")
        memory = Memory(size)
        system.setdefault(tagname, memory)
        return memory

    monkeypatch.setattr(mapping_module.sys, "platform", "win32")
    monkeypatch.setattr(mapping_module.mmap, "mmap", fake_mmap)
    monkeypatch.setattr("actwin.telemetry.ac.windows.open_file_mapping", lambda name: 7 if name in system else 0)
    monkeypatch.setattr("actwin.telemetry.ac.windows.close_handle", lambda handle: log.append(f"close {handle}"))
    with pytest.raises(SourceError, match="does not exist"):
        Mapping.open(PHYSICS_NAME, PHYSICS.itemsize)
    assert not log
    mine = Mapping.create(PHYSICS_NAME, PHYSICS.itemsize)
    theirs = Mapping.open(PHYSICS_NAME, PHYSICS.itemsize)
    assert (mine.created, theirs.created) == (True, False)
    tag = r"Local\acpmf_physics 580"
    assert log == [f"map {tag}", f"map {tag}", "close 7"]
    mine.write(b"ab")
    assert mine.read()[:2] == b"ab"
    assert not mine.replaced()
    mine.unlink()
    mine.close()
    theirs.close()


# Pages


@pytest.mark.parametrize(("style", "length"), [("exact", 580), ("2048", 2048)])
def test_pages_appear_and_vanish(tmp_path: Path, style: Literal["exact", "2048"], length: int) -> None:
    game = Game(tmp_path, style)
    assert {path.name for path in tmp_path.iterdir()} == {PHYSICS_NAME, GRAPHICS_NAME, STATIC_NAME}
    assert (tmp_path / PHYSICS_NAME).stat().st_size == length
    source = connected(tmp_path, game)
    assert source.info.car == "dallara_f317"
    source.close()
    game.writer.close()
    game.writer.close()
    assert not list(tmp_path.iterdir())


def test_pages_of_a_bridge_are_left_to_it(tmp_path: Path) -> None:
    for name in (PHYSICS_NAME, GRAPHICS_NAME, STATIC_NAME):
        (tmp_path / name).write_bytes(bytes(2048))
    game = Game(tmp_path)
    connected(tmp_path, game).close()
    game.writer.close()
    assert len(list(tmp_path.iterdir())) == 3


def test_two_games_do_not_share_pages(tmp_path: Path, game: Game) -> None:
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.002):
            game.step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with pytest.raises(SourceError, match="already writes"):
            PageWriter(tmp_path)
    finally:
        stop.set()
        thread.join()
    PageWriter(tmp_path).close()  # the other stands still, as one that was killed does


# Source


def read(source: SharedMemorySource) -> Sample:
    sample = source.read(0.0)
    assert sample is not None
    return sample


def test_each_step_is_read_once(tmp_path: Path, game: Game) -> None:
    with connected(tmp_path, game) as source:
        read(source)
        for _ in range(5):
            game.step()
            assert read(source).frame["packet_id"] == game.frame["packet_id"]
            assert source.read(0.0) is None
        assert source.health().dropped == 0
        game.step(4)
        read(source)
        assert source.health().dropped == 3


def test_position_is_carried_on_between_pictures(tmp_path: Path, game: Game) -> None:
    """The graphics page is as old as the last picture; with the way since, place and lap time belong to the step."""
    with connected(tmp_path, game) as source, connected(tmp_path, game, align=False) as plain:
        for k in range(60):
            game.step(picture=k % 6 == 0)
            sample, raw = read(source), read(plain)
            if k >= 6:
                assert sample.frame["x"] == pytest.approx(game.frame["x"], abs=1e-4)
                assert sample.frame["lap_time"] == pytest.approx(game.frame["lap_time"], abs=1e-4)
                assert raw.frame["x"] == pytest.approx(game.frame["x"] - 0.15 * (k % 6), abs=1e-4)


def test_a_picture_that_comes_after_its_step_is_seen(tmp_path: Path, game: Game) -> None:
    with connected(tmp_path, game) as source:
        for k in range(60):
            game.step(picture=False)
            sample = read(source)
            if k % 6 == 0:
                game.writer.graphics_from(game.frame, game.game)
                assert source.read(0.0) is None
            if k % 6 and k > 6:
                assert sample.frame["x"] == pytest.approx(game.frame["x"], abs=1e-4)


def test_nothing_is_added_when_it_is_not_known(tmp_path: Path, game: Game) -> None:
    """After a gap it is unknown when the picture came, and after a restart the count of steps begins anew."""
    with connected(tmp_path, game) as source:
        for steps in (1, 20, 1, 1):
            game.step(steps, picture=steps == 20)
            sample = read(source)
        assert sample.frame["x"] == pytest.approx(game.frame["x"] - 0.3, abs=1e-4)
        game.frame["packet_id"] = 0
        game.step()
        assert read(source).frame["x"] == pytest.approx(game.frame["x"], abs=1e-4)


class Clock:
    """Time that goes on when somebody sleeps."""

    def __init__(self, on_sleep: Callable[[], None] = lambda: None) -> None:
        self.now, self.on_sleep = 100.0, on_sleep

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 1e-6)
        self.on_sleep()


def test_live_paused_dead(tmp_path: Path, game: Game) -> None:
    clock = Clock(game.step)
    source = SharedMemorySource(tmp_path, clock=clock, sleep=clock.sleep)
    source.connect()
    assert source.health().status == "paused"  # nothing read yet
    for _ in range(100):
        source.read()
        clock.now += 0.003
        game.step()
    health = source.health()
    assert health.status == "live"
    assert 200.0 < health.rate < 400.0
    clock.on_sleep = lambda: None
    source.read()
    clock.now += 0.06
    assert source.health().status == "paused"
    clock.now += DEAD_AFTER
    assert source.health().status == "dead"
    assert source.read() is None
    game.step()
    assert source.read() is not None
    assert source.health().status == "live"
    game.game["status"] = Status.PAUSE
    game.step()
    source.read()
    clock.now += 60.0
    assert source.health().status == "paused"
    source.close()
    assert source.health().status == "dead"
    with pytest.raises(SourceError, match="connect"):
        source.read()


def test_pages_that_stand_still_are_no_game(tmp_path: Path, game: Game) -> None:
    game.step()
    clock = Clock()
    source = SharedMemorySource(tmp_path, clock=clock, sleep=clock.sleep)
    with pytest.raises(SourceError, match="stands still"):
        source.connect(timeout=0.5)
    assert clock.now < 101.0
    game.game["status"] = Status.PAUSE
    game.step()
    assert source.connect(timeout=0.5).track == "monza"
    source.close()


def test_no_pages(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"No Assetto Corsa shared memory found. .*actwin serve"):
        SharedMemorySource(tmp_path).connect(timeout=0.05)


def test_the_pages_of_another_game_are_refused(tmp_path: Path, game: Game) -> None:
    write_text(game.writer.static["smVersion"][0], "1.9")
    game.writer.publish_static()
    with pytest.raises(SourceError, match="another game"):
        SharedMemorySource(tmp_path, sleep=lambda _: game.step()).connect(timeout=0.02)


def test_a_restarted_emulator_is_found_again(tmp_path: Path) -> None:
    first = Game(tmp_path)
    source = connected(tmp_path, first)
    read(source)
    first.writer.close()
    second = Game(tmp_path)
    second.writer.begin(INFO._replace(car="ks_mazda_mx5"))
    deadline = time.perf_counter() + 5.0
    sample = None
    while sample is None and time.perf_counter() < deadline:
        second.step()
        sample = source.read(0.3)
    second.step()
    assert read(source).frame["packet_id"] == second.frame["packet_id"]
    assert source.info.car == "ks_mazda_mx5"
    source.close()
    second.writer.close()


def test_damaged_pages_do_not_break_the_reader(tmp_path: Path, game: Game) -> None:
    with connected(tmp_path, game) as source:
        for length in (0, 2, 100, 400, 579):
            os.truncate(tmp_path / PHYSICS_NAME, length)
            source.read(0.0)
            game.step()
            read(source)  # writing made the page whole again
        random = np.random.default_rng(5)
        for k in range(200):
            path = tmp_path / (PHYSICS_NAME, GRAPHICS_NAME, STATIC_NAME)[k % 3]
            path.write_bytes(random.bytes(int(random.integers(0, 1500))))
            source.read(0.0)
        game.writer.publish_static()
        game.step()
        game.step()
        assert read(source).frame["packet_id"] == game.frame["packet_id"]


class Scripted:
    """A mapping that shows one page after the other, then the last one for ever."""

    def __init__(self, pages: list[bytes]) -> None:
        self.pages = pages

    def read(self, size: int | None = None) -> bytes:
        page = self.pages[0]
        if size is None and len(self.pages) > 1:
            self.pages.pop(0)
        return page[:size]

    def replaced(self) -> bool:
        return False

    def close(self) -> None: ...


def numbered(packet: int, begin: float, end: float, cut: int) -> bytes:
    """A physics page whose fields all say one number up to a byte, and another one beyond."""
    fields = np.full(PHYSICS.itemsize // 4, begin, "<f4")
    fields[cut // 4 :] = end
    fields.view("<i4")[0] = packet
    return fields.tobytes()


@pytest.mark.parametrize("cut", [4, 100, 300, 572])
def test_a_page_that_is_being_written_is_not_taken(tmp_path: Path, game: Game, cut: int) -> None:
    with connected(tmp_path, game) as source:
        real = source._pages[PHYSICS_NAME]
        whole = numbered(9, 8, 8, cut)
        half = numbered(9, 8, 7, cut), numbered(9, 8, 7, cut + 4)
        source._pages[PHYSICS_NAME] = Scripted([half[0], half[1], whole, whole])  # type: ignore[assignment]
        frame = read(source).frame[0]
        assert source.torn == 2
        assert (frame["throttle"], frame["vx"], *frame["load"]) == (8.0,) * 6
        source._pages[PHYSICS_NAME] = real


def test_a_writer_at_full_speed_does_not_hold_the_reader(tmp_path: Path, game: Game) -> None:
    stop = threading.Event()

    def write() -> None:
        for number in itertools.count(1):
            game.writer.physics["packetId"] = number
            game.writer.publish_physics()
            if stop.is_set():
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with SharedMemorySource(tmp_path) as source:
            source.connect()
            numbers = [int(read_on(source).frame["packet_id"][0]) for _ in range(50)]
        assert numbers == sorted(set(numbers))
    finally:
        stop.set()
        thread.join()


def read_on(source: SharedMemorySource) -> Sample:
    sample = source.read(5.0)
    assert sample is not None
    return sample


def test_static_pages_are_whole(tmp_path: Path, game: Game) -> None:
    assert (tmp_path / STATIC_NAME).stat().st_size == STATIC.itemsize
