from __future__ import annotations

import numpy as np
import pytest

from actwin.twin.params import car_params
from actwin.twin.tyres import curve_secant, peak_grip, temperature_grip, tyre_force, wear_grip

SLIPS = np.linspace(0.0, 12.0, 2401)


@pytest.fixture
def tyre(any_car):
    return car_params(any_car).front_tyre


def curve(slip, stiffness=3.0, falloff=0.87):
    return slip * np.array([curve_secant(float(s), stiffness, falloff) for s in np.atleast_1d(slip)])


@pytest.mark.parametrize(("stiffness", "falloff"), [(2.2, 0.8), (3.0, 0.87), (3.5, 0.95)])
def test_curve_has_its_slope_its_peak_and_its_tail(stiffness, falloff):
    values = curve(SLIPS, stiffness, falloff)
    assert curve(1e-6, stiffness, falloff)[0] / 1e-6 == pytest.approx(stiffness, rel=1e-5)
    assert values.max() == pytest.approx(1.0, abs=1e-6)
    assert SLIPS[values.argmax()] == pytest.approx(1.0, abs=5e-3)
    assert curve(1e6, stiffness, falloff)[0] == pytest.approx(falloff, abs=1e-5)


def test_curve_follows_the_magic_formula_of_the_same_shape():
    shape = 2.0 * (1.0 - np.arcsin(0.87) / np.pi)
    magic = np.sin(shape * np.arctan(np.tan(0.5 * np.pi / shape) * SLIPS))
    assert np.abs(curve(SLIPS, 3.25, 0.87) - magic).max() < 0.025


def test_no_slip_no_force(tyre):
    force = tyre_force(0.0, 0.0, 3000.0, 0.0, 1.0, tyre)
    assert force.fx == 0.0
    assert force.fy == 0.0


def test_no_load_no_force(tyre):
    force = tyre_force(0.1, 0.1, 0.0, 0.0, 1.0, tyre)
    assert force.fx == 0.0
    assert force.fy == 0.0


def test_force_is_mirrored_with_slip(tyre):
    left = tyre_force(0.05, 0.07, 3000.0, 0.02, 1.0, tyre)
    right = tyre_force(-0.05, -0.07, 3000.0, -0.02, 1.0, tyre)
    assert (left.fx, left.fy) == (-right.fx, -right.fy)


def test_positive_slip_angle_pushes_to_the_right_and_drive_slip_forward(tyre):
    force = tyre_force(0.05, 0.05, 3000.0, 0.0, 1.0, tyre)
    assert force.fx > 0.0
    assert force.fy < 0.0


def test_pure_peaks_are_the_friction_coefficients(tyre):
    load = 1.0 / tyre.per_load
    along = max(tyre_force(float(k), 0.0, load, 0.0, 1.0, tyre).fx for k in np.linspace(0, 0.5, 2001))
    across = max(-tyre_force(0.0, float(a), load, 0.0, 1.0, tyre).fy for a in np.linspace(0, 0.5, 2001))
    assert along == pytest.approx(tyre.grip_x * load, rel=1e-4)
    assert across == pytest.approx(tyre.grip_y * load, rel=1e-4)


def test_combined_force_stays_inside_the_friction_ellipse(tyre):
    mu_x, mu_y = peak_grip(3000.0, tyre)
    for kappa in np.linspace(-0.5, 0.5, 21):
        for tangent in np.linspace(-0.5, 0.5, 21):
            force = tyre_force(float(kappa), float(tangent), 3000.0, 0.0, 1.0, tyre)
            assert (force.fx / (mu_x * 3000.0)) ** 2 + (force.fy / (mu_y * 3000.0)) ** 2 <= 1.0 + 1e-6


def test_grip_falls_with_load(tyre):
    grips = [peak_grip(load, tyre)[1] for load in (1000.0, 3000.0, 6000.0)]
    assert grips[0] > grips[1] > grips[2]


def test_secant_is_the_stiffness_at_zero_slip(tyre):
    small = 1e-5
    force = tyre_force(small, 0.0, 3000.0, 0.0, 1.0, tyre)
    assert force.secant * small == pytest.approx(force.fx, rel=1e-9)
    assert force.secant > 0.0


def test_camber_pushes_to_the_side_it_leans(tyre):
    assert tyre_force(0.0, 0.0, 3000.0, 0.05, 1.0, tyre).fy >= 0.0


def test_temperature_window(tyre):
    inside = 0.5 * (tyre.temperature_low + tyre.temperature_high)
    assert temperature_grip(inside, inside, tyre) == 1.0
    assert 0.5 <= temperature_grip(0.0, 0.0, tyre) < 1.0
    assert 0.5 <= temperature_grip(250.0, 250.0, tyre) < 1.0


def test_wear_costs_its_share_and_no_more(tyre):
    assert wear_grip(0.0, tyre) == 1.0
    assert wear_grip(tyre.wear_full, tyre) == pytest.approx(tyre.wear_grip)
    assert wear_grip(10.0 * tyre.wear_full, tyre) == pytest.approx(tyre.wear_grip)
