"""Sums of products of bytes or words, four or two of them a lane, by dot product instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import I32, U32, Pointer, Scalar, Vector
from xpiler.passes.lowering.vector.isa import Isa, Unsuitable
from xpiler.passes.lowering.vector.lanes import Lanes
from xpiler.passes.lowering.vector.strips import accumulation


def dot(loop: s.For, isa: Isa, table: Mapping[str, Any], taken: set[str]) -> s.Body:
    """`for k { s += a[.. + k] * b[.. + k] }` of integers; raises Unsuitable for anything else."""
    if len(loop.body) != 1 or not isinstance(loop.body[0], s.Assign):
        raise Unsuitable("more than one product")
    st = loop.body[0]
    found = accumulation(st)
    if found is None or found[0] != "sum" or st.target.type not in (I32, U32):
        raise Unsuitable("no sum of integers")
    if not isinstance(st.target, e.Var) or st.target in set(walk(found[1])):
        raise Unsuitable("no plain sum")
    a, b = _factors(found[1])
    lanes = Lanes(isa, loop.var, 16, I32)
    if any(lanes.slope(x.index) != 1 or not lanes.uniform(x.base) for x in (a, b)):
        raise Unsuitable("elements that are not consecutive")
    way = table.get(f"{a.type} {b.type}")
    if way is None and f"{b.type} {a.type}" in table:
        a, b, way = b, a, table[f"{b.type} {a.type}"]
    if way is None:
        raise Unsuitable(f"products of {a.type} and {b.type}")
    return _strips(loop, st, (a, b), way, isa, taken)


def _factors(x: e.Expr) -> tuple[e.Index, e.Index]:
    """The two elements of the product, below the conversions to int."""
    x = _below(x)
    if not isinstance(x, e.Binary) or x.op != "*":
        raise Unsuitable("no product")
    pair = (_below(x.a), _below(x.b))
    if not all(isinstance(y, e.Index) and isinstance(y.type, Scalar) for y in pair):
        raise Unsuitable("no product of elements")
    if not all(y.type.bits < 32 for y in pair):  # type: ignore[attr-defined]
        raise Unsuitable("no narrow elements")
    return pair  # type: ignore[return-value]


def _below(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Cast) and x.type in (I32, U32) and isinstance(x.x.type, Scalar):
        if not x.x.type.is_integer:
            break
        x = x.x
    return x


def _strips(
    loop: s.For, st: s.Assign, pair: tuple[e.Index, e.Index], way: Mapping[str, Any], isa: Isa,
    taken: set[str],
) -> s.Body:  # fmt: skip
    v = st.target
    assert isinstance(v, e.Var)
    assert isinstance(v.type, Scalar)
    step = int(way["lanes"])
    acc = e.Var(fresh_name(f"{v.name.split('.')[0]}_lanes", taken), Vector(I32, 16))
    zero = isa.call("zero", I32, (), acc.type)
    left = e.Binary("-", loop.hi, loop.var, loop.var.type)
    isa.used |= {way["name"], way["load"]}
    loads = tuple(
        e.Call(way["load"], (left, e.AddressOf(x, Pointer(x.type, True))), acc.type) for x in pair
    )
    added = s.Assign(acc, e.Call(way["name"], (acc, *loads), acc.type), loc=st.loc,
                     comments=st.comments)  # fmt: skip
    total = isa.call("sum_all", I32, (acc,), I32)
    whole: e.Expr = total if v.type == I32 else e.Cast(total, v.type)
    size = e.Const(step, loop.var.type)
    strips = replace(loop, step=size, body=(added,), kind="serial", unroll=0)
    return (s.Decl(acc, zero), strips, s.Assign(v, whole, "+", loc=st.loc))
