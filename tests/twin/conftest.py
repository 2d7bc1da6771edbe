from __future__ import annotations

import numpy as np
import pytest

from actwin.content.library import load_car


class PlainTrack:
    """A road of constant curvature without borders worth mentioning; not closed when straight, which no test here
    needs."""

    def __init__(
        self,
        length: float = 20_000.0,
        curvature: float = 0.0,
        half_width: float = 60.0,
        wall: float = 90.0,
        grade: float = 0.0,
        banking: float = 0.0,
    ) -> None:
        self.name = "plain"
        self.length = length
        self.bend = curvature
        self.half_width = half_width
        self.wall = wall
        self.slope = grade
        self.tilt = banking
        self.altitude = 0.0
        self.sectors = (0.0, 0.3 * length, 0.7 * length)

    def _constant(self, value, s):
        return np.full(np.shape(s), value, float)

    def curvature(self, s):
        return self._constant(self.bend, s)

    def heading(self, s):
        return self.bend * np.asarray(s, float)

    def position(self, s):
        s = np.asarray(s, float)
        if self.bend == 0.0:
            return s, np.zeros_like(s)
        return np.sin(self.bend * s) / self.bend, (1.0 - np.cos(self.bend * s)) / self.bend

    def elevation(self, s):
        return self.slope * np.asarray(s, float)

    def grade(self, s):
        return self._constant(self.slope, s)

    def vertical_curvature(self, s):
        return self._constant(0.0, s)

    def banking(self, s):
        return self._constant(self.tilt, s)

    def width_left(self, s):
        return self._constant(self.half_width, s)

    width_right = width_left

    def kerb_left(self, s):
        return self._constant(1.0, s)

    kerb_right = kerb_left

    def wall_left(self, s):
        return self._constant(self.wall, s)

    wall_right = wall_left

    def runoff_left(self, s):
        return np.full(np.shape(s), 2)

    runoff_right = runoff_left


@pytest.fixture(scope="session")
def plain_track():
    return PlainTrack


@pytest.fixture(scope="session")
def f1():
    return load_car("formula_alpha_2022")


@pytest.fixture(scope="session", params=["formula_alpha_2022", "dallara_f317", "bmw_z4_gt3", "ks_mazda_miata"])
def any_car(request):
    return load_car(request.param)
