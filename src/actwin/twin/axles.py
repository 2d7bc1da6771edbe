"""Wheels on their axles: the driven pair with engine and differential, the steered pair, each to the end of a step."""

from __future__ import annotations

from typing import NamedTuple

from actwin.jit import clip, jit, maximum, minimum, select, sin_cos
from actwin.twin.brakes import RELEASE_GAIN, abs_factor
from actwin.twin.drivetrain import Shafts, drive_shafts
from actwin.twin.engine import engine_torque
from actwin.twin.params import CarParams
from actwin.twin.state import CarState, Four, Period
from actwin.twin.wheels import Rolling, Wheel, roll_wheel, wheel_slip
from actwin.units import RADS_PER_RPM, RPM_PER_RADS

ANTI_STALL_GAIN = 1.0 / 0.6
"""[-] The automatic clutch is open at idle and fully closed 60 % above it."""

REV_MATCH_TIME = 0.01
"""[s] Time constant with which cut or blip bring the engine to the speed of the next gear during a shift."""

BLIP_GAIN = 0.02
"""[s/rad] Throttle shown for each rad/s that the engine is short of the next gear during a shift."""


class Driven(NamedTuple):
    """Engine and driven wheels after one step of engine, clutch and differential.

    Attributes:
        engine: [rad/s] Crank.
        left, right: [rad/s] Spin of the driven wheels before their brakes.
        throttle: [-] What was left by the assists.
        cut: [-] Share that traction control took.
    """

    engine: float
    left: float
    right: float
    throttle: float
    cut: float


class Corner(NamedTuple):
    """A wheel at the end of a step.

    Attributes:
        speed: [rad/s] Spin.
        slip_ratio, slip_tangent: [-] Relaxed slips.
        use: [-] Combined slip over the slip of peak force.
        fx, fy: [N] Tyre force in car axes.
        power: [W] Work of slip.
        brake: [-] Share of the brake torque that anti-lock control left.
    """

    speed: float
    slip_ratio: float
    slip_tangent: float
    use: float
    fx: float
    fy: float
    power: float
    brake: float


class Actuators(NamedTuple):
    """What the controls have become at the car.

    Attributes:
        steer, throttle, brake: [-] As in `Period`, after rates and lags.
        boost: [-] Share of full boost.
    """

    steer: float
    throttle: float
    brake: float
    boost: float


@jit
def move_actuators(car: CarState, period: Period, dt: float, p: CarParams) -> Actuators:
    """Steering follows at its rate, brake pressure and boost with their lags."""
    reach = p.chassis.steer_rate * dt
    return Actuators(
        car.steer + clip(period.steer - car.steer, -reach, reach),
        period.throttle,
        car.brake + (period.brake - car.brake) * (dt / (p.brakes.response + dt)),
        car.boost + (period.throttle - car.boost) * (dt / (p.engine.turbo_lag + dt)),
    )


@jit
def road_wheel_angles(steer: float, p: CarParams) -> tuple[float, float]:
    """[rad] Angles of the left and right front wheel for a steering share; Ackermann turns the inner wheel further."""
    angle = steer * p.chassis.lock
    spread = p.chassis.ackermann * angle * angle
    toe = p.front_axle.toe
    return angle + spread - toe, angle - spread + toe


@jit
def drive(
    car: CarState, period: Period, left: Rolling, right: Rolling, throttle: float, boost: float, dt: float, p: CarParams
) -> Driven:
    """Engine, clutch and differential of one step.

    Args:
        car: State before the step.
        period: Gear, clutch and assists.
        left, right: The driven wheels after their tyres' reaction.
        throttle: [-] Pedal.
        boost: [-] Share of full boost.
        dt: [s] Step length.
        p: Parameters.
    """
    engine = p.engine
    spin = maximum(car.slip_ratio[2], car.slip_ratio[3])
    cut = period.tc_on * clip(RELEASE_GAIN * (spin - p.drive.tc_slip), 0.0, 1.0)
    shifting = car.shift_timer > 0.0
    # During a shift the engine is brought to the speed of the next gear, so that the clutch meets no slip to speak of.
    short = maximum(period.ratio * 0.5 * (left.speed + right.speed), engine.idle * RADS_PER_RPM) - car.engine_speed
    opened = select(shifting, clip(BLIP_GAIN * short, 0.0, 1.0), throttle * (1.0 - cut))
    rpm = car.engine_speed * RPM_PER_RADS
    torque = engine_torque(rpm, opened, boost, engine)
    closing = clip((rpm - engine.idle) * engine.per_idle * ANTI_STALL_GAIN, 0.0, 1.0)
    engagement = select(shifting, 0.0, period.clutch * closing)
    change = select(shifting, short / REV_MATCH_TIME, torque * engine.per_inertia)
    free = maximum(car.engine_speed + dt * change, 0.0)
    shafts = drive_shafts(
        Shafts(free, left.speed, right.speed),
        period.ratio,
        engagement,
        engine.per_inertia,
        left.mobility,
        right.mobility,
        dt,
        p.drive,
    )
    crank = clip(shafts.engine, 0.0, RADS_PER_RPM * 1.3 * engine.limiter)
    return Driven(crank, shafts.left, shafts.right, opened, cut * select(throttle > 0.05, 1.0, 0.0))


@jit
def _wheel(car: CarState, period: Period, load: Four, index: int) -> Wheel:
    return Wheel(
        car.wheel_speed[index],
        car.slip_ratio[index],
        car.slip_tangent[index],
        load[index],
        period.grip[index],
        period.rolling[index],
    )


@jit
def settle_wheel(
    wheel: Wheel,
    rolling: Rolling,
    speed: float,
    sine: float,
    cosine: float,
    brake_torque: float,
    period: Period,
    dt: float,
    p: CarParams,
) -> Corner:
    """Brakes a wheel and settles its slip and force at the end of the step.

    Args:
        wheel: The wheel before the step; anti-lock control sees its slip.
        rolling: The wheel after its tyre's reaction.
        speed: [rad/s] Its spin, drive included.
        sine, cosine: Of its steering angle.
        brake_torque: [N m] Of the brake as pressed.
        period: Assists.
        dt: [s] Step length.
        p: Parameters.
    """
    left = abs_factor(wheel.slip_ratio, p.brakes.abs_slip, period.abs_on)
    resistance = p.chassis.rolling_resistance * wheel.rolling * wheel.load * rolling.radius
    impulse = (brake_torque * left + resistance) * dt
    final = speed - clip(speed * rolling.inertia, -impulse, impulse) * rolling.mobility
    slip = wheel_slip(rolling, final)
    force = rolling.secant * slip
    power = maximum(force * (final * rolling.radius - rolling.vx) - rolling.side * rolling.vy, 0.0)
    return Corner(
        final,
        slip,
        rolling.slip_tangent,
        rolling.use,
        force * cosine - rolling.side * sine,
        force * sine + rolling.side * cosine,
        power,
        left,
    )


@jit
def rear_wheels(
    car: CarState, period: Period, load: Four, actuators: Actuators, dt: float, p: CarParams
) -> tuple[Corner, Corner, Driven]:
    """The driven axle: left wheel, right wheel, engine."""
    axle, tyre, toe = p.rear_axle, p.rear_tyre, p.rear_axle.toe
    turn, side = car.yaw_rate * axle.half_track, car.vy - car.yaw_rate * p.chassis.rear_arm
    lean = car.roll * (1.0 - axle.camber_gain)
    torque = actuators.brake * p.brakes.torque_rear
    left, right = _wheel(car, period, load, 2), _wheel(car, period, load, 3)
    rolling_left = roll_wheel(left, car.vx - turn, side, -toe, 1.0, axle.camber - lean, dt, tyre)
    rolling_right = roll_wheel(right, car.vx + turn, side, toe, 1.0, -axle.camber - lean, dt, tyre)
    line = drive(car, period, rolling_left, rolling_right, actuators.throttle, actuators.boost, dt, p)
    rl = settle_wheel(left, rolling_left, line.left, -toe, 1.0, torque, period, dt, p)
    rr = settle_wheel(right, rolling_right, line.right, toe, 1.0, torque, period, dt, p)
    return rl, rr, line


@jit
def front_wheels(
    car: CarState, period: Period, load: Four, actuators: Actuators, dt: float, p: CarParams
) -> tuple[Corner, Corner]:
    """The steered axle: left wheel, right wheel."""
    axle, tyre = p.front_axle, p.front_tyre
    turn, side = car.yaw_rate * axle.half_track, car.vy + car.yaw_rate * p.chassis.front_arm
    lean = car.roll * (1.0 - axle.camber_gain)
    torque = actuators.brake * p.brakes.torque_front
    angle_left, angle_right = road_wheel_angles(actuators.steer, p)
    # One wheel to its end before the other: few quantities are alive at a time, which keeps them in registers.
    sine, cosine = sin_cos(angle_left)
    left = _wheel(car, period, load, 0)
    rolling = roll_wheel(left, car.vx - turn, side, sine, cosine, axle.camber - lean, dt, tyre)
    fl = settle_wheel(left, rolling, rolling.speed, sine, cosine, torque, period, dt, p)
    sine, cosine = sin_cos(angle_right)
    right = _wheel(car, period, load, 1)
    rolling = roll_wheel(right, car.vx + turn, side, sine, cosine, -axle.camber - lean, dt, tyre)
    fr = settle_wheel(right, rolling, rolling.speed, sine, cosine, torque, period, dt, p)
    return fl, fr


@jit
def anti_lock_cut(brake: float, fl: Corner, fr: Corner, rl: Corner, rr: Corner) -> float:
    """[-] Largest share of brake torque that anti-lock control takes from a wheel; none while the pedal is up."""
    least = minimum(minimum(fl.brake, fr.brake), minimum(rl.brake, rr.brake))
    return (1.0 - least) * select(brake > 0.05, 1.0, 0.0)
