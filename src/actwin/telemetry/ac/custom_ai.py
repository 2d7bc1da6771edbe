"""The "Custom AI" mappings of Custom Shaders Patch (CSP): controls, cars and the state of the simulation.

Layouts follow CSP's page "Custom AI" (since CSP 0.1.78; `time_scale` since 0.2.8). A driver creates the mapping of the
controls of a car; CSP then lets it drive and creates the mapping with that car's data. Nothing here was checked against
a running game.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actwin.telemetry.ac.pages import record

PREFIX: Final = "AcTools.CSP.NewBehaviour.CustomAI."
SIM_STATE_NAME: Final = f"{PREFIX}SimState.v1"
SIM_STATE_OLD_NAME: Final = f"{PREFIX}SimState.v0"

TELEPORT_NONE: Final = 0
TELEPORT_PITS: Final = 1
TELEPORT_POSITION: Final = 2

_XYZ = ("<f4", (3,))
_TYPES: Final[dict[str, Any]] = {"float": "<f4", "int": "<i4", "uint": "<u4", "byte": "u1", "xyz": _XYZ}

CAR_CONTROLS: Final = record(
    """
    float gas brake clutch steer handbrake
    byte gear_up gear_dn drs kers
    byte brake_balance_up brake_balance_dn abs_up abs_dn tc_up tc_dn turbo_up turbo_dn engine_brake_up engine_brake_dn
    byte mguk_delivery_up mguk_delivery_dn mguk_recovery_up mguk_recovery_dn mguh_mode headlights
    byte teleport_to autoclutch_on_start autoclutch_on_change autoblip_active
    xyz teleport_pos teleport_dir
    byte autoshift_active
    """,
    **_TYPES,
)
"""72 bytes, read at 333 Hz. `steer` is -1..1 and positive to the right; buttons are held while their byte is 1."""

WHEEL: Final = record(
    """
    xyz position contact_point contact_normal look side velocity
    float slip_ratio load pressure angular_velocity wear dirty_level core_temp camber disc_temp slip slip_angle_deg
    float nd_slip
    """,
    **_TYPES,
)
"""120 bytes: one wheel of `CAR`."""

CAR: Final = record(
    """
    int packet_id
    float gas brake clutch steer handbrake fuel
    int gear
    float rpm speed_kmh
    xyz velocity acc_g look up position local_velocity local_angular_velocity
    float cg_height
    five damage
    wheels wheels
    float turbo final_ff pure_ff
    byte pit_limiter abs_in_action tc_in_action
    uint lap_time_ms best_lap_time_ms
    float drivetrain_torque spline_position collision_depth
    uint collision_counter
    byte wheels_valid_surface
    """,
    **_TYPES,
    five=("<f4", (5,)),
    wheels=(WHEEL, (4,)),
)
"""672 bytes. `steer` in degrees of the wheel, `gear` 0 = reverse, `wheels_valid_surface` one bit a wheel."""

CAR_PUBLIC: Final = record(
    """
    int packet_id
    float steer rpm spline_position speed_kmh
    xyz velocity acc_g look up position
    five damage
    byte is_braking
    """,
    **_TYPES,
    five=("<f4", (5,)),
)
"""104 bytes: what every car shows, about 60 times a second."""

SIM_STATE_OLD: Final = record("byte pause restart_session disable_collisions extra_sleep_ms", **_TYPES)
"""4 bytes, `SimState.v0`."""
SIM_STATE: Final = record(
    "byte pause restart_session disable_collisions extra_sleep_ms\nfloat time_scale",
    **_TYPES,
)
"""8 bytes, `SimState.v1`: with the speed of time, 1 = real."""


def controls_name(car: int) -> str:
    """Mapping of the controls of a car, counted from 0; the driver creates it."""
    return f"{PREFIX}CarControls{car}.v0"


def car_name(car: int) -> str:
    """Mapping of the data of a driven car; CSP creates it once the controls exist."""
    return f"{PREFIX}Car{car}.v0"


def public_name(car: int) -> str:
    """Mapping of what any car shows."""
    return f"{PREFIX}CarPublic{car}.v0"


def neutral_car_controls() -> npt.NDArray[Any]:
    """CAR_CONTROLS[1] of a driver who does nothing: pedals up, clutch and gears left to the game's helpers.

    The clutch field stays 0: with the automatic clutch on, a live report says that it must not be written.
    """
    controls = np.zeros(1, CAR_CONTROLS)
    for helper in ("autoclutch_on_start", "autoclutch_on_change", "autoblip_active", "autoshift_active"):
        controls[helper] = 1
    return controls
