"""What is known about integer expressions at a point of a program: bounds, symbolic and numeric.

`Facts` maps expressions to polynomials over atoms (variables, quotients, values read from memory)
whose value is the expression's real value, wrap-around included: an operation that might wrap
becomes an atom of its own. Signed overflow is undefined in the source, so signed sums, differences
and products never wrap. `nonneg` proves inequalities by replacing atoms by their bounds, the one
declared last first. Every answer is exact or "not known".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from xpiler.analysis.atoms import (
    ARITHMETIC,
    NEGATED,
    UNSIGNED,
    AtomInfo,
    Interval,
    Ledger,
    is_int,
    type_range,
)
from xpiler.analysis.conditions import LARGER, SMALLER, condition_facts
from xpiler.analysis.implied import implied
from xpiler.analysis.poly import ONE, ZERO, Poly, atom, constant
from xpiler.analysis.proofs import rank, search
from xpiler.ir import expr as e
from xpiler.ir.rewrite import walk
from xpiler.ir.text import show
from xpiler.ir.types import BOOL, Type

MAX_STEPS = 36
MAX_DEPTH, MAX_NESTING = 9, 2
SIDE_STEPS, SIDE_DEPTH = 6, 5


@dataclass(frozen=True)
class Facts:
    """Immutable knowledge at a program point; `with_*` give what holds further inside.

    `atoms` and `ledger` are shared by all facts of a function. `mutable` names the variables that
    some statement assigns after their declaration: nothing is remembered about those. `axes` are
    the variables of enclosing parallel loops with their extents, and whatever those depend on.
    `once` are variables that one instruction writes and nothing else; `own` are local variables
    that nobody else can reach.
    `assumed` (shared as well) are polynomials that were assumed to be >= 0.
    """

    mutable: frozenset[str] = frozenset()
    ledger: Ledger = field(default_factory=Ledger)
    atoms: dict[str, AtomInfo] = field(default_factory=dict)
    defs: dict[str, Poly] = field(default_factory=dict)
    known: dict[str, tuple[Poly, ...]] = field(default_factory=dict)
    numeric: dict[str, Interval] = field(default_factory=dict)
    rank: dict[str, float] = field(default_factory=dict)
    axes: dict[str, Poly | None] = field(default_factory=dict)
    assumed: list[Poly] = field(default_factory=list)
    pointers: dict[str, object] = field(default_factory=dict)
    once: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    conds: dict[str, e.Expr] = field(default_factory=dict)
    wide: dict[str, Poly] = field(default_factory=dict)
    _ranges: dict[str, Interval] = field(default_factory=dict)
    _signs: dict[Poly, bool] = field(default_factory=dict)
    _cache: dict[int, tuple[e.Expr, Poly]] = field(default_factory=dict)

    # -- expressions to polynomials ---------------------------------------------------------

    def poly(self, x: e.Expr) -> Poly:
        """The value of an integer expression."""
        hit = self._cache.get(id(x))
        if hit is not None and hit[0] is x:
            return hit[1]
        result = self._poly(x)
        self._cache[id(x)] = (x, result)
        return result

    def _poly(self, x: e.Expr) -> Poly:
        if isinstance(x, e.Const):
            return constant(int(x.value))
        if isinstance(x, e.Var):
            return self._var(x)
        if isinstance(x, e.Cast) and is_int(x.x.type):
            inner = self.poly(x.x)
            return inner if self.fits(inner, x.type) else self._opaque(x)
        if isinstance(x, e.Unary) and x.op == "-" and x.type.is_signed:  # type: ignore[attr-defined]
            return -self.poly(x.x)
        if isinstance(x, e.Binary) and is_int(x.type) and is_int(x.a.type):
            return self._binary(x)
        if isinstance(x, e.Call) and x.func in ("min", "max") and is_int(x.type):
            return self._extreme(x, x.func, *(self.poly(a) for a in x.args))
        if isinstance(x, e.Select) and is_int(x.type):
            func = self._chosen(x)
            return (
                self._extreme(x, func, self.poly(x.a), self.poly(x.b)) if func else self._opaque(x)
            )
        return self._opaque(x)

    def _chosen(self, x: e.Select) -> str:
        """Whether `a < b ? a : b` and its like are the "min" or the "max" of their two values."""
        c = x.cond
        if not isinstance(c, e.Binary) or c.op not in SMALLER | LARGER or not is_int(c.a.type):
            return ""
        pair, values = (self.poly(c.a), self.poly(c.b)), (self.poly(x.a), self.poly(x.b))
        if values not in (pair, pair[::-1]):
            return ""
        return "min" if (c.op in SMALLER) == (values == pair) else "max"

    def _var(self, x: e.Var) -> Poly:
        if x.name in self.defs:
            return self.defs[x.name]
        old = self.atoms.get(x.name)
        if old is None or old.expr is None or old.expr.type != x.type:
            lo, hi = type_range(x.type) or (0, 0)
            self.atoms[x.name] = AtomInfo(lo, hi, x)
        return atom(x.name)

    def _opaque(self, x: e.Expr) -> Poly:
        key = f"<{show(x)}: {x.type}>"
        lo, hi = type_range(x.type) or (-(1 << 70), 1 << 70)
        one_of: tuple[Poly, ...] = ()
        if isinstance(x, e.Select) and is_int(x.type):
            one_of = (self.poly(x.a), self.poly(x.b))
        masks = [int(m.value) for m in (getattr(x, "a", None), getattr(x, "b", None))
                 if isinstance(m, e.Const) and is_int(x.type) and m.value >= 0]  # fmt: skip
        if isinstance(x, e.Binary) and x.op == "&" and masks:
            lo, hi = 0, min(masks)
        if isinstance(x, e.Binary) and x.op in ("^", "|", "&") and is_int(x.type):
            top = self._bit_range(x)
            key, hi = (f"{key}@{top}", min(hi, top)) if top is not None else (key, hi)
            lo = lo if top is None else 0
        self.atoms[key] = AtomInfo(lo, hi, x, one_of=one_of)
        return atom(key)

    def _bit_range(self, x: e.Binary) -> int | None:
        """The largest value that the bits of two non-negative operands can make here."""
        a, b = self.interval(self.poly(x.a)), self.interval(self.poly(x.b))
        if min(a[0], b[0]) < 0:
            return None
        if x.op == "&":
            return min(a[1], b[1])
        return (1 << max(a[1], b[1]).bit_length()) - 1

    def _extreme(self, x: e.Expr, func: str, *args: Poly) -> Poly:
        if len(args) == 2 and self.nonneg(args[0] - args[1]):
            return args[0] if func == "max" else args[1]
        if len(args) == 2 and self.nonneg(args[1] - args[0]):
            return args[1] if func == "max" else args[0]
        lo, hi = type_range(x.type) or (0, 0)
        key = f"<{func}({'; '.join(map(str, args))})>"
        if func == "max":
            self.atoms[key] = AtomInfo(lo, hi, x, max_of=args)
        else:
            self.atoms[key] = AtomInfo(lo, hi, x, min_of=args)
        return atom(key)

    def _binary(self, x: e.Binary) -> Poly:
        a, b = self.poly(x.a), self.poly(x.b)
        signed = x.type.is_signed  # type: ignore[attr-defined]
        if x.op in ("+", "-", "*"):
            r = a + b if x.op == "+" else a - b if x.op == "-" else a * b
            return r if signed or self.fits(r, x.type) else self._opaque(x)
        if x.op in ("/", "%") and signed and b.constant is None:
            whole, rest = a.divided_by(b)  # exact whatever the sign of b, which is not zero
            if whole.terms and not rest.terms:
                return whole if x.op == "/" else ZERO
        if x.op in ("/", "%") and self.positive(b):
            q = self.quotient(a, b, x)
            return q if x.op == "/" else a - b * q
        c = b.constant
        if c is not None and x.op == "<<" and 0 <= c < 64:
            r = a * (1 << c)
            return r if self.fits(r, x.type) else self._opaque(x)
        if c is not None and x.op == ">>" and 0 <= c < 64 and self.nonneg(a):
            return self.quotient(a, constant(1 << c), x)
        if c is not None and x.op == ">>" and 0 <= c < 64:
            return self._floored(a, 1 << c, x)
        if c is not None and x.op == "&" and c >= 0 and c & (c + 1) == 0 and self.nonneg(a):
            return a - self.quotient(a, constant(c + 1), x) * (c + 1)
        return self._opaque(x)

    def _floored(self, a: Poly, d: int, x: e.Binary) -> Poly:
        """a / d, rounded down; where a may be negative, that is no quotient as C has it."""
        q = self._opaque(x)
        (name,) = q.atoms()
        rest = a - q * d
        self.atoms[name] = replace(self.atoms[name], near=(rest, -rest + (d - 1)))
        return q

    def quotient(self, a: Poly, d: Poly, x: e.Binary | None = None) -> Poly:
        """a / d, truncated as C does, for positive d."""
        if d == ONE:
            return a
        ca, cd = a.constant, d.constant
        if ca is not None and cd is not None:
            return constant(abs(ca) // cd * (1 if ca >= 0 else -1))
        whole, rest = a.divided_by(d)
        if whole.terms and not rest.terms:
            return whole
        if whole.terms and self.soon_nonneg(whole) and self.soon_nonneg(rest):
            if self.soon_nonneg(d - 1 - rest):
                return whole
            return whole + self._quotient_atom(rest, d, None)
        kept = self._without_mod(a, d)
        if kept is not None:
            return kept
        if not whole.terms and self.soon_nonneg(a) and self.soon_nonneg(d - 1 - a):
            return ZERO
        return self._quotient_atom(a, d, x)

    def _without_mod(self, a: Poly, d: Poly) -> Poly | None:
        """The quotient where `x % m`, which is x - m*(x/m), stays whole in the remainder."""
        mods = Poly({m: c for m, c in a.terms.items() if c < 0 and self._has_quotient(m)})
        if not mods.terms:
            return None
        whole, rest = (a - mods).divided_by(d)
        rest = rest + mods
        within = self.soon_nonneg(rest) and self.soon_nonneg(d - 1 - rest)
        return whole if within and self.soon_nonneg(whole) else None

    def _has_quotient(self, mono: tuple[str, ...]) -> bool:
        return any(a in self.atoms and self.atoms[a].num is not None for a in mono)

    def _quotient_atom(self, a: Poly, d: Poly, x: e.Binary | None) -> Poly:
        key = f"<({a})/({d})>"
        limits = type_range(x.a.type) if x is not None else None
        lo, hi = limits or (-(1 << 70), 1 << 70)
        old = self.atoms.get(key)
        of = x.type if x is not None else old.of if old is not None else None
        self.atoms[key] = AtomInfo(lo, hi, None, a, d, (lo, hi), of=of)
        return atom(key)

    # -- proving ----------------------------------------------------------------------------

    def fits(self, p: Poly, t: Type) -> bool:
        """Whether the value is in the range of the integer type `t`."""
        limits = type_range(t)
        if limits is None:
            return False
        lo, hi = self.interval(p)
        return (lo >= limits[0] or self.soon_nonneg(p - limits[0])) and (
            hi <= limits[1] or self.soon_nonneg(limits[1] - p)
        )

    def interval(self, p: Poly) -> Interval:
        """Numeric bounds of the value (each atom on its own)."""
        lo = hi = 0
        for mono, c in p.terms.items():
            tlo = thi = c
            for a in mono:
                alo, ahi = self._atom_range(a)
                corners = (tlo * alo, tlo * ahi, thi * alo, thi * ahi)
                tlo, thi = min(corners), max(corners)
            lo, hi = lo + tlo, hi + thi
        return lo, hi

    def _atom_range(self, name: str) -> Interval:
        if name in self.numeric:
            return self.numeric[name]
        if name not in self._ranges:
            self._ranges[name] = (-(1 << 70), 1 << 70)
            self._ranges[name] = self._fresh_range(name)
        return self._ranges[name]

    def _fresh_range(self, name: str) -> Interval:
        info = self.atoms.get(name)
        if info is None:
            return -(1 << 70), 1 << 70
        if info.num is not None and info.den is not None:
            return self._quotient_range(info, info.num, info.den)
        parts = [self.interval(p) for p in (*info.max_of, *info.min_of, *info.one_of)]
        if not parts:
            return info.lo, info.hi
        low, high = [p[0] for p in parts], [p[1] for p in parts]
        if info.max_of:
            return max(low), max(high)
        return min(low), min(high) if info.min_of else max(high)

    def _quotient_range(self, info: AtomInfo, num: Poly, den: Poly) -> Interval:
        lo, hi = self.interval(num)
        lo, hi = max(lo, info.num_range[0]), min(hi, info.num_range[1])
        d = max(self.interval(den)[0], 1)
        low, high = (abs(v) // d * (1 if v >= 0 else -1) for v in (lo, hi))
        if den.constant is not None:
            return low, high
        return min(0, low), max(0, high)

    def positive(self, p: Poly) -> bool:
        return self.soon_nonneg(p - 1)

    def nonneg(self, p: Poly) -> bool:
        """Whether p >= 0 is proved."""
        lo, hi = self.interval(p)
        if lo >= 0 or hi < 0:
            return lo >= 0
        if p not in self._signs:
            self._signs[p] = self._nested(p, MAX_DEPTH, MAX_STEPS)
        return self._signs[p]

    def long_nonneg(self, p: Poly) -> bool:
        """Whether p >= 0 is proved by a long search, also where a short one has found nothing."""
        if not self._signs.get(p, False):
            self._signs.pop(p, None)
        return self.nonneg(p)

    def equal(self, a: e.Expr, b: e.Expr) -> bool:
        """Whether two integer expressions have one value here."""
        return self.poly(a) == self.poly(b)

    def soon_nonneg(self, p: Poly) -> bool:
        """Whether p >= 0 is proved by a short search: a step of a longer one."""
        lo, hi = self.interval(p)
        if lo >= 0 or hi < 0:
            return lo >= 0
        if p not in self._signs:
            if self.ledger.nesting >= MAX_NESTING:
                return False
            self._signs[p] = False  # where this question comes up again in its own answer
            self._signs[p] = self._nested(p, SIDE_DEPTH, SIDE_STEPS)
        return self._signs[p]

    def _nested(self, p: Poly, depth: int, steps: int) -> bool:
        """A search, which may start others for the signs that it needs, but not ever deeper."""
        self.ledger.nesting += 1
        try:
            return search(self, p, depth, steps)
        finally:
            self.ledger.nesting -= 1

    # -- learning ---------------------------------------------------------------------------

    def stable(self, p: Poly) -> bool:
        """Whether the value cannot change: no memory and no reassigned variable in it."""
        return all(self._stable_atom(a) for a in p.atoms())

    def _stable_atom(self, name: str) -> bool:
        info = self.atoms.get(name)
        if info is None or name in self.mutable:
            return False
        if info.num is not None and info.den is not None:
            return self.stable(info.num) and self.stable(info.den)
        inner = (*info.max_of, *info.min_of)
        if inner:
            return all(map(self.stable, inner))
        return info.expr is not None and self.fixed(info.expr)

    def fixed(self, x: e.Expr) -> bool:
        """Whether `x` is arithmetic on variables that never change."""
        return all(
            (isinstance(n, e.Var) and n.name not in self.mutable) or isinstance(n, ARITHMETIC)
            for n in walk(x)
        )

    def inside_of(self, name: str) -> set[str]:
        """The variables that an atom is made of (itself, for a variable)."""
        info = self.atoms.get(name)
        if info is None:
            return {name}
        parts = [p for p in (info.num, info.den) if p is not None]
        parts += [*info.max_of, *info.min_of]
        if parts:
            return {v for p in parts for a in p.atoms() for v in self.inside_of(a)}
        found = {n.name for n in walk(info.expr) if isinstance(n, e.Var)} if info.expr else set()
        return found or {name}

    def _but(self, **changes: Any) -> Facts:
        """A copy with other knowledge; what was proved stays proved."""
        return replace(self, _cache={}, _ranges={}, _signs=dict(self._signs), **changes)

    def _touched(self, p: Poly, names: set[str]) -> bool:
        """Whether something in `p`, or in what is known of it, is made of `names`."""
        near = p.atoms()
        near |= {b for a in near for fact in self.known.get(a, ()) for b in fact.atoms()}
        return any(a in names or self.inside_of(a) & names for a in near)

    def with_fact(self, p: Poly, momentary: bool = False) -> Facts:
        """Knowing p >= 0; ignored where p may change.

        `momentary`: what is learnt serves only inside one expression, in which nothing changes.
        """
        if not p.terms or not (momentary or self.stable(p)):
            return self
        known, numeric = dict(self.known), dict(self.numeric)
        for a in p.atoms():
            if p not in known.get(a, ()):
                known[a] = (*known.get(a, ()), p)
        self._refine(p, numeric)
        out = self._but(known=known, numeric=numeric)
        for q, proved in self._signs.items():
            if not proved and self._touched(q, p.atoms()):
                del out._signs[q]  # worth another try
        for q in implied(out, p):
            if not all(q in out.known.get(a, ()) for a in q.atoms()):
                out = out.with_fact(q, momentary)
        return out

    def _refine(self, p: Poly, numeric: dict[str, Interval]) -> None:
        for name in p.atoms():
            parts = p.split(name)
            c = parts[0].constant if parts else None
            if c is None or parts is None or abs(c) > 1 << 40:
                continue
            lo, hi = numeric.get(name) or self._atom_range(name)
            top = self.interval(parts[1])[1]
            if c > 0:
                lo = max(lo, -(top // c))
            else:
                hi = min(hi, top // -c)
            if lo <= hi:
                numeric[name] = (lo, hi)

    def with_def(self, var: e.Var, value: e.Expr) -> Facts:
        """Inside the scope of `var`, which is declared with `value` and never reassigned."""
        base = self._ranked(var.name)
        if var.name in self.mutable or not is_int(var.type) or not is_int(value.type):
            return base
        if var.type == BOOL and self.fixed(value):
            return base._but(conds={**self.conds, var.name: value})
        p = self.poly(value)
        w = self._wide(value)
        if w is not None and w != p and self.stable(w):
            base = base._but(wide={**self.wide, var.name: w})
        if not self.stable(p) or var.name in p.atoms():
            return base
        return replace(base, defs={**self.defs, var.name: p}, _cache={}, _ranges={})

    def _ranked(self, name: str) -> Facts:
        return self._but(rank={**self.rank, name: len(self.rank) + 1})

    def with_loop(self, var: e.Var, lo: e.Expr, hi: e.Expr) -> Facts:
        """In the body of `for var in [lo, hi)`."""
        base = self._ranked(var.name)
        if not is_int(var.type):
            return base
        base.poly(var)
        v, top = atom(var.name), base.poly(hi)
        if not base.stable(top) and base.interval(top)[1] < 1 << 40:
            top = constant(base.interval(top)[1])  # what changes elsewhere, at its largest
        return base.with_fact(v - base.poly(lo)).with_fact(top - v - 1)

    def with_pointer(self, name: str, target: object) -> Facts:
        """Also knowing what a local pointer points to (see `analysis.pointers`)."""
        return replace(self, pointers={**self.pointers, name: target})

    def with_axis(self, var: e.Var, hi: e.Expr) -> Facts:
        """Also knowing that `var` counts blocks or threads of a launch."""
        extent = self.raw(hi)
        axes = {**dict.fromkeys(extent.atoms()), **self.axes, var.name: extent}
        return self._but(axes=axes)

    def largest(self, p: Poly) -> Poly | None:
        """What `p`, non-decreasing in everything, is at most over the whole launch; else None."""
        if not p.atoms() & {v for v, hi in self.axes.items() if hi is not None}:
            return None
        if not p.atoms() <= set(self.axes) or min(p.terms.values(), default=-1) < 0:
            return None
        for name in sorted(p.atoms(), key=lambda a: rank(self, a), reverse=True):
            hi = self.axes.get(name)
            if hi is not None:
                p = p.substitute({name: hi - 1})
        return p

    def assume(self, sentence: str, p: Poly) -> bool:
        """Take p >= 0 for granted from here on, if that is allowed."""
        if not self.stable(p) or not self.ledger.assume(sentence):
            return False
        self.assumed.append(p)
        for memory in (self._cache, self._ranges, self._signs):
            memory.clear()
        return True

    def mark(self) -> tuple[int, int]:
        return len(self.ledger.sentences), len(self.assumed)

    def forget(self, mark: tuple[int, int]) -> None:
        """Withdraw what has been assumed since `mark` (nothing was built on it)."""
        del self.ledger.sentences[mark[0] :]
        del self.assumed[mark[1] :]

    def raw(self, x: e.Expr) -> Poly:
        """The value if nothing in `x` wrapped."""
        if isinstance(x, e.Cast) and is_int(x.x.type):
            return self.raw(x.x)
        if isinstance(x, e.Binary) and x.op in ("+", "-", "*") and is_int(x.type):
            a, b = self.raw(x.a), self.raw(x.b)
            return a + b if x.op == "+" else a - b if x.op == "-" else a * b
        return self.poly(x)

    def address(self, x: e.Expr) -> Poly:
        """The value of a subscript, assuming that 64-bit index arithmetic does not wrap."""
        p, wide = self.poly(x), self._wide(x)
        if self.ledger.unsigned and any(self._may_wrap(a) for a in (wide or p).atoms()):
            flat = self._unwrapped(self.raw(x))
            if flat != p and self.ledger.assume(UNSIGNED):
                return flat
        if wide is None or wide == p:
            return p
        return wide if self.ledger.assume("64-bit index arithmetic does not wrap") else p

    def _unwrapped(self, p: Poly) -> Poly:
        """`p` if nothing in what it is made of wrapped."""
        parts = {a: self.atoms[a].expr for a in p.atoms() if self._may_wrap(a)}
        inner = {a: self._unwrapped(self.raw(x)) for a, x in parts.items() if x is not None}
        return p.substitute(inner) if inner else p

    def _may_wrap(self, name: str) -> bool:
        """Whether the atom stands for unsigned arithmetic, or a conversion, that may wrap."""
        x = self.atoms[name].expr if name in self.atoms else None
        if isinstance(x, e.Cast):
            return is_int(x.x.type) and is_int(x.type)
        return isinstance(x, e.Binary) and x.op in ("+", "-", "*")

    def _wide(self, x: e.Expr) -> Poly | None:
        """`x` in unbounded arithmetic down to its 32-bit parts; None for other types."""
        if not (is_int(x.type) and x.type.bits == 64):  # type: ignore[attr-defined]
            return None
        if isinstance(x, e.Cast) and is_int(x.x.type) and x.x.type.bits < 64:  # type: ignore[attr-defined]
            return self.poly(x.x)
        if isinstance(x, e.Cast) and is_int(x.x.type):
            return self._wide(x.x)
        if isinstance(x, e.Binary) and x.op in ("+", "-", "*"):
            a, b = self._wide(x.a), self._wide(x.b)
            if a is None or b is None:
                return None
            return a + b if x.op == "+" else a - b if x.op == "-" else a * b
        if isinstance(x, e.Var) and x.name in self.wide:
            return self.wide[x.name]
        return self.poly(x)

    def meaning(self, cond: e.Expr) -> e.Expr:
        """The condition that a bool variable stands for, where that is known."""
        return self.conds.get(cond.name, cond) if isinstance(cond, e.Var) else cond

    def with_cond(self, cond: e.Expr, truth: bool = True, momentary: bool = False) -> Facts:
        """Where `cond` has come out as `truth`."""
        out = self
        for p in condition_facts(self, cond, truth):
            out = out.with_fact(p, momentary)
        return out

    def decide(self, cond: e.Expr) -> bool | None:
        """The value of a condition, where it is known."""
        cond = self.meaning(cond)
        if isinstance(cond, e.Const):
            return bool(cond.value)
        if isinstance(cond, e.Unary) and cond.op == "!":
            inner = self.decide(cond.x)
            return None if inner is None else not inner
        if isinstance(cond, e.Binary) and cond.op in e.LOGICAL:
            return self._decide_logical(cond)
        if isinstance(cond, e.Binary) and cond.op in e.COMPARISONS and is_int(cond.a.type):
            d = self.poly(cond.b) - self.poly(cond.a)
            return self._decide_compare(cond.op, d)
        return None

    def _decide_logical(self, cond: e.Binary) -> bool | None:
        short = cond.op == "||"
        a = self.decide(cond.a)
        if a is short:
            return short
        b = self.with_cond(cond.a, not short, momentary=True).decide(cond.b)
        if b is short or (a is not None and b is not None):
            # `x && false` may only drop x where x cannot trap; our expressions are pure.
            return short if b is short else not short
        return None

    def _decide_compare(self, op: str, d: Poly) -> bool | None:
        yes: dict[str, list[Poly]] = {"<": [d - 1], "<=": [d], ">": [-d - 1], ">=": [-d]}
        if op in ("==", "!="):
            if not d.terms:
                return op == "=="
            if self.nonneg(d - 1) or self.nonneg(-d - 1):
                return op == "!="
            return None
        if self.nonneg(yes[op][0]):
            return True
        return False if self.nonneg(-yes[op][0] - 1) else None


__all__ = [
    "NEGATED", "AtomInfo", "Facts", "Interval", "Ledger", "condition_facts", "is_int", "type_range",
]  # fmt: skip
