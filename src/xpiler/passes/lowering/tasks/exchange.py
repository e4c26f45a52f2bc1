"""Elements whose places differ in one bit of the index change places: two copies of blocks.

`x[k ^ m]` for all k below a power of two, with m = 2^b: blocks of m elements change in pairs.
"""

from __future__ import annotations

from xpiler.analysis.effects import assigned
from xpiler.analysis.pointers import target
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.passes.lowering.tasks.build import (
    ONE,
    address,
    byte_count,
    call,
    cast,
    const,
    is_const,
    mul,
    shift,
    sub,
    word,
)  # fmt: skip
from xpiler.passes.lowering.tasks.lanes import Lanes, Vec


def halved(body: s.Body) -> dict[str, int]:
    """Variables that start as a power of two and are only halved, with their first value."""
    found: dict[str, int] = {}
    lost: set[str] = set()
    for n in walk(body):
        if isinstance(n, s.Decl) and isinstance(n.init, e.Const) and _is_power(n.init):
            found[n.var.name] = int(n.init.value)
        elif isinstance(n, s.Assign) and isinstance(n.target, e.Var) and not _halves(n, n.target):
            lost.add(n.target.name)
        elif isinstance(n, (s.Instr, e.AddressOf)):
            lost |= assigned((n,)) if isinstance(n, s.Instr) else assigned((s.Eval(n),))
    return {k: v for k, v in found.items() if k not in lost}


def power_of(st: s.While, powers: dict[str, int]) -> str | None:
    """The halved variable that is a power of two while the body of `st` runs."""
    c = st.cond
    if st.do or not isinstance(c, e.Binary) or not isinstance(c.a, e.Var):
        return None
    above = (c.op in (">", "!=") and is_const(c.b, 0)) or (c.op == ">=" and is_const(c.b, 1))
    steps = c.a.name not in assigned(st.body)
    return c.a.name if above and steps and c.a.name in powers else None


def exchanged(lanes: Lanes, x: e.Index, facts: Facts) -> Vec | None:
    """`array[k ^ m]` (expanded) for all lanes; None where it is something else."""
    m = _mask(lanes, x.index)
    found = target(x.base, facts) if not lanes.varies(x.base) else None
    if m is None or found is None or found.root.name not in lanes.names:
        return None
    whole = is_const(lanes.base, 0) and is_const(lanes.lo, 0) and lanes.hi == lanes.count
    if not whole or not isinstance(lanes.hi, e.Const) or not _is_power(lanes.hi):
        return None
    most = lanes.arena.powers[m.name]
    if 2 * most > lanes.hi.value or not isinstance(x.type, Scalar) or lanes.mask is not None:
        return None
    out = lanes.temp(x.type)
    by = cast(m, ONE.type)
    first = address(e.Index(x.base, e.Const(0, x.index.type), x.type))
    stride = byte_count(mul(const(2), by), x.type)
    last = sub(e.Binary("/", lanes.hi, mul(const(2), by), ONE.type), ONE)
    here = lanes.operand(out)
    rest = (byte_count(by, x.type), word("NRAM2NRAM"), stride, stride, last)
    lanes.emit(call("__memcpy", here, shift(first, by), *rest))
    lanes.emit(call("__memcpy", shift(here, by), first, *rest))
    return out


def _mask(lanes: Lanes, x: e.Expr) -> e.Var | None:
    x = _narrow(x)
    if not isinstance(x, e.Binary) or x.op != "^":
        return None
    for a, b in ((_narrow(x.a), _narrow(x.b)), (_narrow(x.b), _narrow(x.a))):
        if a == lanes.var and isinstance(b, e.Var) and b.name in lanes.arena.powers:
            return b
    return None


def _narrow(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Cast) and is_int(x.x.type) and is_int(x.type):
        x = x.x
    return x


def _is_power(x: e.Const) -> bool:
    n = x.value
    return isinstance(n, int) and not isinstance(n, bool) and n > 0 and n & (n - 1) == 0


def _halves(st: s.Assign, v: e.Var) -> bool:
    value = e.Binary(st.op, v, st.value, v.type) if st.op else st.value
    if not isinstance(value, e.Binary) or value.a != v:
        return False
    return (value.op == ">>" and is_const(value.b, 1)) or (value.op == "/" and is_const(value.b, 2))


__all__ = ["exchanged", "halved", "power_of"]
