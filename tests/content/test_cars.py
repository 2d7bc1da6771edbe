"""Car files: what they must hold, how they fail, and whether the bundled ones agree with closed forms."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest

import actwin.content
from actwin.content.car_chapters import AxleSuspension
from actwin.content.cars import Car, read_car, write_car
from actwin.errors import ConfigError, ContentError, UnknownNameError
from actwin.units import GRAVITY, KMH_PER_MS, RADS_PER_RPM

FILES = sorted((Path(actwin.content.__file__).parent / "data" / "cars").glob("*.toml"))
CARS = {path.stem: read_car(path) for path in FILES}
FORMULA = next(path for path in FILES if path.stem == "formula_alpha_2022")
AIR_DENSITY = 1.2

every_car = pytest.mark.parametrize("car", CARS.values(), ids=CARS.keys())


def total_mass(car: Car) -> float:
    return car.chassis.mass + car.chassis.fuel


def in_series(one: float, other: float) -> float:
    return one * other / (one + other)


def axles(car: Car) -> list[tuple[float, float, AxleSuspension]]:
    """Share of the weight, track and suspension of both axles."""
    body, side = car.chassis, car.suspension
    return [
        (body.front_share, body.track_front, side.front),
        (1.0 - body.front_share, body.track_rear, side.rear),
    ]


def top_speed(car: Car, *, drs: bool = False) -> float:
    """[m/s] Where peak power meets drag with rolling resistance, by bisection."""
    power = car.peak_power * car.engine.driveline_efficiency
    drag = car.aero.drag_area * (car.aero.drs_drag_factor if drs else 1.0)
    lift = car.aero.downforce_area * (car.aero.drs_downforce_factor if drs else 1.0)
    low, high = 0.0, 200.0
    for _ in range(60):
        speed = 0.5 * (low + high)
        pressure = 0.5 * AIR_DENSITY * speed**2
        load = total_mass(car) * GRAVITY + pressure * lift
        resistance = pressure * drag + car.chassis.rolling_resistance * load
        low, high = (speed, high) if resistance * speed < power else (low, speed)
    return low


def gear_speeds(car: Car) -> list[float]:
    """[m/s] Speed at the limiter in each gear."""
    box = car.transmission
    engine_speed = car.engine.limiter_rpm * RADS_PER_RPM
    return [engine_speed * car.tyres.rear.radius / (gear * box.final_drive) for gear in box.gears]


def edited(tmp_path: Path, old: str, new: str) -> Path:
    """The bundled formula car with one line replaced."""
    lines = FORMULA.read_text(encoding="utf-8").splitlines()
    hits = [index for index, line in enumerate(lines) if line.startswith(old)]
    assert hits, f"no line starts with {old!r}"
    lines[hits[0]] = new
    path = tmp_path / "edited.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_four_cars_are_bundled() -> None:
    assert set(CARS) >= {"formula_alpha_2022", "dallara_f317", "bmw_z4_gt3", "ks_mazda_miata"}
    assert "FormulaAlpha2022" in CARS["formula_alpha_2022"].identity.aliases


def test_names_and_aliases_are_unique() -> None:
    names = [name for car in CARS.values() for name in (car.name, *car.identity.aliases)]
    assert len({name.lower() for name in names}) == len(names)


@every_car
def test_file_is_named_after_the_car(car: Car) -> None:
    assert CARS[car.name] is car


@every_car
def test_written_file_reads_back_equal(car: Car, tmp_path: Path) -> None:
    path = tmp_path / "car.toml"
    write_car(car, path)
    assert read_car(path) == car
    assert hash(read_car(path)) == hash(car)


@every_car
def test_every_number_has_a_source(car: Car) -> None:
    def numbers(tree: dict[str, object], prefix: str = "") -> set[str]:
        found: set[str] = set()
        for key, value in tree.items():
            if isinstance(value, dict):
                found |= numbers(value, f"{prefix}{key}.")
            elif isinstance(value, float) or (isinstance(value, tuple) and isinstance(value[0], float)):
                found.add(f"{prefix}{key}")
        return found

    named = numbers(car.model_dump(exclude={"sources"}))
    assert named == set(dict(car.sources))
    assert all(car.source_of(field) for field in named)


def test_source_of_unknown_parameter_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"chassis\.mass"):
        CARS["formula_alpha_2022"].source_of("chassis.masse")


def test_everyday_units_become_si(tmp_path: Path) -> None:
    path = edited(tmp_path, "max_force", 'max_force = { value = 37, unit = "kN", source = "test" }')
    assert read_car(path).brakes.max_force == 37_000.0
    assert read_car(FORMULA).suspension.front.static_camber == pytest.approx(math.radians(-3.0))


@pytest.mark.parametrize(
    ("line", "replacement", "field", "words"),
    [
        ("mass ", 'mass = { value = -798.0, unit = "kg", source = "x" }', "chassis.mass", "greater than 50"),
        ("mass ", 'massa = { value = 798.0, unit = "kg", source = "x" }', "chassis.massa", "Did you mean 'mass'"),
        ("mass ", "", "chassis.mass", "missing"),
        ("mass ", 'mass = { value = 1759.0, unit = "lb", source = "x" }', "chassis.mass", "Give the value in kg"),
        ("mass ", 'mass = { value = 798.0, unit = "kg" }', "chassis.mass", "no source"),
        ("mass ", 'mass = { value = 798.0, unit = "kg", source = " " }', "chassis.mass", "empty source"),
        ("mass ", 'mass = { value = 798.0, units = "kg", source = "x" }', "chassis.mass.units", "mean 'unit'"),
        ("mass ", "mass = 798.0", "chassis.mass", "without unit"),
        ("mass ", 'mass = { value = "798", unit = "kg", source = "x" }', "chassis.mass", "Give a number"),
        ("mass ", 'mass = { value = true, unit = "kg", source = "x" }', "chassis.mass", "Give a number"),
        ("mass ", 'mass = { value = nan, unit = "kg", source = "x" }', "chassis.mass", "finite"),
        ("fuel ", 'fuel = { value = 500.0, unit = "kg", source = "x" }', "chassis.fuel", "tank"),
        (
            "front_share",
            'front_share = { value = 1.2, unit = "-", source = "x" }',
            "chassis.front_share",
            "less than 1",
        ),
        ("yaw_inertia", 'yaw_inertia = { value = 5, unit = "kg m²", source = "x" }', "chassis.yaw_inertia", "mass"),
        ("cog_height", 'cog_height = { value = 2.0, unit = "m", source = "x" }', "chassis.cog_height", "fall over"),
        ("drag_area", 'drag_area = { value = 1.4, unit = "m²", source = "x" }', "aero.drag_area", "wing level"),
        ("has_drs", "has_drs = false", "aero.drs_drag_factor", "has_drs"),
        ("spring_rate", 'spring_rate = { value = 300, unit = "N/m", source = "x" }', "spring_rate", "sink"),
        ("torque", 'torque = { value = [500, 600], unit = "N m", source = "x" }', "engine.torque", "2 values for 9"),
        ("torque", 'torque = { value = 500, unit = "N m", source = "x" }', "engine.torque", "a list of numbers"),
        ("rpm", 'rpm = { value = [1, 3, 2, 4, 5, 6, 7, 8, 9], unit = "rpm", source = "x" }', "engine.rpm", "increase"),
        ("limiter_rpm", 'limiter_rpm = { value = 15000, unit = "rpm", source = "x" }', "engine.rpm", "limiter"),
        ("gears", 'gears = { value = [2.3, 2.6], unit = "-", source = "x" }', "transmission.gears", "decrease"),
        (
            "upshift_rpm",
            'upshift_rpm = { value = 12500, unit = "rpm", source = "x" }',
            "transmission.upshift_rpm",
            "limiter",
        ),
        ("downshift_rpm", 'downshift_rpm = { value = 9800, unit = "rpm", source = "x" }', "downshift_rpm", "hunt"),
        ("clutch_torque", 'clutch_torque = { value = 300, unit = "N m", source = "x" }', "clutch_torque", "slip"),
        ("kind", 'kind = "boat"', "identity.kind", "formula"),
        ("has_drs", 'has_drs = "yes"', "aero.has_drs", "boolean"),
        ("driven", 'driven = "front"', "transmission.driven", "rear"),
        ("[brakes]", "[brake]", "brake", "Did you mean 'brakes'"),
    ],
)
def test_bad_file_names_file_field_and_cure(
    tmp_path: Path, line: str, replacement: str, field: str, words: str
) -> None:
    with pytest.raises(ContentError) as caught:
        read_car(edited(tmp_path, line, replacement))
    error = caught.value
    assert error.source.endswith("edited.toml")
    assert error.field.endswith(field)
    assert words in str(error)
    assert error.cure


def test_broken_toml_and_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="not a TOML file"):
        read_car(edited(tmp_path, "mass ", "mass = {"))
    with pytest.raises(ContentError, match="cannot be read"):
        read_car(tmp_path / "absent.toml")


def test_wing_levels_are_linear_between_the_trims() -> None:
    car = CARS["formula_alpha_2022"]
    low, middle, high = (car.with_wing(level).aero for level in (0.0, 0.5, 1.0))
    assert (low.drag_area, low.downforce_area) == (car.aero.min_drag_area, car.aero.min_downforce_area)
    assert (high.drag_area, high.downforce_area) == pytest.approx((car.aero.max_drag_area, car.aero.max_downforce_area))
    assert middle.downforce_area == pytest.approx(0.5 * (low.downforce_area + high.downforce_area))
    assert "wing level 0.5" in car.with_wing(0.5).source_of("aero.drag_area")
    assert car.with_wing(0.5).source_of("chassis.mass") == car.source_of("chassis.mass")


@pytest.mark.parametrize("level", [-0.1, 1.1, math.nan])
def test_wing_outside_its_range_is_refused(level: float) -> None:
    with pytest.raises(ConfigError, match="Wing level"):
        CARS["formula_alpha_2022"].with_wing(level)


@every_car
def test_scaling_multiplies_what_it_says(car: Car) -> None:
    scaled = car.scaled(mass=1.1, grip=0.9, power=1.2, drag=0.8, downforce=0.7)
    assert scaled.chassis.mass == pytest.approx(1.1 * car.chassis.mass)
    assert scaled.chassis.yaw_inertia == pytest.approx(1.1 * car.chassis.yaw_inertia)
    assert scaled.tyres.rear.grip_slope_y == pytest.approx(0.9 * car.tyres.rear.grip_slope_y)
    assert scaled.peak_power == pytest.approx(1.2 * car.peak_power)
    assert scaled.with_wing(1.0).aero.drag_area == pytest.approx(0.8 * car.aero.max_drag_area)
    assert scaled.aero.downforce_area == pytest.approx(0.7 * car.aero.downforce_area)
    assert scaled.scaled() == scaled
    assert car.scaled() == car


def test_impossible_scale_is_refused() -> None:
    with pytest.raises(ContentError, match=r"formula_alpha_2022: chassis\.mass"):
        CARS["formula_alpha_2022"].scaled(mass=-1.0)


@pytest.mark.parametrize(
    ("name", "speed", "tolerance"),
    [
        ("formula_alpha_2022", 350.0, 0.03),
        ("dallara_f317", 255.0, 0.03),
        ("bmw_z4_gt3", 288.0, 0.03),
        ("ks_mazda_miata", 195.0, 0.03),
    ],
)
def test_power_meets_drag_at_the_published_top_speed(name: str, speed: float, tolerance: float) -> None:
    assert top_speed(CARS[name]) * KMH_PER_MS == pytest.approx(speed, rel=tolerance)


def test_drs_gives_the_published_gain() -> None:
    car = CARS["formula_alpha_2022"]
    assert top_speed(car, drs=True) * KMH_PER_MS == pytest.approx(368.0, rel=0.03)


@pytest.mark.parametrize(
    ("name", "power"),
    [("formula_alpha_2022", 745e3), ("dallara_f317", 179e3), ("bmw_z4_gt3", 330e3 / 0.92), ("ks_mazda_miata", 85e3)],
)
def test_peak_power(name: str, power: float) -> None:
    assert CARS[name].peak_power == pytest.approx(power, rel=0.01)


@every_car
def test_gears_reach_the_top_speed_without_gaps(car: Car) -> None:
    speeds = gear_speeds(car)
    assert speeds[-1] > 0.99 * top_speed(car)
    assert speeds[0] < 35.0
    assert all(1.08 < high / low < 1.8 for low, high in pairwise(speeds))


@pytest.mark.parametrize(
    ("name", "rpm_per_speed"),
    [
        ("formula_alpha_2022", [372, 300, 252, 212, 182, 157, 135, 117]),
        ("bmw_z4_gt3", [357, 253.5, 190, 148.6, 127, 105.2]),
    ],
)
def test_gears_match_the_recorded_engine_speeds(name: str, rpm_per_speed: list[float]) -> None:
    car = CARS[name]
    measured = [car.engine.limiter_rpm / speed for speed in gear_speeds(car)]
    assert measured == pytest.approx(rpm_per_speed, rel=0.002)


@every_car
def test_upshifts_do_not_lead_below_the_downshift(car: Car) -> None:
    box = car.transmission
    after_up = [box.upshift_rpm * higher / lower for lower, higher in pairwise(box.gears)]
    assert min(after_up) > box.downshift_rpm


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("formula_alpha_2022", 4.0, 7.0),
        ("dallara_f317", 3.5, 6.0),
        ("bmw_z4_gt3", 2.5, 4.0),
        ("ks_mazda_miata", 1.3, 1.6),
    ],
)
def test_natural_frequencies(name: str, low: float, high: float) -> None:
    car = CARS[name]
    for share, _, side in axles(car):
        rate = in_series(side.spring_rate, side.tyre_rate)
        frequency = math.sqrt(rate / (0.5 * total_mass(car) * share)) / (2.0 * math.pi)
        assert low <= frequency <= high


@every_car
def test_all_modes_suit_steps_of_3_ms(car: Car) -> None:
    body, step = car.chassis, 0.003
    roll = sum(
        0.5 * track**2 * in_series(side.spring_rate + 2.0 * side.anti_roll_bar, side.tyre_rate)
        for _, track, side in axles(car)
    )
    arms = (1.0 - body.front_share, body.front_share)
    pitch = sum(
        2.0 * (arm * body.wheelbase) ** 2 * in_series(side.spring_rate, side.tyre_rate)
        for arm, (_, _, side) in zip(arms, axles(car), strict=True)
    )
    assert math.sqrt(roll / body.roll_inertia) * step < 0.25
    assert math.sqrt(pitch / body.pitch_inertia) * step < 0.25


@every_car
def test_damping_ratio_over_spring_with_tyre(car: Car) -> None:
    for share, _, side in axles(car):
        series = side.tyre_rate / (side.spring_rate + side.tyre_rate)
        critical = 2.0 * math.sqrt(side.spring_rate * series * 0.5 * total_mass(car) * share)
        assert 0.3 < side.damping * series**2 / critical < 0.8
        assert side.damping_bump < side.damping_rebound


@pytest.mark.parametrize(
    ("name", "share"),
    [("formula_alpha_2022", 0.52), ("dallara_f317", 0.55), ("bmw_z4_gt3", 0.55), ("ks_mazda_miata", 0.56)],
)
def test_front_share_of_lateral_load_transfer(name: str, share: float) -> None:
    """Roll stiffness carries the arm to the roll axis, the roll centres the rest. Milliken, ch. 18."""
    car = CARS[name]
    stiffness = [
        0.5 * track**2 * in_series(side.spring_rate + 2.0 * side.anti_roll_bar, side.tyre_rate)
        for _, track, side in axles(car)
    ]
    geometric = [weight * side.roll_centre_height for weight, _, side in axles(car)]
    elastic = stiffness[0] / sum(stiffness) * (car.chassis.cog_height - sum(geometric))
    assert (elastic + geometric[0]) / car.chassis.cog_height == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize(
    ("name", "factor"), [("formula_alpha_2022", 1.05), ("dallara_f317", 1.055), ("bmw_z4_gt3", 1.065)]
)
def test_rotating_mass_in_high_gear(name: str, factor: float) -> None:
    car = CARS[name]
    rear = car.tyres.rear
    ratio = car.transmission.gears[-2] * car.transmission.final_drive
    wheels = 2.0 * car.tyres.front.inertia / car.tyres.front.radius**2 + 2.0 * rear.inertia / rear.radius**2
    rotating = wheels + car.engine.inertia * (ratio / rear.radius) ** 2
    assert 1.0 + rotating / total_mass(car) == pytest.approx(factor, abs=0.01)


@pytest.mark.parametrize(
    ("name", "light", "heavy"),
    [
        ("formula_alpha_2022", (2000.0, 2.06, 2.16), (8000.0, 1.65, 1.73)),
        ("bmw_z4_gt3", (3000.0, 1.65, 1.67), (7000.0, 1.39, 1.41)),
    ],
)
def test_grip_at_the_two_published_loads(
    name: str, light: tuple[float, float, float], heavy: tuple[float, float, float]
) -> None:
    tyres = CARS[name].tyres
    for load, *grips in (light, heavy):
        for tyre, grip in zip((tyres.front, tyres.rear), grips, strict=True):
            excess = load / tyre.load_nominal - 1.0
            assert tyre.grip_y + tyre.grip_slope_y * excess == pytest.approx(grip, abs=0.002)


@every_car
def test_ride_height_stays_positive_at_top_speed(car: Car) -> None:
    pressure = 0.5 * AIR_DENSITY * top_speed(car) ** 2
    downforce = pressure * car.aero.downforce_area
    for part, (_, _, side) in zip((car.aero.front_share, 1.0 - car.aero.front_share), axles(car), strict=True):
        sinking = 0.5 * downforce * part / in_series(side.spring_rate, side.tyre_rate)
        assert sinking < side.bump_stop_gap < side.static_ride_height


@every_car
def test_brakes_can_lock_the_front_wheels(car: Car) -> None:
    """Full pedal must exceed what the front tyres hold at walking pace, or there would be no limit to learn."""
    front_load = total_mass(car) * GRAVITY * car.chassis.front_share
    assert car.brakes.max_force * car.brakes.front_share > car.tyres.front.grip_x * front_load


@every_car
def test_steering_turns_in_a_road(car: Car) -> None:
    assert 3.0 < car.chassis.wheelbase / math.tan(car.steering.lock) < 12.0
