"""Turning sixteen records into lanes and back, as vector shuffles.

Frames and road records are arrays of structures, blocks of cars are structures of arrays. Moving numbers between them
one by one would cost a fifth of a control period; sixteen by sixteen in registers it takes 64 shuffles. The compiler
does not find them by itself, so they are written as LLVM instructions.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from actwin.jit import LANES


def _transpose_square(
    typing_context: Any, source: Any, starts: Any, target: Any, target_start: Any, target_step: Any
) -> Any:
    """Copies a square of LANES × LANES numbers, transposed.

    Args:
        source: Flat array; row i is read at `starts[i]`.
        starts: int64[LANES].
        target: Flat array of the same type; column i is written at `target_start + i * target_step`.
        target_start, target_step: Integers.
    """
    if source.dtype != target.dtype:
        return None
    signature = types.void(source, starts, target, target_start, target_step)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = context.get_value_type(sig.args[0].dtype)
        vector = ir.VectorType(number, LANES)
        size = 4 if sig.args[0].dtype == types.float32 else 8
        data, places, out = (context.make_array(sig.args[i])(context, builder, args[i]).data for i in (0, 1, 2))
        index = ir.IntType(64)
        rows = []
        for i in range(LANES):
            at = builder.load(builder.gep(places, [ir.Constant(index, i)]))
            row = builder.load(builder.bitcast(builder.gep(data, [at]), vector.as_pointer()))
            row.align = size
            rows.append(row)
        for distance in (8, 4, 2, 1):
            rows = _exchange(builder, rows, distance)
        start = context.cast(builder, args[3], sig.args[3], types.int64)
        step = context.cast(builder, args[4], sig.args[4], types.int64)
        for i, row in enumerate(rows):
            at = builder.add(start, builder.mul(step, ir.Constant(index, i)))
            place = builder.bitcast(builder.gep(out, [at]), vector.as_pointer())
            builder.store(row, place).align = size
        return context.get_dummy_value()

    return signature, generate


transpose_square: Any = intrinsic(_transpose_square)
"""See `_transpose_square`; called without its first argument."""


def _exchange(builder: Any, rows: list[Any], distance: int) -> list[Any]:
    """Swaps the off-diagonal halves of every pair of rows that lie `distance` apart."""
    lanes = range(LANES)
    low = [lane if not lane & distance else LANES + (lane ^ distance) for lane in lanes]
    high = [lane ^ distance if not lane & distance else LANES + lane for lane in lanes]
    turned = list(rows)
    for i in lanes:
        if not i & distance:
            for target, mask in ((i, low), (i + distance, high)):
                pattern = ir.Constant(ir.VectorType(ir.IntType(32), LANES), mask)
                turned[target] = builder.shuffle_vector(rows[i], rows[i + distance], pattern)
    return turned
