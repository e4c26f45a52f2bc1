"""Runs statements on elements whose values are unknown but for which of them are combined how.

A tree reduction, a butterfly of shuffles or the second stage of a block's reduction has constant
trip counts and constant subscripts: executed step by step, every element ends as a known
combination (`Mix`) of the elements there were at the start.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xpiler.analysis.effects import root
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import map_children
from xpiler.ir.types import BF16, F16, Array, Scalar
from xpiler.passes.cleanup.fold import convert, fold_binary

LARGEST = 1024
"""Elements of the largest array that is followed."""
MOST_STEPS = 40_000
MOST_STORES = 4
IDEMPOTENT = ("max", "min", "&", "|")
OPERATIONS = ("+", "*", "^", *IDEMPOTENT)
ROUNDED = ("+", "*")

Leaf = tuple[str, int]


class Opaque(Exception):
    """The statement does more than combine elements at places that are known."""


@dataclass(frozen=True)
class Mix:
    """Elements (array, subscript) combined by `op`, each as often as `count` says; "": just one."""

    op: str
    leaves: frozenset[tuple[Leaf, int]]

    @property
    def names(self) -> frozenset[Leaf]:
        return frozenset(leaf for leaf, _ in self.leaves)


Value = e.Const | Mix


@dataclass(frozen=True)
class Store:
    """A store to other memory that is made just once: `target op= value`, known parts filled in.

    Variables in `parts` stand for combinations of elements.
    """

    target: e.Expr
    value: e.Expr
    op: str
    parts: tuple[tuple[str, Mix], ...]


@dataclass
class State:
    """What scalars and elements hold; elements that are not listed hold what they did at first.

    `blank`: arrays declared here, whose elements hold nothing yet.
    """

    scalars: dict[str, Value] = field(default_factory=dict)
    arrays: dict[str, dict[int, Value]] = field(default_factory=dict)
    blank: set[str] = field(default_factory=set)
    stores: list[Store] = field(default_factory=list)

    def copy(self) -> State:
        arrays = {name: dict(items) for name, items in self.arrays.items()}
        return State(dict(self.scalars), arrays, set(self.blank), list(self.stores))


class Machine:
    """Executes statements on a `State`.

    `arrays` are those that nothing else can reach; of `local` variables no value may be asked for
    that is not known, as the statements that gave it to them will be gone.
    """

    def __init__(
        self, arrays: frozenset[str], local: frozenset[str], budget: int = MOST_STEPS
    ) -> None:
        self.followed = arrays
        self.local = local
        self.state = State()
        self.budget = budget

    def run(self, st: s.Stmt) -> bool:
        """Execute `st`; if that is not possible, nothing happens and False is returned."""
        before = self.state.copy()
        try:
            self._stmt(st)
        except Opaque:
            self.state = before
            return False
        return True

    # -- statements -------------------------------------------------------------------------------

    def _stmt(self, st: s.Stmt) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise Opaque
        if isinstance(st, s.Decl):
            self._declare(st)
        elif isinstance(st, s.Assign):
            self._assign(st)
        elif isinstance(st, s.If):
            self._body(st.then if self._known(st.cond) else st.orelse)
        elif isinstance(st, s.Scope):
            self._body(st.body)
        elif isinstance(st, s.For):
            self._for(st)
        elif isinstance(st, s.While):
            self._while(st)
        else:
            raise Opaque

    def _body(self, body: s.Body) -> None:
        for st in body:
            self._stmt(st)

    def _declare(self, st: s.Decl) -> None:
        if isinstance(st.var.type, Array):
            if st.var.name not in self.followed or st.init is not None:
                raise Opaque
            self.state.arrays[st.var.name] = {}
            self.state.blank.add(st.var.name)
        elif st.init is not None:
            self.state.scalars[st.var.name] = self.value(st.init)
        else:
            self.state.scalars.pop(st.var.name, None)

    def _assign(self, st: s.Assign) -> None:
        if isinstance(st.target, e.Index) and root(st.target) not in self.followed:
            return self._store(st)
        value = self.value(st.value)
        if st.op:
            value = self._binary(st.op, self.value(st.target), value, st.target.type)
        if isinstance(st.target, e.Var) and isinstance(st.target.type, Scalar):
            self.state.scalars[st.target.name] = value
        else:
            name, k = self._place(st.target)
            self.state.arrays.setdefault(name, {})[k] = value

    def _store(self, st: s.Assign) -> None:
        """Keep a store to memory that is not followed for afterwards."""
        if len(self.state.stores) >= MOST_STORES or not isinstance(st.target, e.Index):
            raise Opaque
        parts: dict[str, Mix] = {}
        target = self._filled(st.target, parts)
        self.state.stores.append(
            Store(target, self._filled(st.value, parts), st.op, tuple(parts.items()))
        )

    def _filled(self, x: e.Expr, parts: dict[str, Mix]) -> e.Expr:
        """`x` with what is known in it filled in."""
        try:
            value = self.value(x)
        except Opaque:
            return self._filled_parts(x, parts)
        if isinstance(value, e.Const):
            return value
        name = f"%{len(self.state.stores)}.{len(parts)}"
        parts[name] = value
        return e.Var(name, x.type)

    def _filled_parts(self, x: e.Expr, parts: dict[str, Mix]) -> e.Expr:
        if isinstance(x, e.Var):
            if x.name in self.followed or x.name in self.local:
                raise Opaque  # its value is lost
            return x
        if isinstance(x, e.Call) and x.func not in math_functions():
            raise Opaque
        if isinstance(x, e.AddressOf):
            raise Opaque
        out: e.Expr = map_children(x, lambda c: self._filled(c, parts))
        return out

    def _for(self, st: s.For) -> None:
        lo, hi, step = (self._known(x) for x in (st.lo, st.hi, st.step))
        if step <= 0:
            raise Opaque
        for k in range(lo, hi, step):
            self.state.scalars[st.var.name] = e.Const(k, st.var.type)
            self._body(st.body)
        self.state.scalars.pop(st.var.name, None)

    def _while(self, st: s.While) -> None:
        if st.do:
            self._body(st.body)
            self._body(st.step)
        while self._known(st.cond):
            self._body(st.body)
            self._body(st.step)

    # -- expressions ------------------------------------------------------------------------------

    def _known(self, x: e.Expr) -> int:
        """The value of an integer that is known."""
        value = self.value(x)
        if not isinstance(value, e.Const) or not _is_integer(value):
            raise Opaque
        return int(value.value)

    def _place(self, x: e.Expr) -> Leaf:
        if not isinstance(x, e.Index) or not isinstance(x.base, e.Var):
            raise Opaque
        t = x.base.type
        if x.base.name not in self.followed or not isinstance(t, Array) or t.size is None:
            raise Opaque
        k = self._known(x.index)
        if not 0 <= k < t.size:
            raise Opaque
        return x.base.name, k

    def value(self, x: e.Expr) -> Value:
        """What `x` is here. Raises Opaque."""
        self.budget -= 1
        if self.budget < 0:
            raise Opaque
        if isinstance(x, e.Const):
            return x
        if isinstance(x, e.Var) and x.name in self.state.scalars:
            return self.state.scalars[x.name]
        if isinstance(x, e.Index):
            return self._element(x)
        if isinstance(x, e.Select):
            return self.value(x.a if self._known(x.cond) else x.b)
        if isinstance(x, e.Cast):
            return self._cast(x)
        if isinstance(x, e.Unary) and x.op in ("-", "!"):
            return self._unary(x)
        if isinstance(x, e.Binary):
            return self._operation(x)
        if isinstance(x, e.Call) and x.func in ("max", "min") and len(x.args) == 2:
            return self._binary(x.func, self.value(x.args[0]), self.value(x.args[1]), x.type)
        raise Opaque

    def _element(self, x: e.Index) -> Value:
        name, k = self._place(x)
        found = self.state.arrays.get(name, {}).get(k)
        if found is None and name in self.state.blank:
            raise Opaque
        return found or Mix("", frozenset({((name, k), 1)}))

    def _cast(self, x: e.Cast) -> Value:
        value = self.value(x.x)
        if isinstance(value, Mix):
            if x.type != x.x.type:
                raise Opaque
            return value
        out = convert(value, x.type) if x.type != value.type else value
        if out is None:
            raise Opaque
        return out

    def _unary(self, x: e.Unary) -> Value:
        value = self.value(x.x)
        if not isinstance(value, e.Const) or (x.op == "!" and not _is_integer(value)):
            raise Opaque
        return e.Const(-value.value if x.op == "-" else not value.value, x.type)

    def _operation(self, x: e.Binary) -> Value:
        if x.op in e.LOGICAL:
            a = bool(self._known(x.a))
            if a == (x.op == "||"):
                return e.Const(a, x.type)
            return e.Const(bool(self._known(x.b)), x.type)
        return self._binary(x.op, self.value(x.a), self.value(x.b), x.type)

    def _binary(self, op: str, a: Value, b: Value, t: object) -> Value:
        if isinstance(a, e.Const) and isinstance(b, e.Const):
            return _folded(op, a, b, t)
        if op not in OPERATIONS or not isinstance(t, Scalar) or (op in ROUNDED and t in _NARROW):
            raise Opaque
        for x, y in ((a, b), (b, a)):
            if isinstance(x, e.Const) and isinstance(y, Mix):
                if not neutral(op, x):
                    raise Opaque
                return y
        assert isinstance(a, Mix)
        assert isinstance(b, Mix)
        return _mixed(op, a, b)


_NARROW = (F16, BF16)


def _is_integer(x: e.Const) -> bool:
    return isinstance(x.type, Scalar) and x.type.is_integer


def _folded(op: str, a: e.Const, b: e.Const, t: object) -> e.Const:
    if op in OPERATIONS and a.type == b.type == t and neutral(op, a):
        return b
    if not (_is_integer(a) and _is_integer(b)) or not isinstance(t, Scalar):
        raise Opaque
    if op in ("max", "min"):
        return e.Const((max if op == "max" else min)(int(a.value), int(b.value)), t)
    out = fold_binary(op, int(a.value), int(b.value), a.type, t)
    if out is None:
        raise Opaque
    return out


def _mixed(op: str, a: Mix, b: Mix) -> Mix:
    if a.op not in ("", op) or b.op not in ("", op):
        raise Opaque
    if op in IDEMPOTENT:
        return Mix(op, frozenset((leaf, 1) for leaf in a.names | b.names))
    counts = Counter(dict(a.leaves))
    counts.update(dict(b.leaves))
    return Mix(op, frozenset(counts.items()))


def is_neutral(op: str, x: e.Expr) -> bool:
    """As `neutral`, for an expression that may be a constant."""
    if isinstance(x, e.Unary) and x.op == "-" and isinstance(x.x, e.Const):
        x = e.Const(-x.x.value, x.type)
    return isinstance(x, e.Const) and neutral(op, x)


def neutral(op: str, x: e.Const) -> bool:
    """Whether combining with `x` changes nothing (but the sign of a zero)."""
    if op in ("+", "|", "^"):
        return x.value == 0
    if op == "*":
        return x.value == 1
    worst = identity(op, x.type)
    while isinstance(worst, e.Unary):
        x, worst = e.Const(-x.value, x.type), worst.x
    return isinstance(worst, e.Const) and x.value == worst.value


def identity(op: str, t: object) -> e.Expr | None:
    """The value that changes nothing when `op` combines it with another of scalar type `t`."""
    if not isinstance(t, Scalar):
        return None
    if op in ("+", "|", "^", "*"):
        value = 1 if op == "*" else 0
        return e.Const(float(value) if t.is_float else value, t)
    if t.is_float:
        infinity = e.Const(float("inf"), t, "INFINITY")
        extremes = {"min": infinity, "max": e.Unary("-", infinity, t)}
        return extremes.get(op)
    bits = t.bits
    top = (1 << (bits - 1)) - 1 if t.is_signed else (1 << bits) - 1
    low = -top - 1 if t.is_signed else 0
    if op == "&":
        return e.Const(-1 if t.is_signed else top, t)
    return e.Const(low if op == "max" else top, t)
