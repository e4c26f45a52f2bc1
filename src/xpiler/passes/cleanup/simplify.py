"""Simplify expressions and decided control flow: folding, identities, casts, div, mod by ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from xpiler.analysis.affine import size, to_expr
from xpiler.analysis.effects import declared, escapes, names_in, of_expr
from xpiler.analysis.ranges import NEGATED, Facts, is_int, type_range
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import map_children, rewrite_exprs, substitute, walk
from xpiler.ir.types import BOOL, I32, I64, U32, Array, Pointer, Scalar, Type
from xpiler.passes.cleanup import fold
from xpiler.passes.cleanup.base import (
    Context,
    Walker,
    changed,
    each_function,
    sentence,
    value_sentence,
)
from xpiler.passes.cleanup.rows import element, in_row
from xpiler.passes.cleanup.threads import count_of_threads

TRUE, FALSE = e.Const(True, BOOL), e.Const(False, BOOL)


@dataclass(frozen=True)
class Simplify:
    """Rewrites every expression and statement to a simpler one of equal meaning."""

    name: str = "simplify"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            simplifier = _Simplifier({v for name, v in ctx.axes if name == f.name})
            new = simplifier.run(f, ctx.facts(f))
            return _with_signed(new, simplifier.signed)

        return each_function(program, one)


def _with_signed(f: Function, names: set[str]) -> Function:
    """`f` with uses of the variables that have become `int` converted."""
    if not names:
        return f

    def use(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Var) and x.name in names and x.type == U32:
            return e.Cast(e.Var(x.name, I32), U32)
        return x

    return f.with_body(rewrite_exprs(f.body, use))


class _Simplifier(Walker):
    def __init__(self, axes: set[str]) -> None:
        self.axes = axes
        self.signed: set[str] = set()

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        body = super().body(body, facts)
        if any(isinstance(st, s.Scope) for st in body):
            return unscoped(body)
        return body

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        return simplify(x, facts)

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        new = super().place(x, facts)
        return _index(new, facts) if isinstance(new, e.Index) else new

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For) and st.var.type == U32 and self._counts_ints(st):
            st = signed_axis(st, facts)
        new = self.descend(st, facts)
        if isinstance(new, s.Decl) and new.var.type == U32 and new.init is not None:
            new = self._signed_value(new, facts)
        return decided(new, facts)

    def _counts_ints(self, st: s.For) -> bool:
        return st.kind == "parallel" or st.var.name in self.axes or _better_signed(st)

    def _signed_value(self, d: s.Decl, facts: Facts) -> s.Decl:
        """An unsigned constant of the function whose value is computed from `int`s."""
        assert d.init is not None
        if d.var.name in facts.mutable or not _casts(d.init):
            return d
        p = facts.poly(d.init)
        value = _push(d.init, I32, facts) if facts.fits(p, I32) else None
        if value is None or _casts(value) >= _casts(d.init):
            return d
        self.signed.add(d.var.name)
        return replace(d, var=e.Var(d.var.name, I32), init=value)


# -- statements -----------------------------------------------------------------------------


def decided(st: s.Stmt, facts: Facts) -> s.Body:
    """`st` without branches that are never taken, loops that never run or run once."""
    if isinstance(st, s.If):
        return _decided_if(st)
    if isinstance(st, s.For):
        return _decided_for(st, facts)
    if isinstance(st, s.While) and not st.do and st.cond == FALSE:
        return ()
    if isinstance(st, s.Scope) and not any(isinstance(x, s.Decl) for x in st.body):
        return st.body
    if isinstance(st, s.Assign) and st.op in ("+", "-") and fold.int_value(st.value) == 0:
        return ()
    if isinstance(st, s.Assign) and not st.op and st.target == st.value:
        return ()
    return (st,)


def unscoped(body: s.Body) -> s.Body:
    """`body` without the scopes that keep no two variables of one name apart."""
    out: list[s.Stmt] = []
    for st in body:
        others = names_in(tuple(x for x in body if x is not st))
        plain = {n.split(".")[0] for n in others}
        if isinstance(st, s.Scope) and not plain & {n.split(".")[0] for n in declared(st.body)}:
            out.extend(st.body)
        else:
            out.append(st)
    return body if len(out) == len(body) else tuple(out)


def _decided_if(st: s.If) -> s.Body:
    if isinstance(st.cond, e.Const):
        return st.then if st.cond.value else st.orelse
    if not st.then and not st.orelse:
        return ()
    if not st.then:
        return (replace(st, cond=negated(st.cond), then=st.orelse, orelse=()),)
    return (st,)


def _decided_for(st: s.For, facts: Facts) -> s.Body:
    if not st.body:
        return ()
    if not is_int(st.var.type):
        return (st,)
    lo, hi = facts.poly(st.lo), facts.poly(st.hi)
    if facts.nonneg(lo - hi):
        return ()
    one = facts.positive(hi - lo) and facts.nonneg(facts.poly(st.step) - (hi - lo))
    if not one or escapes(st.body):
        return (st,)
    if facts.fixed(st.lo):
        return tuple(substitute(st.body, {st.var.name: st.lo}))
    return (s.Decl(st.var, st.lo, loc=st.loc, comments=st.comments), *st.body)


def _better_signed(st: s.For) -> bool:
    """Whether a short unsigned loop is only there to be converted to `int`."""
    if not isinstance(st.lo, e.Const) or not isinstance(st.hi, e.Const):
        return False
    return any(
        isinstance(n, e.Cast) and n.type == I32 and st.var.name in names_in(n)
        for n in walk(st.body)
    )


def signed_axis(st: s.For, facts: Facts) -> s.For:
    """A parallel axis counted by an `int`: a grid has fewer than 2**31 blocks, a block too."""
    hi = simplify(st.hi, facts)
    if isinstance(hi, e.Cast) and hi.x.type in (I32, I64):
        inner = hi.x
        p = facts.poly(inner)
        known = facts.nonneg(p)
        if not known and st.kind == "parallel":
            known = facts.assume(f"{sentence(inner)} is not negative", p)
        if not known:
            return st
        hi = inner
    if hi.type == I32:
        pass
    elif facts.fits(facts.poly(hi), I32):
        hi = simplify(e.Cast(hi, I32), facts)
    elif st.kind == "parallel" and _assume_below(hi, facts):
        hi = e.Cast(hi, I32)
    else:
        return st
    lo, step = (simplify(e.Cast(x, I32), facts) for x in (st.lo, st.step))
    if not isinstance(step, e.Const) or not facts.fits(facts.poly(hi) + int(step.value) - 1, I32):
        return st  # the last step may pass the end, and an `int` must not overflow there
    var = e.Var(st.var.name, I32)
    body = substitute(st.body, {var.name: e.Cast(var, U32)})
    return replace(st, var=var, lo=lo, hi=hi, step=step, body=body)


def _assume_below(hi: e.Expr, facts: Facts) -> bool:
    return facts.assume(f"{sentence(hi)} is below 2**31", (1 << 31) - 1 - facts.poly(hi))


# -- expressions ----------------------------------------------------------------------------


def simplify(x: e.Expr, facts: Facts) -> e.Expr:
    """An expression of equal value and type, never larger."""
    new = _children(x, facts)
    for _ in range(8):
        rule = _RULES.get(type(new))
        nxt = rule(new, facts) if rule else new
        if nxt is new:
            return new
        new = nxt
    return new


def _children(x: e.Expr, facts: Facts) -> e.Expr:
    if isinstance(x, e.Binary) and x.op in e.LOGICAL:
        a = simplify(x.a, facts)
        inner = facts.with_cond(a, x.op == "&&", momentary=True)
        return changed(x, a=a, b=simplify(x.b, inner))
    if isinstance(x, e.Select):
        cond = simplify(x.cond, facts)
        a = simplify(x.a, facts.with_cond(cond, True, momentary=True))
        b = simplify(x.b, facts.with_cond(cond, False, momentary=True))
        return changed(x, cond=cond, a=a, b=b)
    return map_children(x, lambda c: simplify(c, facts))


def _binary(x: e.Binary, facts: Facts) -> e.Expr:
    if x.op in e.LOGICAL:
        return logical(x)
    if x.op in e.COMPARISONS:
        return _comparison(x, facts)
    if isinstance(x.type, Scalar) and x.type.is_integer:
        return _integer(x, facts)
    if isinstance(x.type, Scalar) and x.type.is_float:
        return _floating(x)
    if isinstance(x.type, Pointer) and fold.int_value(x.b) == 0 and x.a.type == x.type:
        return x.a
    return x


def logical(x: e.Binary) -> e.Expr:
    """`a && b` or `a || b` where a constant decides it; a call that comes first is still made."""
    stop = x.op == "||"
    for one, other in ((x.a, x.b), (x.b, x.a)):
        dropped = one is x.b and isinstance(one, e.Const) and bool(one.value) is stop
        if isinstance(one, e.Const) and not (dropped and of_expr(other).other):
            return other if bool(one.value) is not stop else e.Const(stop, BOOL)
    return x.a if x.a == x.b else x


def _comparison(x: e.Binary, facts: Facts) -> e.Expr:
    if not is_int(x.a.type):
        return x
    known = facts.decide(x)
    if known is not None:
        return e.Const(known, BOOL)
    truth = _truth_test(x)
    if truth is not None:
        return truth
    if isinstance(x.a, e.Const) and not isinstance(x.b, e.Const):
        flip: dict[str, e.BinaryOp] = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
        return replace(x, op=flip.get(x.op, x.op), a=x.b, b=x.a)
    small = fold.unscaled(x)
    if small is not None and facts.fits(facts.poly(small[0].a) * small[1], x.a.type):
        return _narrowed(small[0], facts)
    return _narrowed(x, facts)


def _truth_test(x: e.Binary) -> e.Expr | None:
    """`int(cond) != 0` is `cond`."""
    inner = x.a.x if isinstance(x.a, e.Cast) and x.a.x.type == BOOL else x.a
    if inner.type != BOOL or x.op not in ("==", "!="):
        return None
    value = fold.int_value(x.b)
    if value not in (0, 1):
        return None
    return inner if (x.op == "!=") == (value == 0) else negated(inner)


def _narrowed(x: e.Binary, facts: Facts) -> e.Expr:
    """A comparison of converted values, compared in the type that they had."""
    if not any(map(_casts, (x.a, x.b))):
        return x
    count_of_threads(x, facts)
    for t in (I32, I64):
        if t == x.a.type or not all(_was(side, t) for side in (x.a, x.b)):
            continue
        if all(facts.fits(facts.poly(side), t) for side in (x.a, x.b)):
            a, b = (simplify(e.Cast(side, t), facts) for side in (x.a, x.b))
            if size(a) + size(b) < size(x.a) + size(x.b):
                return replace(x, a=a, b=b)
    return x


def _was(side: e.Expr, t: Type) -> bool:
    return (
        isinstance(side, e.Const)
        or (isinstance(side, e.Cast) and side.x.type == t)
        or (isinstance(side, e.Binary) and side.op in ("+", "-", "*"))
    )


def _integer(x: e.Binary, facts: Facts) -> e.Expr:
    a, b = fold.int_value(x.a), fold.int_value(x.b)
    if a is not None and b is not None and not (fold.is_named(x.a) or fold.is_named(x.b)):
        return fold.fold_binary(x.op, a, b, x.a.type, x.type) or x
    same = _identity(x, a, b) or _regrouped(x, b)
    if same is not None:
        return same
    if x.op in ("+", "*") and a is not None and b is None and not isinstance(x.b, e.Const):
        return replace(x, a=x.b, b=x.a)
    return _by_range(x, facts)


def _identity(x: e.Binary, a: int | None, b: int | None) -> e.Expr | None:
    if b == 0 and x.op in ("+", "-", "<<", ">>", "|", "^"):
        return x.a
    if a == 0 and x.op in ("+", "|", "^"):
        return x.b
    if b == 1 and x.op in ("*", "/"):
        return x.a
    if a == 1 and x.op == "*":
        return x.b
    zero = (x.op in ("*", "&") and 0 in (a, b)) or (x.op == "%" and b == 1)
    zero = zero or (a == 0 and x.op in ("/", "%", "<<", ">>"))
    return e.Const(0, x.type) if zero else None


def _regrouped(x: e.Binary, b: int | None) -> e.Expr | None:
    """`x + 3u - 1u` is `x + 2u`: unsigned sums are exact up to their type's range."""
    inner = x.a
    if b is None or x.op not in ("+", "-") or x.type.is_signed or fold.is_named(x.b):  # type: ignore[attr-defined]
        return None
    if not isinstance(inner, e.Binary) or inner.op not in ("+", "-") or inner.type != x.type:
        return None
    c = fold.int_value(inner.b)
    if c is None or fold.is_named(inner.b):
        return None
    total = (c if inner.op == "+" else -c) + (b if x.op == "+" else -b)
    if total == 0:
        return inner.a
    return replace(x, op="+" if total > 0 else "-", a=inner.a, b=e.Const(abs(total), x.b.type))


def _by_range(x: e.Binary, facts: Facts) -> e.Expr:
    """The value as a polynomial, where that reads shorter (`(b*256 + t) / 256` is `b`)."""
    p, named = facts.poly(x), _holds_name(x)
    least, most = facts.interval(p)
    if least == most and not named:
        return e.Const(least, x.type)
    if x.op in ("/", "%", ">>", "&") or (len(p.terms) < _terms(x) and not named):
        new = to_expr(facts, p, x.type)
        if (
            new is not None
            and size(new) < size(x)
            and (not named or _divisions(new) < _divisions(x))
        ):
            return new
    return x


def _divisions(x: e.Expr) -> int:
    return sum(1 for n in walk(x) if isinstance(n, e.Binary) and n.op in ("/", "%", ">>"))


def _terms(x: e.Expr) -> int:
    if isinstance(x, e.Binary) and x.op in ("+", "-"):
        return _terms(x.a) + _terms(x.b)
    return 1


def _holds_name(x: e.Expr) -> bool:
    return any(isinstance(n, e.Const) and fold.is_named(n) for n in walk(x))


def _floating(x: e.Binary) -> e.Expr:
    """Only what is exact for every value, signed zeros and NaN included."""
    b = x.b.value if isinstance(x.b, e.Const) else None
    if b == 1 and x.op in ("*", "/"):
        return x.a
    a = x.a.value if isinstance(x.a, e.Const) else None
    return x.b if a == 1 and x.op == "*" else x


def negated(cond: e.Expr) -> e.Expr:
    """The opposite condition; floating comparisons keep their `!` (NaN)."""
    if isinstance(cond, e.Const):
        return e.Const(not cond.value, BOOL)
    if isinstance(cond, e.Unary) and cond.op == "!":
        return cond.x
    if isinstance(cond, e.Binary) and cond.op in NEGATED and not _is_float(cond.a.type):
        return replace(cond, op=NEGATED[cond.op])
    if isinstance(cond, e.Binary) and cond.op in e.LOGICAL:
        flip: e.BinaryOp = "&&" if cond.op == "||" else "||"
        return replace(cond, op=flip, a=negated(cond.a), b=negated(cond.b))
    return e.Unary("!", cond, BOOL)


def _is_float(t: Type) -> bool:
    return not (isinstance(t, Scalar) and t.is_integer) and not isinstance(t, Pointer)


def _unary(x: e.Unary, facts: Facts) -> e.Expr:
    if x.op == "!" and x.x.type == BOOL:
        new = negated(x.x)
        return x if new == x else new
    if x.op == "-" and isinstance(x.x, e.Const) and x.x.text is None and is_int(x.type):
        return fold.convert(e.Const(-x.x.value, I64), x.type) or x
    return x


def _select(x: e.Select, facts: Facts) -> e.Expr:
    if isinstance(x.cond, e.Const):
        return x.a if x.cond.value else x.b
    if x.a == x.b:
        return x.a
    if x.a == TRUE and x.b == FALSE:
        return x.cond
    if x.a == FALSE and x.b == TRUE:
        return negated(x.cond)
    if isinstance(x.a, e.Select) and x.a.cond == x.cond:
        return replace(x, a=x.a.a)
    if isinstance(x.b, e.Select) and x.b.cond == x.cond:
        return replace(x, b=x.b.b)
    return x


def _call(x: e.Call, facts: Facts) -> e.Expr:
    if x.func in ("min", "max") and is_int(x.type) and len(x.args) == 2:
        d = facts.poly(x.args[0]) - facts.poly(x.args[1])
        first_larger = facts.nonneg(d)
        if first_larger or facts.nonneg(-d):
            return x.args[0] if first_larger == (x.func == "max") else x.args[1]
    return x


# -- casts ----------------------------------------------------------------------------------


def _cast(x: e.Cast, facts: Facts) -> e.Expr:
    if x.type == x.x.type:
        return x.x
    if isinstance(x.x, e.Const) and not fold.is_named(x.x):
        return fold.convert(x.x, x.type) or x
    if isinstance(x.x, e.Const) and is_int(x.type) and fold.convert(x.x, x.type) is not None:
        new = fold.convert(x.x, x.type)
        assert new is not None
        return replace(new, text=x.x.text) if new.value == x.x.value else x
    if isinstance(x.x, e.Cast) and is_int(x.x.type):
        return _cast_of_cast(x, x.x, facts)
    if is_int(x.type) and x.type != BOOL and isinstance(x.x, (e.Binary, e.Select)):
        return _pushed(x, facts)
    if isinstance(x.x, e.Cast) and _widening(x.x, x):
        return x.x.x
    return x


def _widening(inner: e.Cast, outer: e.Cast) -> bool:
    """float -> double -> float."""
    exact = {("f32", "f64"), ("f16", "f32"), ("bf16", "f32"), ("f16", "f64"), ("bf16", "f64")}
    return outer.type == inner.x.type and (str(inner.x.type), str(inner.type)) in exact


def _cast_of_cast(x: e.Cast, inner: e.Cast, facts: Facts) -> e.Expr:
    if not is_int(inner.x.type) or BOOL in (inner.type, x.type):
        return x
    if facts.fits(facts.poly(inner.x), inner.type):
        return replace(x, x=inner.x)
    ints = isinstance(x.type, Scalar) and isinstance(inner.type, Scalar) and x.type.is_integer
    if ints and x.type.bits <= inner.type.bits:  # type: ignore[attr-defined]
        return replace(x, x=inner.x)  # the low bits are the same
    return x


def _pushed(x: e.Cast, facts: Facts) -> e.Expr:
    """`i32(u32(b) * 256u + u32(t))` is `b * 256 + t` where nothing wraps."""
    inner = x.x
    if not is_int(inner.type):
        return x
    new = _push(inner, x.type, facts)
    return new if new is not None and _casts(new) < _casts(x) else x


def _push(x: e.Expr, t: Type, facts: Facts) -> e.Expr | None:
    """`x` computed in type `t` throughout: each intermediate value fits both types."""
    if x.type == t:
        return x
    if isinstance(x, e.Const):
        new = fold.convert(x, t) if fold.wrap(int(x.value), t) == x.value else None
        return replace(new, text=x.text) if new is not None and fold.is_named(x) else new
    if isinstance(x, e.Cast) and x.x.type == t:
        return x.x if facts.fits(facts.poly(x.x), x.type) else None
    if isinstance(x, e.Select):
        a = _push(x.a, t, facts.with_cond(x.cond, True, momentary=True))
        b = _push(x.b, t, facts.with_cond(x.cond, False, momentary=True))
        return None if a is None or b is None else replace(x, a=a, b=b, type=t)
    if not facts.fits(facts.poly(x), t) and not _assume_fits(x, t, facts):
        return None
    bitwise = isinstance(x, e.Binary) and x.op in ("&", "|", "^")
    if bitwise and not all(facts.nonneg(facts.poly(y)) for y in (x.a, x.b)):  # type: ignore[attr-defined]
        return None
    if isinstance(x, e.Binary) and x.op in ("+", "-", "*", "/", "%", "&", "|", "^"):
        a, b = _push(x.a, t, facts), _push(x.b, t, facts)
        return None if a is None or b is None else replace(x, a=a, b=b, type=t)
    if isinstance(x, e.Cast) and is_int(x.x.type):
        return _cast_of_cast(e.Cast(x, t), x, facts)
    return e.Cast(x, t)


def _assume_fits(x: e.Expr, t: Type, facts: Facts) -> bool:
    """Index arithmetic of a launch (block * size + thread) may be taken not to wrap."""
    top = facts.largest(facts.raw(x))
    limits = type_range(t)
    if top is None or limits is None or limits[0] > 0:
        return False
    return facts.assume(f"{value_sentence(facts, top + 1)} does not overflow {t}", limits[1] - top)


def _casts(x: e.Expr) -> int:
    return sum(1 for n in walk(x) if isinstance(n, e.Cast))


# -- places ---------------------------------------------------------------------------------


def _var(x: e.Var, facts: Facts) -> e.Expr:
    known = facts.decide(x) if x.name in facts.conds else None
    return x if known is None else e.Const(known, BOOL)


def _index(x: e.Index, facts: Facts) -> e.Expr:
    index = x.index
    if not is_int(index.type):
        return x
    cast = isinstance(index, e.Cast) and is_int(index.x.type)
    if isinstance(index, e.Cast) and cast and facts.fits(facts.poly(index.x), index.type):
        return replace(x, index=index.x)
    if index.type != I32 and _casts(index):
        new = _push(index, I32, facts)
        if new is not None and _casts(new) < _casts(index):
            return replace(x, index=simplify(new, facts))
    base = x.base
    if isinstance(base, e.AddressOf) and fold.int_value(index) == 0 and base.x.type == x.type:
        return base.x
    if isinstance(base, e.AddressOf) and isinstance(base.x, e.Index) and base.x.type == x.type:
        return _joined(x, base.x.base, base.x.index, facts)
    if isinstance(base, e.Binary) and base.op == "+" and isinstance(base.a.type, (Pointer, Array)):
        return _joined(x, base.a, base.b, facts)
    return x


def _joined(x: e.Index, array: e.Expr, first: e.Expr, facts: Facts) -> e.Expr:
    """`x`, which counts from element `first` of `array`, as one subscript of it."""
    total = _sum(first, x.index, facts)
    if total is None:
        return x
    if in_row(array, facts.poly(total), facts):
        return e.Index(array, total, x.type)
    return element(array, facts.poly(total), x, facts) or x


def _sum(a: e.Expr, b: e.Expr, facts: Facts) -> e.Expr | None:
    """Two offsets added, in a type that holds the sum."""
    if fold.int_value(b) == 0:
        return a
    if fold.int_value(a) == 0:
        return b
    if not is_int(a.type) or not is_int(b.type):
        return None
    p = facts.poly(a) + facts.poly(b)
    for t in (a.type, b.type, I64):
        if all(facts.fits(q, t) for q in (p, facts.poly(a), facts.poly(b))):
            parts = [simplify(e.Cast(v, t), facts) if v.type != t else v for v in (a, b)]
            return simplify(e.Binary("+", parts[0], parts[1], t), facts)
    return None


def _bits(x: e.Bits, facts: Facts) -> e.Expr:
    return x.x if x.type == x.x.type else x


_RULES: dict[type, Callable[[Any, Facts], e.Expr]] = {
    e.Var: _var,
    e.Binary: _binary,
    e.Unary: _unary,
    e.Select: _select,
    e.Call: _call,
    e.Cast: _cast,
    e.Index: _index,
    e.Bits: _bits,
}

__all__ = ["Simplify", "negated", "simplify", "type_range"]
