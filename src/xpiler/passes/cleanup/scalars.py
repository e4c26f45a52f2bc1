"""What passes through a core's memory between loops that have met becomes plain values.

An array of which every iteration first writes the element that it then uses is a scalar of that
iteration; a scalar that is set again is a new one; a value used once stands where it is used.
Only in the loops that vector instructions stand for: what the user named keeps its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpiler.analysis.effects import names_in, of_body, of_expr
from xpiler.analysis.poly import Poly
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import (
    fresh_name,
    map_children,
    rewrite_exprs,
    rewrite_stmts,
    substitute,
    variables,
    walk,
)
from xpiler.ir.types import Array, Pointer, Scalar
from xpiler.passes.cleanup.base import Context, Walker, each_function

LONGEST = 24  # nodes of an expression that single uses are gathered into


@dataclass(frozen=True)
class Scalars:
    """Arrays and variables of element loops as values."""

    name: str = "scalars"

    def apply(self, program: Program, ctx: Context) -> Program:
        named = {f for f, _ in ctx.elements}

        def one(f: Function) -> Function:
            if f.name not in named:
                return f
            loops = {v for name, v in ctx.elements if name == f.name}
            new = _shrunk(f, ctx)
            taken = variables(new.body) | {p.name for p in f.params}
            new = _apart(new, taken)
            arrays = [
                st.var
                for st in walk(new.body)
                if isinstance(st, s.Decl) and isinstance(st.var.type, Array)
            ]
            return _Values(loops, taken, arrays).run(new, ctx.facts(new))

        return each_function(program, one)


# -- arrays ---------------------------------------------------------------------------------


def _shrunk(f: Function, ctx: Context) -> Function:
    for d in [st for st in walk(f.body) if isinstance(st, s.Decl)]:
        plain = isinstance(d.var.type, Array) and isinstance(d.var.type.elem, Scalar)
        if plain and d.init is None and d.space == "local":
            new = _Shrink(d.var).run(f, ctx.facts(f))
            f = new if new is not None else f
    return f


@dataclass
class _Shrink:
    """Looks for the one body that uses an array and puts a scalar in its place."""

    array: e.Var

    def run(self, f: Function, facts: Facts) -> Function | None:
        body = self._body(f.body, facts)
        return None if body is None else f.with_body(body)

    def _uses(self, st: s.Stmt) -> bool:
        own = isinstance(st, s.Decl) and st.var == self.array
        return not own and self.array.name in variables(st)

    def _body(self, body: s.Body, facts: Facts) -> s.Body | None:
        users = [k for k, st in enumerate(body) if self._uses(st)]
        if not users:
            return None
        new = self._here(body, users, facts)
        if new is None and len(users) == 1:
            for st in body[: users[0]]:
                facts = after(st, facts)
            inner = self._inside(body[users[0]], facts)
            new = None if inner is None else (*body[: users[0]], inner, *body[users[0] + 1 :])
        if new is None:
            return None
        return tuple(st for st in new if not (isinstance(st, s.Decl) and st.var == self.array))

    def _inside(self, st: s.Stmt, facts: Facts) -> s.Stmt | None:
        if isinstance(st, s.For) and self.array.name not in variables(
            s.Scope((s.Eval(st.lo), s.Eval(st.hi), s.Eval(st.step)))
        ):
            body = self._body(st.body, inside(st, facts))
            return None if body is None else replace(st, body=body)
        if isinstance(st, s.Scope):
            body = self._body(st.body, facts)
            return None if body is None else replace(st, body=body)
        if isinstance(st, s.If) and not st.orelse and self.array.name not in names_in(st.cond):
            body = self._body(st.then, facts.with_cond(st.cond, True))
            return None if body is None else replace(st, then=body)
        return None

    def _here(self, body: s.Body, users: list[int], facts: Facts) -> s.Body | None:
        """`body` with a scalar, if it starts with a store to the one element that it uses."""
        first = body[users[0]]
        if not isinstance(first, s.Assign) or first.op or not self._is_element(first.target):
            return None
        if self.array.name in variables(first.value):
            return None
        for st in body[: users[0]]:
            facts = after(st, facts)
        assert isinstance(first.target, e.Index)
        where = facts.poly(first.target.index)
        rest = body[users[0] :]
        if not self._alike(rest, where, facts) or self._moves(where, rest):
            return None
        assert isinstance(self.array.type, Array)
        scalar = e.Var(self.array.name, self.array.type.elem)

        def one(x: e.Expr) -> e.Expr:
            return scalar if self._is_element(x) else x

        start = s.Decl(scalar, first.value, loc=first.loc, comments=first.comments)
        later: s.Body = rewrite_exprs(body[users[0] + 1 :], one)
        return (*body[: users[0]], start, *later)

    def _is_element(self, x: e.Expr) -> bool:
        return isinstance(x, e.Index) and x.base == self.array and isinstance(x.type, Scalar)

    def _alike(self, body: s.Body, where: Poly, facts: Facts) -> bool:
        """Whether every use of the array is the element at `where`."""
        uses = sum(isinstance(n, e.Var) and n == self.array for n in walk(body))
        found = [n for n in walk(body) if isinstance(n, e.Expr) and self._is_element(n)]
        same = all(facts.poly(n.index) == where for n in found)  # type: ignore[attr-defined]
        return same and uses == len(found)

    def _moves(self, where: Poly, body: s.Body) -> bool:
        """Whether something in `body` changes what `where` depends on."""
        return bool(where.atoms() & of_body(body).writes) or any("[" in a for a in where.atoms())


def _apart(f: Function, taken: set[str]) -> Function:
    """Local arrays of which only elements of known numbers are used, as variables."""
    for d in [st for st in walk(f.body) if isinstance(st, s.Decl)]:
        t = d.var.type
        if not isinstance(t, Array) or d.init is not None or not isinstance(t.elem, Scalar):
            continue
        uses = sum(isinstance(n, e.Var) and n == d.var for n in walk(f.body)) - 1
        found = [n for n in walk(f.body) if isinstance(n, e.Index) and n.base == d.var]
        if uses != len(found) or not all(isinstance(n.index, e.Const) for n in found):
            continue
        numbers = sorted({int(n.index.value) for n in found if isinstance(n.index, e.Const)})
        if len(numbers) > 8:
            continue
        new = {k: e.Var(fresh_name(d.var.name, taken), t.elem) for k in numbers}
        f = f.with_body(_split(f.body, d, new))
    return f


def _split(body: s.Body, d: s.Decl, new: dict[int, e.Var]) -> s.Body:
    def one(x: e.Expr) -> e.Expr:
        mine = isinstance(x, e.Index) and x.base == d.var and isinstance(x.index, e.Const)
        return new[int(x.index.value)] if mine else x  # type: ignore[attr-defined]

    def declared(st: s.Stmt) -> s.Stmt | s.Body:
        if isinstance(st, s.Decl) and st.var == d.var:
            return tuple(replace(st, var=v) for v in new.values())
        return st

    out: s.Body = rewrite_exprs(rewrite_stmts((s.Scope(body),), declared)[0].body, one)
    return out


# -- variables ------------------------------------------------------------------------------


def _sets(st: s.Stmt, array: e.Var) -> bool:
    return isinstance(st, s.Assign) and isinstance(st.target, e.Index) and st.target.base == array


def _value_of(st: s.Stmt) -> e.Expr:
    assert isinstance(st, s.Assign)
    return st.value


@dataclass
class _Values(Walker):
    loops: set[str]
    taken: set[str]
    arrays: list[e.Var]

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        new = self.descend(st, facts)
        if isinstance(new, s.For) and new.var.name in self.loops:
            body = self._registers(new.body, inside(new, facts))
            body = self._gathered(self._versions(body))
            new = new if body == new.body else replace(new, body=body)
        return (new,)

    def _registers(self, body: s.Body, facts: Facts) -> s.Body:
        """The one element of an array that a body uses several times, in a variable meanwhile."""
        if not all(isinstance(st, (s.Decl, s.Assign)) for st in body):
            return body
        for array in self.arrays:
            if sum(array.name in names_in(st) for st in body) > 1:
                body = self._register(body, array, facts)
        return body

    def _register(self, body: s.Body, array: e.Var, facts: Facts) -> s.Body:
        shrink = _Shrink(array)
        found = [n for n in walk(body) if isinstance(n, e.Index) and shrink._is_element(n)]
        for st in body:
            facts = after(st, facts)
        if not found:
            return body
        place = found[0]
        where = facts.poly(place.index)
        own = {st.var.name for st in body if isinstance(st, s.Decl)}
        if not shrink._alike(body, where, facts) or shrink._moves(where, body):
            return body
        if names_in(place.index) & own:
            return body
        users = [k for k, st in enumerate(body) if array.name in names_in(st)]
        writes = [k for k in users if _sets(body[k], array)]
        first = body[users[0]]
        fresh = users[0] in writes and array.name not in names_in(_value_of(first))
        plain = isinstance(first, s.Assign) and not first.op
        var = e.Var(fresh_name(array.name, self.taken), place.type)

        def one(x: e.Expr) -> e.Expr:
            return var if shrink._is_element(x) else x

        new: list[s.Stmt] = list(rewrite_exprs(body, one))
        if writes:
            new.insert(writes[-1] + 1, s.Assign(place, var))
        if fresh and plain:
            assert isinstance(first, s.Assign)
            new[users[0]] = s.Decl(var, first.value, loc=first.loc)
        else:
            new.insert(users[0], s.Decl(var, place))
        return tuple(new)

    def _versions(self, body: s.Body) -> s.Body:
        """Each value of a scalar of this body under a name of its own."""
        own = {st.var.name for st in body if isinstance(st, s.Decl) and _is_number(st.var)}
        own -= _pinned(body)
        names: dict[str, e.Expr] = {}
        out: list[s.Stmt] = []
        for st in body:
            if isinstance(st, s.Assign) and isinstance(st.target, e.Var) and st.target.name in own:
                old = names.get(st.target.name, st.target)
                value = substitute(st.value, names)
                if st.op:
                    value = e.Binary(st.op, old, value, st.target.type)
                new = replace(st.target, name=fresh_name(st.target.name, self.taken))
                names[st.target.name] = new
                out.append(s.Decl(new, value, loc=st.loc, comments=st.comments))
            else:
                out.append(substitute((st,), names)[0] if names else st)
        return tuple(out)

    def _gathered(self, body: s.Body) -> s.Body:
        """Values that are used once stand where they are used."""
        k = 0
        while k < len(body):
            st = body[k]
            if isinstance(st, s.Decl) and st.init is not None and _is_number(st.var):
                new = _forwarded(body, k, st)
                if new is not None:
                    body = new
                    continue
            k += 1
        return body


def _is_number(v: e.Var) -> bool:
    return isinstance(v.type, Scalar)


def _pinned(body: s.Body) -> set[str]:
    """Variables that nested statements, instructions or pointers change."""
    out: set[str] = set()
    for st in body:
        for n in walk(st):
            if isinstance(n, e.AddressOf):
                out |= variables(n)
            elif isinstance(n, s.Instr):
                out |= {o.name for o in n.outs if isinstance(o, e.Var)}
            elif isinstance(n, s.Assign) and n is not st and isinstance(n.target, e.Var):
                out.add(n.target.name)
    return out


def _forwarded(body: s.Body, k: int, d: s.Decl) -> s.Body | None:
    """`body` without `d`, its value at its only use, where nothing in between can change it."""
    assert d.init is not None
    uses = [(i, _count(st, d.var.name)) for i, st in enumerate(body) if i > k]
    places = [(i, n) for i, n in uses if n]
    simple = isinstance(d.init, (e.Const, e.Var))
    if not places:
        return None
    if not simple and (len(places) != 1 or places[0][1] != 1):
        return None
    last = places[-1][0]
    value = of_expr(d.init)
    if value.other or not _straight(body[last], d.var.name, simple):
        return None
    if any(not _straight(body[i], d.var.name, simple) for i, _ in places):
        return None
    loads = any(isinstance(n, e.Index) for n in walk(d.init))
    between = body[k + 1 : last]
    if names_in(d.init) & of_body(body[k + 1 : last + 1]).writes:
        return None
    if loads and any(_stores(st) for st in between):
        return None
    user = body[last]
    if len(places) == 1 and _size(user) + _size(s.Eval(d.init)) > LONGEST + 8:
        return None
    rest = substitute(body[k + 1 :], {d.var.name: d.init})
    return (*body[:k], *rest)


def _straight(st: s.Stmt, name: str, anywhere: bool) -> bool:
    """Whether the use in `st` is evaluated once, where the value was."""
    if anywhere or isinstance(st, (s.Decl, s.Assign)):
        return True
    return isinstance(st, s.If) and name in names_in(st.cond) and not _count_in_arms(st, name)


def _count_in_arms(st: s.If, name: str) -> int:
    return sum(_count(x, name) for x in (*st.then, *st.orelse))


def _count(st: s.Stmt, name: str) -> int:
    return sum(isinstance(n, e.Var) and n.name == name for n in walk(st))


def _size(st: s.Stmt) -> int:
    return sum(isinstance(n, e.Expr) for n in walk(st))


def _stores(st: s.Stmt) -> bool:
    """Whether a statement writes memory behind a pointer or an array."""
    return any(
        isinstance(n, (s.Instr, s.Eval))
        or (isinstance(n, s.Assign) and isinstance(n.target, e.Index))
        for n in walk(st)
    )


__all__ = ["Pointer", "Scalars", "map_children"]
