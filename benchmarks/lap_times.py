"""Predicted lap times against real ones, and performance figures: `python benchmarks/lap_times.py [--out FILE]`.

One parameter set for each car. Only the wing level of the Formula Alpha differs between circuits, within the range of
its file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from actwin.content.car import Car
from actwin.content.library import load_car, load_track
from actwin.content.track import Track
from actwin.driving.line_follower import LineFollower
from actwin.planning.envelope import Envelope, performance_envelope
from actwin.planning.racing_line import minimum_curvature
from actwin.planning.speed_profile import speed_profile
from actwin.twin.simulator import Simulator
from actwin.units import GRAVITY, air_density, from_kmh, kmh, lap_time_text

FORMULA = "formula_alpha_2022"
POLES = {
    "monza": (80.161, 0.0),
    "spa": (103.665, 0.5),
    "barcelona": (78.750, 0.5),
    "red_bull_ring": (64.984, 0.5),
    "budapest": (77.377, 1.0),
}
"""[s] Fastest qualifying lap of 2022, and the wing level: low at Monza, high at Budapest, middle elsewhere."""

GAME_BESTS = {
    "dallara_f317": {"monza": 104.08, "barcelona": 97.52, "red_bull_ring": 83.51},
    "bmw_z4_gt3": {"monza": 110.87, "barcelona": 108.38, "red_bull_ring": 91.16},
    "ks_mazda_miata": {"barcelona": 152.12},
}
"""[s] Best laps of people and agents in Assetto Corsa (arXiv 2407.16680)."""

SPEEDS = (80, 100, 120, 160, 200, 250, 300)
"""[km/h]"""
PUBLISHED = {
    FORMULA: {
        "top speed, km/h": "350 (368 with DRS)",
        "0-100, 0-200, 0-300 km/h, s": "2.0, 3.9, 7.8",
        "lateral, g": "80: 2.1, 120: 2.2, 160: 2.4, 200: 2.8, 250: 3.4, 300: 4.1",
        "braking, g": "100: 2.4, 200: 3.8, 250: 4.8, 300: 5.4",
    },
    "dallara_f317": {
        "top speed, km/h": "255",
        "0-100, 0-200, 0-300 km/h, s": "2.45, 8.5",
        "lateral, g": "80: 1.8, 120: 1.9, 160: 2.0, 200: 2.3, 250: 2.8",
        "braking, g": "100: 2.2, 200: 3.1, 250: 3.7",
    },
    "bmw_z4_gt3": {
        "top speed, km/h": "288",
        "0-100, 0-200, 0-300 km/h, s": "2.9, 9.4",
        "lateral, g": "80: 1.5, 120: 1.6, 160: 1.65, 200: 1.8, 250: 1.95",
        "braking, g": "100: 1.5, 200: 2.0, 250: 2.3",
    },
    "ks_mazda_miata": {},
}
"""Figures of reference sets of the same kind of car, from quasi-steady lap code."""


def predict(track: Track, car: Car, drs: bool) -> float:
    """[s] Lap time of the speed profile on the line of minimum curvature, all wheels within the white lines."""
    density = air_density(20.0, track.altitude)
    flap = performance_envelope(car, density, drs=1.0) if drs else None
    line = minimum_curvature(track, 0.5 * car.chassis.width)
    return speed_profile(line, performance_envelope(car, density), track, flap=flap).lap_time


def drive(track: Track, car: Car) -> tuple[float, int]:
    """[s] Flying lap of the line follower in the simulator (drag reduction shut), and wheels beyond the edge."""
    driver, simulator = LineFollower(track, car), Simulator(track, car)
    s = track.length - 60.0
    frames = simulator.reset(
        distance=s,
        lateral=float(driver.line.offset(s)),
        heading=float(driver.line.angle_at(s)),
        speed=0.97 * float(driver.profile.speed_at(s)),
    )
    out = 0
    while frames["last_lap_time"][0] == 0.0 and frames["packet_id"][0] * simulator.physics_step < 400.0:
        frames = simulator.step(driver.act(frames))
        out += int(frames["tyres_out"][0])
    return float(frames["last_lap_time"][0]), out


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(head: Sequence[str], rows: Sequence[str]) -> list[str]:
    return [row(*head), row(*["---"] * len(head)), *rows, ""]


def share(value: float, reference: float) -> str:
    return f"{100.0 * (value / reference - 1.0):+.1f} %"


def pole_table() -> list[str]:
    rows = []
    for name, (pole, wing) in POLES.items():
        track, car = load_track(name), load_car(FORMULA)
        trimmed = car.with_wing(wing)
        shut, opened, one = predict(track, trimmed, False), predict(track, trimmed, True), predict(track, car, True)
        driven, out = drive(track, trimmed)
        rows.append(
            row(
                name,
                lap_time_text(pole),
                f"{wing:g}",
                f"{lap_time_text(opened)} ({share(opened, pole)})",
                f"{lap_time_text(shut)} ({share(shut, pole)})",
                f"{lap_time_text(one)} ({share(one, pole)})",
                f"{lap_time_text(driven)} ({share(driven, shut)}), {'clean' if out == 0 else f'{out} wheels out'}",
            )
        )
    head = (
        "circuit",
        "pole 2022",
        "wing level",
        "profile, DRS in zones",
        "profile, DRS shut",
        "profile, file's own wing, DRS",
        "line follower, DRS shut (against profile)",
    )
    return table(head, rows)


def game_table() -> list[str]:
    rows = []
    for car_name, bests in GAME_BESTS.items():
        for name, best in bests.items():
            track, car = load_track(name), load_car(car_name)
            lap = predict(track, car, False)
            driven, out = drive(track, car)
            rows.append(
                row(
                    car_name,
                    name,
                    lap_time_text(best),
                    f"{lap_time_text(lap)} ({share(lap, best)})",
                    f"{lap_time_text(driven)} ({share(driven, lap)}), {'clean' if out == 0 else f'{out} wheels out'}",
                )
            )
    return table(("car", "circuit", "best in the game", "profile", "line follower (against profile)"), rows)


def sprint(envelope: Envelope, targets: Sequence[float]) -> list[str]:
    """[s] Times from rest, with the cost of shifts; below 4 m/s the pull is that of 4 m/s."""
    texts, speed, time, pause, gear = [], 0.0, 0.0, 0.0, 0
    left = [from_kmh(target) for target in targets]
    level = int(np.argmin(np.abs(envelope.pushes)))
    while left and time < 60.0:
        pull = float(np.interp(speed, envelope.speeds, envelope.forward[:, level, 0]))
        if gear < len(envelope.shift_speeds) and speed > envelope.shift_speeds[gear]:
            gear, pause = gear + 1, envelope.shift_time
        if pause > 0.0:
            pull = float(np.interp(speed, envelope.speeds, envelope.coast))
            pause -= 0.002
        speed, time = speed + 0.002 * pull, time + 0.002
        if speed >= left[0]:
            texts.append(f"{time:.1f}")
            left.pop(0)
    return texts


def figures(car_name: str) -> list[str]:
    car = load_car(car_name)
    shut = performance_envelope(car)
    level = int(np.argmin(np.abs(shut.pushes)))
    top = f"{kmh(shut.top_speed):.0f}"
    if car.aero.has_drs:
        top += f" ({kmh(performance_envelope(car, drs=1.0).top_speed):.0f} with DRS)"

    def over_speed(column: np.ndarray) -> str:
        known = [speed for speed in SPEEDS if from_kmh(speed) <= shut.top_speed]
        values = [abs(float(np.interp(from_kmh(speed), shut.speeds, column))) / GRAVITY for speed in known]
        return ", ".join(f"{speed}: {value:.1f}" for speed, value in zip(known, values, strict=True))

    own = {
        "top speed, km/h": top,
        "0-100, 0-200, 0-300 km/h, s": ", ".join(sprint(shut, (100.0, 200.0, 300.0))),
        "lateral, g": over_speed(shut.lateral[:, level]),
        "braking, g": over_speed(shut.backward[:, level, 0]),
    }
    rows = [row(label, value, PUBLISHED[car_name].get(label, "-")) for label, value in own.items()]
    return [f"### {car_name}", "", *table(("figure", "twin's envelope", "reference set"), rows)]


def report() -> str:
    lines = [
        "# Lap times and performance figures",
        "",
        "Printed by `python benchmarks/lap_times.py`. Profile: speed profile over the car's quasi-steady envelope on",
        "the line of minimum curvature with all wheels within the white lines, 20 °C air at the circuit's altitude.",
        "Nothing is fitted for a circuit.",
        "",
        "## Formula Alpha 2022 against the pole times of 2022",
        "",
        "One parameter set; the wing level alone differs (0 to 1 is the published range of drag and downforce). Poles",
        "were set with DRS; its zones follow a general rule here: straights of at least 450 m, from 100 m into them. A",
        "driver on the line of least time would be some 2 % quicker than on this line, and uses kerbs that the line",
        "does not.",
        "",
        *pole_table(),
        "## Other cars against the best laps in Assetto Corsa, for information",
        "",
        *game_table(),
        "## Performance figures",
        "",
        "Envelopes at sea level, each car as its file has it. Reference sets: quasi-steady lap code on",
        "published parameters. The Formula Alpha's lateral figures lie above its reference set by up to a quarter at",
        "high speed; its top speed is 2.5 % lower, with more wing.",
        "",
    ]
    for name in PUBLISHED:
        lines += figures(name)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="also write the page to this file")
    arguments = parser.parse_args()
    text = report()
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
