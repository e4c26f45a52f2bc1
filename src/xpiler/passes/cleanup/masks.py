"""Bits of a mask become the conditions they stand for.

`m = (1 << r) - 1; .. m >> l & 1` asks `l < r`; a mask that a loop packs out of comparisons becomes
an array of conditions, which other passes then fuse and shrink.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, map_children, rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import BOOL, I32, Array, Scalar
from xpiler.passes.cleanup.base import Context, Walker, each_function
from xpiler.passes.cleanup.simplify import negated
from xpiler.passes.cleanup.values import valued


@dataclass(frozen=True)
class Masks:
    """Reads tests of single bits as what decides those bits."""

    name: str = "masks"

    def apply(self, program: Program, ctx: Context) -> Program:
        known = {f.name: f for f in program.functions}

        def one(f: Function) -> Function:
            if not any(_asks(n) for n in walk(f.body)):
                return f
            f = _unpacked(_asked_apart(f, ctx.facts(f).mutable))
            facts = ctx.facts(f)
            return _Reader(_definitions(f, facts.mutable, known), known).run(f, facts)

        return each_function(program, one)


# -- a test of one bit ------------------------------------------------------------------


def _uncast(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Cast) and is_int(x.type) and is_int(x.x.type):
        x = x.x
    return x


def _asks(n: object) -> bool:
    return isinstance(n, e.Binary) and n.op in ("!=", "==") and _tested(n) is not None


def _tested(x: e.Binary) -> tuple[e.Expr, e.Expr] | None:
    """(mask, bit number) of `(mask >> bit & 1) != 0`."""
    low = _uncast(x.a)
    if not (isinstance(x.b, e.Const) and x.b.value == 0 and isinstance(low, e.Binary)):
        return None
    if low.op != "&" or not (isinstance(low.b, e.Const) and low.b.value == 1):
        return None
    shifted = _uncast(low.a)
    if isinstance(shifted, e.Binary) and shifted.op == ">>":
        return _uncast(shifted.a), shifted.b
    return None


def _definitions(
    f: Function, mutable: frozenset[str], known: Mapping[str, Function]
) -> dict[str, e.Expr]:
    """Values of integers that never change, made of nothing that does."""
    out: dict[str, e.Expr] = {}
    for n in walk(f.body):
        if not isinstance(n, s.Decl) or n.init is None or n.var.name in mutable:
            continue
        if not is_int(n.var.type) or names_in(n.init) & mutable:
            continue
        value = valued(n.init, known)
        if _is_pure(value):
            out[n.var.name] = value
    return out


def _is_pure(value: e.Expr) -> bool:
    pure = (e.Const, e.Var, e.Cast, e.Unary, e.Binary, e.Select)
    return all(isinstance(x, pure) for x in walk(value))


@dataclass
class _Reader(Walker):
    defs: dict[str, e.Expr]
    known: Mapping[str, Function]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        return (self.descend(st, facts),)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        x = map_children(x, lambda c: self.expr(c, facts))
        if isinstance(x, e.Binary) and x.op == "!=":
            found = _tested(x)
            if found is not None:
                made = self.bit(found[0], found[1], facts)
                return made if made is not None else x
        return x

    def bit(self, m: e.Expr, i: e.Expr, facts: Facts) -> e.Expr | None:
        """Whether bit `i` of `m` is set; None where there is no plainer way to say it."""
        width = m.type.bits if isinstance(m.type, Scalar) else 0
        at = facts.poly(i)
        if not (facts.nonneg(at) and facts.nonneg(-at + (width - 1))):
            return None
        m = self._through(m, facts, at)
        if isinstance(m, e.Var) and m.name in self.defs:
            return self.bit(self.defs[m.name], i, facts)
        if isinstance(m, e.Const):
            return _constant_bit(int(m.value), i, facts)
        if isinstance(m, e.Call):
            value = valued(m, self.known)
            return self.bit(value, i, facts) if _is_pure(value) else None
        if isinstance(m, e.Unary) and m.op == "~":
            inner = self.bit(m.x, i, facts)
            return negated(inner) if inner is not None else None
        if isinstance(m, e.Select):
            return self._chosen(m, i, facts)
        return self._operation(m, i, facts) if isinstance(m, e.Binary) else None

    def _through(self, m: e.Expr, facts: Facts, at: object) -> e.Expr:
        """Below conversions that keep the bit."""
        while isinstance(m, e.Cast) and is_int(m.x.type):
            m = m.x
        return m

    def _chosen(self, m: e.Select, i: e.Expr, facts: Facts) -> e.Expr | None:
        a, b = self.bit(m.a, i, facts), self.bit(m.b, i, facts)
        if a is None or b is None:
            return None
        # `r >= 16 ? all : i < r`, asked of a bit below 16; `r <= 0 ? none : i < r`
        for known, some, when in ((a, b, True), (b, a, False)):
            below = isinstance(some, e.Binary) and some.op == "<"
            if isinstance(known, e.Const) and below:
                said = facts.with_cond(m.cond, when).decide(some)
                if said is bool(known.value):
                    return some
        return e.Select(m.cond, a, b, BOOL)

    def _operation(self, m: e.Binary, i: e.Expr, facts: Facts) -> e.Expr | None:
        if m.op in ("&", "|"):
            a, b = self.bit(m.a, i, facts), self.bit(m.b, i, facts)
            if a is None or b is None:
                return None
            return e.Binary("&&" if m.op == "&" else "||", a, b, BOOL)
        if m.op == "-" and _one(m.b) and isinstance(_uncast(m.a), e.Binary):
            power = _uncast(m.a)
            assert isinstance(power, e.Binary)
            if power.op == "<<" and _one(power.a):
                return _below(i, power.b)
        if m.op == ">>" and isinstance(_uncast(m.a), e.Const):
            ones = int(_uncast(m.a).value)  # type: ignore[attr-defined]
            bits = (ones & ((1 << m.a.type.bits) - 1)).bit_length()  # type: ignore[attr-defined]
            unsigned = not m.a.type.is_signed or ones >= 0  # type: ignore[attr-defined]
            if unsigned and ones & ((1 << bits) - 1) == (1 << bits) - 1:
                rest = e.Binary("-", e.Const(bits, m.b.type), m.b, m.b.type)
                return _below(i, _difference(rest))
        return None


def _difference(x: e.Binary) -> e.Expr:
    """`c - (c - y)` is `y`."""
    inner = x.b
    if isinstance(inner, e.Binary) and inner.op == "-" and inner.a == x.a:
        return inner.b
    return x


def _one(x: e.Expr) -> bool:
    x = _uncast(x)
    return isinstance(x, e.Const) and x.value == 1


def _below(i: e.Expr, r: e.Expr) -> e.Expr:
    """`i < r` for the count of a shift, which is not negative."""
    r = _signed_inside(r)
    t = r.type
    assert isinstance(t, Scalar)
    return e.Binary("<", i if i.type == t else e.Cast(i, t), r, BOOL)


def _signed_inside(r: e.Expr) -> e.Expr:
    """The count before it was made unsigned: the shift says that it is in range."""
    inner = _uncast(r)
    types = (inner.type, r.type)
    same = all(isinstance(t, Scalar) for t in types) and 32 <= inner.type.bits <= r.type.bits  # type: ignore[attr-defined]
    return inner if same else r


def _constant_bit(value: int, i: e.Expr, facts: Facts) -> e.Expr | None:
    at = facts.poly(i)
    lo, hi = facts.interval(at)
    bits = [value >> k & 1 for k in range(int(lo), min(int(hi), 63) + 1)]
    if all(bits):
        return e.Const(True, BOOL)
    if not any(bits):
        return e.Const(False, BOOL)
    ones = bits.index(0) if 0 in bits else len(bits)
    if lo == 0 and not any(bits[ones:]):
        return e.Binary("<", i, e.Const(ones, i.type), BOOL)
    return None


# -- masks that loops pack ----------------------------------------------------------------


@dataclass
class _Packed:
    """The masks of one function that are only packed, combined, moved and tested."""

    masks: dict[str, Scalar] = field(default_factory=dict)


def _unpacked(f: Function) -> Function:
    """`f` with arrays of conditions for its packed masks."""
    found = _packs(f.body)
    if not found:
        return f
    names = set(found)
    while True:
        bad = {n for n in names if not _only_tested(f.body, n, names)}
        if not bad:
            break
        names -= bad
    if not names:
        return f
    taken = {p.name for p in f.params} | names_in(f.body)
    return f.with_body(_rewritten(f.body, {n: found[n] for n in names}, taken))


def _asked_apart(f: Function, mutable: frozenset[str]) -> Function:
    """`f` where each mask in a combination that a packed one is part of is tested by itself.

    The combination may have a name, where neither it nor what it is made of changes.
    """
    packed = set(_packs(f.body))
    named = {
        v.name: value for v, value in _values(f.body)
        if not mutable & {v.name, *names_in(value)} and names_in(value) & packed
        and isinstance(_uncast(value), (e.Binary, e.Unary)) and v.name not in packed
    }  # fmt: skip

    def apart(m: e.Expr, i: e.Expr) -> e.Expr:
        inner = _uncast(m)
        if isinstance(inner, e.Unary) and inner.op == "~":
            return e.Unary("!", apart(inner.x, i), BOOL)
        if isinstance(inner, e.Binary) and inner.op in _LOGIC:
            a, b = apart(inner.a, i), apart(inner.b, i)
            return e.Binary(_LOGIC[inner.op], a, b, BOOL)  # type: ignore[arg-type]
        return _test(inner, i)

    def split(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Binary) and x.op == "==" and _tested(x) is not None:
            return e.Unary("!", split(replace(x, op="!=")), BOOL)
        found = _tested(x) if isinstance(x, e.Binary) and x.op == "!=" else None
        mask = found[0] if found is not None else None
        mask = named.get(mask.name, mask) if isinstance(mask, e.Var) else mask
        if found is None or mask is None or not names_in(mask) & packed - {*_name_of(mask)}:
            return x
        return apart(mask, found[1])

    return f.with_body(rewrite_exprs(f.body, split)) if packed else f


def _name_of(x: e.Expr) -> tuple[str, ...]:
    return (x.name,) if isinstance(x, e.Var) else ()


_LOGIC = {"&": "&&", "|": "||", "^": "!="}


def _test(m: e.Expr, i: e.Expr) -> e.Expr:
    low = e.Binary("&", e.Binary(">>", m, i, m.type), e.Const(1, m.type), m.type)
    return e.Binary("!=", low, e.Const(0, m.type), BOOL)


def _packs(body: s.Body) -> dict[str, Scalar]:
    """Masks that some loop packs, and masks made of such."""
    out: dict[str, Scalar] = {}
    for n in walk(body):
        if isinstance(n, s.For) and (hit := _pack_loop(n)) is not None:
            assert isinstance(hit[0].type, Scalar)
            out[hit[0].name] = hit[0].type
    changed = True
    while changed:
        changed = False
        for v, value in _values(body):
            if v.name in out or not isinstance(v.type, Scalar) or not is_int(v.type):
                continue
            if _combined(value, set(out)) and names_in(value) & set(out):
                out[v.name], changed = v.type, True
    return out


def _values(body: s.Body) -> Iterator[tuple[e.Var, e.Expr]]:
    for n in walk(body):
        if isinstance(n, s.Decl) and n.init is not None:
            yield n.var, n.init
        elif isinstance(n, s.Assign) and isinstance(n.target, e.Var) and not n.op:
            yield n.target, n.value


def _combined(x: e.Expr, masks: set[str]) -> bool:
    """Whether `x` is made of masks and constants bit by bit."""
    if isinstance(x, e.Cast):
        return is_int(x.x.type) and _combined(x.x, masks)
    if isinstance(x, e.Binary) and x.op in ("&", "|", "^"):
        return _combined(x.a, masks) and _combined(x.b, masks)
    if isinstance(x, e.Unary) and x.op == "~":
        return _combined(x.x, masks)
    return isinstance(x, e.Const) or (isinstance(x, e.Var) and x.name in masks)


def _pack_loop(n: s.For) -> tuple[e.Var, e.Expr] | None:
    """(mask, condition) of `for i { mask = mask | (T(cond) << i); }`."""
    if len(n.body) != 1 or not isinstance(n.body[0], s.Assign):
        return None
    st = n.body[0]
    if not isinstance(st.target, e.Var) or not is_int(st.target.type):
        return None
    value = _uncast(st.value)
    if st.op == "|":
        new = value
    elif not st.op and isinstance(value, e.Binary) and value.op == "|":
        if _uncast(value.a) != st.target:
            return None
        new = _uncast(value.b)
    else:
        return None
    if not (isinstance(new, e.Binary) and new.op == "<<" and new.b == n.var):
        return None
    cond = _uncast(new.a)
    if isinstance(cond, e.Select) and _one(cond.a) and isinstance(cond.b, e.Const):
        cond = cond.cond if cond.b.value == 0 else cond
    return (st.target, cond) if cond.type == BOOL else None


def _only_tested(body: s.Body, name: str, masks: set[str]) -> bool:
    """Whether every use of the mask is a test, a pack or a move into another mask."""
    uses = sum(1 for n in walk(body) if isinstance(n, e.Var) and n.name == name)
    good = 0
    for n in walk(body):
        if isinstance(n, e.Binary) and n.op == "!=" and (t := _tested(n)) is not None:
            good += isinstance(t[0], e.Var) and t[0].name == name
        elif isinstance(n, s.For) and (hit := _pack_loop(n)) is not None:
            good += 2 * (hit[0].name == name)  # target and old value
            if isinstance(n.body[0], s.Assign) and n.body[0].op:
                good -= hit[0].name == name
    for v, value in _values(body):
        if v.name in masks and _combined(value, masks):
            good += v.name == name
            good += sum(1 for n in walk(value) if isinstance(n, e.Var) and n.name == name)
    plain = sum(
        1 for n in walk(body)
        if isinstance(n, s.Decl) and n.init is None and n.var.name == name
    )  # fmt: skip
    return good + plain == uses


def _rewritten(body: s.Body, masks: dict[str, Scalar], taken: set[str]) -> s.Body:
    def array(v: e.Var) -> e.Var:
        return e.Var(v.name, Array(BOOL, masks[v.name].bits))

    def bit(x: e.Expr, i: e.Expr) -> e.Expr:
        if isinstance(x, e.Cast):
            return bit(x.x, i)
        if isinstance(x, e.Unary):
            return negated(bit(x.x, i))
        if isinstance(x, e.Binary):
            return e.Binary(_LOGIC[x.op], bit(x.a, i), bit(x.b, i), BOOL)  # type: ignore[arg-type]
        if isinstance(x, e.Var):
            return e.Index(array(x), i, BOOL)
        assert isinstance(x, e.Const)
        value = int(x.value)
        if value in (0, -1):
            return e.Const(bool(value), BOOL)
        return _test(x, i)

    def filled(v: e.Var, value: e.Expr, st: s.Stmt) -> s.For:
        i = e.Var(fresh_name("l", taken), I32)
        put = s.Assign(e.Index(array(v), i, BOOL), bit(value, i))
        size = masks[v.name].bits
        return s.For(
            i, e.Const(0, I32), e.Const(size, I32), e.Const(1, I32), (put,), kind="parallel",
            loc=st.loc,
        )  # fmt: skip

    def test(x: e.Expr) -> e.Expr:
        found = _tested(x) if isinstance(x, e.Binary) and x.op == "!=" else None
        if found is not None and isinstance(found[0], e.Var) and found[0].name in masks:
            return e.Index(array(found[0]), found[1], BOOL)
        return x

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, s.For) and (hit := _pack_loop(st)) is not None and hit[0].name in masks:
            put = s.Assign(e.Index(array(hit[0]), st.var, BOOL), hit[1])
            return replace(st, body=(put,), kind="parallel")
        if isinstance(st, s.Decl) and st.var.name in masks:
            plain = replace(st, var=array(st.var), init=None, const=False)
            return (plain, filled(st.var, st.init, st)) if st.init is not None else plain
        if isinstance(st, s.Assign) and isinstance(st.target, e.Var) and st.target.name in masks:
            if _is_pack(st):
                return st
            return filled(st.target, st.value, st)
        return st

    def _is_pack(st: s.Assign) -> bool:
        value = _uncast(st.value)
        return st.op == "|" or (
            isinstance(value, e.Binary) and value.op == "|" and _uncast(value.a) == st.target
            and isinstance(_uncast(value.b), e.Binary) and _uncast(value.b).op == "<<"  # type: ignore[attr-defined]
        )  # fmt: skip

    new: s.Body = rewrite_exprs(body, test)
    done: s.Body = rewrite_stmts(new, one)
    return done
