"""What lies under a wheel: road, kerb, grass, gravel or asphalt run-off, and what it does to grip and rolling
resistance."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import jit, select
from actwin.twin.road import RoadCell

ROAD, KERB, GRASS, GRAVEL, ASPHALT = 0.0, 1.0, 2.0, 3.0, 4.0
"""Codes of the channel `surface`."""


class Surface(NamedTuple):
    """Under one wheel.

    Attributes:
        code: [-] Code of the channel `surface`.
        grip: [-] Factor on tyre grip. AC's surfaces.ini: kerbs 0.92–1.0, grass about 0.6, sand about 0.8 with heavy
            drag; dry grass 0.35–0.6 and gravel 0.5–0.6 in road tests.
        rolling: [-] Factor on rolling resistance.
        out: [-] 1 beyond the track limits; kerbs count as track, as in AC.
    """

    code: float
    grip: float
    rolling: float
    out: float


@jit
def surface_under(offset: float, place: float, cell: RoadCell) -> Surface:
    """Surface at a place of the road.

    Args:
        offset: [m] From the centre line, left positive.
        place: [m] Way into the cell.
        cell: The road cell.
    """
    on_left = offset > 0.0
    size = select(on_left, offset, -offset)
    edge = select(on_left, cell.left + cell.left_rate * place, cell.right + cell.right_rate * place)
    kerb = edge + select(on_left, cell.kerb_left, cell.kerb_right)
    runoff = select(on_left, cell.runoff_left, cell.runoff_right)
    code = select(size > kerb, runoff, select(size > edge, KERB, ROAD))
    grip = select(code > 0.5, 0.97, 1.0)
    grip = select(code > 1.5, 0.55, grip)
    grip = select(code > 2.5, 0.6, grip)
    grip = select(code > 3.5, 0.95, grip)
    rolling = select(code > 1.5, 5.0, 1.0)
    rolling = select(code > 2.5, 15.0, rolling)
    rolling = select(code > 3.5, 1.0, rolling)
    return Surface(code, grip, rolling, select(code > 1.5, 1.0, 0.0))
