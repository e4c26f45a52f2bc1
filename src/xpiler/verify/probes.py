"""What the source's runs tell about its function: how many terms a sum has, where it is linear."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from xpiler.verify.compare import Precision, agreement, is_exact
from xpiler.verify.dtypes import Bools, decode
from xpiler.verify.inputs import BufferSpec
from xpiler.verify.invocation import Array, RunResult
from xpiler.verify.runs import LINE, SHARES, Key

Runs = Mapping[Key, RunResult]
_CLEAR = (0.02, 0.98)  # shares of changed elements from which a count can be read


def inputs_behind(
    base: Array, redrawn: Sequence[tuple[float, Array]], buffer: BufferSpec, total: int
) -> float:
    """About how many input elements one element of `buffer` depends on; at most `total`.

    `redrawn` pairs a share p of replaced inputs with the outcome. An element that depends on n
    inputs keeps its value with probability (1 - p)^n, so the share of kept elements gives n.
    """
    if total <= 8 or not redrawn:
        return float(total)
    best = float(total)
    for share, outcome in sorted(redrawn, key=lambda pair: -pair[0]):
        changed = 1 - float(agreement(base, outcome, buffer.dtype, None).mean())
        if _CLEAR[0] < changed < _CLEAR[1]:
            return min(best, math.log1p(-changed) / math.log1p(-share))
        if changed <= _CLEAR[0]:
            best = min(best, 4 / share)
    return best


def terms(runs: Runs, buffer: BufferSpec, buffers: Sequence[BufferSpec], skip: Bools) -> float:
    """n of the tolerance formula for one output buffer; at least 1."""
    total = sum(b.count for b in buffers if b.is_smooth)
    alive = ~skip & _alive(runs, buffer)
    base = runs[Key("base", 0)].outputs[buffer.name].reshape(-1)[alive]
    redrawn = [
        (share, runs[Key("redraw", 0, i)].outputs[buffer.name].reshape(-1)[alive])
        for i, share in enumerate(SHARES)
        if Key("redraw", 0, i) in runs
    ]
    if base.size == 0:
        return 1.0
    return max(1.0, inputs_behind(base, redrawn, buffer, total))


def _alive(runs: Runs, buffer: BufferSpec) -> Bools:
    """Elements that move with the inputs: others (padding, masked ones) depend on none of them."""
    first = runs[Key("base", 0)].outputs[buffer.name]
    found = np.zeros(first.size, dtype=np.bool_)
    for key in (Key("far", 0), Key("far", 0, 1)):
        if key in runs:
            found |= ~agreement(first, runs[key].outputs[buffer.name], buffer.dtype, None)
    return found


def is_linear(
    runs: Runs, number: int, outputs: Sequence[BufferSpec], skip: Mapping[str, Bools]
) -> bool:
    """Whether all outputs are affine in buffer `number`, the others fixed, exactly on integers.

    Tests f(a) + f(b) = f(a+b) + f(0) without rounding, from which f(2a) + f(0) = 2 f(a) follows.
    """
    keys = [Key("line", number, i) for i in range(len(LINE))]
    if any(key not in runs for key in keys):
        return False
    return all(_affine([runs[k] for k in keys], b, skip[b.name]) for b in outputs)


def _affine(line: Sequence[RunResult], buffer: BufferSpec, skip: Bools) -> bool:
    raw = [run.outputs[buffer.name].reshape(-1)[~skip] for run in line]
    if not all(is_exact(data, buffer.dtype, Precision()) for data in raw):
        return False
    a, b, both, zero = (decode(data, buffer.dtype) for data in raw)
    return bool(np.all(a + b == both + zero))
