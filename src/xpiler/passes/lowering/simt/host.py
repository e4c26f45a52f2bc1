"""The statements of a host function over device memory: loops become launches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import (
    assigned,
    declared,
    escapes,
    is_memory,
    names_in,
    set_once,
    stored,
)
from xpiler.analysis.extents import Use
from xpiler.analysis.parallelism import Survey
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, always_leaves, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function
from xpiler.ir.rewrite import children, fresh_name, rewrite_stmts, substitute, walk
from xpiler.ir.types import BOOL, I32, U64, VOID, Array, Pointer, Type
from xpiler.passes.lowering.simt import copies, grids, rows, scratch
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Frame, Unfit
from xpiler.passes.lowering.simt.inline import renamed
from xpiler.passes.lowering.simt.layout import size_and_align
from xpiler.passes.lowering.simt.scalars import assigned_scalars, scalars_out, struct_of
from xpiler.passes.lowering.simt.threads import bindable, launch_points, marked
from xpiler.passes.lowering.simt.versions import apart_if

SMALL = 1024
"""Constant trip counts up to this fit into one block."""


@dataclass(frozen=True)
class Form:
    """A function over device pointers: host statements, and what it does to its pointers.

    `result` is the value that it gives back.
    """

    f: Function
    body: s.Body
    result: e.Expr | None = None
    uses: Mapping[str, Use] = field(default_factory=dict)


def touches_memory(node: s.Stmt | e.Expr | s.Body, readers: frozenset[str] = frozenset()) -> bool:
    """Whether array elements are read or written, or something is called that may do so.

    `readers` are functions that only compute; given no pointer they do not touch memory either.
    """
    known = math_functions()
    places = [n.x for n in walk(node) if isinstance(n, e.AddressOf) and isinstance(n.x, e.Index)]
    for n in walk(node):
        if any(n is x for x in places):
            continue  # `&a[i]` is arithmetic
        of_host = isinstance(n, e.Index) and isinstance(n.type, Pointer)  # an array of pointers
        if isinstance(n, e.Index) and is_memory(n) and not (of_host and isinstance(n.base, e.Var)):
            return True
        if isinstance(n, e.Call) and n.func not in known:
            pointers = any(isinstance(a.type, (Pointer, Array)) for a in n.args)
            if pointers or n.func not in readers:
                return True
    return False


@dataclass
class Host:
    """Lowers one function's body, statement by statement.

    `resident`: scalars whose value is in device memory, behind the pointer given. `pending` are
    statements that one block will run together. `branches`: how many the statements stand in;
    `loops`: of the host's loops around them, what is resident at their ends, and their own names.
    """

    frame: Frame
    survey: Survey
    forms: Mapping[str, Form]
    resident: dict[str, e.Var] = field(default_factory=dict)
    hoisted: dict[str, tuple[e.Var, e.Expr]] = field(default_factory=dict)
    arrays: dict[str, s.Decl] = field(default_factory=dict)
    result: e.Expr | None = None
    branches: int = 0
    loops: list[tuple[set[str], set[str]]] = field(default_factory=list)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        out: list[s.Stmt] = []
        run: list[tuple[s.Stmt, Facts]] = []
        for st in body:
            new = self._statement(st, facts, run, out)
            if new is None:
                run.append((st, facts))
            else:
                out += new
            facts = after(st, facts)
        out += self._flush(run)
        return tuple(out)

    def whole(self, body: s.Body, facts: Facts) -> s.Body:
        """All of `body` in one launch, for functions that cannot be split among several."""
        body = copies.everywhere(self.frame.low, self.frame.f, body, self.frame.taken)
        if any(isinstance(n, s.Launch) or _is_of_host(n) for n in walk(body)):
            raise Unfit("the device's memory is managed between accesses to it")
        if self.frame.f.ret == VOID:
            return self._flush([(st, facts) for st in body], leaving=True)
        v = self.frame.fresh("result", self.frame.f.ret)
        self.resident[v.name] = where = self._buffer(v)

        def one(st: s.Stmt) -> s.Stmt | s.Body:
            if not isinstance(st, s.Return) or st.value is None:
                return st
            place = e.Index(where, e.Const(0, I32), v.type)
            return (s.Assign(place, st.value), s.Return())

        self.result = v
        run = [(st, facts) for st in rewrite_stmts(body, one)]
        return (s.Decl(v), *self._flush(run, leaving=True), *self._fetched(v))

    def _statement(
        self, st: s.Stmt, facts: Facts, run: list[tuple[s.Stmt, Facts]], out: list[s.Stmt]
    ) -> s.Body | None:
        """Host statements for `st` (what was pending goes first), or None: one block runs it."""
        if isinstance(st, s.Decl) and isinstance(st.var.type, Array) and st.space == "local":
            return self._array(st)
        if self._of_host(st, run):
            return (*self._before(st, run), st)
        if isinstance(st, s.For):
            return self._loop(st, facts, run, out)
        if isinstance(st, s.Eval) and isinstance(st.call, e.Call) and st.call.func in self.forms:
            return (*self._flush(run), *self._inlined(st.call, None))
        called = _call_of(st, self.forms)
        if called is not None:
            return (*self._flush(run), *self._inlined(called, st))
        if isinstance(st, s.Return):
            return self._return(st, run)
        if isinstance(st, (s.Break, s.Continue)):
            return (*self._flush(run), *self._settled(), st)
        if isinstance(st, (s.Instr, s.Launch)):
            return (*self._flush(run), *self._fetched(st), st)
        return self._compound(st, facts, run)

    def _array(self, st: s.Decl) -> s.Body | None:
        """An array of the function's: the host's own, a table, a block's, or a device buffer."""
        assert isinstance(st.var.type, Array)
        if isinstance(st.var.type.elem, Pointer) or self._only_copied(st.var.name):
            return (st,)
        if st.init is None:
            self.arrays[st.var.name] = st
            return ()
        if st.var.name not in stored(self.frame.f.body) or set_once(self.frame.f.body, st):
            self.frame.tables[st.var.name] = st
            return ()
        return None

    def _only_copied(self, name: str) -> bool:
        """Whether only copies between host and device mention the array."""
        for n in walk(self.frame.f.body):
            if isinstance(n, s.Stmt) and not (isinstance(n, s.Decl) and n.var.name == name):
                heads = [x for x in children(n) if isinstance(x, e.Expr)]
                used = any(name in names_in(x) for x in heads)
                if used and not (isinstance(n, s.Instr) and n.name == "host.copy"):
                    return False
        return True

    def _of_host(self, st: s.Stmt, run: list[tuple[s.Stmt, Facts]]) -> bool:
        """Whether the host runs `st` itself: scalars only, and none that a block computes."""
        if isinstance(st, (s.Return, s.Instr, s.Launch)) or self._touches(st) or escapes(st):
            return False
        if isinstance(st, s.Assign) and isinstance(st.target.type, Pointer):
            return True
        return not names_in(st) & self._later(run)

    def _later(self, run: list[tuple[s.Stmt, Facts]]) -> set[str]:
        """Scalars whose values a block computes."""
        return set(self.resident).union(*(assigned_scalars(other) for other, _ in run))

    def _before(self, st: s.Stmt, run: list[tuple[s.Stmt, Facts]]) -> s.Body:
        """What a statement of the host waits for: its values, and readers of what it changes."""
        read = set().union(*(names_in(other) for other, _ in run))
        if not (names_in(st) & self._later(run) or assigned_scalars(st) & read):
            return ()
        return (*self._flush(run), *self._fetched(st))

    def _touches(self, node: s.Stmt | e.Expr) -> bool:
        return touches_memory(node, self.frame.low.readers)

    # -- loops and branches -------------------------------------------------------------------

    def _loop(
        self, st: s.For, facts: Facts, run: list[tuple[s.Stmt, Facts]], out: list[s.Stmt]
    ) -> s.Body | None:
        if not bindable(st) or self._is_small(st):
            return None
        kind = self.survey.of(st)
        if kind.free:
            front = (*self._flush(run), *self._fetched((st.lo, st.hi, st.step)))
            try:
                launch = self._parallel(st, facts)
                return (*front, *self._fetched(launch), *launch)
            except Unfit as why:
                self.frame.low.note("XP1101", "a loop runs in one thread", st.loc, str(why))
                out += front
                return None
        if kind.reduces and grids.worthwhile(st):
            front = (*self._flush(run), *self._fetched((st.lo, st.hi, st.step)))
            partial = grids.partials(self.frame, st, self.survey, facts, self.resident)
            if partial is not None:
                self.hoisted |= partial.buffers
                run.append((partial.rest, facts))
                return (*front, *self._fetched(partial.host), *partial.host)
            out += front
            return None
        if self._worth_launching(st.body):
            front = (*self._flush(run), *self._fetched((st.lo, st.hi, st.step)))
            once = None if self.loops else self._at_once(st, facts)
            front += self._fetched(once.cond) if once else ()
            before, inner = self._repeated(st.body, inside(st, facts))
            new = replace(st, body=inner, kind="serial")
            return (*front, *before, replace(once, orelse=(new,)) if once else new)
        once = None if self.loops or run or escapes(st) else self._at_once(st, facts)
        if once:
            front = self._fetched((st.lo, st.hi, st.step, once.cond))
            return (*front, replace(once, orelse=self._flush([(st, facts)])))
        self._tell(st)
        return None

    def _at_once(self, st: s.For, facts: Facts) -> s.If | None:
        """All iterations at once, under a condition that makes them independent."""
        found = apart_if(st, facts, self.frame.low.readers)
        if found is None:
            return None
        kept, known = self.survey, dict(self.resident)
        new = found.survey
        self.survey = Survey({**kept.natures, **new.natures}, {**kept.facts, **new.facts})
        (loop,) = marked((st,), self.survey)
        assert isinstance(loop, s.For)
        low = self.frame.low
        kernels, names = len(low.kernels), set(low.names)
        try:
            return s.If(found.cond, self._parallel(loop, found.facts))
        except Unfit:
            del low.kernels[kernels:]
            low.names = names
            return None
        finally:
            self.survey, self.resident = kept, known

    def _tell(self, st: s.For) -> None:
        reason = self.survey.of(st).obstacle
        if reason:
            self.frame.low.note("XP1101", "a loop stays serial", st.loc, reason)

    def _parallel(self, st: s.For, facts: Facts) -> s.Body:
        """A thread for each point, or a block for each, as the loop's body asks for."""
        for v in filter(None, map(struct_of, walk(st))):
            if not self._only_in(v.name, (st,)):
                raise Unfit(f"{v.name} is computed on the device")
        if rows.preferred(self.frame, st, self.survey, facts):
            kernels = len(self.frame.low.kernels)
            names = set(self.frame.low.names)
            try:
                return rows.launch_rows(self.frame, st, self.survey, facts, self.resident)
            except Unfit:
                del self.frame.low.kernels[kernels:]
                self.frame.low.names = names
        if scratch.allocates(st):
            found = scratch.pieces(self.frame, st, facts, self.resident)
            if found is None:
                raise Unfit("how much memory an iteration asks for is not known before")
            return found.around(self._parallel(found.loop, facts))
        return launch_points(self.frame, st, self.survey, facts, self.resident)

    def _is_small(self, st: s.For) -> bool:
        """Whether one block may as well run it, since it works on arrays of this function."""
        return bool(names_in(st) & set(self.arrays)) and _trips(st) <= SMALL

    def _worth_launching(self, body: s.Body) -> bool:
        """Whether `body`, in a loop or branch of the host, has loops to launch."""
        if any(isinstance(d.var.type, Array) for d in _outer_decls(body, self.survey)):
            return False
        for n in walk(body):
            if isinstance(n, s.For) and self._launchable(n):
                return True
            if isinstance(n, e.Call) and n.func in self.forms:
                return True
        return False

    def _launchable(self, n: s.For) -> bool:
        """Whether the loop has points enough, and all it needs is on the device."""
        free = self.survey.of(n).free and bindable(n)
        return free and _trips(n) > 64 and not names_in(n) & set(self.arrays)

    def _compound(self, st: s.Stmt, facts: Facts, run: list[tuple[s.Stmt, Facts]]) -> s.Body | None:
        if isinstance(st, s.Scope):
            return (replace(st, body=(*self._flush(run), *self.body(st.body, facts))),)
        if isinstance(st, s.If):
            leaves = escapes(st)
            if not leaves and (self._touches(st.cond) or not self._worth_launching(_both(st))):
                return None
            return self._branches(st, facts, run)
        if isinstance(st, s.While) and not self._touches(st.cond):
            if not self._worth_launching(st.body):
                return None
            front = (*self._flush(run), *self._fetched((st.cond, *st.step)))
            before, body = self._repeated(st.body, facts)
            return (*front, *before, replace(st, body=body))
        return None

    def _branches(self, st: s.If, facts: Facts, run: list[tuple[s.Stmt, Facts]]) -> s.Body:
        """A branch of the host's, on a value that the device may have computed."""
        cond = st.cond
        if self._touches(cond):
            v = self.frame.fresh("stop", BOOL)
            run.append((s.Decl(v, cond), facts))
            front, cond = self._flush(run, {v.name}), v
        else:
            front = self._flush(run)
        front = (*front, *self._fetched(cond))
        known = dict(self.resident)
        self.branches += 1
        then = self.body(st.then, facts.with_cond(st.cond, True))
        mine, self.resident = self.resident, known
        orelse = self.body(st.orelse, facts.with_cond(st.cond, False))
        self.branches -= 1
        if always_leaves(st.orelse):
            self.resident = mine
        elif not always_leaves(st.then):
            ends, self.resident = self._joined(st, mine, self.resident)
            then, orelse = (*then, *ends[0]), (*orelse, *ends[1])
        return (*front, replace(st, cond=cond, then=then, orelse=orelse))

    def _joined(
        self, st: s.If, first: dict[str, e.Var], second: dict[str, e.Var]
    ) -> tuple[tuple[s.Body, s.Body], dict[str, e.Var]]:
        """Ends of two branches: what only one of them left on the device comes to the host."""
        ends = []
        for body, here, there in ((st.then, first, second), (st.orelse, second, first)):
            self.resident = {n: v for n, v in here.items() if n not in declared(body)}
            ends.append(self._fetch({n for n, v in self.resident.items() if there.get(n) != v}))
        return (ends[0], ends[1]), self.resident

    def _settled(self) -> s.Body:
        """What is done before a jump to the end of an iteration: values are where they are then."""
        there, own = self.loops[-1] if self.loops else (set(), set())
        if not there <= set(self.resident):
            raise Unfit("a value goes from one iteration to the next on the device")
        return self._fetch(set(self.resident) - there - own)

    def _repeated(self, body: s.Body, facts: Facts) -> tuple[s.Body, s.Body]:
        """What goes before a loop of the host, and its body.

        Where a value is when an iteration starts it is when the loop does: on the device only if
        an iteration leaves it there. What else one computes there comes to the host at its end.
        """
        front: s.Body = ()
        own, low = set(declared(body)), self.frame.low
        while True:
            known, arrays = dict(self.resident), dict(self.arrays)
            kernels, names = len(low.kernels), set(low.names)
            self.loops.append((set(known), own))
            new = self.body(body, facts)
            self.loops.pop()
            lost = set(known) - set(self.resident)
            if not lost:
                break
            self.resident, self.arrays = known, arrays
            del low.kernels[kernels:]
            low.names = names
            front = (*front, *self._fetch(lost))
        for name in own & set(self.resident):
            del self.resident[name]
        end = self._fetch(set(self.resident) - set(known))
        return front, new if always_leaves(new) else (*new, *end)

    # -- calls --------------------------------------------------------------------------------

    def _inlined(self, call: e.Call, user: s.Stmt | None) -> s.Body:
        """The statements of the callee with the arguments for its parameters."""
        form = self.forms[call.func]
        mapping: dict[str, e.Expr] = {}
        front: list[s.Stmt] = list(self._fetched(call))
        if any(isinstance(n, s.Return) for n in walk(form.body)):
            raise Unfit(f"{form.f.name} can return early")
        if user is not None and form.result is None:
            raise Unfit(f"{form.f.name} can end without a value")
        changed = assigned(form.body)
        for p, a in zip(form.f.params, call.args, strict=True):
            if self._touches(a):
                raise Unfit(f"an argument of {form.f.name} is in memory")
            still = p.name not in changed  # else the callee has a variable of its own
            plain = isinstance(a, (e.Var, e.Const)) or (
                isinstance(p.type, Pointer) and not any(isinstance(n, e.Index) for n in walk(a))
            )
            if still and plain:
                mapping[p.name] = a
            elif p.name in names_in((*form.body, *_as_body(form.result))):
                v = self.frame.fresh(p.name, p.type)
                init = a if isinstance(p.type, Pointer) else w.cast(a, p.type)
                front.append(s.Decl(v, init, const=still))
                mapping[p.name] = v
        own = {n.var.name: n.var for n in walk(form.body) if isinstance(n, (s.Decl, s.For))}
        self.frame.taken |= set(own)  # so that no new name is an old one, too
        new = {n: self.frame.fresh(n, v.type) for n, v in own.items()}
        mapping |= new
        body = renamed(form.body, new, mapping)
        if user is None:
            return (*front, *body)
        assert form.result is not None
        return (*front, *body, _with_value(user, substitute(form.result, mapping)))

    # -- values between host and device -------------------------------------------------------

    def _fetched(self, node: object) -> s.Body:
        """Copies to the host of the values in `node` that are on the device."""
        parts: s.Body | tuple[e.Expr, ...] = node if isinstance(node, tuple) else (node,)
        return self._fetch({n for x in parts for n in names_in(x)})

    def _fetch(self, names: set[str]) -> s.Body:
        out: list[s.Stmt] = []
        for name in sorted(names & set(self.resident)):
            where = self.resident.pop(name)
            assert isinstance(where.type, Pointer)
            v = e.Var(name, where.type.elem)
            count = w.size_of(v.type, self._bytes(v.type))
            out.append(s.Instr("host.copy", (), (e.address_of(v), where, count),
                               (("kind", "d2h"),)))  # fmt: skip
        return tuple(out)

    def _bytes(self, t: Type) -> int:
        size = w.bytes_of(t)
        if size is None:
            raise Unfit(f"a value of type {t} is computed on the device")
        return size

    def _return(self, st: s.Return, run: list[tuple[s.Stmt, Facts]]) -> s.Body:
        if self.branches or self.loops:
            return self._early_return(st, run)
        if st.value is None:
            return self._flush(run)
        if self._touches(st.value):
            v = self.frame.fresh("result", st.value.type)
            run.append((s.Decl(v, st.value), self.frame.facts))
            self.result = v
            return (*self._flush(run, {v.name}), *self._fetched(v))
        self.result = st.value
        return (*self._flush(run), *self._fetched(st.value))

    def _early_return(self, st: s.Return, run: list[tuple[s.Stmt, Facts]]) -> s.Body:
        value = st.value
        if value is None or not self._touches(value):
            return (*self._flush(run), *(self._fetched(value) if value is not None else ()), st)
        v = self.frame.fresh("result", value.type)
        run.append((s.Decl(v, value), self.frame.facts))
        return (*self._flush(run, {v.name}), *self._fetched(v), replace(st, value=v))

    # -- what one block runs ------------------------------------------------------------------

    def _flush(
        self,
        run: list[tuple[s.Stmt, Facts]],
        wanted: set[str] | None = None,
        leaving: bool = False,
    ) -> s.Body:
        """A launch of one block for the statements of `run`, which is emptied.

        `leaving`: nothing comes after it, so it may return early.
        """
        if not run:
            return ()
        body = tuple(st for st, _ in run)
        facts = run[0][1]
        run.clear()
        self._stays_whole(body, leaving)
        front: list[s.Stmt] = []
        inner = [d for n, d in self.arrays.items() if self._only_in(n, body)]
        for d in inner:
            del self.arrays[d.var.name]
        stores = [v for v in scalars_out(body) if v.name in (wanted or ()) or
                  not self._only_in(v.name, body)]  # fmt: skip
        targets: dict[str, e.Var] = {}
        for v in stores:
            targets[v.name] = self.resident.get(v.name) or self._buffer(v)
            if v.name in declared(body):
                front.append(s.Decl(v))
        launch = self._together((*inner, *body), facts, targets)
        self.resident |= targets
        return (*front, *launch)

    def _together(self, body: s.Body, facts: Facts, targets: Mapping[str, e.Var]) -> s.Body:
        """One launch of `body`; scalars in `targets` are stored behind the pointers given."""
        return rows.launch_single(self.frame, body, self.survey, facts, self.resident, targets)

    def _stays_whole(self, body: s.Body, leaving: bool) -> None:
        """Raises Unfit where what comes after `body` needs more of it than values."""
        if escapes(body) and not leaving:
            raise Unfit("whether it goes on is decided by values in memory")
        own = (n.var for n in walk(body) if isinstance(n, s.Decl))
        for name in (v.name for v in own if isinstance(v.type, Pointer)):
            if not self._only_in(name, body):
                raise Unfit(f"where {name.split('.')[0]} points is decided in memory")

    def _buffer(self, v: e.Var) -> e.Var:
        """Device memory for one value, from the start of the function to its end."""
        where = self.frame.fresh(f"d_{v.name.split('.')[0]}", Pointer(v.type))
        self.hoisted[where.name] = (where, w.size_of(v.type, self._bytes(v.type)))
        return where

    def finished(self, body: s.Body) -> s.Body:
        """The function's statements between the allocation and the release of its buffers."""
        used = names_in(body)
        for name, d in self.arrays.items():
            if name in used:
                assert isinstance(d.var.type, Array)
                v = e.Var(name, Pointer(d.var.type.elem))
                size = size_and_align(self.frame.low.program, d.var.type)[0]
                self.hoisted[name] = (v, w.const(size, U64))
        front: list[s.Stmt] = []
        for v, count in self.hoisted.values():
            front += [s.Decl(v), s.Instr("host.alloc", (v,), (count,))]
        frees = tuple(s.Instr("host.free", (), (v,)) for v, _ in self.hoisted.values())
        first = _first_use(body, set(self.hoisted))
        rest: s.Body = rewrite_stmts(
            body[first:], lambda st: (*frees, st) if isinstance(st, s.Return) else st
        )
        return (*body[:first], *front, *rest, *frees)

    def _only_in(self, name: str, body: s.Body) -> bool:
        inside_run = sum(1 for n in walk(body) if isinstance(n, e.Var) and n.name == name)
        everywhere = sum(
            1 for n in walk(self.frame.f.body) if isinstance(n, e.Var) and n.name == name
        )
        decl = self.arrays.get(name)
        return inside_run + (decl is not None) >= everywhere


def _first_use(body: s.Body, names: set[str]) -> int:
    """The first statement that uses one of `names`; statements before it do not need them."""
    return next((k for k, st in enumerate(body) if names & names_in(st)), len(body))


def _both(st: s.If) -> s.Body:
    return (*st.then, *st.orelse)


def _outer_decls(body: s.Body, survey: Survey) -> list[s.Decl]:
    """Declarations in `body` outside the loops that would be launched."""
    out: list[s.Decl] = []
    for st in body:
        if isinstance(st, s.Decl):
            out.append(st)
        elif not (isinstance(st, s.For) and survey.of(st).free):
            for inner in (getattr(st, "body", ()), getattr(st, "then", ()),
                          getattr(st, "orelse", ())):  # fmt: skip
                out += _outer_decls(inner, survey)
    return out


def _is_of_host(n: object) -> bool:
    return isinstance(n, s.Instr) and n.name.startswith("host.")


def _as_body(x: e.Expr | None) -> s.Body:
    return () if x is None else (s.Return(x),)


def _trips(st: s.For) -> int:
    """Points of the loops in `st` that lie perfectly in it, where constant; else very many."""
    if not (isinstance(st.lo, e.Const) and isinstance(st.hi, e.Const)):
        return 1 << 40
    if not isinstance(st.step, e.Const) or not st.step.value:
        return 1 << 40
    n = max(0, -(-(int(st.hi.value) - int(st.lo.value)) // int(st.step.value)))
    if len(st.body) == 1 and isinstance(st.body[0], s.For):
        return n * _trips(st.body[0])
    return n


def _call_of(st: s.Stmt, forms: Mapping[str, Form]) -> e.Call | None:
    """The call of a lowered function whose value `st` takes as it is."""
    x = st.init if isinstance(st, s.Decl) else st.value if isinstance(st, s.Assign) else None
    if isinstance(st, s.Return):
        x = st.value
    return x if isinstance(x, e.Call) and x.func in forms else None


def _with_value(st: s.Stmt, value: e.Expr) -> s.Stmt:
    if isinstance(st, s.Decl):
        return replace(st, init=value)
    assert isinstance(st, (s.Assign, s.Return))
    return replace(st, value=value)


__all__ = ["Form", "Host", "fresh_name", "touches_memory"]
