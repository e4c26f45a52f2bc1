"""Tree reductions over an array of the function's own become one loop over its elements.

Shuffles and halvings have constant bounds, so they are run here, with the elements as unknowns:
where what is left is one sum (or maximum) of all elements, a loop says so. Nothing else may be read
later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import Walker
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import F32, F64, I32, Array, Scalar
from xpiler.passes.lowering.vector.contractions import REORDERED

MOST_STEPS = 20_000
SIZES = range(16, 1025)

Leaf = tuple[str, int]


class Unclear(Exception):
    """Something that does not only combine elements of the function's own arrays."""


@dataclass(frozen=True)
class Mix:
    """Elements combined by `op` ("" for one alone), and how often each takes part."""

    op: str
    parts: frozenset[tuple[Leaf, int]]


@dataclass
class Trees(Walker):
    """Rewrites a function; `taken` are its names."""

    taken: set[str]
    assumed: set[str] = field(default_factory=set)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        arrays = {x.var.name: x.var for x in body if isinstance(x, s.Decl) and _is_own(x)}
        out: list[s.Stmt] = []
        for k, st in enumerate(body):
            counters = _counters(body, k) if arrays else {}
            new = self._reduced(st, arrays, body[k + 1 :], counters) if arrays else None
            if new is None:
                out.append(st)
                continue
            out = [x for x in out if not isinstance(x, s.Decl) or x.var.name not in counters]
            out.extend(new)
        return super().body(tuple(out), facts)

    def _reduced(
        self, st: s.Stmt, arrays: dict[str, e.Var], later: s.Body, counters: dict[str, int]
    ) -> s.Body | None:
        if not isinstance(st, (s.For, s.While, s.Scope)) or not names_in((st,)) & set(arrays):
            return None
        run = Run({k: [_leaf(k, i) for i in range(_size(v))] for k, v in arrays.items()})
        run.values |= counters
        try:
            run.stmt(st)
        except Unclear:
            return None
        found = [(v, m) for v in arrays.values() if (m := _whole(run.arrays[v.name], v))]
        if len(found) != 1 or not run.written:
            return None
        v, everywhere = found[0][0], found[0][1].every
        for name in run.written:
            if not _unread(arrays[name], later, first=name == v.name, every=everywhere):
                return None
        return self._loop(v, found[0][1].op, everywhere, st)

    def _loop(self, v: e.Var, op: str, everywhere: bool, st: s.Stmt) -> s.Body:
        t, elem = v.type.elem, v.type.elem  # type: ignore[attr-defined]
        first = e.Index(v, e.Const(0, I32), elem)
        total = e.Var(fresh_name(f"{v.name.split('.')[0]}_all", self.taken), t)
        i = e.Var(fresh_name("i", self.taken), I32)
        mine = e.Index(v, i, elem)
        ends = (e.Const(0, I32), e.Const(_size(v), I32), e.Const(1, I32))
        if op == "+":
            self.assumed.add(REORDERED)
            begin: e.Expr = e.Const(0, t)
            step = s.Assign(total, mine, "+")
        else:
            begin, step = first, s.Assign(total, e.Call(op, (total, mine), t))
        over = s.For(i, *ends, (step,))
        out: list[s.Stmt] = [s.Decl(total, begin, loc=st.loc, comments=st.comments), over]
        if everywhere:
            k = e.Var(fresh_name("i", self.taken), I32)
            out.append(s.For(k, *ends, (s.Assign(e.Index(v, k, elem), total),)))
        else:
            out.append(s.Assign(first, total))
        return tuple(out)


def _counters(body: s.Body, k: int) -> dict[str, int]:
    """The counters of the loop `body[k]`: declared before it, and nothing else uses them."""
    if not isinstance(body[k], s.While):
        return {}
    used = names_in((body[k],))
    found: dict[str, int] = {}
    for at, x in enumerate(body[:k]):
        if isinstance(x, s.Decl) and isinstance(x.init, e.Const) and x.var.name in used:
            others = (*body[:at], *body[at + 1 : k], *body[k + 1 :])
            if isinstance(x.init.value, int) and x.var.name not in names_in(others):
                found[x.var.name] = int(x.init.value)
    return found


@dataclass(frozen=True)
class Found:
    """The operation, and whether every element (not only the first) holds the result."""

    op: str
    every: bool


def _whole(values: list[Mix], v: e.Var) -> Found | None:
    mix, size = values[0], _size(v)
    if not mix.op or {leaf for leaf, _ in mix.parts} != {(v.name, i) for i in range(size)}:
        return None
    if mix.op == "+" and any(n != 1 for _, n in mix.parts):
        return None
    return Found(mix.op, all(x == mix for x in values))


def _unread(v: e.Var, later: s.Body, first: bool, every: bool) -> bool:
    """Whether `later` reads nothing of the array before it is written anew.

    `first`: element 0 may be read; `every`: any element may.
    """
    for st in later:
        if _fills(st, v):
            return True
        if first and every:
            continue
        uses = sum(1 for n in walk(st) if n == v)
        fine = sum(1 for n in walk(st) if first and _is_first(n, v))
        written = any(isinstance(n, s.Assign) and _is_first(n.target, v) for n in walk(st))
        if uses != fine or written:
            return False
    return True


def _is_first(x: object, v: e.Var) -> bool:
    at = x.index if isinstance(x, e.Index) and x.base == v else None
    return isinstance(at, e.Const) and at.value == 0


def _fills(st: s.Stmt, v: e.Var) -> bool:
    """A loop that gives every element a value that has nothing to do with the array."""
    if not isinstance(st, s.For) or not _counts_to(st, _size(v)):
        return False
    for x in st.body:
        if isinstance(x, s.Assign) and x.target == e.Index(v, st.var, x.target.type) and not x.op:
            return v.name not in names_in((s.Eval(e.Call("", (x.value,), x.value.type)),))
        if v.name in names_in((x,)):
            return False
    return False


def _counts_to(st: s.For, size: int) -> bool:
    ends = (st.lo, st.hi, st.step)
    wanted = (0, size, 1)
    return all(isinstance(x, e.Const) and x.value == n for x, n in zip(ends, wanted, strict=True))


def _is_own(st: s.Decl) -> bool:
    t = st.var.type
    return (
        isinstance(t, Array) and t.elem in (F32, F64) and t.size is not None
        and t.size in SIZES and st.space == "local" and st.init is None
    )  # fmt: skip


def _size(v: e.Var) -> int:
    return int(v.type.size or 0)  # type: ignore[attr-defined]


def _leaf(name: str, i: int) -> Mix:
    return Mix("", frozenset({((name, i), 1)}))


# -- running --------------------------------------------------------------------------------------


@dataclass
class Run:
    """Statements with constant control, on elements that are unknown."""

    arrays: dict[str, list[Mix]]
    values: dict[str, int | Mix] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    left: int = MOST_STEPS

    def run(self, body: s.Body) -> None:
        for st in body:
            self.stmt(st)

    def stmt(self, st: s.Stmt) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unclear
        if isinstance(st, s.Decl):
            if not isinstance(st.var.type, Scalar):
                raise Unclear
            self.values.pop(st.var.name, None)
            if st.init is not None:
                self.values[st.var.name] = self.value(st.init)
        elif isinstance(st, s.Assign):
            self._assign(st)
        elif isinstance(st, s.If):
            self.run(st.then if self.number(st.cond) else st.orelse)
        elif isinstance(st, s.Scope):
            self.run(st.body)
        else:
            self._loop(st)

    def _loop(self, st: s.Stmt) -> None:
        if isinstance(st, s.For):
            i, step = self.number(st.lo), self.number(st.step)
            hi = self.number(st.hi)
            while i < hi:
                self.values[st.var.name] = i
                self.run(st.body)
                i += step
        elif isinstance(st, s.While) and not st.do:
            while self.number(st.cond):
                self.run(st.body)
                self.run(st.step)
        else:
            raise Unclear

    def _assign(self, st: s.Assign) -> None:
        whole = e.Binary(st.op, st.target, st.value, st.target.type) if st.op else st.value
        value = self.value(whole)
        if isinstance(st.target, e.Var):
            if st.target.name not in self.values and not isinstance(value, Mix):
                raise Unclear  # a counter from outside
            if isinstance(value, Mix) and st.target.name not in self.values:
                raise Unclear
            self.values[st.target.name] = value
        else:
            name, i = self._place(st.target)
            if not isinstance(value, Mix):
                raise Unclear
            self.arrays[name][i] = value
            self.written.add(name)

    def _place(self, x: e.Expr) -> tuple[str, int]:
        if not isinstance(x, e.Index) or not isinstance(x.base, e.Var):
            raise Unclear
        i = self.number(x.index)
        if x.base.name not in self.arrays or not 0 <= i < len(self.arrays[x.base.name]):
            raise Unclear
        return x.base.name, i

    def number(self, x: e.Expr) -> int:
        found = self.value(x)
        if not isinstance(found, int):
            raise Unclear
        return found

    def value(self, x: e.Expr) -> int | Mix:
        if isinstance(x, e.Const) and isinstance(x.value, int):
            return int(x.value)
        if isinstance(x, e.Var) and x.name in self.values:
            return self.values[x.name]
        if isinstance(x, e.Index):
            name, i = self._place(x)
            return self.arrays[name][i]
        if isinstance(x, e.Select):
            return self.value(x.a if self.number(x.cond) else x.b)
        if isinstance(x, e.Cast):
            return self.value(x.x)
        if isinstance(x, e.Call) and x.func in ("max", "min") and len(x.args) == 2:
            return _mixed(x.func, self.value(x.args[0]), self.value(x.args[1]))
        if isinstance(x, e.Binary):
            return self._binary(x)
        raise Unclear

    def _binary(self, x: e.Binary) -> int | Mix:
        a, b = self.value(x.a), self.value(x.b)
        if isinstance(a, int) and isinstance(b, int):
            return _number(x.op, a, b)
        if x.op != "+":
            raise Unclear
        return _mixed("+", a, b)


def _number(op: str, a: int, b: int) -> int:
    if a < 0 or b < 0 or max(a, b) >= 2**20 or (op in "/%" and not b):
        raise Unclear  # C's own rules for signs and sizes never matter here
    plain = {
        "+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b,
        "<": int(a < b), "<=": int(a <= b), ">": int(a > b), ">=": int(a >= b),
        "==": int(a == b), "!=": int(a != b), "&&": int(bool(a and b)), "||": int(bool(a or b)),
    }  # fmt: skip
    if op in plain:
        found = plain[op]
    elif op in ("<<", ">>") and b < 20:
        found = a << b if op == "<<" else a >> b
    elif op in ("/", "%"):
        found = a // b if op == "/" else a % b
    else:
        raise Unclear
    if found < 0:
        raise Unclear
    return found


def _mixed(op: str, a: int | Mix, b: int | Mix) -> Mix:
    if not isinstance(a, Mix) or not isinstance(b, Mix) or {a.op, b.op} - {"", op}:
        raise Unclear
    total = Counter(dict(a.parts))
    for leaf, n in b.parts:
        total[leaf] = total[leaf] + n if op == "+" else 1
    return Mix(op, frozenset(total.items()))


__all__ = ["Trees"]
