"""What is odd in the public recordings of the game, and nothing else; see docs/quality.md."""

from __future__ import annotations

import numpy as np
import pytest

from actwin.telemetry.quality.checks import check
from actwin.telemetry.quality.report import Report
from actwin.telemetry.store.imports import import_file

ODD = {
    # The app writes 1e-30 for the velocity until the car first moves, which the importer takes for "not known".
    "ac_monza_bmw_z4_gt3_a": {("not_finite", 0, 11, "vx"), ("not_finite", 0, 11, "vy")},
    # ... and the car is hit at row 295.
    "ac_monza_bmw_z4_gt3_b": {
        ("not_finite", 0, 11, "vx"), ("not_finite", 0, 11, "vy"), ("motion", 295, 295, "vx"),
    },
    # A restart of the session, wheels that spin and lock, a crash with driving across the road after it.
    "ac_imola_shared_memory_8hz": {
        ("teleport", 1561, 1561, "lap_progress"), ("motion", 1561, 1561, "vel"),
        ("range", 1567, 1573, "grip_use_rl"), ("range", 1567, 1573, "grip_use_rr"),
        ("range", 2122, 2128, "grip_use_fr"), ("range", 2122, 2129, "grip_use_rr"),
        ("range", 2123, 2130, "grip_use_rl"), ("range", 2126, 2127, "grip_use_fl"),
        ("frozen", 2168, 2176, "lap_progress"), ("frozen", 2184, 2191, "lap_progress"),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def reports(shared_data, tmp_path_factory) -> dict[str, Report]:
    root = tmp_path_factory.mktemp("sessions")
    files = {name: shared_data / "telemetry" / f"{name}.csv" for name in ODD}
    return {name: check(import_file(file, root)) for name, file in files.items()}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_in_a_recording_of_the_game(reports, name) -> None:
    found = reports[name].findings
    assert {(each.kind.name, each.first, each.last, each.channel) for each in found} == ODD[name]
    assert len(found) == len(ODD[name])


@pytest.mark.parametrize("name", [name for name in ODD if "monza" in name])
def test_the_clock_of_the_monza_files_is_rounded(reports, name) -> None:
    """Time is told in multiples of 3 ms; the way over the speed shows that the rows are 40.0 ms apart."""
    clock = {each.name: each for each in reports[name].clocks}["place"]
    assert clock.rate == pytest.approx(1.0, abs=1e-4)
    assert clock.jitter == pytest.approx(0.002, abs=1e-4)
    assert reports[name].period == pytest.approx(0.040, abs=1e-5)


def test_weather_of_the_imola_file_was_never_measured(reports) -> None:
    flat = reports["ac_imola_shared_memory_8hz"].flat
    assert flat == {"air_temperature": 0.0, "road_temperature": 0.0, "wind_speed": 0.0, "wind_direction": 0.0}


@pytest.mark.parametrize("name", ODD)
def test_units_and_signs_of_the_imports_are_ours(reports, name) -> None:
    assert reports[name].scales == ()
    assert np.isfinite(reports[name].rate)
