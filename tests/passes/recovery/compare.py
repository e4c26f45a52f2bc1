"""Runs a kernel before and after loop recovery and compares memory."""

from __future__ import annotations

import copy
from typing import Any

from simt_interp import Buffer, Machine, Ptr

from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.ir.text import show_program
from xpiler.ir.types import Pointer
from xpiler.passes.recovery import LaunchShape, recover


def raised(p: Program, grid: tuple[Any, ...], block: tuple[Any, ...], shared: int = 0) -> Program:
    shapes = {f.name: LaunchShape(grid, block, shared) for f in p.kernels()}
    result = recover(p, shapes)
    assert not result.diagnostics, [d.render() for d in result.diagnostics]
    faults = check(result.program, sequential=True)
    assert not faults, f"{faults}\n{show_program(result.program)}"
    return result.program


def same(
    p: Program,
    args: list[Any],
    grid: tuple[int, int, int] = (1, 1, 1),
    block: tuple[int, int, int] = (32, 1, 1),
    symbolic: tuple[tuple[Any, ...], tuple[Any, ...]] | None = None,
    shared: int = 0,
    show: bool = False,
) -> str:
    """Asserts that source and result leave the same memory; gives the text of the result.

    Lists in `args` are buffers. `symbolic` gives grid and block as expressions in parameters.
    """
    new = raised(p, *(symbolic or (grid, block)), shared)
    text = show_program(new)
    if show:
        print(text)
    one, two = copy.deepcopy(args), copy.deepcopy(args)
    Machine(p, seed=1).launch(p.kernels()[0], _pack(one), grid, block)
    try:
        Machine(new).invoke(new.function("k"), _pack(two))
    except Exception as why:
        raise AssertionError(f"{type(why).__name__}: {why}\n{text}") from why
    for x, y in zip(one, two, strict=True):
        assert x == y, f"{x}\n{y}\n{text}"
    return text


def _pack(args: list[Any]) -> list[Any]:
    return [Ptr(Buffer(a), 0) if isinstance(a, list) else a for a in args]


__all__ = ["Pointer", "raised", "same"]
