"""Exact dataflow through tiles: a read becomes the value that the only reaching write put there.

A tile is filled by one loop nest and read by a later one in the same list of statements. The
subscripts of the write are solved for the fill's loop variables (unit coefficients, mixed radix,
quotient and remainder), the solution is checked by substitution and shown to lie in the fill's
ranges: then exactly one iteration wrote the element, and its value is written in place of the read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.affine import known_to_fit
from xpiler.analysis.dependence import not_aliased
from xpiler.analysis.effects import (
    assigned,
    declared,
    indices,
    is_memory,
    names_in,
    of_expr,
    of_stmt,
    read_names,
    root,
)  # fmt: skip
from xpiler.analysis.poly import Poly, atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import map_children, substitute, walk
from xpiler.ir.types import BOOL, Array, Pointer, Type
from xpiler.passes.cleanup.base import Context, Walker, after, each_function, inside
from xpiler.passes.cleanup.simplify import simplify


@dataclass(frozen=True)
class Forward:
    """Replaces reads of tiles that only mirror other memory; the tiles are then dead."""

    name: str = "forward"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            arrays = {
                n: d.var
                for n, d in declared(f.body).items()
                if isinstance(d.var.type, Array) and d.init is None and d.space != "global"
            }
            for var in arrays.values():
                if _only_copies(f.body, var.name):
                    f = _without_tile(f, var, ctx)
            return f

        return each_function(program, one)


def is_element(x: e.Expr, var: e.Var) -> bool:
    """Whether `x` is one whole element of the array, with all its subscripts."""
    t: Type = var.type
    depth = 0
    while isinstance(t, Array):
        t, depth = t.elem, depth + 1
    while isinstance(x, e.Index):
        x, depth = x.base, depth - 1
    return x == var and depth == 0


def _only_copies(body: s.Body, name: str) -> bool:
    """Whether everything that is ever stored in the array is cheap to repeat."""
    stores = [n for n in walk(body) if isinstance(n, s.Assign) and root(n.target) == name]
    return bool(stores) and all(not st.op and _cheap(st.value) for st in stores)


def _without_tile(f: Function, var: e.Var, ctx: Context) -> Function:
    """`f` with every read of `var` replaced; `f` itself where one of them cannot be."""
    facts = ctx.facts(f)
    mark = facts.mark()
    forwarder = _Forwarder(var, _types(f, ctx.program))
    try:
        new = forwarder.run(f, facts)
    except _Unknown:
        facts.forget(mark)
        return f
    if new is f or forwarder.replaced == 0:
        return f
    ctx.tile_loops.update((f.name, v) for v in forwarder.around)
    return new


def _types(f: Function, program: Program) -> dict[str, Type]:
    """The types of everything that may be written through."""
    found = {g.var.name: g.var.type for g in program.globals}
    found |= {p.name: p.type for p in f.params}
    return found | {n: d.var.type for n, d in declared(f.body).items()}


class _Unknown(Exception):
    """A read whose value is not known."""


@dataclass
class _Write:
    """The value a fill leaves in the array: loops entered, subscripts, conditions, value."""

    loops: list[s.For]
    subs: tuple[Poly, ...]
    guards: list[e.Expr]
    value: e.Expr
    facts: Facts


class _Forwarder(Walker):
    """Walks a function and replaces the reads of one array."""

    def __init__(self, var: e.Var, types: dict[str, Type]) -> None:
        self.var = var
        self.types = types
        self.current: tuple[_Write, frozenset[str], tuple[str, ...]] | None = None
        self.replaced = 0
        self.loops: list[str] = []
        self.around: set[str] = set()

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        """Statements in order; a fill sets what later statements of this list read."""
        outer, self.current = self.current, self.current
        out: list[s.Stmt] = []
        for st in body:
            if _writes(st, self.var.name):
                if isinstance(st, s.Decl):
                    out.append(st)
                    continue
                write = fill(st, self.var, facts)
                if write is not None:
                    self.current = (write, frozenset(), tuple(self.loops))
                    out.append(st)
                    continue
                self.current = None
            new = self.stmt(st, facts)
            out.extend(new)
            if self.current is not None:
                gone = self.current[1] | of_stmt(st).writes
                self.current = (self.current[0], gone, self.current[2])
            facts = after(st, facts)
        self.current = outer
        same = len(out) == len(body) and all(a is b for a, b in zip(out, body, strict=True))
        return body if same else tuple(out)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, (s.For, s.While)) and _writes(st, self.var.name):
            self.current = None  # what an earlier iteration wrote is not followed
        elif self.current is not None and isinstance(st, (s.For, s.While)):
            gone = self.current[1] | of_stmt(st).writes
            self.current = (self.current[0], gone, self.current[2])
        if not isinstance(st, s.For) or st.kind == "parallel":
            return (self.descend(st, facts),)
        self.loops.append(st.var.name)
        out = (self.descend(st, facts),)
        self.loops.pop()
        return out

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        if isinstance(x, e.Index) and root(x) == self.var.name:
            if not is_memory(x):
                raise _Unknown
            return x if not self._inside(x) else _stop()
        return super().place(x, facts)

    def _inside(self, x: e.Expr) -> bool:
        return any(self.var.name in names_in(i) for i in indices(x))

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        if self.var.name not in names_in(x):
            return x
        if isinstance(x, e.Index) and is_element(x, self.var):
            return self._read(x, facts)
        if isinstance(x, e.Var):
            raise _Unknown
        if isinstance(x, e.Select):
            return replace(
                x,
                cond=self.expr(x.cond, facts),
                a=self.expr(x.a, facts.with_cond(x.cond, True)),
                b=self.expr(x.b, facts.with_cond(x.cond, False)),
            )
        return map_children(x, lambda c: self.expr(c, facts))

    def _read(self, x: e.Index, facts: Facts) -> e.Expr:
        if self.current is None or self._inside(x):
            raise _Unknown
        write, gone, around = self.current
        value = value_at(write, x, facts)
        if value is None or not self._survives(write.value, gone, facts):
            raise _Unknown
        self.replaced += 1
        self.around.update(around)
        return value

    def _survives(self, value: e.Expr, gone: frozenset[str], facts: Facts) -> bool:
        """Whether nothing that `value` reads has been written since the fill."""
        if of_expr(value).reads & gone or "*" in gone:
            return False
        pointers = [v for v in walk(value) if isinstance(v, e.Var) and isinstance(v.type, Pointer)]
        for name in sorted(gone & self.types.keys()):
            other = e.Var(name, self.types[name])
            if not isinstance(other.type, Pointer):
                continue
            if not all(not_aliased(p, other, facts) for p in pointers):
                return False
        return True


def _stop() -> e.Expr:
    raise _Unknown


def _writes(st: s.Stmt, name: str) -> bool:
    return name in of_stmt(st).writes


# -- what a fill writes ---------------------------------------------------------------------


@dataclass
class _Fill:
    var: e.Var
    loops: list[s.For] = field(default_factory=list)
    result: _Write | None = None
    failed: bool = False

    def run(
        self, body: s.Body, facts: Facts, defs: dict[str, e.Expr], guards: list[e.Expr]
    ) -> None:
        """Follow `body` once; `result` is what the array holds afterwards (one element a pass)."""
        for st in body:
            if self.failed:
                return
            if isinstance(st, s.For):
                self._forget(st, defs)
            if isinstance(st, s.Decl) and st.init is not None:
                if st.var.name not in facts.mutable:
                    defs[st.var.name] = substitute(st.init, defs)
            elif _writes(st, self.var.name):
                self._step(st, facts, defs, guards)
            if not isinstance(st, s.Decl):
                self._forget(st, defs)
            facts = after(st, facts)

    def _forget(self, st: s.Stmt, defs: dict[str, e.Expr]) -> None:
        """Drop what `st` may change: definitions of what it writes, and those that read it."""
        written = of_stmt(st).writes - {self.var.name}
        for name in [n for n, x in defs.items() if n in written or of_expr(x).reads & written]:
            del defs[name]

    def _step(
        self, st: s.Stmt, facts: Facts, defs: dict[str, e.Expr], guards: list[e.Expr]
    ) -> None:
        if isinstance(st, s.Assign) and not st.op and is_element(st.target, self.var):
            value = substitute(st.value, defs)
            subs = tuple(facts.poly(i) for i in indices(st.target))
            self._store(_Write(list(self.loops), subs, list(guards), value, facts))
        elif isinstance(st, s.For) and self.result is None:
            self.loops.append(st)
            self.run(st.body, inside(st, facts), defs, guards)
        elif isinstance(st, s.If):
            self._branch(st, facts, defs, guards)
        else:
            self.failed = True

    def _store(self, new: _Write) -> None:
        old = self.result
        if old is not None and (old.loops != new.loops or old.subs != new.subs):
            self.failed = True
        elif old is not None and new.guards:
            cond = _all(new.guards)
            value = e.Select(cond, new.value, old.value, new.value.type)
            self.result = replace(new, guards=old.guards, value=value)
        else:
            self.result = new

    def _branch(
        self, st: s.If, facts: Facts, defs: dict[str, e.Expr], guards: list[e.Expr]
    ) -> None:
        cond = substitute(st.cond, defs)
        before = self.result
        if st.orelse and before is None:
            self.run(st.orelse, facts.with_cond(st.cond, False), dict(defs), guards)
            if self.result is None or self.result.guards != guards:
                self.failed = True
        elif st.orelse and any(_writes(x, self.var.name) for x in st.orelse):
            self.failed = True
        if not self.failed:
            self.run(st.then, facts.with_cond(st.cond), dict(defs), [*guards, cond])


def _all(conds: list[e.Expr]) -> e.Expr:
    out = conds[0]
    for c in conds[1:]:
        out = e.Binary("&&", out, c, BOOL)
    return out


def fill(st: s.Stmt, var: e.Var, facts: Facts) -> _Write | None:
    """What the loop nest `st` leaves in `var`; None where that is not one simple store."""
    if not isinstance(st, s.For) or var.name in read_names((st,)):
        return None
    if any(isinstance(n, (s.Break, s.Continue, s.Return)) for n in walk(st)):
        return None
    found = _Fill(var)
    found.run((st,), facts, {}, [])
    write = found.result
    if found.failed or write is None or not _cheap(write.value):
        return None
    gone = of_stmt(st).writes
    local = set(declared((st,))) | {lp.var.name for lp in write.loops}
    reads = of_expr(write.value).reads | {r for g in write.guards for r in of_expr(g).reads}
    if reads & (gone - {lp.var.name for lp in write.loops}) or var.name in reads:
        return None
    return write if not (reads & (local - {lp.var.name for lp in write.loops})) else None


def _cheap(value: e.Expr) -> bool:
    """A copy, perhaps with padding and conversion: nothing that costs more each time it is read."""
    loads = 0
    kinds = (e.Const, e.Var, e.Binary, e.Unary, e.Cast, e.Select, e.Index, e.AddressOf)
    for n in walk(value):
        loads += isinstance(n, e.Index) - isinstance(n, e.AddressOf)
        if isinstance(n, e.Binary) and not is_int(n.type) and not isinstance(n.type, Pointer):
            return False
        if not isinstance(n, kinds):
            return False
    return loads <= 2


# -- solving --------------------------------------------------------------------------------


def value_at(write: _Write, read: e.Index, facts: Facts) -> e.Expr | None:
    """The value stored in the element that `read` names, in the reader's variables."""
    targets = tuple(facts.poly(i) for i in indices(read))
    if len(targets) != len(write.subs):
        return None
    loops = {lp.var.name: lp for lp in write.loops}
    primed = {v: f"{v}^" for v in loops}
    found = _solve(write, targets, primed, facts)
    if found is None:
        return None
    mapping: dict[str, e.Expr] = {}
    for v, loop in loops.items():
        lo, hi = write.facts.poly(loop.lo), write.facts.poly(loop.hi)
        p = found[v]
        if not facts.nonneg(p - lo) or not facts.nonneg(hi - 1 - p):
            return None
        x = _spelt(read, p, loop.var.type, facts)
        if x is None or facts.poly(loop.step).constant != 1:
            return None
        mapping[v] = x
    for g in write.guards:
        if facts.decide(substitute(g, mapping)) is not True:
            return None
    return simplify(substitute(write.value, mapping), facts)


def _spelt(read: e.Index, p: Poly, t: Type, facts: Facts) -> e.Expr | None:
    """`p`, which fits `t`, as an expression: the reader's own subscript where it is just that."""
    for own in indices(read):
        if own.type == t and facts.poly(own) == p:
            return own
    return known_to_fit(facts, p, t)


def _solve(
    write: _Write, targets: tuple[Poly, ...], primed: dict[str, str], facts: Facts
) -> dict[str, Poly] | None:
    """The fill's loop variables as polynomials of the reader; None where not determined.

    The writer's variables are renamed apart (`primed`) since the reader may use the same names.
    """
    env = _Unknowns(write, primed, facts)
    equations = [(env.renamed(s_), r) for s_, r in zip(write.subs, targets, strict=True)]
    known: dict[str, Poly] = {}
    for _ in range(8):
        left = []
        for lhs, rhs in equations:
            lhs = lhs.substitute(known)
            step = env.step(lhs, rhs)
            if step is None:
                left.append((lhs, rhs))
                continue
            known.update(step[0])
            left.extend(step[1])
        if left == equations:
            break
        equations = left
    if any(primed[v] not in known for v in primed) or any(a != b for a, b in equations):
        return None
    solution = {v: known[primed[v]] for v in primed}
    return solution if env.holds(solution, targets) else None


@dataclass
class _Unknowns:
    write: _Write
    primed: dict[str, str]
    facts: Facts
    names: set[str] = field(default_factory=set)
    quotients: dict[str, str] = field(default_factory=dict)

    def renamed(self, p: Poly) -> Poly:
        """`p` with every atom that depends on the fill's variables made an unknown."""
        return p.substitute({a: atom(self._rename(a)) for a in p.atoms()})

    def _rename(self, name: str) -> str:
        if name in self.primed:
            self.names.add(self.primed[name])
            return self.primed[name]
        if self._depends(name):
            self.names.add(name + "^")
            self.quotients[name + "^"] = name
            return name + "^"
        return name

    def _depends(self, name: str) -> bool:
        return bool(self.facts.inside_of(name) & self.primed.keys())

    def step(self, lhs: Poly, rhs: Poly) -> tuple[dict[str, Poly], list[tuple[Poly, Poly]]] | None:
        """One unknown of `lhs == rhs` determined, with the equations that remain."""
        unknown = sorted(lhs.atoms() & self.names)
        if not unknown:
            return None
        if len(unknown) == 1:
            c, rest = lhs.split(unknown[0]) or (Poly({}), lhs)
            if c.constant in (1, -1):
                return {unknown[0]: (rhs - rest) * (c.constant or 1)}, []
        return self._radix(lhs, rhs, unknown)

    def _radix(
        self, lhs: Poly, rhs: Poly, unknown: list[str]
    ) -> tuple[dict[str, Poly], list[tuple[Poly, Poly]]] | None:
        """c*u + rest with 0 <= rest < c: u is the quotient, the remainder goes on."""
        for u in unknown:
            parts = lhs.split(u)
            c = parts[0].constant if parts else None
            if parts is None or c is None or c <= 1:
                continue
            rest = self._original(parts[1])
            within = self.write.facts
            if rest is None or not (within.nonneg(rest) and within.nonneg(c - 1 - rest)):
                continue
            if not self.facts.nonneg(rhs):
                continue
            q = self.facts.quotient(rhs, Poly({(): c}))
            return {u: q}, [(parts[1], rhs - q * c)]
        return None

    def _original(self, p: Poly) -> Poly | None:
        """`p` in the writer's own names; None where known values are already mixed in."""
        back = {v: atom(k) for k, v in self.primed.items()}
        back |= {v: atom(k) for v, k in self.quotients.items()}
        return p.substitute(back)

    def holds(self, solution: dict[str, Poly], targets: tuple[Poly, ...]) -> bool:
        """Whether the solution, put into the subscripts, gives the element that is read."""
        return all(
            self._valued(s_, solution) == r for s_, r in zip(self.write.subs, targets, strict=True)
        )

    def _valued(self, p: Poly, solution: dict[str, Poly]) -> Poly | None:
        mapping: dict[str, Poly] = {}
        for a in p.atoms():
            if a in solution:
                mapping[a] = solution[a]
            elif self._depends(a):
                info = self.facts.atoms[a]
                if info.num is None or info.den is None:
                    return None
                num, den = self._valued(info.num, solution), self._valued(info.den, solution)
                if num is None or den is None:
                    return None
                mapping[a] = self.facts.quotient(num, den)
        return p.substitute(mapping)


__all__ = ["Forward", "assigned", "fill", "value_at"]
