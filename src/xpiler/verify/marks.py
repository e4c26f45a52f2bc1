"""The numbers that a program tells elements of its integer inputs apart by.

`if (out[i] == INT_MIN)` does nothing on numbers drawn at large: some elements must be that one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.verify.inference.candidates import bare
from xpiler.verify.numerics import array_behind, flows_from

Marks = dict[tuple[str, str], frozenset[int]]
_MOST = 8  # numbers for one buffer
_FOLDED: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "<<": operator.lshift,
}  # fmt: skip


def marks_of(program: Program) -> Marks:
    """(function, pointer parameter) -> constants that elements are compared with for equality.

    Followed from kernels back through launches and copies to the host function that has the data.
    """
    found: Marks = {}
    for f in program.functions:
        for name, value in _compared(f):
            _add(found, (f.name, name), frozenset((value,)))
    size = -1
    while size != sum(map(len, found.values())):
        size = sum(map(len, found.values()))
        for f in program.functions:
            for n in walk(f.body):
                for name, end in flows_from(n, f.name, program, found.keys()):
                    _add(found, (f.name, name), found[end])
    return found


def _add(found: Marks, key: tuple[str, str], values: frozenset[int]) -> None:
    known = found.get(key, frozenset())
    if len(known | values) <= _MOST:
        found[key] = known | values


def _compared(f: Function) -> Iterator[tuple[str, int]]:
    """Arrays of `f` with constants that their elements are compared with."""
    loaded = {}
    for n in walk(f.body):
        if isinstance(n, s.Decl) and n.init is not None and (name := _element(n.init)):
            loaded[n.var.name] = name
    for n in walk(f.body):
        if isinstance(n, e.Binary) and n.op in ("==", "!="):
            for x, k in ((n.a, n.b), (n.b, n.a)):
                value = _constant(k)
                x = bare(x)
                name = loaded.get(x.name, "") if isinstance(x, e.Var) else _element(x)
                if value is not None and name:
                    yield name, value


def _element(x: e.Expr) -> str:
    """The array behind an integer that is loaded from it, conversions aside."""
    x = bare(x)
    whole = isinstance(x.type, Scalar) and x.type.is_integer
    return array_behind(x) if whole and isinstance(x, e.Index) else ""


def _constant(x: e.Expr) -> int | None:
    x = bare(x)
    if isinstance(x, e.Const):
        return int(x.value) if isinstance(x.value, int) else None
    if isinstance(x, e.Unary) and x.op == "-":
        inner = _constant(x.x)
        return None if inner is None else -inner
    if isinstance(x, e.Binary) and x.op in _FOLDED:
        a, b = _constant(x.a), _constant(x.b)
        return _FOLDED[x.op](a, b) if a is not None and b is not None and 0 <= b < 1 << 31 else None
    return None
