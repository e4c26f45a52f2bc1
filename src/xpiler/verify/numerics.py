"""What the source's program says about its arithmetic: precision of its sums, inputs made integers.

Only tolerances and the choice of inputs rest on this, never an expected value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import Node, walk, walk_exprs
from xpiler.ir.types import Pointer, Scalar, Type, Vector
from xpiler.verify.compare import Precision

_NARROW = {"f16": "float16", "bf16": "bf16"}


def _scalar(t: Type) -> str:
    if isinstance(t, Vector):
        t = t.elem
    return t.name if isinstance(t, Scalar) else ""


def precision_of(program: Program) -> Precision:
    """Half-precision sums if the program has any; else half-precision values on the way.

    Beside these, floats that were computed and then became doubles.
    """
    nodes = [n for f in program.functions for n in walk(f.body)]
    sums = {_scalar(n.target.type) for n in nodes if isinstance(n, s.Assign) and _accumulates(n)}
    sums |= {t for n in nodes if isinstance(n, s.Instr) for t in _accumulators(n)}
    for short, name in _NARROW.items():
        if short in sums:
            return Precision(accumulate=name)
    narrow = next(_passed(nodes), "")
    widened = _widened(nodes)
    return Precision(
        narrow=narrow, widened="" if not widened else "sums" if "f32" in sums else "values"
    )


def _widened(nodes: Sequence[Node]) -> bool:
    """Whether a float that the program computes becomes a double."""
    kept = {
        array_behind(n.target)
        for n in nodes
        if isinstance(n, s.Assign) and _scalar(n.target.type) == "f32" and _is_computed(n)
    }
    kept |= {
        n.var.name
        for n in nodes
        if isinstance(n, s.Decl) and n.init and _scalar(n.var.type) == "f32" and _computed(n.init)
    }
    return any(
        isinstance(n, e.Cast)
        and _scalar(n.type) == "f64"
        and _scalar(n.x.type) == "f32"
        and (_computed(n.x) or array_behind(n.x) in kept)
        for n in nodes
    )


def _is_computed(n: s.Assign) -> bool:
    return bool(n.op) or _computed(n.value)


def _computed(x: e.Expr) -> bool:
    """Whether floats are computed on the way to `x`."""
    return any(
        isinstance(n, (e.Binary, e.Call)) and _scalar(n.type) == "f32" for n in walk_exprs(x)
    )


def _passed(nodes: Sequence[Node]) -> Iterator[str]:
    """Narrow types in which a computed value is kept and then computed with again."""
    kept = {
        array_behind(n.target): _scalar(n.target.type)
        for n in nodes
        if isinstance(n, s.Assign) and any(_rounds(x) for x in walk_exprs(n.value))
    }
    kept |= {
        n.var.name: _scalar(n.var.type)
        for n in nodes
        if isinstance(n, s.Decl) and n.init and any(_rounds(x) for x in walk_exprs(n.init))
    }
    for node in nodes:
        for operand in _operands(node):
            for x in walk_exprs(operand):
                if _rounds(x):
                    yield _NARROW[_scalar(x.type)]
                elif isinstance(x, e.Var) and kept.get(x.name) in _NARROW:
                    yield _NARROW[kept[x.name]]


def _operands(node: Node) -> tuple[e.Expr, ...]:
    """What `node` computes with, if it is arithmetic or widens its operand."""
    if isinstance(node, e.Cast):
        return (node.x,) if _scalar(node.x.type) in _NARROW else ()
    if isinstance(node, e.Binary):
        return (node.a, node.b)
    if isinstance(node, e.Call):
        return node.args
    return node.ins if isinstance(node, s.Instr) else ()


def _accumulates(node: s.Assign) -> bool:
    """`x += ...` or `x = x + ...`, also through `fma(a, b, x)`."""
    if node.op in ("+", "-"):
        return True
    value = node.value
    if isinstance(value, e.Binary):
        return value.op in ("+", "-") and node.target in (value.a, value.b)
    return isinstance(value, e.Call) and value.func == "fma" and node.target in value.args


def _accumulators(node: s.Instr) -> Iterator[str]:
    """The type in which a matrix instruction adds: of its result, else the first in its name."""
    family, _, rest = node.name.partition(".")
    if node.name == "mat.mma":
        yield from (_scalar(getattr(out.type, "elem", out.type)) for out in node.outs)
    elif family in ("mma", "mfma"):
        types = [w for w in re.split(r"[._]", rest) if w in ("f16", "bf16", "f32", "f64")]
        yield from types[:1]


def _rounds(node: e.Expr) -> bool:
    """Whether `node` rounds a computed value to a narrow type; a loaded one is the same anyway."""
    if _scalar(node.type) not in _NARROW:
        return False
    if isinstance(node, e.Cast):
        return isinstance(node.x, (e.Binary, e.Call, e.Var, e.Select, e.Unary))
    return isinstance(node, e.Binary) and node.op in "+-*/"


def integral_inputs(program: Program) -> frozenset[tuple[str, str]]:
    """(function, pointer parameter) whose floating values the program turns into integers.

    Followed from kernels back through launches and copies to the host function that has the data.
    """
    found = {
        (f.name, base)
        for f in program.functions
        for node in walk(f.body)
        if isinstance(node, e.Cast) and (base := _converted(node))
    }
    size = -1
    while size != len(found):
        size = len(found)
        for f in program.functions:
            for node in walk(f.body):
                found |= {(f.name, name) for name, _ in flows_from(node, f.name, program, found)}
    return frozenset(found)


def _converted(node: e.Cast) -> str:
    """The array behind `(int)a[i]`, if that is what `node` is."""
    inner = node.x
    while isinstance(inner, (e.Cast, e.Call)):
        inner = inner.x if isinstance(inner, e.Cast) else inner.args[0]
    to_integer = isinstance(node.type, Scalar) and node.type.is_integer
    loaded = isinstance(inner, e.Index) and _scalar(inner.type) in ("f16", "bf16", "f32", "f64")
    return array_behind(inner) if to_integer and loaded else ""


def array_behind(node: e.Expr) -> str:
    """The name of the array or pointer that a place belongs to; empty where that has none."""
    while isinstance(node, (e.Index, e.Field, e.Cast, e.AddressOf)):
        node = node.x if isinstance(node, (e.Cast, e.AddressOf)) else node.base
    if isinstance(node, e.Binary) and isinstance(node.type, Pointer):
        return array_behind(node.a)
    return node.name if isinstance(node, e.Var) else ""


def flows_from(
    node: object, function: str, program: Program, found: Collection[tuple[str, str]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names in `function` whose data flow into a buffer that is in `found`, with that buffer."""
    if isinstance(node, s.Launch) and any(f.name == node.kernel for f in program.functions):
        params = program.function(node.kernel).params
        for param, argument in zip(params, node.args, strict=False):
            if (node.kernel, param.name) in found:
                yield array_behind(argument), (node.kernel, param.name)
    if isinstance(node, s.Instr) and node.name.startswith("host.") and "copy" in node.name:
        places = [array_behind(x) for x in (*node.outs, *node.ins)]
        if len(places) > 1 and (function, places[0]) in found:
            yield places[1], (function, places[0])
