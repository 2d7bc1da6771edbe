"""The loops over cars: blocks of `LANES` cars step through a control period, are put on the road, write their frames.

A block's state is one row: `CarState`, `SlowState` and `Period` one after the other, each field for all lanes (see `layout`). All
arithmetic is that of the pure functions in the other modules; here are only loads, stores and loops. The car loop is innermost and free of
branches, so that the compiler turns it into vector code.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from actwin.jit import LANES, jit, kernel, lane_loop
from actwin.telemetry.channels import CONTROLS_WIDTH, FRAME_WIDTH
from actwin.twin.frames import make_frame, store_frame
from actwin.twin.layout import field_paths, loader, storer, width
from actwin.twin.params import CarParams
from actwin.twin.period import Pedals, begin_period, end_period
from actwin.twin.road import MAX_SECTORS, ROAD_WIDTH, load_cell
from actwin.twin.start import Start, start_state
from actwin.twin.state import CarState, Period, SlowState
from actwin.twin.vehicle import physics_step
from actwin.twin.world import World

load_car, store_car = loader(CarState), storer(CarState)
load_slow, store_slow = loader(SlowState), storer(SlowState)
load_period, store_period = loader(Period), storer(Period)
load_params = loader(CarParams)
load_world = loader(World, stride=1)
load_start = loader(Start, stride=1)

SLOW_AT: Final = width(CarState) * LANES
PERIOD_AT: Final = SLOW_AT + width(SlowState) * LANES
STATE_WIDTH: Final = PERIOD_AT + width(Period) * LANES
PLACE_AT: Final = field_paths(CarState).index("place") * LANES
HEADING_AT: Final = field_paths(CarState).index("heading") * LANES
TIMER_AT: Final = field_paths(CarState).index("shift_timer") * LANES
WORK_AT: Final = field_paths(CarState).index("slip_work.0") * LANES
WALL_AT: Final = field_paths(CarState).index("wall_work") * LANES
ABS_AT: Final = field_paths(CarState).index("abs_cut") * LANES
TC_AT: Final = field_paths(CarState).index("tc_cut") * LANES
GEAR_AT: Final = field_paths(SlowState).index("gear") * LANES
ROW: Final = ROAD_WIDTH
CONTROL_ROW: Final = CONTROLS_WIDTH
FRAME_ROW: Final = FRAME_WIDTH
SECTOR_ENDS: Final = MAX_SECTORS
TURN: Final = 6.283185307179586
HALF_TURN: Final = 3.141592653589793


@lane_loop
def _begin(car: Any, slow: Any, period: Any, gears: Any, ints: Any, params: Any, controls: Any, asked: Any, rows: Any, world: Any,
           first_row: int, last_row: int) -> None:
    for c in range(LANES):
        row = min(first_row + c, last_row) * CONTROL_ROW
        pedals = Pedals(
            controls[row], controls[row + 1], controls[row + 2], controls[row + 3], np.float32(asked[row + 4]), controls[row + 5]
        )
        cell = np.uint32(ints[c])
        state = load_car(car, c)
        begun = begin_period(
            state, load_slow(slow, c), pedals, load_cell(rows, cell * np.uint32(ROW)), np.float32(cell), world,
            load_params(params, c),
        )
        store_period(period, c, begun.period)
        gears[c] = begun.gear
        car[TIMER_AT + c] = begun.timer
        for k in range(4):
            car[WORK_AT + k * LANES + c] = 0.0
        car[WALL_AT + c] = 0.0
        car[ABS_AT + c] = 0.0
        car[TC_AT + c] = 0.0


@lane_loop
def _steps(car: Any, period: Any, ints: Any, params: Any, curvature: Any, world: Any, steps: int) -> None:
    cells = np.int32(world.cells)
    length = world.cell_length
    dt = world.dt
    for _ in range(steps):
        for c in range(LANES):
            state = load_car(car, c)
            cell = ints[c]
            base = np.uint32(cell) * np.uint32(2)
            bend = curvature[base] + curvature[base + np.uint32(1)] * state.place
            new = physics_step(state, load_period(period, c), bend, dt, load_params(params, c))
            ahead = new.place >= length
            back = new.place < 0.0
            place = new.place - (length if ahead else 0.0) + (length if back else 0.0)
            cell = cell + np.int32(ahead) - np.int32(back)
            cell = cell - (cells if cell >= cells else np.int32(0))
            cell = cell + (cells if cell < np.int32(0) else np.int32(0))
            store_car(car, c, new)
            car[PLACE_AT + c] = place
            ints[c] = cell


@lane_loop
def _finish(car: Any, slow: Any, period: Any, gears: Any, ints: Any, params: Any, sectors: Any, world: Any, steps: int) -> None:
    for c in range(LANES):
        heading = car[HEADING_AT + c]
        heading = heading - (TURN if heading > HALF_TURN else 0.0)
        car[HEADING_AT + c] = heading + (TURN if heading < -HALF_TURN else 0.0)
        before = load_slow(slow, c)
        state = load_car(car, c)
        end = np.float32(ints[c]) * world.cell_length + state.place
        sector_end = sectors[min(np.uint32(before.sector), np.uint32(SECTOR_ENDS - 1))]
        after = end_period(
            state, before, load_period(period, c), gears[c], end, sector_end, np.float32(steps), world, load_params(params, c)
        )
        store_slow(slow, c, after)
        ints[LANES + c] += steps


@lane_loop
def _write_frames(car: Any, slow: Any, period: Any, ints: Any, params: Any, rows: Any, world: Any, duration: float,
                  floats: Any, integers: Any, first_row: int, lanes: int) -> None:
    for c in range(lanes):
        _write_frame(car, slow, period, ints, params, rows, world, duration, floats, integers, first_row + c, c)


@jit
def _write_frame(car: Any, slow: Any, period: Any, ints: Any, params: Any, rows: Any, world: Any, duration: float,
                 floats: Any, integers: Any, row: int, c: int) -> None:
    cell = np.uint32(ints[c])
    frame = make_frame(
        load_car(car, c), load_slow(slow, c), load_period(period, c), load_cell(rows, cell * np.uint32(ROW)), np.float32(cell),
        ints[LANES + c], duration, world, load_params(params, c),
    )
    store_frame(floats, integers, row * FRAME_ROW, frame)


@kernel
def advance(state: Any, ints: Any, params: Any, which: Any, rows: Any, curvature: Any, sectors: Any, place: Any,
            controls: Any, frames: Any, count: int, first: int, last: int, steps: int) -> None:
    """Steps blocks `first` to `last` through one control period and writes their frames.

    Args:
        state: float[blocks, STATE_WIDTH] Blocks of car state.
        ints: int32[blocks, 2 LANES] Road cell and physics-step counter of each car.
        params: float[sets, width(CarParams) LANES] Parameter blocks.
        which: int32[blocks] Parameter block of each block of cars.
        rows: float[cells ROAD_WIDTH] Road records.
        curvature: float[2 cells] Curvature and its rate, for the inner loop.
        sectors: float[MAX_SECTORS] Sector ends.
        place: float[width(World)] The world.
        controls: float32[N CONTROLS_WIDTH] CONTROLS of all cars.
        frames: float32[N FRAME_WIDTH] FRAME of all cars, written.
        count: N.
        first, last: Range of blocks.
        steps: Physics steps of the control period.
    """
    world = load_world(place, 0)
    asked = controls.view(np.int32)
    integers = frames.view(np.int32)
    gears = np.empty(LANES, state.dtype)
    for b in range(first, last):
        row = state[b]
        car, slow, period = row[:SLOW_AT], row[SLOW_AT:PERIOD_AT], row[PERIOD_AT:]
        mine, cells = params[which[b]], ints[b]
        first_row = b * LANES
        _begin(car, slow, period, gears, cells, mine, controls, asked, rows, world, first_row, count - 1)
        _steps(car, period, cells, mine, curvature, world, steps)
        _finish(car, slow, period, gears, cells, mine, sectors, world, steps)
        lanes = min(LANES, count - first_row)
        _write_frames(
            car, slow, period, cells, mine, rows, world, np.float32(steps) * world.dt, frames, integers, first_row, lanes
        )


@kernel
def put(state: Any, ints: Any, params: Any, which: Any, rows: Any, sectors: Any, place: Any, frames: Any, indices: Any, cells: Any,
        starts: Any, steps: int) -> None:
    """Puts some cars on the road and writes their frames.

    Args:
        state, ints, params, which, rows, sectors, place, frames: As in `advance`.
        indices: int64[M] Which cars.
        cells: int32[M] Road cell of each.
        starts: float[M width(Start)] How each starts.
        steps: Physics steps of a control period.
    """
    world = load_world(place, 0)
    integers = frames.view(np.int32)
    for m in range(len(indices)):
        b, c = indices[m] // LANES, indices[m] % LANES
        row, block_ints, mine = state[b], ints[b], params[which[b]]
        car, slow, period = row[:SLOW_AT], row[SLOW_AT:PERIOD_AT], row[PERIOD_AT:]
        p = load_params(mine, c)
        start = load_start(starts[m], 0)
        cell = load_cell(rows, np.uint32(cells[m]) * np.uint32(ROW))
        sector = 0
        while sector < SECTOR_ENDS - 1 and sectors[sector] <= start.distance and sectors[sector] < world.length:
            sector += 1
        into = start.distance - np.float32(cells[m]) * world.cell_length
        bend = cell.curvature + cell.curvature_rate * into
        fast, calm = start_state(start, into, bend, np.float32(sector), world, p)
        store_car(car, c, fast)
        store_slow(slow, c, calm)
        block_ints[c] = cells[m]
        block_ints[LANES + c] = 0
        still = Pedals(fast.steer, 0.0, 0.0, 1.0, calm.gear, 0.0)
        begun = begin_period(fast, calm, still, cell, np.float32(cells[m]), world, p)
        store_period(period, c, begun.period)
        _write_frame(
            car, slow, period, block_ints, mine, rows, world, np.float32(steps) * world.dt, frames, integers, indices[m], c
        )


@kernel
def write_frames(state: Any, ints: Any, params: Any, which: Any, rows: Any, place: Any, frames: Any, indices: Any, steps: int) -> None:
    """Writes the frames of some cars again, after their state was restored.

    Args:
        state, ints, params, which, rows, place, frames: As in `advance`.
        indices: int64[M] Which cars.
        steps: Physics steps of a control period.
    """
    world = load_world(place, 0)
    integers = frames.view(np.int32)
    for m in range(len(indices)):
        b, c = indices[m] // LANES, indices[m] % LANES
        row = state[b]
        _write_frame(
            row[:SLOW_AT], row[SLOW_AT:PERIOD_AT], row[PERIOD_AT:], ints[b], params[which[b]], rows, world,
            np.float32(steps) * world.dt, frames, integers, indices[m], c,
        )
