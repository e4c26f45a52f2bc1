"""Trees and shuffles that only combine an array's elements become one loop over the elements.

`for (s = 128; s > 0; s >>= 1) for t < s: a[t] += a[t + s]` leaves the sum of all in a[0]: so does
`r = a[0]; for k in [1, 256): r += a[k]`. The same holds for a butterfly, after which every element
is the sum, and for stages written out one by one. What a network does is found by executing it
(`machine`), hence no form of it is special. Sums are then added up in another order, which the
ledger says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.atoms import REORDERED, Ledger
from xpiler.analysis.effects import ANY, assigned, names_in, of_stmt
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, fresh_name, rewrite_exprs, substitute, walk
from xpiler.ir.types import I32, Array, Scalar
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.bodies import each_body
from xpiler.passes.cleanup.copies import parted_copies
from xpiler.passes.cleanup.machine import LARGEST, ROUNDED, Machine, Mix, State, Store, Value
from xpiler.passes.cleanup.overwrites import dead_before, elements

MOST_PLACES = 4
"""Elements that are written one by one, at most."""


@dataclass(frozen=True)
class Networks:
    """One loop in the place of a tree, a butterfly or other fixed stages of combining."""

    name: str = "networks"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            arrays = _own_arrays(f)
            if not arrays:
                return f
            taken = {p.name for p in f.params} | set(names_in(f.body))
            body = each_body(f.body, _Finder(arrays, taken, ctx.ledger).windows)
            return replace(f, body=body) if body is not f.body else f

        return each_function(program, one)


def _own_arrays(f: Function) -> frozenset[str]:
    """Arrays of numbers of constant size that are only ever subscripted."""
    found: set[str] = set()
    lent: set[str] = set()
    for n in walk(f.body):
        if isinstance(n, s.Decl) and isinstance(n.var.type, Array):
            t = n.var.type
            if isinstance(t.elem, Scalar) and t.size is not None and t.size <= LARGEST:
                found.add(n.var.name)
        if isinstance(n, e.Index):
            continue
        for child in _operands(n):
            if isinstance(child, e.Var) and isinstance(child.type, Array):
                lent.add(child.name)
    return frozenset(found - lent)


def _operands(n: object) -> Iterator[object]:
    if isinstance(n, s.Decl):
        yield from (n.init,) if n.init is not None else ()
    elif isinstance(n, (s.Stmt, e.Expr)):
        yield from children(n)


@dataclass
class _Finder:
    """Finds the runs of statements that combine elements, body by body."""

    arrays: frozenset[str]
    taken: set[str]
    ledger: Ledger

    def windows(self, body: s.Body) -> s.Body:
        """`body` with every run of statements that combine elements rewritten.

        The copies that end a loop over elements may begin such a run.
        """
        new = self._windows(body)
        if new is not body:
            return new
        taken = self.taken | set(names_in(body))
        parted = tuple(x for st in body for x in parted_copies(st, self.arrays, taken))
        new = self._windows(parted) if len(parted) != len(body) else parted
        return new if new is not parted else body

    def _windows(self, body: s.Body) -> s.Body:
        here = {st.var.name for st in body if isinstance(st, s.Decl)}
        inner = frozenset().union(*(_inside(st) for st in body))
        machine = Machine(self.arrays & (here | inner), frozenset(here) | inner)
        start, first = State(), 0
        for k, st in enumerate(body):
            mine = _assigned(st) <= here | _inside(st)
            if mine and machine.run(st):
                continue
            new = self._rewritten(body, first, k, start, machine.state)
            if new is not None:
                return self._windows(new)
            kept = {n: v for n, v in machine.state.scalars.items() if isinstance(v, e.Const)}
            gone = of_stmt(st).writes
            scalars = {} if ANY in gone else {n: v for n, v in kept.items() if n not in gone}
            machine.state = State(dict(scalars))
            start, first = machine.state.copy(), k + 1
        return self._rewritten(body, first, len(body), start, machine.state) or body

    def _rewritten(
        self, body: s.Body, first: int, end: int, start: State, state: State
    ) -> s.Body | None:
        window, rest = body[first:end], body[end:]
        if not any(isinstance(v, Mix) and v.op for v in _values(state)):
            return None
        emit = _Emitter(window, rest, start, state, self.taken, self.ledger)
        mark = len(self.ledger.sentences)
        new = emit.run()
        if new is None or _size(new) >= _size(window):
            del self.ledger.sentences[mark:]
            return None
        self.taken |= emit.made
        return (*body[:first], *new, *emit.rest)


def _size(body: s.Body) -> int:
    return sum(1 for _ in walk(body))


def _assigned(st: s.Stmt) -> frozenset[str]:
    """Scalars that `st` writes."""
    return assigned((st,)) | frozenset(n.var.name for n in (st,) if isinstance(n, s.Decl))


def _inside(st: s.Stmt) -> set[str]:
    """Names that `st` declares for itself."""
    return {n.var.name for n in walk(st) if isinstance(n, (s.Decl, s.For))}


def _values(state: State) -> Iterator[Value]:
    yield from state.scalars.values()
    for items in state.arrays.values():
        yield from items.values()
    for store in state.stores:
        yield from (mix for _, mix in store.parts)


class _No(Exception):
    """What the window leaves behind cannot be written as folds."""


@dataclass
class _Emitter:
    """Statements with the effect of a window: folds, then what is still asked for."""

    window: s.Body
    rest: s.Body
    start: State
    state: State
    taken: set[str]
    ledger: Ledger
    made: set[str] = field(default_factory=set)
    folds: dict[Mix, e.Var] = field(default_factory=dict)
    out: list[s.Stmt] = field(default_factory=list)
    after: list[s.Stmt] = field(default_factory=list)

    def run(self) -> s.Body | None:
        self.types = _types((*self.window, *self.rest))
        wanted = names_in(self.rest)
        try:
            self._named(wanted)
            for name in sorted(self.state.arrays.keys() & wanted):
                self._array(name)
            for name in sorted(self.state.scalars.keys() & wanted):
                if self.state.scalars[name] != self.start.scalars.get(name):
                    self._scalar(name, self.state.scalars[name])
            for store in self.state.stores:
                self._store(store)
        except _No:
            return None
        if not self.folds:
            return None
        decls = self._kept_decls(names_in((*self.after, *self.rest)) | names_in(tuple(self.out)))
        comments = tuple(c for st in self.window for c in st.comments)
        new = [*decls, *self.out, *self.after]
        if comments:
            new[0] = replace(new[0], comments=(*comments, *new[0].comments))
        return tuple(new)

    def _kept_decls(self, wanted: frozenset[str]) -> list[s.Stmt]:
        """Declarations of the window that what follows still needs."""
        done = {st.var.name for st in (*self.out, *self.after) if isinstance(st, s.Decl)}
        return [
            replace(st, init=None, const=False, comments=())
            for st in self.window
            if isinstance(st, s.Decl) and st.var.name in wanted - done
        ]

    def _named(self, wanted: frozenset[str]) -> None:
        """Folds into variables of the program's own, where one is declared to be the result."""
        for st in self.window:
            value = self.state.scalars.get(st.var.name) if isinstance(st, s.Decl) else None
            if isinstance(value, Mix) and value.op and value not in self.folds:
                assert isinstance(st, s.Decl)
                if st.var.name in wanted and not _written(self.rest, st.var.name):
                    self._fold(value, st.var)

    # -- what is left behind ----------------------------------------------------------------------

    def _scalar(self, name: str, value: Value) -> None:
        var, decl = self.types[name]
        x = self._expr(value, var.type)
        if x == var:
            return
        if decl in self.window:
            self.after.append(s.Decl(var, x))
        else:
            self.after.append(s.Assign(var, x))

    def _array(self, name: str) -> None:
        items = {k: v for k, v in self.state.arrays[name].items() if v != _itself(name, k)}
        var, _ = self.types[name]
        t = var.type
        assert isinstance(t, Array)
        if not items:
            return
        live = dead_before(self.rest, name, 0, t.size or 0)
        near = self.rest[:live]
        places = [x.index for x in elements(near, name)]
        if not _written(near, name):
            self._read_only(var, items, places, live)
        elif all(isinstance(x, e.Const) for x in places):
            self._stores(var, {k: v for k, v in items.items() if _asked(places, k)})
        elif len(items) == t.size and len(set(items.values())) == 1:
            k = e.Var(fresh_name("k", self._names()), I32)
            place = e.Index(var, k, t.elem)
            body = (s.Assign(place, self._expr(items[0], t.elem)),)
            self.made.add(k.name)
            self.after.append(s.For(k, _int(0), _int(t.size), _int(1), body))
        elif len(items) <= 2:
            self._stores(var, items)
        else:
            raise _No

    def _stores(self, var: e.Var, items: dict[int, Value]) -> None:
        assert isinstance(var.type, Array)
        if len(items) > MOST_PLACES:
            raise _No
        for k, v in sorted(items.items()):
            place = e.Index(var, _int(k), var.type.elem)
            self.after.append(s.Assign(place, self._expr(v, var.type.elem)))

    def _read_only(
        self, var: e.Var, items: dict[int, Value], places: list[e.Expr], live: int
    ) -> None:
        """Every read in the first `live` statements of what follows is replaced by the value."""
        t = var.type
        assert isinstance(t, Array)
        uniform = len(items) == t.size and len(set(items.values())) == 1
        known = {int(x.value) for x in places if isinstance(x, e.Const)}
        if not uniform and len(known & items.keys()) > MOST_PLACES:
            raise _No
        if not uniform and not all(isinstance(x, e.Const) for x in places):
            raise _No
        chosen = {k: self._expr(items[k], t.elem) for k in (known & items.keys())}
        same = self._expr(items[0], t.elem) if uniform else None

        def one(x: e.Expr) -> e.Expr:
            if isinstance(x, e.Index) and isinstance(x.base, e.Var) and x.base.name == var.name:
                if isinstance(x.index, e.Const) and int(x.index.value) in chosen:
                    return chosen[int(x.index.value)]
                return same if same is not None else x
            return x

        self.rest = (*rewrite_exprs(self.rest[:live], one), *self.rest[live:])

    def _store(self, store: Store) -> None:
        kinds = {n.name: n.type for x in (store.target, store.value) for n in walk(x)
                 if isinstance(n, e.Var)}  # fmt: skip
        parts = {name: self._expr(mix, kinds[name]) for name, mix in store.parts}
        target, value = substitute(store.target, parts), substitute(store.value, parts)
        self.after.append(s.Assign(target, value, store.op))  # type: ignore[arg-type]

    # -- values -----------------------------------------------------------------------------------

    def _expr(self, value: Value, t: object) -> e.Expr:
        if isinstance(value, e.Const):
            return value
        if len(value.leaves) == 1 and not value.op:
            ((name, k), _) = next(iter(value.leaves))
            if name in self.state.arrays:
                raise _No  # the place may have another value by then
            return e.Index(self.types[name][0], _int(k), t)  # type: ignore[arg-type]
        if value not in self.folds:
            self._fold(value)
        return self.folds[value]

    def _fold(self, mix: Mix, r: e.Var | None = None) -> None:
        arrays = {name for (name, _), _ in mix.leaves}
        ks = sorted(k for (_, k), _ in mix.leaves)
        once = all(n == 1 for _, n in mix.leaves)
        if len(arrays) != 1 or not once or ks != list(range(ks[0], ks[-1] + 1)):
            raise _No
        var, _ = self.types[arrays.pop()]
        assert isinstance(var.type, Array)
        elem = var.type.elem
        assert isinstance(elem, Scalar)
        if elem.is_float and mix.op in ROUNDED and not self.ledger.assume(REORDERED):
            raise _No
        stem = var.name.split(".")[0]
        r = r or e.Var(fresh_name(stem, self._names()), elem)
        self.made.add(r.name)
        k = e.Var(fresh_name("k", self._names()), I32)
        self.made.add(k.name)
        item = e.Index(var, k, elem)
        self.out += [
            s.Decl(r, e.Index(var, _int(ks[0]), elem)),
            s.For(k, _int(ks[0] + 1), _int(ks[-1] + 1), _int(1), (_update(r, mix.op, item),)),
        ]
        self.folds[mix] = r

    def _names(self) -> set[str]:
        return self.taken | self.made


def _update(r: e.Var, op: str, x: e.Expr) -> s.Stmt:
    if op in ("max", "min"):
        return s.Assign(r, e.Call(op, (r, x), r.type))
    return s.Assign(r, x, op)  # type: ignore[arg-type]


def _itself(name: str, k: int) -> Mix:
    return Mix("", frozenset({((name, k), 1)}))


def _int(k: int) -> e.Const:
    return e.Const(k, I32)


def _types(body: s.Body) -> dict[str, tuple[e.Var, s.Stmt | None]]:
    out: dict[str, tuple[e.Var, s.Stmt | None]] = {}
    for n in walk(body):
        if isinstance(n, s.Decl):
            out[n.var.name] = (n.var, n)
        elif isinstance(n, e.Var):
            out.setdefault(n.name, (n, None))
    return out


def _written(body: s.Body, name: str) -> bool:
    return any(name in of_stmt(st).writes for st in body)


def _asked(places: list[e.Expr], k: int) -> bool:
    return any(isinstance(x, e.Const) and int(x.value) == k for x in places)
