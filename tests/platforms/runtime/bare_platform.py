"""A bare platform: kernels written straight on the runtime's interface, no vendor's surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xpiler.platforms.protocol import EmulatorSpec, register_emulator
from xpiler.verify.execution import (
    BufferArg,
    Executable,
    Invocation,
    RunResult,
    ScalarArg,
    build,
    execute,
)

PRELUDE = """#include "xprt.h"
extern "C" const xprt::Index3 tid __asm__("xprt_thread_index");
extern "C" const xprt::Index3 bid __asm__("xprt_block_index");
extern "C" const xprt::Index3 bdim __asm__("xprt_block_extent");
extern "C" const xprt::Index3 gdim __asm__("xprt_grid_extent");
#define barrier() xprt::block_barrier(__LINE__)
#define warp_sync(mask) xprt::warp_collective(mask, nullptr, nullptr, "warp_sync", __LINE__)
#define shared(type, name, count) static char name##_key; \\
  type* name = (type*)xprt::shared_array(&name##_key, sizeof(type) * (count), alignof(type), #name)
template <class T> XPRT_QUIET T atomic_add(T* p, T v, int line = __builtin_LINE()) {
  if (!xprt::atomic(p, sizeof(T), line)) return T();
  T old = *p;
  *p = old + v;
  return old;
}
"""


def _rewrite(text: str, filename: str) -> str:
    return f'{PRELUDE}#line 1 "{filename}"\n{text}'


for _width, _name in ((32, "bare"), (64, "bare64")):
    register_emulator(
        EmulatorSpec(
            platform=_name,
            language="c++",
            standard="c++17",
            rewrite=_rewrite,
            warp_width=lambda arch, width=_width: width,
            shared_limit=64 * 1024,
        )
    )

Runner = Callable[..., RunResult]


def invocation(args: dict[str, Any], **shape: Any) -> Invocation:
    """Arrays are buffers (a tuple (dtype, count): poisoned), ints are scalars."""
    ctypes = {"float32": "float", "int32": "int", "int8": "signed char", "uint8": "unsigned char",
              "float64": "double", "uint32": "unsigned"}  # fmt: skip
    made: list[BufferArg | ScalarArg] = []
    for name, value in args.items():
        if isinstance(value, np.ndarray):
            kind = str(value.dtype)
            made.append(BufferArg(name, ctypes[kind], kind, value.size, value))
        elif isinstance(value, tuple):
            made.append(BufferArg(name, ctypes[value[0]], value[0], value[1], None))
        else:
            made.append(ScalarArg("int", value))
    return Invocation("k", shape.pop("kind", "kernel"), tuple(made), **shape)


def run_bare(
    text: str, args: dict[str, Any], grid: Any = 1, block: Any = 1, **how: Any
) -> RunResult:
    """The result of kernel (or function) `k` in `text`."""
    shape = {
        "grid": (grid, 1, 1) if isinstance(grid, int) else grid,
        "block": (block, 1, 1) if isinstance(block, int) else block,
    }
    shape |= {x: how.pop(x) for x in ("shared_bytes", "cooperative", "kind") if x in how}
    call = invocation(args, **shape)
    exe: Executable = build(
        text.lstrip("\n"),
        how.pop("platform", "bare"),
        call,
        checks=how.pop("checks", True),
        filename="kernel.cc",
        compiler=how.pop("compiler", None),
    )
    return execute(exe, call, **how)


def kinds(result: RunResult, severity: str = "error") -> list[tuple[str, int]]:
    """(kind, line) of a run's findings."""
    return [(f.kind, f.line) for f in result.findings if f.severity == severity]
