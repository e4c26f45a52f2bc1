"""One kernel: loops that run in parallel are shared among tasks, the rest is the first one's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import takewhile

from xpiler.analysis.effects import assigned, declared, is_memory, names_in, root
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.walker import after
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, walk
from xpiler.ir.types import BOOL, I32, I64, U32, Array, Pointer, Scalar
from xpiler.passes.lowering.tasks.addresses import signed_addresses
from xpiler.passes.lowering.tasks.build import add, cast, is_const, least, less, size_of, sub
from xpiler.passes.lowering.tasks.control import Control, near_arrays
from xpiler.passes.lowering.tasks.exchange import halved
from xpiler.passes.lowering.tasks.nram import Arena, TooLarge
from xpiler.passes.lowering.tasks.short_vectors import in_lanes
from xpiler.passes.lowering.tasks.stage import Stager

TILE = 4096
"""Elements of a piece at most."""

TASK = e.Cast(e.Axis("task", "", U32), I32)
TASKS = e.Cast(e.Axis("task_dim", "", U32), I32)


@dataclass
class Kernel:
    """Writes the body of one kernel; `together` says that phases wait for each other."""

    facts: Facts
    readers: frozenset[str]
    budget: int
    taken: set[str]
    far: frozenset[str] = frozenset()
    params: tuple[e.Var, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)
    together: bool = False
    job: e.Var = field(default_factory=lambda: e.Var("together", I32))

    def write(self, body: s.Body) -> s.Body:
        """`body` for a core."""
        return self._at(body, TILE, set(self.taken))

    def _at(self, body: s.Body, tile: int, taken: set[str]) -> s.Body:
        body, pool = pooled(
            in_lanes(body, self.params, taken), frozenset(p.name for p in self.params)
        )
        if self.facts.ledger.allowed:
            body = signed_addresses(body, self.facts)
        self._divisors(body)
        near, size = near_arrays(body)
        arena = Arena(taken, self.budget - size - sum(pool.values()), tile)
        control = Control(arena, self.readers, near | frozenset(pool), self.far)
        control.halved = halved(body)
        out = self._phases(body, control)
        self.notes = control.notes
        out = Stager(arena, self.far).body(out, self.facts)
        return (*arena.declarations(), _no_memory_core(), *out)

    def _divisors(self, body: s.Body) -> None:
        """Sizes that the kernel divides by are positive."""
        fixed = {p.name for p in self.params} - assigned(body)
        for n in walk(body):
            if not isinstance(n, e.Binary) or n.op not in ("/", "%") or not is_int(n.type):
                continue
            d = n.b.x if isinstance(n.b, e.Cast) else n.b
            if isinstance(d, e.Var) and d.name in fixed and is_int(d.type):
                p = self.facts.poly(d)
                if not self.facts.positive(p):
                    self.facts.assume(f"{d.name} is at least 1", p - 1)

    def _phases(self, body: s.Body, control: Control) -> s.Body:
        out: list[s.Stmt] = []
        phases = _phases(body)
        facts = self.facts
        self.together = _depend(phases)
        if self.together:
            self.job = e.Var(fresh_name("together", control.arena.taken), I32)
            out += _first_job(self.job)
        first = True
        whole: list[s.Stmt] = []
        divided = False
        for phase in phases:
            shared = len(phase) == 1 and self._shared(phase[0], facts, control)
            divided = divided or shared
            if self.together and not first and _touches(phase):
                out.append(s.Barrier("grid"))
            if shared:
                out += self._split(phase[0], facts, control)
            else:
                done = control.body(phase, facts)[0]
                whole += done
                out += _alone(done) if _writes_out(phase, control.near) else done
            first = first and not _touches(phase)
            for st in phase:
                facts = after(st, facts)
        return tuple(out) if divided else _whole(tuple(whole))

    def _shared(self, st: s.Stmt, facts: Facts, control: Control) -> bool:
        if not isinstance(st, s.For):
            return False
        found = control.nature(st, facts)
        own = names_in(st) & control.near
        local = own - set(declared((st,)))
        if found.free and not found.atomics and not (_written_roots((st,)) & local):
            new = [x for x in found.sentences if x not in facts.ledger.sentences]
            facts.ledger.sentences.extend(new)
            return True
        if found.obstacle:
            control.notes.setdefault(st.var.name, found.obstacle)
        return False

    def _split(self, st: s.Stmt, facts: Facts, control: Control) -> s.Body:
        """This task's share of a loop: whole iterations, the first tasks one more."""
        assert isinstance(st, s.For)
        loop = _by_one(control.rows_outside(st, facts), control.arena.taken)
        t = I64 if getattr(loop.var.type, "bits", 32) == 64 else I32
        total = sub(cast(loop.hi, t), cast(loop.lo, t))
        share, extra, first, last = (
            e.Var(fresh_name(n, control.arena.taken), t) for n in ("share", "rest", "first", "last")
        )
        task = cast(TASK, t)
        tasks: e.Expr = TASKS
        if self.together:
            tasks = least(TASKS, self.job)
        start = add(add(cast(loop.lo, t), e.Binary("*", task, share, t)), least(task, extra))
        one_more = e.Select(less(task, extra), e.Const(1, t), e.Const(0, t), t)
        head = (
            s.Decl(share, e.Binary("/", total, cast(tasks, t), t), const=True),
            s.Decl(extra, e.Binary("%", total, cast(tasks, t), t), const=True),
            s.Decl(first, start, const=True),
            s.Decl(last, add(add(first, share), one_more), const=True),
        )
        bounds = cast(first, loop.var.type), cast(last, loop.var.type)
        done = control.loop(loop, facts, bounds)[0]
        body = (*head, *done)
        if is_const(loop.lo, 0) and t == I32 and loop.hi.type == I32:
            guard: s.Body = body
            return guard if _positive(total, facts, loop) else (s.If(_some(loop), body),)
        return (s.If(_some(loop), body),)


def _some(loop: s.For) -> e.Expr:
    return e.Binary("<", loop.lo, loop.hi, BOOL)


def _positive(total: e.Expr, facts: Facts, loop: s.For) -> bool:
    return facts.nonneg(facts.poly(loop.hi) - facts.poly(loop.lo))


def _by_one(st: s.For, taken: set[str]) -> s.For:
    """A loop that counts in ones."""
    from xpiler.passes.lowering.tasks.loops import unit_step

    return st if is_const(st.step, 1) else unit_step(st, taken)


def _no_memory_core() -> s.Stmt:
    """A union's memory cores run the kernel, too; they have no part in what the others do."""
    return s.If(e.Call("__is_mpu", (), BOOL), (s.Return(),))


def _first_job(together: e.Var) -> s.Body:
    """Only tasks that run together can wait for each other: those of later jobs leave at once."""
    cores = e.Binary("*", _word("clusterDim"), _word("coreDim"), I32)
    alone = e.Binary("==", _word("clusterDim"), e.Const(0, I32), BOOL)
    late = e.Binary(">=", TASK, together, BOOL)
    return (
        s.Decl(together, e.Select(alone, e.Const(1, I32), cores, I32), const=True),
        s.If(late, (s.Return(),)),
    )


def _word(name: str) -> e.Expr:
    return e.Cast(e.Call(name, (), U32), I32)


# -- phases -----------------------------------------------------------------------------------


def _phases(body: s.Body) -> list[s.Body]:
    """Loops by themselves; what stands between them together.

    All tasks have the declarations: what one reads is not written in the same phase.
    """
    out: list[list[s.Stmt]] = []
    for st in body:
        if out and _joins(st, tuple(out[-1])):
            out[-1].append(st)
        else:
            out.append([st])
    return [tuple(p) for p in out]


def _joins(st: s.Stmt, phase: s.Body) -> bool:
    if isinstance(st, s.For) or isinstance(phase[0], s.For):
        return False
    return not _written_roots((st,)) & _used_roots(_front(phase))


def _written_roots(body: s.Body) -> set[str]:
    return {root(n.target) for n in walk(body) if isinstance(n, s.Assign) and is_memory(n.target)}


def _used_roots(body: s.Body) -> set[str]:
    found = set()
    for n in walk(body):
        if isinstance(n, e.Index) and is_memory(n):
            found.add(root(n))
    return found


def _touches(body: s.Body) -> bool:
    return bool(_used_roots(body))


def _writes_out(body: s.Body, near: frozenset[str]) -> bool:
    """Whether others can see what `body` does."""
    for n in walk(body):
        if isinstance(n, (s.Return, s.Eval)) or (isinstance(n, s.Instr) and n.name != "trap"):
            return True
    return bool(_written_roots(body) - near)


def _depend(phases: list[s.Body]) -> bool:
    """Whether a phase uses what an earlier one writes (or the other way round)."""
    written: set[str] = set()
    used: set[str] = set()
    for phase in phases:
        new, touched = _written_roots(phase), _used_roots(phase)
        if touched & written or new & used:
            return True
        written |= new
        used |= touched
    return False


def _front(body: s.Body) -> s.Body:
    return tuple(takewhile(lambda st: isinstance(st, s.Decl), body))


def _alone(body: s.Body) -> s.Body:
    """Declarations for all tasks, the rest for the first one."""
    front = _front(body)
    return (*front, *_by_first(body[len(front) :]))


def _whole(body: s.Body) -> s.Body:
    """All for the first task; what it reads from memory others must not: it may write there."""
    front = tuple(takewhile(lambda st: not _touches((st,)), _front(body)))
    return (*front, *_by_first(body[len(front) :]))


def _by_first(body: s.Body) -> s.Body:
    first = e.Binary("==", TASK, e.Const(0, I32), BOOL)
    return (s.If(first, body),) if body else ()


# -- arrays whose size the source's launch decides ------------------------------------------------

POOL = 96 * 1024


def pooled(body: s.Body, fixed: frozenset[str]) -> tuple[s.Body, dict[str, int]]:
    """Memory that a kernel allocates for itself becomes an array of fixed size in NRAM.

    Shared memory of the source is never larger than that; what would be is a trap.
    """
    pools: dict[str, int] = {}
    checks: list[s.Stmt] = []

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Instr):
            return st
        if st.name == "host.free":
            return ()
        if st.name != "host.alloc":
            return st
        out = st.outs[0]
        assert isinstance(out, e.Var)
        assert isinstance(out.type, Pointer)
        pools[out.name] = POOL
        check = too_large(st.ins[0])
        if names_in(st.ins[0]) <= fixed:
            checks.append(check)
            return ()
        return (check,)

    new: s.Body = rewrite_stmts(body, one)
    if not pools:
        return body, {}

    def pool(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Decl) and st.var.name in pools:
            assert isinstance(st.var.type, Pointer)
            elem = st.var.type.elem
            if not isinstance(elem, Scalar):
                raise TooLarge(f"a buffer of {elem} has no place there")
            count = POOL // max(1, size_of(elem))
            return replace(st, var=e.Var(st.var.name, Array(elem, count)), space="nram", init=None)
        return st

    new = rewrite_stmts(new, pool)
    new = rewrite_exprs(new, lambda x: _as_array(x, pools))
    return (*checks, *new), pools


def _as_array(x: e.Expr, pools: dict[str, int]) -> e.Expr:
    if isinstance(x, e.Var) and x.name in pools and isinstance(x.type, Pointer):
        return e.Var(x.name, Array(x.type.elem, POOL // max(1, size_of(x.type.elem))))
    return x


def too_large(size: e.Expr) -> s.Stmt:
    cond = e.Binary(">", size, e.Const(POOL, size.type), BOOL)
    return s.If(cond, (s.Instr("trap"),))
