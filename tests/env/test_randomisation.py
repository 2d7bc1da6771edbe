import numpy as np
import pytest

from actwin.env.config import PhysicsConfig, RandomisationConfig, TaskConfig
from actwin.env.race import Race
from actwin.env.randomisation import PARAMETERS
from actwin.env.task import Task
from actwin.env.weather import WEATHERS
from actwin.errors import ConfigError
from actwin.telemetry.channels import neutral_controls
from actwin.twin.layout import block_column, field_paths
from actwin.twin.params import CarParams
from actwin.twin.simulator import State
from actwin.twin.state import CarState, Period, SlowState

SPREADS = dict.fromkeys(PARAMETERS, 0.1)


def race(n: int, **spreads) -> Race:
    return Race(Task(TaskConfig(track="oval", randomisation=RandomisationConfig(**spreads)), n))


def parameter(made: Race, path: str) -> np.ndarray:
    simulator = made.cockpit.simulator
    blocks = simulator._params[simulator._which][:, block_column(CarParams, path)]
    return blocks.reshape(-1)[: made.task.n].copy()


def test_every_path_is_a_parameter_and_every_spread_has_one():
    assert {path for paths in PARAMETERS.values() for path in paths} <= set(field_paths(CarParams))
    assert set(PARAMETERS) <= set(RandomisationConfig.model_fields)


@pytest.mark.parametrize("name", PARAMETERS)
def test_factors_fill_their_range_and_nothing_else_moves(name):
    made, plain = race(200, **{name: 0.1}), race(200)
    made.reset(seed=1)
    plain.reset(seed=1)
    for path in field_paths(CarParams):
        usual = parameter(plain, path)
        if path in PARAMETERS[name] and usual[0] != 0.0:
            ratio = parameter(made, path) / usual
            assert 0.9 <= ratio.min() < 0.92
            assert 1.08 < ratio.max() <= 1.1
        else:
            np.testing.assert_array_equal(parameter(made, path), usual)


def test_parameters_belong_to_seed_car_and_episode():
    few, many, other = race(3, **SPREADS), race(40, **SPREADS), race(3, **SPREADS)
    few.reset(seed=5)
    many.reset(seed=5)
    other.reset(seed=6)
    first = parameter(few, "chassis.mass")
    np.testing.assert_array_equal(first, parameter(many, "chassis.mass")[:3])
    assert not np.array_equal(first, parameter(other, "chassis.mass"))
    few.reset(rows=np.array([1]))
    again = parameter(few, "chassis.mass")
    assert again[1] != first[1]
    np.testing.assert_array_equal(again[[0, 2]], first[[0, 2]])


def test_factors_do_not_pile_up():
    made = race(8, mass=0.1)
    for _ in range(30):
        made.reset(rows=np.arange(8))
    usual = parameter(race(8), "chassis.mass")
    assert np.abs(parameter(made, "chassis.mass") / usual - 1.0).max() <= 0.1


def test_fuel_and_tyres():
    made = race(200, fuel=1.0, cold_tyres=60.0)
    made.reset(seed=2)
    tank = made.task.car.chassis.fuel_capacity
    assert made.task.fuel <= made.frames["fuel"].min()
    assert 0.9 * tank < made.frames["fuel"].max() <= tank
    tyre = made.task.car.tyres.front
    middle = 0.5 * (tyre.optimal_temperature_low + tyre.optimal_temperature_high)
    temperature = made.frames["tyre_core_temperature"][:, 0]
    assert middle - 60.0 <= temperature.min() < middle - 50.0 < middle - 10.0 < temperature.max() <= middle


def test_worn_tyres_have_less_grip():
    physics = PhysicsConfig(tyre_thermal=True)
    made = Race(Task(TaskConfig(track="oval", physics=physics, randomisation=RandomisationConfig(worn_tyres=0.8)), 200))
    made.reset(seed=2)
    tyres = made.task.car.tyres
    for wheels, tyre in ((slice(0, 2), tyres.front), (slice(2, 4), tyres.rear)):
        share = made.frames["tyre_wear"][:, wheels] / tyre.wear_full
        assert 0.0 <= share.min() < 0.02 < 0.78 < share.max() <= 0.8
        np.testing.assert_array_equal(share[:, 0], share[:, 1])
    made.step(np.zeros((200, made.task.action_space.width), np.float32))
    state, paths = made.cockpit.simulator.snapshot(), (*field_paths(CarState), *field_paths(SlowState))
    grip = state.values[:, len(paths) + field_paths(Period).index("grip.0")]
    worn = made.frames["tyre_wear"][:, 0] / tyres.front.wear_full
    np.testing.assert_allclose(grip / grip[np.argmin(worn)], 1.0 - (1.0 - tyres.front.wear_grip) * worn, rtol=2e-3)


def test_the_wind_comes_from_any_side_and_is_added_to_the_weathers():
    made = Race(Task(TaskConfig(track="oval", weather="windy", randomisation=RandomisationConfig(wind=8.0)), 400))
    made.reset(seed=2)
    at = len(field_paths(CarState)) + field_paths(SlowState).index("wind_x")
    x, y = made.cockpit.simulator.snapshot().values[:, at : at + 2].T
    speed, towards = np.hypot(x, y), np.arctan2(y, x)
    assert 0.0 <= speed.min() < 0.1 < 7.9 < speed.max() <= 8.0
    assert np.all(np.histogram(towards, 4, (-np.pi, np.pi))[0] > 70)
    # A car on a straight feels the sum: as one in the same still weather with the whole wind of its own.
    weather = WEATHERS["windy"]
    usual = (weather.wind_speed * np.cos(weather.wind_direction), weather.wind_speed * np.sin(weather.wind_direction))
    still = made.task.simulator()
    calm = Task(TaskConfig(track="oval"), 400).simulator()
    calm.reset(distance=10.0, speed=60.0, wind=(usual[0] + x, usual[1] + y))
    still.reset(distance=10.0, speed=60.0, wind=(x, y))
    for _ in range(20):
        for simulator in (calm, still):
            simulator.step(neutral_controls(400))
    np.testing.assert_allclose(calm.frames["speed"], still.frames["speed"], rtol=1e-5)
    assert np.ptp(calm.frames["speed"]) > 0.1


def test_wear_and_wind_go_on_from_a_kept_state():
    both = [race(6, wind=10.0, worn_tyres=1.0) for _ in range(2)]
    both[0].reset(seed=4)
    actions = np.full((6, both[0].task.action_space.width), 0.2, np.float32)
    for _ in range(5):
        both[0].step(actions)
    both[1].load_state(both[0].state())
    for _ in range(40):
        for made in both:
            made.step(actions)
    assert both[0].frames.tobytes() == both[1].frames.tobytes()
    wide = both[0].cockpit.simulator.snapshot()
    with pytest.raises(ConfigError, match="another version"):
        both[0].cockpit.restore(State(wide.values[:, :-2], wide.ints))


def test_noise_is_normal_with_the_right_size_and_differs_from_step_to_step():
    noisy, clean = race(64, sensor_noise=0.05), race(64)
    actions = np.zeros((64, noisy.task.action_space.width), np.float32)
    errors = []
    for made in (noisy, clean):
        made.reset(seed=3)
    for _ in range(20):
        errors.append(noisy.observation - clean.observation)
        for made in (noisy, clean):
            made.step(actions)
    stacked = np.array(errors)
    assert stacked.mean() == pytest.approx(0.0, abs=1e-3)
    assert stacked.std() == pytest.approx(0.05, rel=0.02)
    flat = stacked.reshape(20, -1)
    assert abs(np.corrcoef(flat[0], flat[1])[0, 1]) < 0.05


def test_without_randomisation_nothing_is_drawn():
    assert race(4)._randomiser is None
