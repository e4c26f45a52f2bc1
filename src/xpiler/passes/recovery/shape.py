"""The launch as loop recovery sees it: extents, wave width, how lanes number threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from xpiler.ir import expr as e
from xpiler.ir.types import U32, Scalar

DIMS: tuple[Literal["x", "y", "z"], ...] = ("x", "y", "z")
MAX_THREADS = 1024
"""The most threads a block may have on every SIMT platform."""


@dataclass(frozen=True)
class LaunchShape:
    """How a kernel is launched that no host code launches: three extents each, as integers or
    expressions in the kernel's parameters (None: unknown), and bytes of dynamic shared memory."""

    grid: tuple[e.Expr | int | None, ...] = (None, None, None)
    block: tuple[e.Expr | int | None, ...] = (None, None, None)
    shared_bytes: e.Expr | int | None = None


@dataclass(frozen=True)
class Extents:
    """What a kernel's body may use: u32 expressions in its parameters, constants where known."""

    grid: tuple[e.Expr, e.Expr, e.Expr]
    block: tuple[e.Expr, e.Expr, e.Expr]
    shared_bytes: e.Expr | None
    wave: int
    max_threads: int = MAX_THREADS
    names: Mapping[str, str] = field(default_factory=dict)

    def block_const(self, dim: int) -> int | None:
        return constant(self.block[dim])

    def grid_const(self, dim: int) -> int | None:
        return constant(self.grid[dim])

    @property
    def threads(self) -> int | None:
        """Threads in a block, where all three extents are constants."""
        total = 1
        for k in range(3):
            size = self.block_const(k)
            if size is None:
                return None
            total *= size
        return total

    @property
    def flat(self) -> bool:
        """Whether a block has one dimension."""
        return self.block_const(1) == 1 and self.block_const(2) == 1

    @property
    def rows_of_waves(self) -> bool:
        """Whether a warp never spans two rows: the x extent is a multiple of the wave."""
        x = self.block_const(0)
        return x is not None and x % self.wave == 0

    def capacity(self) -> int:
        """Room for the threads of any block of this launch."""
        return self.threads or self.max_threads


def constant(x: e.Expr) -> int | None:
    """The value of an integer constant expression, else None."""
    if isinstance(x, e.Const):
        return int(x.value) if isinstance(x.type, Scalar) and x.type.is_integer else None
    return constant(x.x) if isinstance(x, e.Cast) else None


def u32(x: e.Expr | int) -> e.Expr:
    """`x` as a u32 expression."""
    if isinstance(x, int):
        return e.Const(x, U32)
    value = constant(x)
    if value is not None:
        return e.Const(value, U32, x.text if isinstance(x, e.Const) else None)
    return x if x.type == U32 else e.Cast(x, U32)
