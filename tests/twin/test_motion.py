"""Whole-car identities: symmetry, energy, closed forms, and an independent integration of the same chapters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from actwin.telemetry.channels import neutral_controls
from actwin.twin.aero import aero_force
from actwin.twin.drivetrain import gear_ratio
from actwin.twin.engine import engine_torque
from actwin.twin.params import car_params
from actwin.twin.simulator import Simulator
from actwin.twin.suspension import corner_force
from actwin.twin.tyres import rolling_radius, tyre_force
from actwin.twin.world import Assists, Conditions
from actwin.units import GRAVITY, RPM_PER_RADS, air_density

OFF = Assists(abs=False, traction_control=False)


def run(sim, controls, seconds):
    for _ in range(round(seconds / sim.control_period)):
        sim.step(controls)
    return sim.frames


def test_mirrored_steering_gives_the_mirrored_car(plain_track, any_car):
    sim = Simulator(plain_track(), any_car, 2)
    sim.reset(distance=100.0, speed=30.0, lateral=[2.0, -2.0])
    controls = neutral_controls(2)
    controls["throttle"] = 0.4
    for step in range(100):
        controls["steer"] = np.array([1.0, -1.0]) * 0.1 * np.sin(0.1 * step)
        frames = sim.step(controls)
    for channel in ("lateral_offset", "vy", "yaw_rate", "heading_error", "ay"):
        assert frames[channel][0] == pytest.approx(-frames[channel][1], rel=1e-3, abs=1e-4), channel
    assert frames["vx"][0] == pytest.approx(frames["vx"][1], rel=1e-5)
    assert frames["load"][0][[0, 2]] == pytest.approx(frames["load"][1][[1, 3]], rel=1e-3)


def test_a_car_at_rest_stays_at_rest_and_carries_its_weight(plain_track, any_car):
    sim = Simulator(plain_track(), any_car, 1)
    sim.reset(distance=100.0, gear=0)
    frames = run(sim, neutral_controls(1), 3.0)
    assert frames["speed"][0] < 1e-3
    assert frames["load"][0].sum() == pytest.approx((any_car.chassis.mass + frames["fuel"][0]) * GRAVITY, rel=1e-3)


def test_brakes_hold_a_car_on_a_slope(plain_track, any_car):
    sim = Simulator(plain_track(grade=0.08), any_car, 1)
    sim.reset(distance=100.0, gear=0)
    controls = neutral_controls(1)
    controls["brake"] = 1.0
    frames = run(sim, controls, 4.0)
    # The tyres' springs let the standing car rock by a millimetre.
    assert abs(frames["vx"][0]) < 0.05
    assert abs(frames["lap_distance"][0] - 100.0) < 0.2


@pytest.mark.parametrize("wall", [900.0, 12.0])
def test_energy_never_grows_off_throttle(plain_track, any_car, wall):
    n = 64
    sim = Simulator(plain_track(half_width=900.0, wall=wall), any_car, n, conditions=Conditions(), assists=OFF)
    rng = np.random.default_rng(3)
    sim.reset(distance=100.0, speed=rng.uniform(15.0, 60.0, n), gear=0)
    controls = neutral_controls(n)
    controls["gear"] = 0
    chassis = any_car.chassis
    energies = []
    for _ in range(120):
        controls["steer"] = np.clip(controls["steer"] + rng.normal(0.0, 0.05, n), -0.5, 0.5)
        controls["brake"] = rng.uniform(0.0, 0.3, n)
        f = sim.step(controls)
        spin = 0.5 * sum(
            inertia * (f["wheel_speed"][:, wheels].astype(float) ** 2).sum(axis=1)
            for inertia, wheels in ((any_car.tyres.front.inertia, [0, 1]), (any_car.tyres.rear.inertia, [2, 3]))
        )
        energies.append(
            0.5 * (chassis.mass + f["fuel"]) * f["speed"].astype(float) ** 2
            + 0.5 * chassis.yaw_inertia * f["yaw_rate"].astype(float) ** 2
            + spin
        )
    growth = np.diff(np.array(energies), axis=0)
    # Roll, pitch and heave give back a little of what they took; two tenths of a per cent of the whole covers that.
    assert growth.max() < 2e-3 * np.array(energies)[0].max()


def test_coast_down_in_neutral_equals_the_closed_form(plain_track, any_car):
    """m_eff dv/dt = -(a + b v²) has v = sqrt(a/b) tan(phi0 - sqrt(ab) t / m_eff)."""
    car = any_car.scaled(downforce=0.0)
    sim = Simulator(plain_track(), car, 1, precision="double")
    sim.reset(distance=100.0, speed=50.0, gear=0)
    controls = neutral_controls(1)
    controls["gear"] = 0
    fuel = float(sim.frames["fuel"][0])
    v0 = 50.0
    frames = run(sim, controls, 8.0 * sim.control_period * 10)
    t = 80 * sim.control_period
    mass = car.chassis.mass + fuel
    spin = (
        2.0 * car.tyres.front.inertia / car.tyres.front.radius**2
        + 2.0 * car.tyres.rear.inertia / car.tyres.rear.radius**2
    )
    a = car.chassis.rolling_resistance * mass * GRAVITY
    b = 0.5 * air_density(20.0) * car.aero.drag_area
    phase = np.arctan(v0 * np.sqrt(b / a)) - np.sqrt(a * b) * t / (mass + spin)
    assert frames["speed"][0] == pytest.approx(np.sqrt(a / b) * np.tan(phase), rel=2e-3)


def test_steady_circle_balances_forces_and_moments(plain_track, any_car):
    """At constant speed on a circle the tyres' lateral force is m v r, and the yaw rate is speed over radius."""
    sim = Simulator(plain_track(half_width=900.0, wall=950.0), any_car, 1)
    sim.reset(distance=1000.0, speed=20.0)
    controls = neutral_controls(1)
    controls["steer"] = 0.08
    for _ in range(250):
        controls["throttle"] = np.clip(0.15 + 0.3 * (20.0 - sim.frames["speed"]), 0.0, 1.0)
        f = sim.step(controls)
    v, r = float(f["speed"][0]), float(f["yaw_rate"][0])
    assert f["ay"][0] == pytest.approx(v * r, rel=0.01)
    # Roll balance: what the right wheels carry more than the left ones holds the lateral force at the height of the
    # centre of gravity.
    p = car_params(any_car)
    transfer = (f["load"][0][1] + f["load"][0][3] - f["load"][0][0] - f["load"][0][2]) * 0.5
    arm = 0.5 * (p.front_axle.half_track + p.rear_axle.half_track)
    mass = any_car.chassis.mass + float(f["fuel"][0])
    assert transfer * 2.0 * arm == pytest.approx(mass * v * r * any_car.chassis.cog_height, rel=0.12)


def reference_acceleration(car, speed, throttle, gear, seconds):
    """Straight line with a locked clutch, by DOP853 on the same chapter functions, written without the step's implicit
    solution."""
    p = car_params(car)
    ratio = gear_ratio(gear, p.drive)
    fuel = car.chassis.fuel
    mass = car.chassis.mass + fuel
    body, density = p.chassis, air_density(20.0)
    share = p.drive.efficiency

    def slopes(_, y):
        vx, heave, heave_rate, pitch, pitch_rate, wf, wr, kf, kr = y
        drops = body.front_arm * pitch - heave, -body.rear_arm * pitch - heave
        rates = body.front_arm * pitch_rate - heave_rate, -body.rear_arm * pitch_rate - heave_rate
        front = corner_force(drops[0], rates[0], drops[0], p.front_axle)
        rear = corner_force(drops[1], rates[1], drops[1], p.rear_axle)
        # The links' share depends on the force it changes: a few rounds settle it.
        fx = 0.0
        for _ in range(30):
            load_f, load_r = front - body.link_pitch * fx, rear + body.link_pitch * fx
            camber_f, camber_r = p.front_axle.camber, p.rear_axle.camber
            ff = tyre_force(kf, -p.front_axle.toe, load_f, camber_f, 1.0, p.front_tyre)
            fr = tyre_force(kr, -p.rear_axle.toe, load_r, camber_r, 1.0, p.rear_tyre)
            fx_f = ff.fx * np.cos(p.front_axle.toe) + ff.fy * np.sin(p.front_axle.toe) * 0.0
            fx = 2.0 * (fx_f + fr.fx)
        height_f = p.front_axle.static_height + heave - body.front_arm * pitch
        height_r = p.rear_axle.static_height + heave + body.rear_arm * pitch
        air = aero_force(vx, 0.0, height_f, height_r, 0.0, density, p.aero)
        torque = engine_torque(ratio * wr * RPM_PER_RADS, throttle, throttle, p.engine)
        radius_f, radius_r = rolling_radius(wf, p.front_tyre), rolling_radius(wr, p.rear_tyre)
        roll_f = body.rolling_resistance * load_f * radius_f
        roll_r = body.rolling_resistance * load_r * radius_r
        inertia_r = p.rear_tyre.inertia + 0.5 * share * ratio**2 / p.engine.per_inertia
        return [
            (fx + air.fx) / mass,
            heave_rate,
            (2.0 * (front + rear) - air.down_front - air.down_rear) / mass - GRAVITY,
            pitch_rate,
            (
                2.0 * (body.rear_arm * rear - body.front_arm * front)
                - (1.0 - body.anti_pitch) * body.cog_height * fx
                + body.front_arm * air.down_front
                - body.rear_arm * air.down_rear
            )
            * body.per_pitch_inertia,
            (-radius_f * ff.fx - roll_f) / p.front_tyre.inertia,
            (0.5 * ratio * share * torque - radius_r * fr.fx - roll_r) / inertia_r,
            (wf * radius_f - vx - abs(vx) * kf) * p.front_tyre.per_relaxation_x,
            (wr * radius_r - vx - abs(vx) * kr) * p.rear_tyre.per_relaxation_x,
        ]

    return slopes, seconds


@pytest.mark.parametrize("gear", [3])
def test_straight_line_acceleration_equals_dop853(plain_track, any_car, gear):
    """The step's error against an independent high-accuracy integration is small, and falls with the step."""
    car = any_car.model_copy(update={"engine": any_car.engine.model_copy(update={"turbo_share": 0.0})})
    for axle in ("front", "rear"):
        plain = getattr(car.suspension, axle).model_copy(update={"toe": 0.0, "static_camber": 0.0})
        car = car.model_copy(update={"suspension": car.suspension.model_copy(update={axle: plain})})
    start = 0.55 * car.engine.limiter_rpm / RPM_PER_RADS / gear_ratio(float(gear), car_params(car).drive)
    speed = start * car.tyres.rear.radius
    slopes, seconds = reference_acceleration(car, speed, 0.5, float(gear), 0.78)
    errors = []
    for dt, substeps in ((0.003, 13), (0.0003, 130)):
        sim = Simulator(plain_track(), car, 1, physics_step=dt, substeps=substeps, precision="double", assists=OFF)
        sim.reset(distance=100.0, speed=speed, gear=gear)
        controls = neutral_controls(1)
        controls["gear"] = gear
        controls["throttle"] = 0.5
        first = sim.snapshot().values[0]
        from actwin.twin.layout import field_paths
        from actwin.twin.state import CarState

        at = {name: float(first[i]) for i, name in enumerate(field_paths(CarState))}
        y0 = [at["vx"], at["heave"], 0.0, at["pitch"], 0.0, at["wheel_speed.0"], at["wheel_speed.2"], 0.0, 0.0]
        run(sim, controls, seconds)
        exact = solve_ivp(slopes, (0.0, seconds), y0, method="DOP853", rtol=1e-9, atol=1e-9).y[:, -1]
        after = {name: float(sim.snapshot().values[0][i]) for i, name in enumerate(field_paths(CarState))}
        errors.append(abs(after["vx"] - exact[0]) / (exact[0] - speed))
    assert errors[0] < 0.01
    assert errors[1] < 0.25 * errors[0] + 2e-4


def test_banking_and_grade_pull_the_way_gravity_does(plain_track, f1):
    for kwargs, channel, sign in (({"banking": 0.3}, "vy", 1.0), ({"grade": 0.3}, "vx", -1.0)):
        sim = Simulator(plain_track(**kwargs), f1, 1, conditions=Conditions(grip=0.07))
        sim.reset(distance=100.0, gear=0)
        controls = neutral_controls(1)
        controls["gear"] = 0
        frames = run(sim, controls, 1.0)
        assert sign * frames[channel][0] > 0.1, kwargs
