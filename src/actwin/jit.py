"""The one door to numba: how physics functions and kernels are compiled and cached.

Physics is written as pure scalar functions marked `@jit`; they are inlined into kernels marked `@kernel`, which loop
over blocks of `LANES` cars so that the compiler computes one car per vector lane. Three choices make that work:

- Float literals are narrowed to single precision before type inference. A literal then never decides the precision:
single
  arguments give single results, double arguments double ones, from the same source. Write `2.0 * x`; an integer
  literal times a float would widen it.
- Fast maths without "no NaNs" and "no infinities", so that broken input stays visible as NaN.
- numba's error model is numpy's: a division that could raise would stop vectorisation.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit
from numba.core import ir
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import IRProcessing

LANES: Final = 16
"""Cars in a block: one AVX-512 register of singles; one car costs what sixteen cost."""

FAST_MATH: Final = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})

Function = TypeVar("Function", bound=Callable[..., Any])


@register_pass(mutates_CFG=False, analysis_only=False)
class _NarrowLiterals(FunctionPass):  # type: ignore[misc]
    """Gives every float literal and module constant single precision."""

    _name = "actwin_narrow_literals"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Rewrites the constants of one function; True when any changed."""
        changed = False
        for block in state.func_ir.blocks.values():
            for statement in block.body:
                value = getattr(statement, "value", None)
                if isinstance(value, ir.Const | ir.Global | ir.FreeVar) and type(value.value) is float:
                    value.value = np.float32(value.value)
                    changed = True
        return changed


class _Compiler(CompilerBase):  # type: ignore[misc]
    def define_pipelines(self) -> list[Any]:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.add_pass_after(_NarrowLiterals, IRProcessing)
        pipeline.finalize()
        return [pipeline]


_FLOORS: Final = (
    "*.py",
    "telemetry/*.py",
    "twin/*.py",
    "planning/*.py",
    "cockpit/*.py",
    "env/*.py",
    "analysis/*.py",
    "driving/*.py",
)
"""Packages with compiled code, lowest floor first: code can depend on its own package and those before it."""


@cache
def source_fingerprint(package: str) -> str:
    """Hash of the sources that compiled code of a package depends on; numba's own cache misses edits in imported files.

    Args:
        package: Name below `actwin`, such as "twin"; an unknown one depends on everything.
    """
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for pattern in _FLOORS:
        for path in sorted(root.glob(pattern)):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
        if pattern == f"{package}/*.py":
            break
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled kernels are kept: `ACTWIN_CACHE_DIR`, else the user's cache folder."""
    if chosen := os.environ.get("ACTWIN_CACHE_DIR"):
        return Path(chosen) / "kernels"
    if local := os.environ.get("LOCALAPPDATA"):
        return Path(local) / "actwin" / "cache" / "kernels"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "actwin" / "kernels"


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Places compiled code by the fingerprint of its sources instead of one file's modification time."""

    def __init__(self, function: Any, file: str) -> None:
        self._line = function.__code__.co_firstlineno
        self._package = Path(file).parent.name

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator:
        return cls(py_func, py_file)

    def get_cache_path(self) -> str:
        return str(cache_folder() / self._package / self.get_source_stamp())

    def get_source_stamp(self) -> str:
        return source_fingerprint(self._package)

    def get_disambiguator(self) -> str:
        return str(self._line)


class _CacheImpl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Locator]


class _Cache(FunctionCache):  # type: ignore[misc]
    _impl_class = _CacheImpl


class _NoAliasCompiler(_Compiler):
    """Promises LLVM that a function's array arguments do not overlap; without it no loop with a table look-up becomes
    vector code."""

    def define_pipelines(self) -> list[Any]:
        self.state.flags.noalias = True
        return super().define_pipelines()


def _compile(function: Function, compiler: type = _Compiler, **options: Any) -> Function:
    return cast(
        Function,
        njit(fastmath=set(FAST_MATH), error_model="numpy", pipeline_class=compiler, **options)(function),
    )


def jit(function: Function) -> Function:
    """Marks a pure scalar function that kernels inline; also callable from Python, with floats in double precision."""
    return _compile(function, forceinline=True)


def lane_loop(function: Function) -> Function:
    """Marks a loop over the lanes of a block. Its array arguments must not overlap."""
    return _compile(function, _NoAliasCompiler, forceinline=True)


def kernel(function: Function) -> Function:
    """Marks an entry point that Python calls with arrays: compiled once, cached on disk, runs without the GIL."""
    compiled = _compile(function, nogil=True)
    try:
        stored = _Cache(function)
        stored._impl.locator.ensure_cache_path()
    except OSError:  # a read-only or full disk costs the compile time at every start, nothing else
        return compiled
    cast(Any, compiled)._cache = stored
    return compiled


@jit
def minimum(a: float, b: float) -> float:
    """The smaller of two numbers."""
    return a if a < b else b


@jit
def maximum(a: float, b: float) -> float:
    """The larger of two numbers."""
    return a if a > b else b


@jit
def clip(x: float, low: float, high: float) -> float:
    """`x` limited to [low, high]."""
    return minimum(maximum(x, low), high)


@jit
def select(condition: bool, a: float, b: float) -> float:
    """`a` where the condition holds, else `b`; both are evaluated, so lanes do not diverge."""
    return a if condition else b


@jit
def sin_cos(angle: float) -> tuple[float, float]:
    """Sine and cosine by polynomials.

    Args:
        angle: [rad] In [-pi, pi].

    Returns:
        Sine and cosine, absolute error below 3e-7 in single precision.
    """
    # Folded to [-pi/2, pi/2], where cosine changes sign, then even and odd polynomials.
    half_turn = 3.14159265358979
    quarter_turn = 1.5707963267948966
    mirrored = select(angle > 0.0, half_turn, -half_turn) - angle
    folded = (angle > quarter_turn) | (angle < -quarter_turn)
    x = select(folded, mirrored, angle)
    y = x * x
    sine = x * (
        1.0
        + y
        * (
            -0.16666666641626524
            + y * (0.008333329385889463 + y * (-0.00019840086736383593 + y * (2.752556e-06 - y * 2.3889859e-08)))
        )
    )
    cosine = 1.0 + y * (
        -0.5 + y * (0.04166666666 + y * (-0.0013888888 + y * (2.480158e-05 + y * (-2.755731e-07 + y * 2.0875e-09))))
    )
    return sine, select(folded, -cosine, cosine)


@jit
def atan(x: float) -> float:
    """Arc tangent by a polynomial of degree 17, absolute error below 1e-7 rad in single precision."""
    size = x if x > 0.0 else -x
    inverted = size > 1.0
    t = select(inverted, 1.0 / maximum(size, 1.0e-30), size)
    y = t * t
    poly = 0.002456388815
    poly = poly * y - 0.01439994307
    poly = poly * y + 0.03977877197
    poly = poly * y - 0.07234632336
    poly = poly * y + 0.1049882869
    poly = poly * y - 0.1416119455
    poly = poly * y + 0.1998590136
    poly = poly * y - 0.3333259665
    poly = poly * y + 0.9999998863
    angle = t * poly
    angle = select(inverted, 1.5707963267948966 - angle, angle)
    return select(x < 0.0, -angle, angle)


@jit
def atan2(y: float, x: float) -> float:
    """Angle of the vector (x, y) in (-pi, pi]; 0 for the zero vector."""
    size_x = x if x > 0.0 else -x
    angle = atan(y / maximum(size_x, 1.0e-30))
    behind = select(y < 0.0, -3.14159265358979 - angle, 3.14159265358979 - angle)
    return select(x < 0.0, behind, angle)


@jit
def wrap_angle(angle: float) -> float:
    """Angle brought from [-3 pi, 3 pi] into [-pi, pi] without a division."""
    turn = 6.283185307179586
    angle = select(angle > 3.14159265358979, angle - turn, angle)
    return select(angle < -3.14159265358979, angle + turn, angle)
