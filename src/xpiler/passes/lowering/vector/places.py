"""The place of a maximum: `if (x[i] > best) { best = x[i]; place = i; }` in lanes.

Each lane keeps its own largest value and where it was; at the end the largest of these counts, and
of several lanes that have it the first place (the last one for `>=`), as the loop found it. A lane
whose start nothing exceeds has the place from before the loop; where the last one counts, that is
none, so that it does not hide what other lanes found.
"""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, substitute, walk
from xpiler.ir.types import F32, I32, Scalar, Vector
from xpiler.passes.lowering.vector.isa import Unsuitable
from xpiler.passes.lowering.vector.strips import Strip

LARGEST = 0x7FFFFFFF
NOWHERE = e.Unary("-", e.Const(LARGEST, I32), I32)
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Extreme:
    """`if (guard && value op best) { best = value; place = index; }`, the loop's last statement."""

    best: e.Var
    place: e.Var
    op: e.BinaryOp
    value: e.Expr
    index: e.Expr
    guard: e.Expr | None

    @property
    def kind(self) -> str:
        return "max" if self.op in (">", ">=") else "min"

    @property
    def first(self) -> bool:
        """Whether the first of several places counts, not the last."""
        return self.op in (">", "<")


def extreme_of(loop: s.For) -> Extreme:
    """What the loop looks for; raises Unsuitable where it does anything else."""
    *decls, last = loop.body
    if not isinstance(last, s.If) or last.orelse or not all(isinstance(d, s.Decl) for d in decls):
        raise Unsuitable("no place of an extreme")
    own = {d.var.name for d in decls if isinstance(d, s.Decl)}
    pairs = _assigned(last.then)
    guard, test = _last_test(last.cond)
    for best in pairs:
        found = _compared(test, best)
        rest = [v for v in pairs if v != best]
        if found is None or best.name in own or len(rest) != 1 or rest[0].name in own:
            continue
        op, value = found
        place, index = rest[0], pairs[rest[0]]
        if substitute(pairs[best], {place.name: index}) != value:
            continue
        if best.type not in (F32, I32) or place.type != I32 or index.type != I32:
            raise Unsuitable(f"the place of a {best.type}")
        asked = (value, index, *(() if guard is None else (guard,)), *decls)
        if any(n in (best, place) for x in asked for n in walk(x)):
            raise Unsuitable("an extreme that is asked for")
        return Extreme(best, place, op, value, index, guard)
    raise Unsuitable("no place of an extreme")


def _assigned(body: s.Body) -> dict[e.Var, e.Expr]:
    found: dict[e.Var, e.Expr] = {}
    for st in body:
        if not isinstance(st, s.Assign) or st.op or not isinstance(st.target, e.Var):
            raise Unsuitable("no place of an extreme")
        if st.target in found:
            raise Unsuitable("no place of an extreme")
        found[st.target] = st.value
    return found


def _last_test(cond: e.Expr) -> tuple[e.Expr | None, e.Expr]:
    """`a && b` as (a, b)."""
    if isinstance(cond, e.Binary) and cond.op == "&&":
        return cond.a, cond.b
    return None, cond


def _compared(test: e.Expr, best: e.Var) -> tuple[e.BinaryOp, e.Expr] | None:
    """`value op best`."""
    if not isinstance(test, e.Binary) or test.op not in _SWAPPED:
        return None
    if test.b == best:
        return test.op, test.a
    return (_SWAPPED[test.op], test.b) if test.a == best else None  # type: ignore[return-value]


def strips(
    loop: s.For, found: Extreme, strip: Strip, mask: e.Expr | None
) -> tuple[s.Body, s.Body, s.Body]:
    """(what the lanes start with, a strip's statements, what they found together)."""
    isa, lanes = strip.isa, strip.lanes
    t, width = found.best.type, lanes.width
    assert isinstance(t, Scalar)
    if lanes.slope(found.index) != 1:
        raise Unsuitable("places that are not numbered one by one")
    stem = found.best.name.split(".")[0], found.place.name.split(".")[0]
    best = e.Var(fresh_name(f"{stem[0]}_lanes", strip.taken), Vector(t, width))
    place = e.Var(fresh_name(f"{stem[1]}_lanes", strip.taken), Vector(I32, width))
    at_first = found.place if found.first else NOWHERE
    starts = tuple(
        s.Decl(v, isa.call("spread", v.type.elem, (x,), v.type))  # type: ignore[attr-defined]
        for v, x in ((best, found.best), (place, at_first))
    )
    body = list(strip.body(loop.body[:-1], mask))
    on = mask
    if found.guard is not None:
        on = isa.both(on, lanes.condition(found.guard, mask))
    value = lanes.value(found.value, on)
    larger = lanes.compared(found.op, value, best, t)
    better = e.Var(fresh_name("better", strip.taken), isa.mask_type(width))
    where = isa.call("count_from", I32, (found.index,), place.type)
    body += [
        s.Decl(better, isa.both(on, larger), comments=loop.body[-1].comments),
        s.Assign(best, isa.call("blend", t, (better, best, value), best.type)),
        s.Assign(place, isa.call("blend", I32, (better, place, where), place.type)),
    ]
    return starts, tuple(body), _together(found, strip, best, place)


def _together(found: Extreme, strip: Strip, best: e.Var, place: e.Var) -> s.Body:
    isa, lanes = strip.isa, strip.lanes
    t = found.best.type
    assert isinstance(t, Scalar)
    none = e.Const(LARGEST, I32) if found.first else NOWHERE
    whole = isa.call("spread", t, (found.best,), best.type)
    same = lanes.compared("same", best, whole, t)
    others = isa.call("spread", I32, (none,), place.type)
    places = isa.call("blend", I32, (same, others, place), place.type)
    chosen = isa.call("min_all" if found.first else "max_all", I32, (places,), I32)
    largest = s.Assign(found.best, isa.call(f"{found.kind}_all", t, (best,), t))
    if found.first:
        return (largest, s.Assign(found.place, chosen))
    last = e.Var(fresh_name("last", strip.taken), I32)
    somewhere = e.compare("!=", last, NOWHERE)
    return (largest, s.Decl(last, chosen), s.If(somewhere, (s.Assign(found.place, last),)))
