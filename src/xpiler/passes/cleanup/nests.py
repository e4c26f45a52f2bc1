"""Perfect nests of parallel loops, and the exchange of two loop variables for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.affine import known_to_fit
from xpiler.analysis.effects import assigned, names_in, of_body, stored
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import AtomInfo, Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import map_children, walk
from xpiler.ir.types import BOOL, Scalar, Type
from xpiler.passes.cleanup.base import Walker, after


@dataclass(frozen=True)
class Nest:
    """Parallel loops each of which holds the next one, and what the innermost does.

    `before` are declarations found between them that could stand in front of all loops; those that
    use a loop's variable, and conditions, have joined the body (each thread asks for itself).
    """

    loops: list[s.For]
    before: s.Body
    body: s.Body


@dataclass
class _Way:
    """What was met on the way inwards: loops, and declarations and conditions in order."""

    loops: list[s.For]
    names: set[str]
    before: list[s.Stmt]
    sunk: list[s.Stmt]

    def declare(self, d: s.Stmt) -> None:
        depends = bool(of_body((d,)).reads & self.names)
        asked = any(isinstance(x, s.If) for x in self.sunk)
        stays = depends or asked or not (isinstance(d, s.Decl) and d.init and plain(d.init))
        (self.sunk if stays else self.before).append(d)
        self.names |= stored((d,)) if stays else set()


def chain(loop: s.For) -> Nest:
    """The nest that starts with `loop`."""
    way = _Way([loop], {loop.var.name}, [], [])
    best = Nest([loop], (), loop.body)
    body = loop.body
    while body:
        *decls, last = body
        if not all(isinstance(d, s.Decl) and movable(d, loop.body) for d in decls):
            break
        for d in decls:
            way.declare(d)
        if isinstance(last, s.If) and not last.orelse and simple(last.cond, loop.body):
            way.sunk.append(last)
            body = last.then
            continue
        if not isinstance(last, s.For) or last.kind != "parallel":
            break
        if names_in((last.lo, last.hi, last.step)) & way.names:
            break
        way.loops.append(last)
        way.names.add(last.var.name)
        body = last.body
        best = Nest(list(way.loops), tuple(way.before), wrapped(way.sunk, body))
    return best


def wrapped(sunk: list[s.Stmt], body: s.Body) -> s.Body:
    """`body` behind the declarations and conditions that were met before it."""
    for st in reversed(sunk):
        body = (replace(st, then=body),) if isinstance(st, s.If) else (st, *body)
    return body


def simple(cond: e.Expr, body: s.Body) -> bool:
    """Whether a condition may be asked by each thread for itself: nothing in `body` changes it."""
    return plain(cond) and not names_in(cond) & assigned(body)


def movable(d: s.Decl, body: s.Body) -> bool:
    """Whether each thread may compute the declaration for itself: arithmetic on fixed values."""
    if d.init is None or d.var.name in assigned(body) or names_in(d.init) & assigned(body):
        return False
    return all(_arithmetic(n) for n in walk(d.init))


def _arithmetic(n: object) -> bool:
    if isinstance(n, e.Call):
        return n.func in ("min", "max")
    return isinstance(n, (e.Const, e.Var, e.Cast, e.Unary, e.Binary, e.Select))


def plain(x: e.Expr) -> bool:
    """Arithmetic that may be computed anywhere: no memory, calls or division."""
    return all(
        isinstance(n, (e.Const, e.Var, e.Cast, e.Unary))
        or (isinstance(n, e.Binary) and n.op not in ("/", "%"))
        or (isinstance(n, e.Binary) and isinstance(n.b, e.Const) and n.b.value != 0)
        for n in walk(x)
    )


def rebuilt(loops: list[s.For], body: s.Body) -> s.Body:
    """The nest of `loops` around `body`."""
    for loop in reversed(loops):
        body = (replace(loop, body=body),)
    return body


def from_zero(loop: s.For) -> bool:
    ints = isinstance(loop.lo, e.Const) and isinstance(loop.step, e.Const)
    return ints and loop.lo.value == 0 and loop.step.value == 1  # type: ignore[attr-defined]


class Elsewhere(Exception):
    """The block or thread variable occurs in another form."""


def decl_comments(body: s.Body, var: e.Var) -> tuple[str, ...]:
    """What the user wrote above the declaration of `var`."""
    found = [n.comments for n in walk(body) if isinstance(n, s.Decl) and n.var == var]
    return found[0] if found else ()


@dataclass
class Merger(Walker):
    """Replaces block * size + thread by one variable; raises `Elsewhere` where that fails."""

    block: str
    thread: str
    whole: Poly
    var: e.Var
    users: e.Var | None

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.Decl) and self.users is not None and st.var == self.users:
            return ()
        return (self.descend(st, facts),)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        """Facts are learnt from the old statements, which still speak of block and thread."""
        out: list[s.Stmt] = []
        for st in body:
            out.extend(self.stmt(st, facts))
            facts = after(st, facts)
        return tuple(out)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        if not names_in(x) & {self.block, self.thread}:
            return x
        if is_int(x.type) and not isinstance(x, e.Index):
            p = facts.poly(x)
            if p == self.whole:
                return self.var if x.type == self.var.type else e.Cast(self.var, x.type)
        if isinstance(x, e.Var):
            raise Elsewhere
        try:
            return map_children(x, lambda c: self.expr(c, facts))
        except Elsewhere:
            return self._regrouped(x) or self._in_new_terms(x, facts)

    def _regrouped(self, x: e.Expr) -> e.Expr | None:
        """`a + o + i` as `a + j`: unsigned sums may be taken in any order, as they wrap alike."""
        if not isinstance(x, e.Binary) or x.op != "+" or not wraps(x.type):
            return None
        if self.whole != atom(self.block) + atom(self.thread):
            return None
        terms = list(_terms(x, x.type))
        rest = [t for t in terms if not names_in(t) & {self.block, self.thread}]
        gone = {_bare(t) for t in terms if t not in rest}
        if len(rest) != len(terms) - 2 or gone != {self.block, self.thread}:
            return None
        out: e.Expr | None = None
        for t in (*rest, self.var):
            same = t if t.type == x.type else e.Cast(t, x.type)
            out = same if out is None else e.Binary("+", out, same, x.type)
        return out

    def _in_new_terms(self, x: e.Expr, facts: Facts) -> e.Expr:
        if not is_int(x.type):
            raise Elsewhere
        parts = facts.poly(x).split(self.thread)
        if parts is None:
            raise Elsewhere
        c, _ = parts
        p = facts.poly(x) - c * self.whole + c * atom(self.var.name)
        new = known_to_fit(facts, p, x.type)
        if new is None or names_in(new) & {self.block, self.thread}:
            raise Elsewhere
        return new


def wraps(t: object) -> bool:
    """Whether sums in this type are taken modulo a power of two."""
    return isinstance(t, Scalar) and t.is_integer and not t.is_signed and t != BOOL


def _terms(x: e.Expr, t: Type) -> Iterator[e.Expr]:
    """What is added up modulo the range of `t`.

    A conversion of a sum is the sum of the conversions: a signed sum does not overflow, and one
    that wraps in a type at least as wide as `t` wraps alike.
    """
    if isinstance(x, e.Binary) and x.op == "+" and (x.type == t or _adds_alike(x.type, t)):
        yield from _terms(x.a, t)
        yield from _terms(x.b, t)
    elif isinstance(x, e.Cast) and x.type == t and _adds_alike(x.x.type, t):
        yield from _terms(x.x, t)
    else:
        yield x


def _adds_alike(inner: Type, outer: Type) -> bool:
    if not isinstance(inner, Scalar) or not isinstance(outer, Scalar) or not inner.is_integer:
        return False
    return inner != BOOL and (inner.is_signed or inner.bits >= outer.bits)


def _bare(x: e.Expr) -> str:
    while isinstance(x, e.Cast):
        x = x.x
    return x.name if isinstance(x, e.Var) else ""


def stand_in(var: e.Var, facts: Facts, end: int) -> e.Var:
    """A variable in [0, end) that stands for a new loop's while old ones are still around."""
    out = e.Var(f"{var.name}'", var.type)
    facts.atoms[out.name] = AtomInfo(0, end - 1, out)
    return out
