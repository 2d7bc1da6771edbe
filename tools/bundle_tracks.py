"""Makes the bundled track files from the TUM racetrack database: `python tools/bundle_tracks.py DATA_FOLDER`.

DATA_FOLDER holds the database's CSV files. What the database lacks (names of corners, sectors, heights) stands here,
each with how sure it is. Apexes given here are approximate and are moved to the nearest maximum of the fitted
curvature.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from actwin.content.corners import corner_at
from actwin.content.library import DATA
from actwin.content.profiles import Smooth
from actwin.content.track import Track
from actwin.content.track_files import read_track, write_track
from actwin.content.track_fit import fit_track

SOURCE = "TUMFTM racetrack-database, {file}.csv (geometry: OpenStreetMap, widths: satellite images); fitted by actwin"
LICENCE = "LGPL-3.0 (TUMFTM racetrack-database); (c) OpenStreetMap contributors, ODbL 1.0"
HEIGHTS = (
    "approximate: difference of height as published by Formula 1 (f1web.it, 25 October 2019: {difference} m); "
    "its course around the lap estimated from descriptions of the circuit"
)
NOTES = {
    "sectors": "approximate, shares of the lap as used by Assetto Corsa Competizione overlays",
    "corners": "official numbers; start, apex and end measured on the fitted curvature",
    "grid": "official offset of the start line from the finish line; the side of pole position is not known",
    "pit_out": "approximate",
    "roadside": "kerbs, walls and run-off by the general rule, not surveyed",
}


class Facts(NamedTuple):
    """What is known of a circuit beside its geometry."""

    file: str
    title: str
    knots: int
    altitude: float
    offset: float
    sectors: tuple[float, float]
    pit_out: tuple[float, int]
    corners: tuple[tuple[int, str, float, int], ...]
    difference: float
    heights: tuple[tuple[float, float], ...]


L, R = 1, -1
CIRCUITS = {
    "monza": Facts(
        "Monza", "Autodromo Nazionale Monza", 100, 162.0, 309.0, (0.334, 0.661), (760.0, R),
        (
            (1, "Variante del Rettifilo", 930, R), (2, "Variante del Rettifilo", 975, L),
            (3, "Curva Grande", 1350, R),
            (4, "Variante della Roggia", 2145, L), (5, "Variante della Roggia", 2192, R), (6, "Lesmo 1", 2535, R),
            (7, "Lesmo 2", 2871, R), (8, "Variante Ascari", 3954, L), (9, "Variante Ascari", 4060, R),
            (10, "Variante Ascari", 4141, L), (11, "Curva Alboreto", 5131, R),
        ),
        12.8,
        (
            (0, 0), (900, 0.5), (1500, 2), (2150, 4.5), (2535, 6), (2870, 7), (3200, 2), (3450, -4.5), (3750, -2),
            (4000, -2), (4300, -3), (5000, -4.5), (5300, -3), (5550, -1),
        ),
    ),
    "spa": Facts(
        "Spa", "Circuit de Spa-Francorchamps", 150, 413.0, 124.0, (0.330, 0.716), (570.0, R),
        (
            (1, "La Source", 400, R), (2, "Eau Rouge", 1066, L), (3, "Raidillon", 1127, R), (4, "Raidillon", 1285, L),
            (5, "Les Combes", 2425, R), (6, "Les Combes", 2500, L), (7, "Malmedy", 2679, R),
            (8, "Bruxelles", 3050, R),
            (9, "", 3298, L), (10, "Pouhon", 3825, L), (11, "Pouhon", 3910, L), (12, "Fagnes", 4554, R),
            (13, "Fagnes", 4664, L), (14, "Campus", 4988, R), (15, "Stavelot", 5150, R), (16, "Blanchimont", 5964, L),
            (17, "Blanchimont", 6192, L), (18, "Bus Stop", 6748, R), (19, "Bus Stop", 6815, L),
        ),
        102.2,
        (
            (0, 0), (250, 2), (420, 2.5), (600, -7), (800, -17), (950, -22), (1060, -22.5), (1160, -10), (1260, 5),
            (1360, 14), (1500, 20), (1800, 31), (2100, 42), (2350, 50), (2620, 55), (2780, 51), (3000, 41),
            (3300, 27),
            (3600, 11), (3850, -4), (4050, -13), (4300, -20), (4550, -26), (4750, -31), (4950, -41), (5100, -46.5),
            (5300, -44), (5600, -37), (5964, -27), (6200, -19), (6500, -9), (6750, -3),
        ),
    ),
    "barcelona": Facts(
        "Catalunya", "Circuit de Barcelona-Catalunya (2007 to 2020)", 100, 130.0, 126.0, (0.348, 0.730), (800.0, R),
        (
            (1, "Elf", 834, R), (2, "Elf", 952, L), (3, "Renault", 1100, R), (4, "Repsol", 1695, R),
            (5, "Seat", 2146, L), (6, "", 2341, L), (7, "Würth", 2563, L), (8, "Würth", 2647, R),
            (9, "Campsa", 2864, R),
            (10, "La Caixa", 3502, L), (11, "", 3620, L), (12, "Banc Sabadell", 3790, R), (13, "Europcar", 4017, R),
            (14, "RACC", 4146, L), (15, "RACC", 4187, R), (16, "New Holland", 4330, R),
        ),
        29.6,
        (
            (0, 0), (400, -5), (830, -9), (1100, -4), (1400, 4), (1695, 9), (1900, 6), (2146, -5), (2350, -11),
            (2500, -12.5), (2650, -5), (2850, 9), (3010, 14.5), (3250, 11.5), (3490, 4), (3640, 6), (3830, 11),
            (4017, 12), (4180, 8), (4350, 4), (4500, 1.5),
        ),
    ),
    "red_bull_ring": Facts(
        "Spielberg", "Red Bull Ring", 90, 690.0, 126.0, (0.286, 0.686), (520.0, R),
        (
            (1, "Niki Lauda", 447, R), (2, "", 1100, L), (3, "Remus", 1399, R), (4, "Rauch", 2211, R),
            (5, "", 2467, R),
            (6, "Würth", 2733, L), (7, "", 3050, L), (8, "", 3146, R), (9, "Rindt", 3779, R),
            (10, "Red Bull Mobile", 3990, R),
        ),
        63.5,
        (
            (0, 0), (220, 4), (450, 10), (750, 21), (1060, 39), (1250, 52), (1400, 60), (1550, 62), (1800, 58),
            (2000, 52), (2211, 46), (2450, 41), (2733, 35), (3034, 29), (3250, 26), (3500, 21.5), (3779, 11),
            (3990, 2), (4150, -1),
        ),
    ),
    "budapest": Facts(
        "Budapest", "Hungaroring", 100, 235.0, 40.0, (0.397, 0.748), (620.0, R),
        (
            (1, "", 646, R), (2, "", 1150, L), (3, "", 1339, R), (4, "Mansell", 1823, L), (5, "", 2073, R),
            (6, "", 2387, R), (7, "", 2430, L), (8, "", 2626, L), (9, "", 2743, R), (10, "", 2941, L),
            (11, "Alesi", 3120, R), (12, "", 3531, R),
            (13, "", 3780, L), (14, "", 4050, R),
        ),
        34.7,
        (
            (0, 0), (350, 1), (646, -1), (900, -8), (1150, -17), (1339, -24.5), (1480, -27), (1650, -20), (1823, -8),
            (2027, 2), (2200, 5), (2400, 6), (2700, 6.2), (2941, 6.2), (3130, 2), (3300, -6), (3531, -13),
            (3749, -12),
            (3900, -9), (4030, -6), (4200, -2),
        ),
    ),
    "sao_paulo": Facts(
        "SaoPaulo", "Autódromo José Carlos Pace", 100, 770.0, 30.0, (0.27, 0.775), (790.0, L),
        (
            (1, "S do Senna", 371, L), (2, "S do Senna", 473, R), (3, "Curva do Sol", 640, L),
            (4, "Descida do Lago", 1405, L),
            (5, "", 1630, L), (6, "Ferradura", 2035, R), (7, "Ferradura", 2164, R), (8, "Laranja", 2340, R),
            (9, "Pinheirinho", 2480, L), (10, "Bico de Pato", 2770, R), (11, "Mergulho", 2980, L),
            (12, "Junção", 3273, L),
            (13, "Café", 3391, L), (14, "Subida dos Boxes", 3671, L), (15, "Arquibancadas", 4039, L),
        ),
        43.0,
        (
            (0, 0), (150, 0.7), (298, -1.5), (473, -9), (626, -14), (800, -18), (1100, -27), (1387, -36.5),
            (1460, -37),
            (1600, -33), (1800, -22), (2035, -13), (2164, -12), (2324, -16), (2451, -20), (2600, -21), (2749, -24),
            (2900, -28), (3020, -33.5), (3150, -39), (3273, -42), (3450, -37), (3671, -25), (3900, -12), (4100, -4),
        ),
    ),
}  # fmt: skip


def bundled(name: str, folder: Path) -> Track:
    """One bundled track: the fitted geometry with the facts of this file."""
    facts = CIRCUITS[name]
    source = SOURCE.format(file=facts.file)
    path = folder / f"{facts.file}.csv"
    track = fit_track(path, name=name, title=facts.title, source=source, licence=LICENCE, knots=facts.knots)
    length = track.length
    knots, heights = np.array(facts.heights, dtype=np.float64).T
    course = Smooth(knots, heights, length)(np.arange(0.0, length))
    heights = heights * facts.difference / np.ptp(course)
    s, side = facts.pit_out
    edge = float(track.width_left(s) if side > 0 else track.width_right(s))
    return replace(
        track,
        height=Smooth(knots, heights, length),
        elevation_source=HEIGHTS.format(difference=facts.difference),
        altitude=facts.altitude,
        sectors=(0.0, *(round(share * length, 1) for share in facts.sectors)),
        corners=tuple(corner_at(track.line, *corner) for corner in facts.corners),
        grid=facts.offset - 8.0,
        pit_out=(s, round(side * (edge - 1.5), 2)),
        notes=NOTES,
    )


def main() -> None:
    """Fits and writes every circuit, and prints the errors of the files as they are read back."""
    folder = Path(sys.argv[1])
    for name in CIRCUITS:
        path = DATA / "tracks" / f"{name}.toml"
        write_track(bundled(name, folder), path)
        track = read_track(path)
        print(f"{name:14} {track.length:8.1f} m  {track.fit_rms:.3f} m rms  {track.fit_max:.3f} m max")


if __name__ == "__main__":
    main()
