import numpy as np
import pytest

from actwin.env.config import TaskConfig
from actwin.env.task import Task
from actwin.env.weather import WEATHERS
from actwin.errors import UnknownNameError
from actwin.telemetry.channels import neutral_controls


def stopping_distance(weather: str) -> float:
    """[m] From 40 m/s with locked-out pedals."""
    task = Task(TaskConfig(track="oval", weather=weather))
    simulator = task.simulator()
    simulator.reset(distance=10.0, speed=40.0)
    brake = neutral_controls(1)
    brake["brake"] = 1.0
    begin = float(simulator.frames["lap_distance"][0])
    for _ in range(300):
        simulator.step(brake)
        if simulator.frames["speed"][0] < 0.5:
            break
    return float(simulator.frames["lap_distance"][0]) - begin


def test_rain_lengthens_the_way_to_a_stop():
    ways = [stopping_distance(name) for name in ("clear", "damp", "light_rain", "rain", "heavy_rain")]
    assert np.all(np.diff(ways) > 0.0)


def test_water_on_the_road_slows_a_rolling_car():
    def left(weather: str) -> float:
        simulator = Task(TaskConfig(track="oval", weather=weather)).simulator()
        simulator.reset(distance=10.0, speed=20.0, gear=0)
        coast = neutral_controls(1)
        coast["gear"] = 0
        for _ in range(50):
            simulator.step(coast)
        return float(simulator.frames["speed"][0])

    assert left("rain") < left("clear") - 0.05


@pytest.mark.parametrize("name", WEATHERS)
def test_every_weather_makes_a_task(name):
    config = TaskConfig(track="oval", weather=name)
    assert config.conditions.grip == pytest.approx(WEATHERS[name].grip)
    assert TaskConfig.of(config.model_dump(mode="json")) == config


def test_the_racing_speed_knows_the_weather():
    dry, wet = (Task(TaskConfig(track="oval", weather=name)).reference.lap_time for name in ("clear", "rain"))
    assert wet > 1.05 * dry


def test_an_unknown_weather_is_named():
    with pytest.raises(UnknownNameError, match="light_rain"):
        TaskConfig(weather="light_rian")
