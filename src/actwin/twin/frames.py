"""From the twin's state to the record FRAME that everything else reads."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from actwin.jit import atan, clip, jit, minimum, select, sin_cos, wrap_angle
from actwin.telemetry.channels import FRAME_CHANNELS
from actwin.twin.params import CarParams
from actwin.twin.road import RoadCell, world_pose
from actwin.twin.state import CarState, Four, Period, SlowState
from actwin.twin.timing import lap_clock
from actwin.twin.world import World
from actwin.units import RPM_PER_RADS


def _frame_type() -> Any:
    fields = [(channel.name, Four if channel.wheels else float) for channel in FRAME_CHANNELS]
    return NamedTuple("Frame", fields)


Frame = _frame_type()
"""One FRAME as a NamedTuple, made from the channel table."""


@jit
def make_frame(
    car: CarState,
    slow: SlowState,
    period: Period,
    cell: RoadCell,
    cell_index: float,
    ticks: float,
    duration: float,
    world: World,
    p: CarParams,
) -> Any:
    """The FRAME of one car.

    Args:
        car, slow: State after a control period.
        period: What was fixed during it.
        cell: Road under the car now.
        cell_index: [-] Its index.
        ticks: Physics steps since the session began.
        duration: [s] Length of a control period.
        world: The place.
        p: Parameters.
    """
    pose = world_pose(cell, car.place, car.offset, car.heading)
    sine, cosine = sin_cos(car.heading)
    distance = cell_index * world.cell_length + car.place
    left = cell.left + cell.left_rate * car.place
    right = cell.right + cell.right_rate * car.place
    body = p.chassis
    front_drop = body.front_arm * car.pitch - car.heave
    rear_drop = -body.rear_arm * car.pitch - car.heave
    front_side, rear_side = p.front_axle.half_track * car.roll, p.rear_axle.half_track * car.roll
    slips = car.slip_tangent
    return Frame(
        packet_id=ticks,
        lap_count=slow.clock.lap_count,
        sector=slow.clock.sector,
        lap_valid=slow.clock.lap_valid,
        last_lap_valid=slow.clock.last_lap_valid,
        lap_time=lap_clock(slow.clock.lap_periods, slow.clock.lap_offset, duration),
        last_lap_time=slow.clock.last_lap_time,
        best_lap_time=slow.clock.best_lap_time,
        last_sector_time=slow.clock.last_sector_time,
        lap_distance=distance,
        lap_progress=minimum(distance / world.length, 1.0),
        lateral_offset=car.offset,
        heading_error=car.heading,
        border_left=left - car.offset,
        border_right=right + car.offset,
        road_curvature=cell.curvature + cell.curvature_rate * car.place,
        tyres_out=period.tyres_out,
        x=pose.x,
        y=pose.y,
        z=pose.z,
        yaw=wrap_angle(pose.yaw),
        pitch=car.pitch - cell.grade * cosine + cell.banking * sine,
        roll=car.roll - cell.banking * cosine - cell.grade * sine,
        speed=np.sqrt(car.vx * car.vx + car.vy * car.vy),
        vx=car.vx,
        vy=car.vy,
        yaw_rate=car.yaw_rate,
        ax=car.ax,
        ay=car.ay,
        az=car.az,
        steer=car.steer,
        steer_angle=car.steer * body.wheel_lock,
        throttle=car.throttle,
        brake=car.brake,
        clutch=period.clutch * select(car.shift_timer > 0.0, 0.0, 1.0),
        gear=slow.gear,
        drs=slow.drs,
        rpm=car.engine_speed * RPM_PER_RADS,
        boost=car.boost,
        fuel=slow.fuel,
        abs_active=select(car.abs_cut > 0.05, 1.0, 0.0),
        tc_active=select(car.tc_cut > 0.05, 1.0, 0.0),
        collision=car.wall_work,
        ride_height_front=car.height_front,
        ride_height_rear=car.height_rear,
        wheel_speed=car.wheel_speed,
        slip_ratio=car.slip_ratio,
        slip_angle=(atan(slips[0]), atan(slips[1]), atan(slips[2]), atan(slips[3])),
        load=car.load,
        grip_use=(
            clip(car.use[0], 0.0, 10.0),
            clip(car.use[1], 0.0, 10.0),
            clip(car.use[2], 0.0, 10.0),
            clip(car.use[3], 0.0, 10.0),
        ),
        tyre_surface_temperature=slow.surface_temperature,
        tyre_core_temperature=slow.core_temperature,
        tyre_wear=slow.wear,
        suspension_travel=(
            front_drop - front_side,
            front_drop + front_side,
            rear_drop - rear_side,
            rear_drop + rear_side,
        ),
        surface=period.surface,
    )
