"""Vehicle simulators from PyPI, each driven through its own quickest public path."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from measure import Speed, calls_per_second

PHYSICS_STEP = 0.003
"""[s] The twin's and the game's physics step, used where a peer lets us choose."""
STEPS_PER_CONTROL = 13
CONTROL_RATE = 1.0 / (PHYSICS_STEP * STEPS_PER_CONTROL)

CAR = """
<mujoco>
  <option timestep="0.003" integrator="implicitfast"/>
  <default>
    <joint damping="0.01"/>
    <geom friction="1.6 0.005 0.0001"/>
    <default class="wheel"><geom type="cylinder" size="0.36 0.15" euler="90 0 0" mass="12"/></default>
  </default>
  <worldbody>
    <geom type="plane" size="0 0 1"/>
    <body pos="0 0 0.45">
      <freejoint/>
      <geom type="box" size="2.0 0.7 0.15" mass="755" contype="0" conaffinity="0"/>
      <body pos="1.8 0.8 -0.1"><joint name="sfl" axis="0 0 1" range="-25 25" limited="true"/>
        <joint name="fl" axis="0 1 0"/><geom class="wheel"/></body>
      <body pos="1.8 -0.8 -0.1"><joint name="sfr" axis="0 0 1" range="-25 25" limited="true"/>
        <joint name="fr" axis="0 1 0"/><geom class="wheel"/></body>
      <body pos="-1.8 0.8 -0.1"><joint name="rl" axis="0 1 0"/><geom class="wheel"/></body>
      <body pos="-1.8 -0.8 -0.1"><joint name="rr" axis="0 1 0"/><geom class="wheel"/></body>
    </body>
  </worldbody>
  <actuator>
    <position joint="sfl" kp="2000" kv="100"/><position joint="sfr" kp="2000" kv="100"/>
    <motor joint="rl" gear="600"/><motor joint="rr" gear="600"/>
  </actuator>
</mujoco>
"""


def mujoco_rollout(seconds: float, threads: int) -> Speed:
    """64 rigid cars on four rigid wheels, MuJoCo's threaded rollout."""
    import mujoco
    from mujoco.rollout import Rollout

    cars = 64
    model = mujoco.MjModel.from_xml_string(CAR)
    datas = [mujoco.MjData(model) for _ in range(threads)]
    size = mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    start, states = np.zeros(size), np.zeros((cars, STEPS_PER_CONTROL, size))
    mujoco.mj_getState(model, datas[0], start, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    states[:] = start
    sensors = np.zeros((cars, STEPS_PER_CONTROL, model.nsensordata))
    controls = np.tile([0.02, 0.02, 0.5, 0.5], (cars, STEPS_PER_CONTROL, 1))

    with Rollout(nthread=threads) as pool:

        def step() -> None:
            pool.rollout(model, datas, states[:, -1].copy(), controls, state=states, sensordata=sensors)

        steps = cars * calls_per_second(step, seconds)
    note = "rigid car on four rigid cylinders, Coulomb contact; no engine, no aero, no tyre law, no track"
    return Speed("MuJoCo rollout", note, cars, threads, CONTROL_RATE, steps)


def car_racing(seconds: float, raster: bool) -> Speed:
    """Gymnasium's CarRacing-v3, as it is or with the picture taken out."""
    import gymnasium

    env = gymnasium.make("CarRacing-v3").unwrapped
    if not raster:
        picture = np.zeros((96, 96, 3), np.uint8)
        env._render = lambda mode: picture
    action = np.array([0.05, 0.3, 0.0])
    env.reset(seed=1)
    steps = calls_per_second(lambda: env.step(action), seconds, prepare=lambda: env.reset(seed=1))
    env.close()
    note = "Box2D rigid bodies, friction limit at each wheel; step of the environment, " + (
        "with the 96 x 96 picture it is observed by" if raster else "the picture taken out"
    )
    return Speed("CarRacing-v3" if raster else "CarRacing-v3 without picture", note, 1, 1, 50.0, steps)


def highway_racetrack(seconds: float) -> Speed:
    """highway-env's racetrack, one simulation step to a control, no traffic."""
    import gymnasium
    import highway_env  # noqa: F401  (registers the environments)

    config = {"policy_frequency": 15, "other_vehicles": 0, "terminate_off_road": False, "duration": 10_000}
    env = gymnasium.make("racetrack-v1", config=config).unwrapped
    action = np.zeros(env.action_space.shape)
    env.reset(seed=1)
    steps = calls_per_second(lambda: env.step(action), seconds, prepare=lambda: env.reset(seed=1))
    env.close()
    note = "kinematic bicycle; step of the environment with its occupancy grid and reward, no traffic"
    return Speed("highway-env racetrack-v1", note, 1, 1, 15.0, steps)


def commonroad(seconds: float) -> Speed:
    """CommonRoad's single-track drift model, Runge-Kutta steps of 3 ms."""
    from vehiclemodels.init_std import init_std
    from vehiclemodels.parameters_vehicle2 import parameters_vehicle2
    from vehiclemodels.vehicle_dynamics_std import vehicle_dynamics_std

    parameters = parameters_vehicle2()
    start = np.array(init_std([0.0, 0.0, 0.0, 30.0, 0.0, 0.0, 0.0], parameters))
    control = [0.0, 0.5]
    state = start.copy()

    def rate(at: np.ndarray) -> np.ndarray:
        return np.array(vehicle_dynamics_std(at, control, parameters))

    def step() -> None:
        for _ in range(STEPS_PER_CONTROL):
            k1 = rate(state)
            k2 = rate(state + 0.5 * PHYSICS_STEP * k1)
            k3 = rate(state + 0.5 * PHYSICS_STEP * k2)
            k4 = rate(state + PHYSICS_STEP * k3)
            state[:] += PHYSICS_STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

    steps = calls_per_second(step, seconds, prepare=lambda: np.copyto(state, start))
    note = "single track, Magic Formula, 9 states, Runge-Kutta steps; plain Python, no track"
    return Speed("CommonRoad drift model", note, 1, 1, CONTROL_RATE, steps)


def all_peers(threads: int) -> dict[str, Callable[[float], Speed]]:
    """Peers by name; each takes the seconds it may be measured for."""
    return {
        "mujoco": lambda seconds: mujoco_rollout(seconds, threads),
        "CarRacing-v3": lambda seconds: car_racing(seconds, raster=False),
        "CarRacing-v3, pixels": lambda seconds: car_racing(seconds, raster=True),
        "highway-env": highway_racetrack,
        "commonroad-vehicle-models": commonroad,
    }


def measure_peers(seconds: float, threads: int) -> tuple[list[Speed], dict[str, str]]:
    """Speeds of the peers that are installed, and why the others are missing."""
    speeds, skipped = [], {}
    for name, measure in all_peers(threads).items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                speeds.append(measure(seconds))
        except Exception as error:  # a peer of another version may fail in any way; the benchmark is about the rest
            skipped[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return speeds, skipped
