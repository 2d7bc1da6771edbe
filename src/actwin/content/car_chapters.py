"""The chapters of a car file: every parameter of a car with its unit, meaning and limits.

A chapter is a frozen pydantic model. Numbers are declared with `quantity`, which carries the unit that the file must
state; inside the program they are plain floats in SI units (engine speeds in rpm, temperatures in °C). Axes follow
ISO 8855.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def quantity(unit: str, meaning: str, **limits: Any) -> Any:
    """Declare a number of a chapter.

    Args:
        unit: The unit of the value inside the program, `-` for a pure number.
        meaning: What the number is, one sentence; quoted in errors and documentation.
        limits: Pydantic limits (`gt`, `ge`, `lt`, `le`, `min_length`).

    Returns:
        The pydantic field.
    """
    return Field(description=meaning, json_schema_extra={"unit": unit}, **limits)


class Chapter(BaseModel):
    """Base of all chapters: frozen, finite, no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Identity(Chapter):
    """What the car is called."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", description="Name in commands, as AC's car folder.")
    title: str = Field(min_length=1, description="Name for people.")
    kind: Literal["formula", "gt", "road"] = Field(description="Family of the car.")
    aliases: tuple[str, ...] = Field(description="Other names that find this car.")
    notes: tuple[str, ...] = Field(description="References that the sources of the numbers abbreviate, one a line.")


class Chassis(Chapter):
    """Masses and main dimensions."""

    mass: float = quantity("kg", "Car with driver, without fuel.", gt=50.0, lt=10_000.0)
    fuel: float = quantity("kg", "Fuel aboard for a quick lap.", ge=0.0)
    fuel_capacity: float = quantity("kg", "Full tank.", gt=0.0)
    wheelbase: float = quantity("m", "Front to rear axle.", gt=0.5, lt=10.0)
    track_front: float = quantity("m", "Between the front wheels' contact centres.", gt=0.4, lt=4.0)
    track_rear: float = quantity("m", "Between the rear wheels' contact centres.", gt=0.4, lt=4.0)
    cog_height: float = quantity("m", "Centre of gravity above the road.", gt=0.0, lt=3.0)
    front_share: float = quantity("-", "Share of the static weight on the front axle.", gt=0.0, lt=1.0)
    yaw_inertia: float = quantity("kg m²", "About the vertical axis through the centre of gravity.", gt=0.0)
    pitch_inertia: float = quantity("kg m²", "About the lateral axis through the centre of gravity.", gt=0.0)
    roll_inertia: float = quantity("kg m²", "About the longitudinal axis through the centre of gravity.", gt=0.0)
    width: float = quantity("m", "Body or outer tyre walls, whichever is wider.", gt=0.4, lt=4.0)
    length: float = quantity("m", "Body, nose to tail.", gt=0.5, lt=20.0)
    rolling_resistance: float = quantity("-", "Resistance over vertical load.", ge=0.0, lt=0.1)


class Steering(Chapter):
    """From the steering wheel to the front wheels."""

    lock: float = quantity("rad", "Mean angle of the front wheels at full steer.", gt=0.0, lt=1.2)
    wheel_lock: float = quantity("rad", "Steering-wheel angle at full steer, centre to lock.", gt=0.0, lt=30.0)
    rate: float = quantity("1/s", "Fastest change of the steering input, in full steers a second.", gt=0.0)
    ackermann: float = quantity("-", "Share of full Ackermann geometry, 0 parallel.", ge=-1.0, le=1.0)


class Aero(Chapter):
    """Drag, downforce and how both change with the wings, DRS and ride height.

    Areas are coefficient times area: force = ½ rho v² area. The wings move the car linearly between the `min`
    and the `max` trim.
    """

    drag_area: float = quantity("m²", "Drag coefficient times area at the level `wing`.", gt=0.0, lt=5.0)
    downforce_area: float = quantity(
        "m²", "Downforce coefficient times area at the level `wing`; negative lifts.", ge=-0.2, lt=15.0
    )
    front_share: float = quantity(
        "-", "Share of the downforce on the front axle at the design ride height.", ge=0.0, le=1.0
    )
    wing: float = quantity("-", "Wing level that `drag_area` and `downforce_area` describe.", ge=0.0, le=1.0)
    min_drag_area: float = quantity("m²", "Drag area at wing level 0.", gt=0.0, lt=5.0)
    min_downforce_area: float = quantity("m²", "Downforce area at wing level 0.", ge=-0.2, lt=15.0)
    max_drag_area: float = quantity("m²", "Drag area at wing level 1.", gt=0.0, lt=5.0)
    max_downforce_area: float = quantity("m²", "Downforce area at wing level 1.", ge=-0.2, lt=15.0)
    front_gain: float = quantity(
        "1/m", "Relative change of front downforce a metre above the design height.", ge=-20.0, le=20.0
    )
    rear_gain: float = quantity(
        "1/m", "Relative change of rear downforce a metre above the design height.", ge=-20.0, le=20.0
    )
    design_height_front: float = quantity("m", "Front ride height at which the areas hold.", gt=0.0, lt=0.5)
    design_height_rear: float = quantity("m", "Rear ride height at which the areas hold.", gt=0.0, lt=0.5)
    has_drs: bool = Field(strict=True, description="Whether the car has a drag reduction system.")
    drs_drag_factor: float = quantity("-", "Factor on the drag with DRS open; 1 without DRS.", gt=0.0, le=1.0)
    drs_downforce_factor: float = quantity("-", "Factor on the downforce with DRS open; 1 without DRS.", gt=0.0, le=1.0)


class AxleSuspension(Chapter):
    """Springs, dampers and geometry of one axle; rates are at the wheel, installation ratio included."""

    spring_rate: float = quantity("N/m", "Force on one wheel per travel of both wheels together.", gt=0.0)
    damping_bump: float = quantity("N s/m", "Damping of one wheel moving towards the body.", gt=0.0)
    damping_rebound: float = quantity("N s/m", "Damping of one wheel moving away from the body.", gt=0.0)
    anti_roll_bar: float = quantity("N/m", "Force on each wheel per difference of left and right travel.", ge=0.0)
    tyre_rate: float = quantity("N/m", "Vertical stiffness of one tyre.", gt=0.0)
    roll_centre_height: float = quantity("m", "Roll centre above the road.", gt=-0.5, lt=1.0)
    static_ride_height: float = quantity("m", "Floor above the road at the axle, car at rest.", gt=0.0, lt=1.0)
    static_camber: float = quantity("rad", "Camber at rest; negative is top inwards.", ge=-0.3, le=0.3)
    camber_gain: float = quantity("-", "Share of the body roll that camber is spared.", ge=-1.0, le=2.0)
    toe: float = quantity("rad", "Toe of each wheel; positive is toe-in.", ge=-0.1, le=0.1)
    anti: float = quantity(
        "-", "Share of pitch load transfer past the springs (anti-dive, anti-squat).", ge=-1.0, le=1.5
    )
    bump_stop_gap: float = quantity("m", "Travel from rest to the bump stop.", gt=0.0, lt=0.5)
    bump_stop_rate: float = quantity("N/m", "Stiffness added beyond the gap.", ge=0.0)

    @property
    def damping(self) -> float:
        """[N s/m] Mean of bump and rebound damping of one wheel."""
        return 0.5 * (self.damping_bump + self.damping_rebound)


class Suspension(Chapter):
    """Both axles."""

    front: AxleSuspension
    rear: AxleSuspension


class AxleTyre(Chapter):
    """One tyre of an axle: grip, slip at the peak, shape of the slip curve, relaxation, temperature, wear.

    With the load ratio d = load/load_nominal - 1, peak grip is grip + grip_slope d + grip_curve d², and a peak slip is
    its value times (1 + peak_slip_slope d).
    """

    radius: float = quantity("m", "Rolling radius at rest.", gt=0.1, lt=1.0)
    angular_growth: float = quantity("m s/rad", "Growth of the radius per wheel speed.", ge=0.0, lt=1e-3)
    inertia: float = quantity("kg m²", "Wheel, tyre and brake disc about the axle.", gt=0.0, lt=50.0)
    load_nominal: float = quantity("N", "Load at which grip and peak slip are given.", gt=0.0)
    grip_x: float = quantity("-", "Longitudinal peak grip.", gt=0.1, lt=4.0)
    grip_y: float = quantity("-", "Lateral peak grip.", gt=0.1, lt=4.0)
    grip_slope_x: float = quantity("-", "Change of longitudinal grip per load ratio.", ge=-2.0, le=0.0)
    grip_slope_y: float = quantity("-", "Change of lateral grip per load ratio.", ge=-2.0, le=0.0)
    grip_curve: float = quantity("-", "Change of both grips per squared load ratio.", ge=-1.0, le=1.0)
    peak_slip_ratio: float = quantity("-", "Slip ratio at the longitudinal peak.", gt=0.01, lt=0.5)
    peak_slip_angle: float = quantity("rad", "Slip angle at the lateral peak.", gt=0.02, lt=0.5)
    peak_slip_slope: float = quantity("-", "Relative change of both peak slips per load ratio.", ge=-0.4, le=0.4)
    stiffness_factor: float = quantity(
        "-", "Initial slope of the force times peak slip over peak force.", ge=2.0, le=5.0
    )
    falloff_level: float = quantity("-", "Force far beyond the peak over the peak force.", gt=0.3, le=1.0)
    relaxation_x: float = quantity("m", "Longitudinal relaxation length.", gt=0.0, lt=3.0)
    relaxation_y: float = quantity("m", "Lateral relaxation length.", gt=0.0, lt=3.0)
    camber_stiffness: float = quantity(
        "-", "Slip angle that has the same effect as one radian of camber.", ge=0.0, lt=1.0
    )
    optimal_temperature_low: float = quantity("°C", "Lower end of full grip.", gt=-50.0, lt=250.0)
    optimal_temperature_high: float = quantity("°C", "Upper end of full grip.", gt=-50.0, lt=250.0)
    surface_heat: float = quantity("K/J", "Warming of the surface per slip work.", ge=0.0, lt=0.1)
    roll_heat: float = quantity("K/(N m)", "Warming of the core per load and distance rolled.", ge=0.0, lt=0.1)
    surface_transfer: float = quantity("1/s", "Rate at which the surface approaches the core.", ge=0.0, lt=10.0)
    core_transfer: float = quantity("1/s", "Rate at which the core approaches the surface.", ge=0.0, lt=10.0)
    air_cooling: float = quantity(
        "1/m", "Share of its difference to the air that the surface loses a metre.", ge=0.0, lt=0.1
    )
    cold_grip: float = quantity("1/K", "Relative grip lost per kelvin below full grip.", ge=0.0, lt=0.1)
    hot_grip: float = quantity("1/K", "Relative grip lost per kelvin above full grip.", ge=0.0, lt=0.1)
    wear_rate: float = quantity("km/J", "Virtual kilometres per slip work.", ge=0.0)
    wear_full: float = quantity("km", "Virtual kilometres of a worn-out tyre.", gt=0.0)
    wear_grip: float = quantity("-", "Relative grip of a worn-out tyre.", gt=0.0, le=1.0)


class Tyres(Chapter):
    """Both axles."""

    front: AxleTyre
    rear: AxleTyre


class Engine(Chapter):
    """Engine with everything that adds torque at the crank."""

    rpm: tuple[float, ...] = quantity("rpm", "Engine speeds of the torque map, increasing.", min_length=2)
    torque: tuple[float, ...] = quantity(
        "N m", "Torque at the crank at full throttle, one for each speed.", min_length=2
    )
    idle_rpm: float = quantity("rpm", "Idle speed.", gt=0.0)
    limiter_rpm: float = quantity("rpm", "Speed at which the limiter cuts.", gt=0.0)
    inertia: float = quantity("kg m²", "Engine, clutch and gearbox input about the crank.", gt=0.0, lt=5.0)
    coast_torque: float = quantity("N m", "Braking torque at the limiter with closed throttle.", ge=0.0)
    turbo_lag: float = quantity("s", "Time constant of the boost; 0 without turbo.", ge=0.0, lt=5.0)
    turbo_share: float = quantity("-", "Share of the torque that needs boost.", ge=0.0, le=1.0)
    driveline_efficiency: float = quantity(
        "-", "Torque at the wheels over torque at the crank times ratio.", gt=0.5, le=1.0
    )


class Transmission(Chapter):
    """Clutch, gearbox and differential."""

    gears: tuple[float, ...] = quantity("-", "Ratios of the forward gears, first gear first.", min_length=1)
    final_drive: float = quantity("-", "Ratio behind the gearbox.", gt=0.0)
    reverse: float = quantity("-", "Ratio of the reverse gear, positive.", gt=0.0)
    shift_up_time: float = quantity("s", "Without drive while shifting up.", ge=0.0, lt=2.0)
    shift_down_time: float = quantity("s", "Without drive while shifting down.", ge=0.0, lt=2.0)
    upshift_rpm: float = quantity("rpm", "Automatic shifts go up above this speed.", gt=0.0)
    downshift_rpm: float = quantity("rpm", "Automatic shifts go down below this speed.", gt=0.0)
    clutch_torque: float = quantity("N m", "Most that the clutch carries.", gt=0.0)
    driven: Literal["rear"] = Field(description="Driven axle.")
    differential_preload: float = quantity("N m", "Locking torque without load.", ge=0.0)
    differential_power: float = quantity("-", "Locking share of the driving torque.", ge=0.0, le=1.0)
    differential_coast: float = quantity("-", "Locking share of the braking torque of the engine.", ge=0.0, le=1.0)


class Brakes(Chapter):
    """Wheel brakes."""

    max_force: float = quantity("N", "Sum over the wheels at full pedal, tyres permitting.", gt=0.0)
    front_share: float = quantity("-", "Share of the front axle.", ge=0.0, le=1.0)
    response_time: float = quantity("s", "Time constant of the pressure.", ge=0.0, lt=1.0)


class AssistSystems(Chapter):
    """Electronic aids that the car has; a session may still switch them off."""

    abs: bool = Field(strict=True, description="Whether the car has an anti-lock system.")
    traction_control: bool = Field(strict=True, description="Whether the car has traction control.")
    abs_slip_ratio: float = quantity("-", "Slip ratio that the anti-lock system allows.", gt=0.0, lt=1.0)
    traction_control_slip_ratio: float = quantity("-", "Slip ratio that traction control allows.", gt=0.0, lt=1.0)


class Chapters(BaseModel):
    """All chapters of one car."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: Identity
    chassis: Chassis
    steering: Steering
    aero: Aero
    suspension: Suspension
    tyres: Tyres
    engine: Engine
    transmission: Transmission
    brakes: Brakes
    assists: AssistSystems
