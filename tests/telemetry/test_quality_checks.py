"""A clean drive has no findings; each defect put into it is found on its rows, with nothing else beside it."""

from __future__ import annotations

import numpy as np
import pytest
from driven import LAP_DEFECTS, ROW_DEFECTS, as_a_game_writes, drive, lap_end, row_at, sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from actwin.errors import SessionError
from actwin.telemetry.channels import FRAME, GAME, Frames
from actwin.telemetry.quality.checks import check_recording
from actwin.telemetry.quality.findings import EVERY, KINDS, Finding, kinds_of, quality_bits
from actwin.telemetry.quality.recording import COLUMNS, Recording
from actwin.telemetry.quality.report import Report

RATES = (5.0, 25.0, 100.0, 1000.0 / 3.0)
EXCERPT = (35.0, 85.0)
"""[s] Part of the drive that is enough for defects of rows."""


@pytest.fixture(scope="module")
def driven() -> Frames:
    return drive()


def found(report: Report) -> list[tuple[str, int, int, str]]:
    return sorted((each.kind.name, each.first, each.last, each.channel) for each in report.findings)


@pytest.mark.parametrize("rate", [5.0, 8.3, 25.0, 60.0, 100.0, 250.0, 1000.0 / 3.0])
@pytest.mark.parametrize("game", [False, True], ids=["twin", "game"])
def test_a_clean_drive_has_no_findings(driven, rate, game) -> None:
    recording = sampled(driven, rate)
    report = check_recording(as_a_game_writes(recording) if game else recording)
    assert found(report) == []
    assert not report.bits.any()
    assert report.rate == pytest.approx(rate, rel=1e-3)
    clocks = {clock.name: clock.rate / clock.expected for clock in report.clocks}
    assert clocks == pytest.approx({"packet_id": 1.0, "lap_time": 1.0, "place": 1.0}, abs=2e-3)


@pytest.mark.parametrize("rate", RATES, ids="{:.0f} Hz".format)
@pytest.mark.parametrize("defect", ROW_DEFECTS.values(), ids=ROW_DEFECTS)
def test_a_defect_is_found_on_its_rows_and_nothing_else(driven, defect, rate) -> None:
    recording, expected = defect(sampled(driven, rate, *EXCERPT), rate)
    report = check_recording(recording)
    assert found(report) == sorted(expected)
    marked = np.zeros(len(recording), bool)
    for _, first, last, _ in expected:
        marked[first : last + 1] = True
    assert np.array_equal(report.bits != 0, marked)


@pytest.mark.parametrize("rate", RATES[2:], ids="{:.0f} Hz".format)
@pytest.mark.parametrize("defect", ROW_DEFECTS.values(), ids=ROW_DEFECTS)
def test_a_defect_is_found_among_pages_of_two_rates(driven, defect, rate) -> None:
    """Rows may be off by a picture of the game: a page that holds its values hides when they became wrong."""
    recording, expected = defect(as_a_game_writes(sampled(driven, rate, *EXCERPT)), rate)
    seen = found(check_recording(recording))
    assert [(kind, channel) for kind, *_, channel in seen] == [(kind, name) for kind, *_, name in sorted(expected)]
    picture = rate / 60.0 + 1.0
    for one, other in zip(seen, sorted(expected), strict=True):
        assert abs(one[1] - other.first) <= picture
        assert abs(one[2] - other.last) <= picture


@pytest.mark.parametrize("rate", RATES[:2], ids="{:.0f} Hz".format)
@pytest.mark.parametrize("defect", LAP_DEFECTS.values(), ids=LAP_DEFECTS)
def test_laps_that_do_not_add_up(driven, defect, rate) -> None:
    recording, expected = defect(sampled(driven, rate), rate)
    assert found(check_recording(recording)) == sorted(expected)


def test_an_invalid_lap_need_not_count(driven) -> None:
    recording, _ = LAP_DEFECTS["lap not counted"](sampled(driven, 25.0), 25.0)
    recording.frames["lap_valid"][: lap_end(sampled(driven, 25.0))] = 0
    assert found(check_recording(recording)) == []


@pytest.mark.parametrize("rate", RATES, ids="{:.0f} Hz".format)
def test_a_clock_that_drifts(driven, rate) -> None:
    recording = sampled(driven, rate)
    recording.time[:] *= 1.02
    last = len(recording) - 1
    assert found(check_recording(recording)) == [("clock", 0, last, "lap_time"), ("clock", 0, last, "packet_id")]
    recording = sampled(driven, rate)
    begin, end = row_at(recording, 40.0), row_at(recording, 80.0)
    step = np.diff(recording.time, prepend=0.0)
    step[begin + 1 : end] *= 1.05
    recording.time[:] = np.cumsum(step)
    seen = found(check_recording(recording))
    assert [(kind, channel) for kind, *_, channel in seen] == [("clock", "lap_time"), ("clock", "packet_id")]
    for _, first, last, _ in seen:
        assert abs(first - begin) <= 2.1 * max(rate, 10.0)
        assert abs(last - end) <= 2.1 * max(rate, 10.0)


def test_another_counter_than_physics_steps_is_told(driven) -> None:
    recording = sampled(driven, 25.0, *EXCERPT)
    recording.frames["packet_id"] = 4 * np.arange(len(recording))
    report = check_recording(recording)
    assert found(report) == [("clock", 0, len(recording) - 1, "packet_id")]
    assert report.clocks[0].rate == pytest.approx(100.0, rel=0.01)
    assert "not the 333.3 physics steps" in report.findings[0].words


def test_without_a_step_counter_the_columns_tell(driven) -> None:
    """What most loggers write: no `packet_id`, no position, one place on the lap."""
    kept = ("speed", "ax", "ay", "yaw_rate", "rpm", "lap_time", "lap_progress", "lap_count", "throttle", "brake")
    recording = sampled(driven, 8.0)
    frames = np.zeros(len(recording), FRAME)
    for name in FRAME.names:
        frames[name] = recording.frames[name] if name in kept else np.nan if FRAME[name].base.kind == "f" else 0
    integers = [name for name in FRAME.names if FRAME[name].base.kind == "i" and name not in kept]
    bare = Recording(recording.time, frames, missing=frozenset(integers))
    assert found(check_recording(bare)) == []
    row = row_at(bare)
    doubled = bare.take(np.insert(np.arange(len(bare)), row, row - 1))
    doubled.time[row] += 0.05
    assert found(check_recording(doubled)) == [("duplicate", row, row, "*")]
    assert found(check_recording(bare.take(np.delete(np.arange(len(bare)), row)))) == [("gap", row, row, "*")]
    moved = bare.copy()
    moved.frames["lap_progress"][row:] += np.float32(0.2)
    assert ("teleport", row, row, "lap_progress") in found(check_recording(moved))
    paused = bare.copy()
    paused.time[row:] += 5.0
    assert found(check_recording(paused)) == [("pause", row, row, "*")]


def test_every_second_row_repeated(driven) -> None:
    """A reader that polls faster than the source writes."""
    recording = sampled(driven, 25.0, *EXCERPT)
    doubled = recording.take(np.repeat(np.arange(len(recording)), 2))
    doubled.time[1::2] += 0.01
    report = check_recording(doubled)
    assert report.findings_of == {"duplicate": len(recording)}


@pytest.mark.parametrize(("rate", "late"), [(25.0, 0.03), (1000.0 / 3.0, 0.006)], ids=["app", "memory"])
def test_late_and_bunched_deliveries_are_no_motion(driven, rate, late) -> None:
    """What a busy machine does to a live recording: rows arrive late, the game's counter says when they were true."""
    recording = sampled(driven, rate)
    recording.time[:] += np.random.default_rng(0).uniform(0.0, late, len(recording))
    recording.time.sort()
    report = check_recording(recording)
    assert found(report) == []
    assert {clock.name for clock in report.clocks if clock.jitter > 0.3 * late} == {"packet_id", "lap_time", "place"}


def test_a_game_that_is_too_slow_for_its_clock(driven) -> None:
    """An emulator on a starved machine: the game's second takes longer than a second, the car's motion fits its own."""
    recording = sampled(driven, 100.0)
    begin, end = row_at(recording, 40.0), row_at(recording, 60.0)
    step = np.diff(recording.time, prepend=0.0)
    step[begin:end] *= 1.3
    recording.time[:] = np.cumsum(step)
    assert {kind for kind, *_ in found(check_recording(recording))} == {"clock"}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_short_recordings(driven, count) -> None:
    assert found(check_recording(sampled(driven, 25.0).take(np.arange(count)))) == []


def test_arrays_that_do_not_fit_are_refused(driven) -> None:
    recording = sampled(driven, 5.0)
    with pytest.raises(SessionError, match="length"):
        Recording(recording.time[:-1], recording.frames)
    with pytest.raises(SessionError, match="channels"):
        Recording(recording.time, np.zeros(len(recording), GAME))


def test_kinds_have_their_own_bits() -> None:
    assert len({kind.bit for kind in KINDS}) == len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(0 <= kind.bit < 32 for kind in KINDS)
    findings = [Finding(kind, i, i + 1, EVERY, 0.0, "") for i, kind in enumerate(KINDS)]
    bits = quality_bits(findings, len(KINDS) + 2)
    assert bits.dtype == np.uint32
    assert kinds_of(bits[0]) == KINDS[:1]
    assert kinds_of(bits[3]) == KINDS[2:4]
    assert kinds_of(bits[-1]) == ()


def test_the_page_lists_every_kind(repository) -> None:
    page = (repository / "docs" / "quality.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert f"| {kind.bit} | `{kind.name}` | {kind.meaning} |" in page


def test_columns_are_those_of_the_export() -> None:
    assert len(COLUMNS) == sum(FRAME[name].itemsize // 4 for name in FRAME.names) + GAME.itemsize // 4


def _garbage(count: int, seed: int) -> Recording:
    """Rows of anything: steady, noisy, enormous, absent, with numbers that are none."""
    dice = np.random.default_rng(seed)
    parts = []
    for kind in (FRAME, GAME):
        records = np.zeros(count, kind)
        for name in kind.names:
            shape = records[name].shape
            if kind[name].base.kind == "i":
                choices = [np.zeros(shape), dice.integers(-(2**31), 2**31 - 1, shape), dice.integers(0, 3, shape)]
                records[name] = choices[dice.integers(3)]
                continue
            values = dice.normal(0.0, 10.0 ** dice.integers(-6, 30), shape)
            values = np.cumsum(values, axis=0) if dice.random() < 0.3 else values
            odd = np.array([np.nan, np.inf, -np.inf, 3e38])
            records[name] = np.where(dice.random(shape) < 0.05, odd[dice.integers(0, 4, shape)], values)
        parts.append(records)
    time = (
        np.cumsum(dice.exponential(0.04, count)) if seed % 2 else dice.normal(0.0, 10.0 ** dice.integers(0, 300), count)
    )
    time[dice.random(count) < 0.02] = np.nan
    return Recording(time, *parts, track_length=float(dice.choice([np.nan, 5000.0, 0.0])))


@given(count=st.integers(0, 60), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_nothing_raises_on_bad_data(count, seed) -> None:
    recording = _garbage(count, seed)
    before = recording.frames.tobytes()
    report = check_recording(recording)
    assert recording.frames.tobytes() == before
    assert len(report.bits) == count
    assert all(0 <= each.first <= each.last < count for each in report.findings)
