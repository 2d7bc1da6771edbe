"""The loops over cars: blocks of `LANES` cars step through a control period, are put on the road, write their frames.

A block's state is one row: `CarState`, `SlowState` and `Period` one after the other, each field for all lanes (see
`layout`). All arithmetic is that of the pure functions in the other modules; here are only loads, stores and loops.
The car loop is innermost and free of branches, so that the compiler turns it into vector code.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from actwin.jit import LANES, jit, kernel, lane_loop
from actwin.telemetry.channels import CONTROLS_WIDTH, FRAME_CHANNELS, FRAME_COLUMN, FRAME_WIDTH
from actwin.twin.frames import Frame, make_frame
from actwin.twin.layout import field_paths, loader, storer, width
from actwin.twin.params import CarParams
from actwin.twin.period import Pedals, begin_period, end_period, held
from actwin.twin.road import MAX_SECTORS, ROAD_WIDTH, RoadCell
from actwin.twin.start import Start, start_state
from actwin.twin.state import CarState, Period, SlowState
from actwin.twin.transpose import transpose_square
from actwin.twin.vehicle import physics_step
from actwin.twin.world import World

load_car, store_car = loader(CarState), storer(CarState)
load_slow, store_slow = loader(SlowState), storer(SlowState)
load_period, store_period = loader(Period), storer(Period)
load_road, store_road = loader(RoadCell), storer(RoadCell)
load_params = loader(CarParams)
load_pedals = loader(Pedals)
store_frame = storer(Frame)
load_world = loader(World, stride=1)
load_start = loader(Start, stride=1)

SLOW_AT: Final = width(CarState) * LANES
PERIOD_AT: Final = SLOW_AT + width(SlowState) * LANES
ROAD_AT: Final = PERIOD_AT + width(Period) * LANES
STATE_WIDTH: Final = ROAD_AT + ROAD_WIDTH * LANES
PLACE_AT: Final = field_paths(CarState).index("place") * LANES
HEADING_AT: Final = field_paths(CarState).index("heading") * LANES
TIMER_AT: Final = field_paths(CarState).index("shift_timer") * LANES
WORK_AT: Final = field_paths(CarState).index("slip_work.0") * LANES
WALL_AT: Final = field_paths(CarState).index("wall_work") * LANES
ABS_AT: Final = field_paths(CarState).index("abs_cut") * LANES
TC_AT: Final = field_paths(CarState).index("tc_cut") * LANES
STEER_AT: Final = field_paths(Period).index("steer") * LANES
FUEL_AT: Final = field_paths(SlowState).index("fuel") * LANES
ROW: Final = ROAD_WIDTH
CONTROL_ROW: Final = CONTROLS_WIDTH
FRAME_ROW: Final = FRAME_WIDTH
SECTOR_ENDS: Final = MAX_SECTORS
TICKS_COLUMN: Final = FRAME_COLUMN["packet_id"]
INTEGER_COLUMNS: Final = tuple(
    FRAME_COLUMN[channel.name] + wheel
    for channel in FRAME_CHANNELS
    if channel.integer and channel.name != "packet_id"
    for wheel in range(4 if channel.wheels else 1)
)
INTEGERS: Final = np.array(INTEGER_COLUMNS)
single: Any = np.float32
"""Whole numbers become single precision here; numba would make them double."""
GEAR_CONTROL: Final = 4
TURN: Final = 6.283185307179586
HALF_TURN: Final = 3.141592653589793


@lane_loop
def _begin(
    car: Any, slow: Any, period: Any, road: Any, gears: Any, ints: Any, params: Any, controls: Any, world: Any
) -> None:
    for c in range(LANES):
        pedals = load_pedals(controls, c)
        begun = begin_period(
            load_car(car, c),
            load_slow(slow, c),
            pedals,
            load_road(road, c),
            single(ints[c]),
            world,
            load_params(params, c),
        )
        store_period(period, c, begun.period)
        gears[c] = begun.gear
        car[TIMER_AT + c] = begun.timer
        car[WORK_AT + c] = 0.0
        car[WORK_AT + LANES + c] = 0.0
        car[WORK_AT + 2 * LANES + c] = 0.0
        car[WORK_AT + 3 * LANES + c] = 0.0
        car[WALL_AT + c] = 0.0
        car[ABS_AT + c] = 0.0
        car[TC_AT + c] = 0.0


@lane_loop
def _change_controls(slow: Any, period: Any, controls: Any) -> None:
    """Lets later controls act for the rest of the period."""
    for c in range(LANES):
        asked = held(load_pedals(controls, c), slow[FUEL_AT + c])
        period[STEER_AT + c] = asked.steer
        period[STEER_AT + LANES + c] = asked.throttle
        period[STEER_AT + 2 * LANES + c] = asked.brake
        period[STEER_AT + 3 * LANES + c] = asked.clutch


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
def _finish(
    car: Any,
    slow: Any,
    period: Any,
    road: Any,
    gears: Any,
    ints: Any,
    params: Any,
    sectors: Any,
    tile: Any,
    world: Any,
    steps: int,
) -> None:
    duration = single(steps) * world.dt
    for c in range(LANES):
        heading = car[HEADING_AT + c]
        heading = heading - (TURN if heading > HALF_TURN else 0.0)
        car[HEADING_AT + c] = heading + (TURN if heading < -HALF_TURN else 0.0)
        before = load_slow(slow, c)
        state = load_car(car, c)
        fixed = load_period(period, c)
        index = single(ints[c])
        sector_end = sectors[np.uint32(before.clock.sector) & np.uint32(SECTOR_ENDS - 1)]
        p = load_params(params, c)
        after = end_period(
            state,
            before,
            fixed,
            gears[c],
            index * world.cell_length + state.place,
            sector_end,
            single(steps),
            world,
            p,
        )
        store_slow(slow, c, after)
        store_frame(tile, c, make_frame(state, after, fixed, load_road(road, c), index, 0.0, duration, world, p))
        ints[LANES + c] += np.int32(steps)


@lane_loop
def _read_controls(rows: Any, asked: Any, tile: Any, first_row: int, last_row: int) -> None:
    """Turns the CONTROLS of a block's cars into lanes; lanes without a car repeat the last one."""
    for c in range(LANES):
        at = min(first_row + c, last_row) * CONTROL_ROW
        for k in range(CONTROL_ROW):
            tile[k * LANES + c] = rows[at + k]
        tile[GEAR_CONTROL * LANES + c] = single(asked[at + GEAR_CONTROL])


@jit
def _read_road(rows: Any, ints: Any, starts: Any, road: Any) -> None:
    """Turns the road records under a block's cars into lanes, sixteen fields at a time; the last square overlaps the
    one before."""
    for first in (0, ROW - LANES):
        for c in range(LANES):
            starts[c] = ints[c] * ROW + first
        transpose_square(rows, starts, road, first * LANES, LANES)


@jit
def _integer_fields(tile: Any, ticks: Any) -> None:
    """Turns the integer channels of a tile of frames into integer bits, in place."""
    bits = tile.view(np.int32)
    for k in INTEGERS:
        for c in range(LANES):
            bits[k * LANES + c] = np.int32(tile[k * LANES + c])
    for c in range(LANES):
        bits[TICKS_COLUMN * LANES + c] = ticks[LANES + c]


@jit
def _write_rows(tile: Any, starts: Any, frames: Any, first_row: int, lanes: int) -> None:
    """Turns a block's frames from lanes into FRAME records."""
    if lanes == LANES:
        first = 0
        while first < FRAME_ROW:
            first = min(first, FRAME_ROW - LANES)
            for k in range(LANES):
                starts[k] = (first + k) * LANES
            transpose_square(tile, starts, frames, first_row * FRAME_ROW + first, FRAME_ROW)
            first += LANES
    else:
        for c in range(lanes):
            at = (first_row + c) * FRAME_ROW
            for k in range(FRAME_ROW):
                frames[at + k] = tile[k * LANES + c]


@kernel
def advance(
    state: Any,
    ints: Any,
    params: Any,
    which: Any,
    rows: Any,
    curvature: Any,
    sectors: Any,
    place: Any,
    earlier: Any,
    controls: Any,
    frames: Any,
    count: int,
    first: int,
    last: int,
    late: int,
    steps: int,
) -> None:
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
        earlier, controls: float32[N CONTROLS_WIDTH] CONTROLS of all cars in the first `late` steps and after them.
        frames: float32[N FRAME_WIDTH] FRAME of all cars, written.
        count: N.
        first, last: Range of blocks.
        late: Physics steps in which the earlier controls still act.
        steps: Physics steps of the control period.
    """
    world = load_world(place, 0)
    asked_before, asked = earlier.view(np.int32), controls.view(np.int32)
    gears = np.empty(LANES, state.dtype)
    wishes, old_wishes = np.empty(CONTROL_ROW * LANES, state.dtype), np.empty(CONTROL_ROW * LANES, state.dtype)
    tile = np.empty(FRAME_ROW * LANES, np.float32)
    starts = np.empty(LANES, np.int64)
    for b in range(first, last):
        row = state[b]
        car, slow, period, road = row[:SLOW_AT], row[SLOW_AT:PERIOD_AT], row[PERIOD_AT:ROAD_AT], row[ROAD_AT:]
        mine, cells = params[which[b]], ints[b]
        first_row = b * LANES
        _read_controls(controls, asked, wishes, first_row, count - 1)
        if late > 0:
            _read_controls(earlier, asked_before, old_wishes, first_row, count - 1)
        _begin(car, slow, period, road, gears, cells, mine, old_wishes if late > 0 else wishes, world)
        part = late
        for _ in range(2):
            _steps(car, period, cells, mine, curvature, world, part)
            if late > 0:
                _change_controls(slow, period, wishes)
            part = steps - late
        _read_road(rows, cells, starts, road)
        _finish(car, slow, period, road, gears, cells, mine, sectors, tile, world, steps)
        _integer_fields(tile, cells)
        _write_rows(tile, starts, frames, first_row, min(LANES, count - first_row))


@jit
def _write_one(
    car: Any,
    slow: Any,
    period: Any,
    road: Any,
    ints: Any,
    params: Any,
    world: Any,
    steps: int,
    tile: Any,
    floats: Any,
    integers: Any,
    row: int,
    c: int,
) -> None:
    frame = make_frame(
        load_car(car, c),
        load_slow(slow, c),
        load_period(period, c),
        load_road(road, c),
        single(ints[c]),
        0.0,
        single(steps) * world.dt,
        world,
        load_params(params, c),
    )
    store_frame(tile, c, frame)
    at = row * FRAME_ROW
    for k in range(FRAME_ROW):
        floats[at + k] = tile[k * LANES + c]
    for k in INTEGERS:
        integers[at + k] = np.int32(tile[k * LANES + c])
    integers[at + TICKS_COLUMN] = ints[LANES + c]


@kernel
def put(
    state: Any,
    ints: Any,
    params: Any,
    which: Any,
    rows: Any,
    sectors: Any,
    place: Any,
    frames: Any,
    indices: Any,
    cells: Any,
    starts: Any,
    steps: int,
) -> None:
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
    tile = np.empty(FRAME_ROW * LANES, np.float32)
    for m in range(len(indices)):
        b, c = indices[m] // LANES, indices[m] % LANES
        row, cell_ints, mine = state[b], ints[b], params[which[b]]
        car, slow, period, road = row[:SLOW_AT], row[SLOW_AT:PERIOD_AT], row[PERIOD_AT:ROAD_AT], row[ROAD_AT:]
        p = load_params(mine, c)
        start = load_start(starts[m], 0)
        for k in range(ROW):
            road[k * LANES + c] = rows[cells[m] * ROW + k]
        cell = load_road(road, c)
        sector = 0
        while sector < SECTOR_ENDS - 1 and sectors[sector] <= start.distance and sectors[sector] < world.length:
            sector += 1
        into = start.distance - single(cells[m]) * world.cell_length
        bend = cell.curvature + cell.curvature_rate * into
        fast, calm = start_state(start, into, bend, single(sector), world, p)
        store_car(car, c, fast)
        store_slow(slow, c, calm)
        cell_ints[c] = cells[m]
        cell_ints[LANES + c] = 0
        still = Pedals(fast.steer, 0.0, 0.0, 1.0, calm.gear, 0.0)
        store_period(period, c, begin_period(fast, calm, still, cell, single(cells[m]), world, p).period)
        _write_one(car, slow, period, road, cell_ints, mine, world, steps, tile, frames, integers, indices[m], c)


@kernel
def write_frames(
    state: Any, ints: Any, params: Any, which: Any, place: Any, frames: Any, indices: Any, steps: int
) -> None:
    """Writes the frames of some cars again, after their state was restored.

    Args:
        state, ints, params, which, place, frames: As in `advance`.
        indices: int64[M] Which cars.
        steps: Physics steps of a control period.
    """
    world = load_world(place, 0)
    integers = frames.view(np.int32)
    tile = np.empty(FRAME_ROW * LANES, np.float32)
    for m in range(len(indices)):
        b, c = indices[m] // LANES, indices[m] % LANES
        row = state[b]
        _write_one(
            row[:SLOW_AT],
            row[SLOW_AT:PERIOD_AT],
            row[PERIOD_AT:ROAD_AT],
            row[ROAD_AT:],
            ints[b],
            params[which[b]],
            world,
            steps,
            tile,
            frames,
            integers,
            indices[m],
            c,
        )
