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
    return _followed(found, program)


def _followed(found: Marks, program: Program) -> Marks:
    """`found` with what reaches it by calls, launches and copies."""
    size = -1
    while size != sum(map(len, found.values())):
        size = sum(map(len, found.values()))
        for f in program.functions:
            for n in walk(f.body):
                for name, end in flows_from(n, f.name, program, found.keys()):
                    _add(found, (f.name, name), found[end])
    return found


def divisors_of(program: Program) -> Marks:
    """(function, pointer parameter) of integers that the program divides by without a look at them.

    Zero is none of them, or the program would have no result.
    """
    found: Marks = {}
    for f in program.functions:
        loaded = _loaded(f)
        seen = {_behind(x, loaded) for n in walk(f.body) for x in _looked_at(n)}
        for n in walk(f.body):
            name = _behind(n.b, loaded) if isinstance(n, e.Binary) and n.op in "/%" else ""
            if name and name not in seen:
                found[f.name, name] = frozenset((0,))
    return _followed(found, program)


def _looked_at(n: object) -> Iterator[e.Expr]:
    """What a comparison or a condition asks about."""
    if isinstance(n, e.Binary) and n.op in (*e.COMPARISONS, "&&", "||"):
        yield from (n.a, n.b)
    elif isinstance(n, (e.Select, s.If, s.While)):
        yield n.cond
    elif isinstance(n, e.Unary) and n.op == "!":
        yield n.x


def _add(found: Marks, key: tuple[str, str], values: frozenset[int]) -> None:
    known = found.get(key, frozenset())
    if len(known | values) <= _MOST:
        found[key] = known | values


def _compared(f: Function) -> Iterator[tuple[str, int]]:
    """Arrays of `f` with constants that their elements are compared with."""
    loaded = _loaded(f)
    for n in walk(f.body):
        if isinstance(n, e.Binary) and n.op in ("==", "!="):
            for x, k in ((n.a, n.b), (n.b, n.a)):
                value = _constant(k)
                name = _behind(x, loaded)
                if value is not None and name:
                    yield name, value


def _loaded(f: Function) -> dict[str, str]:
    """Local variables that begin as an element of an array, with that array."""
    decls = (n for n in walk(f.body) if isinstance(n, s.Decl) and n.init is not None)
    return {n.var.name: name for n in decls if n.init is not None and (name := _element(n.init))}


def _behind(x: e.Expr, loaded: Mapping[str, str]) -> str:
    x = bare(x)
    return loaded.get(x.name, "") if isinstance(x, e.Var) else _element(x)


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
