"""Statements that the threads of one block run together: shared arrays, barriers, loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.dependence import distinct
from xpiler.analysis.effects import assigned, declared, escapes, is_memory, names_in, root
from xpiler.analysis.parallelism import Gatherer, Survey
from xpiler.analysis.ranges import Facts
from xpiler.analysis.reductions import Reduction
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import Node, children, rewrite_stmts, substitute, walk
from xpiler.ir.types import I32, Array, Pointer, Scalar
from xpiler.passes.cleanup.base import sentence
from xpiler.passes.cleanup.nests import chain
from xpiler.passes.lowering.simt import reduce
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.barriers import Dirty, Memory
from xpiler.passes.lowering.simt.context import Frame, Unfit
from xpiler.passes.lowering.simt.layout import size_and_align
from xpiler.passes.lowering.simt.threads import serial, with_atomics

FEW = 4
"""Loops of fewer iterations are not dealt out."""
OWN = 64
"""Arrays of at most so many elements may be kept by every thread for itself."""


@dataclass
class Block:
    """Lowers statements that are the same for all threads of a block.

    Scalars are computed by every thread for itself; memory is written by the thread that a loop's
    iteration falls to, or by the first one.
    """

    frame: Frame
    survey: Survey
    threads: int = 0
    dealt: set[str] = field(default_factory=set)
    shared: dict[str, s.Decl] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    dirty: Dirty = field(default_factory=Dirty)
    scratch: dict[str, e.Var] = field(default_factory=dict)
    dynamic: dict[str, tuple[s.Decl, e.Expr]] = field(default_factory=dict)
    tid: e.Var = field(init=False)

    def __post_init__(self) -> None:
        self.tid = self.frame.fresh("tid", I32)

    # -- planning -----------------------------------------------------------------------------

    def plan(self, body: s.Body) -> None:
        """Decide which loops are dealt out and where arrays lie; raises Unfit."""
        for st in body:
            self._choose(st)
        self.threads = self._count(body)
        for d in declared(body).values():
            if self._at_block_level(d, body):
                if isinstance(d.var.type, Array):
                    self._place(d, body)
                elif self.dealt and _pointed_at(body, d.var.name):
                    # Every thread has one of its own: what another writes there it does not see.
                    raise Unfit(f"the address of {d.var.name} is taken")
        for n in body:
            if isinstance(n, s.Instr) and n.name == "host.alloc":
                self._allocate(n, body)
        used = sum(
            size_and_align(self.frame.low.program, d.var.type)[0] for d in self.shared.values()
        )
        if used + 1024 > self.frame.low.machine.shared_bytes:
            raise Unfit("the arrays of a block do not fit into shared memory")

    def _choose(self, st: s.Stmt) -> None:
        if isinstance(st, s.For):
            if self._worth_dealing(st):
                self.dealt.add(st.var.name)
                return
            for x in st.body:
                self._choose(x)
        elif not isinstance(st, s.Decl):
            for inner in _bodies(st):
                for x in inner:
                    self._choose(x)

    def _worth_dealing(self, st: s.For) -> bool:
        kind = self.survey.of(st)
        if not kind.parallel or not self._deals(st):
            return False
        n = trips(st)
        if n is None:
            return True
        if n < FEW:
            return False
        inner = [x for x in walk(st.body) if isinstance(x, s.For)]
        larger = any(self.survey.of(x).parallel and (trips(x) or 1 << 20) > n for x in inner)
        return n >= 32 or not larger or _perfect(st)

    def _deals(self, st: s.For) -> bool:
        kind = self.survey.of(st)
        if not kind.reductions:
            return True
        return not kind.atomics and all(reduce.fits(r) for r in kind.reductions)

    def _count(self, body: s.Body) -> int:
        """Threads for the dealt loops: as many as the longest has iterations, within limits."""
        machine = self.frame.low.machine
        most = 0
        for n in walk(body):
            if isinstance(n, s.For) and n.var.name in self.dealt:
                count = total_trips(n)
                most = max(most, machine.threads if count is None else count)
        if not self.dealt:
            return 1
        return min(machine.threads, -(-most // machine.wave) * machine.wave)

    def _at_block_level(self, d: s.Decl, body: s.Body) -> bool:
        """Whether the array is declared outside all dealt loops."""
        for n in walk(body):
            if isinstance(n, s.For) and n.var.name in self.dealt and d in _decls(n.body):
                return False
        return True

    def _place(self, d: s.Decl, body: s.Body) -> None:
        t = d.var.type
        assert isinstance(t, Array)
        loops = [n for n in walk(body) if isinstance(n, s.For) and n.var.name in self.dealt]
        written = any(d.var.name in _stored(n.body) for n in loops)
        if not written and (elements(t) or OWN + 1) <= OWN and not _escaping(body, d.var.name):
            self.own.add(d.var.name)
            return
        if d.init is not None:
            raise Unfit(f"{d.var.name} starts with values and is shared by threads")
        if elements(t) is None:
            raise Unfit(f"the size of {d.var.name} is not constant")
        self.shared[d.var.name] = replace(d, space="shared")

    def _allocate(self, st: s.Instr, body: s.Body) -> None:
        """Memory that every block asks for itself: shared, of a size that the launch says."""
        (out,), (size,) = st.outs, st.ins
        if not isinstance(out, e.Var) or not isinstance(out.type, Pointer) or self.dynamic:
            raise Unfit("more than one buffer of a size that the launch decides")
        if names_in(size) & set(declared(body)):
            raise Unfit(f"the size of {out.name} is not known at the launch")
        if out.name in {root(n.target) for n in walk(body) if isinstance(n, s.Assign)} and any(
            isinstance(n, s.Assign) and n.target == out for n in walk(body)
        ):
            raise Unfit(f"{out.name} is moved")
        var = e.Var(out.name, Array(out.type.elem, None))
        self.dynamic[out.name] = (s.Decl(var, space="shared", dynamic=True), size)
        most = self.frame.low.machine.shared_bytes
        self.frame.low.assume(f"{sentence(size)} is at most {most}")

    @property
    def shared_bytes(self) -> e.Expr | None:
        """Bytes of dynamic shared memory, where the block has any."""
        return next((size for _, size in self.dynamic.values()), None)

    # -- statements ---------------------------------------------------------------------------

    def lowered(self, body: s.Body, facts: Facts) -> s.Body:
        """The whole kernel: shared arrays, the thread's number, statements."""
        inner = self.body(body, facts)
        front: list[s.Stmt] = [*(d for d, _ in self.dynamic.values()), *self.shared.values()]
        for name, v in self.scratch.items():
            del name
            front.append(s.Decl(v, space="shared"))
        if self.tid.name in names_in(inner):
            front.append(s.Decl(self.tid, w.thread_id(I32), const=True))
        return (*front, *inner)

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        out: list[s.Stmt] = []
        for st in body:
            self._statement(st, facts, out)
            facts = after(st, facts)
        return tuple(out)

    def _statement(self, st: s.Stmt, facts: Facts, out: list[s.Stmt]) -> None:
        if isinstance(st, s.Decl):
            if st.var.name not in self.shared and st.var.name not in self.dynamic:
                self._all(st, facts, out)
        elif isinstance(st, s.Instr) and st.name in ("host.alloc", "host.free"):
            if not self.dynamic:
                raise Unfit(f"{st.name} in a block")
        elif isinstance(st, s.For) and st.var.name in self.dealt:
            self._deal(st, facts, out)
        elif isinstance(st, (s.Break, s.Continue, s.Return)):
            if self.dirty.writes or self.dirty.anything:
                self._barrier(out)
            out.append(st)
        elif isinstance(st, (s.For, s.While, s.If, s.Scope, s.Switch)):
            self._structured(st, facts, out)
        elif isinstance(st, s.Assign) and not self._writes_memory(st):
            self._all(st, facts, out)
        elif isinstance(st, (s.Assign, s.Eval)) or (
            isinstance(st, s.Instr) and st.name in ("print", "assert", "trap")
        ):
            self._solo(st, facts, out)
        else:
            raise Unfit(f"{type(st).__name__.lower()} in a block")

    def _writes_memory(self, node: s.Stmt) -> bool:
        """Whether memory is written that other threads can see."""
        own = {n for n, d in declared((node,)).items() if not isinstance(d.var.type, Pointer)}
        for n in walk(node):
            if isinstance(n, s.Assign) and is_memory(n.target):
                name = _base(n.target)
                if name not in self.own and name not in own:
                    return True
            if isinstance(n, (s.Instr, s.Eval)):
                return True
        return False

    def _all(self, st: s.Stmt, facts: Facts, out: list[s.Stmt]) -> None:
        """Every thread does it for itself."""
        self._sync(self._memory((st,), facts), False, out)
        out.append(_plain(st))

    def _solo(self, st: s.Stmt, facts: Facts, out: list[s.Stmt]) -> None:
        """The first thread does it."""
        waited = self._sync(self._memory((st,), facts), True, out)
        st = _plain(st)
        if self.threads == 1:
            out.append(st)
            return
        cond = e.compare("==", self.tid, w.const(0, I32))
        last = out[-1] if out and not waited else None
        if isinstance(last, s.If) and last.cond == cond and not last.orelse:
            out[-1] = replace(last, then=(*last.then, st))
        else:
            out.append(s.If(cond, (st,)))

    def _structured(self, st: s.Stmt, facts: Facts, out: list[s.Stmt]) -> None:
        if not self._has_dealt(st):
            if not self._writes_memory(st):
                self._all(st, facts, out)
                return
            if not self._sets_scalars(st) and not escapes((st,)):
                self._solo(st, facts, out)
                return
        if isinstance(st, s.For):
            out.append(self._for(st, facts, out))
        elif isinstance(st, s.While):
            out.append(self._while(st, facts, out))
        elif isinstance(st, s.If):
            out.append(self._if(st, facts, out))
        elif isinstance(st, s.Scope):
            out.append(replace(st, body=self.body(st.body, facts)))
        else:
            raise Unfit("a switch whose arms are shared by threads")

    def _has_dealt(self, st: s.Stmt) -> bool:
        return any(isinstance(n, s.For) and n.var.name in self.dealt for n in walk(st))

    def _sets_scalars(self, st: s.Stmt) -> bool:
        """Whether it changes what other threads keep for themselves too."""
        local = declared((st,))
        for n in walk(st):
            if isinstance(n, s.Assign):
                name = _base(n.target)
                if name not in local and (not is_memory(n.target) or name in self.own):
                    return True
        return False

    def _for(self, st: s.For, facts: Facts, out: list[s.Stmt]) -> s.Stmt:
        self._sync(self._read(st.lo, st.hi, st.step, facts=facts), False, out)
        body = self._repeated(st.body, inside(st, facts), Memory())
        return replace(st, body=body, kind="unrolled" if st.kind == "unrolled" else "serial")

    def _while(self, st: s.While, facts: Facts, out: list[s.Stmt]) -> s.Stmt:
        asked = self._read(st.cond, facts=facts)
        self._sync(asked, False, out)
        if st.step and any(self._writes_memory(x) for x in st.step):
            raise Unfit("a loop's step writes memory")
        inner = facts if st.do else facts.with_cond(st.cond, True)
        body = self._repeated(st.body, inner, asked)
        return replace(st, body=body)

    def _repeated(self, body: s.Body, facts: Facts, asked: Memory) -> s.Body:
        """A loop's body, with a barrier at its end where the next iteration needs one."""
        entry = self.dirty.copy()
        new = self.body(body, facts)
        whole = self._memory(body, facts)
        whole = Memory(whole.reads | asked.reads, whole.writes, whole.anything or asked.anything)
        if self.dirty.clashes(whole, False):
            new = (*new, s.Barrier())
            self.dirty = entry
        else:
            self.dirty.join(entry)
        return new

    def _if(self, st: s.If, facts: Facts, out: list[s.Stmt]) -> s.Stmt:
        self._sync(self._read(st.cond, facts=facts), False, out)
        entry = self.dirty.copy()
        then = self.body(st.then, facts.with_cond(st.cond, True))
        mine, self.dirty = self.dirty, entry
        orelse = self.body(st.orelse, facts.with_cond(st.cond, False))
        self.dirty.join(mine)
        return replace(st, then=then, orelse=orelse)

    # -- barriers -----------------------------------------------------------------------------

    def _sync(self, m: Memory, solo: bool, out: list[s.Stmt]) -> bool:
        """A barrier if `m` meets what others did since the last one; whether there was one."""
        waited = self.threads > 1 and self.dirty.clashes(m, solo)
        if waited:
            self._barrier(out)
        self.dirty.add(m, solo)
        return waited

    def _barrier(self, out: list[s.Stmt]) -> None:
        if self.threads > 1:
            out.append(s.Barrier())
        self.dirty.clear()

    def _read(self, *parts: e.Expr, facts: Facts) -> Memory:
        return self._memory(tuple(s.Eval(x) for x in parts), facts, evaluated=True)

    def _memory(self, body: s.Body, facts: Facts, evaluated: bool = False) -> Memory:
        """The arrays of others that `body` reads and writes."""
        found = Gatherer(self.frame.low.readers)
        if evaluated:
            for st in body:
                assert isinstance(st, s.Eval)
                found.expr(st.call, facts)
        else:
            found.body(body, facts)
        skip = self.own | {n for n in declared(body) if n not in self._common}
        reads = {a.root.name for a in found.out.accesses if not a.write} - skip
        writes = {a.root.name for a in found.out.accesses if a.write} - skip
        if self.threads > 1:
            self._assume_apart(reads | writes, writes, found)
        return Memory(frozenset(reads), frozenset(writes), found.out.opaque)

    @property
    def _common(self) -> set[str]:
        return set(self.shared) | set(self.dynamic)

    def _assume_apart(self, names: set[str], writes: set[str], found: Gatherer) -> None:
        """Pointers by different names reach different memory: known, or assumed from here on."""
        roots = {a.root.name: a.root for a in found.out.accesses}
        for a in sorted(writes):
            for b in sorted(names - {a}):
                if not distinct(roots[a], roots[b]):
                    first, second = sorted((a, b))
                    if not self.frame.low.ledger.assume_apart(first, second, or_same=True):
                        raise Unfit(f"{first} and {second} may overlap")

    # -- loops that are dealt out -------------------------------------------------------------

    def _deal(self, st: s.For, facts: Facts, out: list[s.Stmt]) -> None:
        kind = self.survey.of(st)
        self.frame.low.accept(kind.sentences)
        self._sync(self._memory((st,), facts), False, out)
        if kind.reductions:
            self._reduce(st, out)
        else:
            out += self._spread(st, with_atomics(st.body, kind.atomics))

    def _spread(self, st: s.For, body: s.Body) -> s.Body:
        """The iterations one after the other to the threads; nests of known size are joined."""
        nest = chain(replace(st, body=body))
        sizes = [trips(lp) for lp in nest.loops]
        if len(sizes) > 1 and None not in sizes and all(_from_zero(lp) for lp in nest.loops):
            return self._joined(nest.loops, nest.before, nest.body)
        if len(sizes) > 1 and _perfect(st) and (sizes[-1] is None or sizes[-1] >= 32):
            out = self._strided(nest.loops[-1], nest.body)
            for lp in reversed(nest.loops[:-1]):
                out = (replace(lp, body=out, kind="serial"),)
            return (*nest.before, *out)
        return self._strided(st, body)

    def _strided(self, st: s.For, body: s.Body) -> s.Body:
        t = st.var.type
        n = trips(st)
        mine = w.binary("+", st.lo, w.binary("*", w.cast(self.tid, t), st.step))
        body = serial(body)
        if n is not None and n <= self.threads and not escapes(body):
            decl = s.Decl(st.var, mine, const=True, loc=st.loc, comments=st.comments)
            if n == self.threads:
                return (s.Scope((decl, *body)),)
            return (s.If(w.less(self.tid, w.const(n, I32)), (decl, *body)),)
        stride = w.binary("*", w.cast(e.Axis("block_dim", "x"), t), st.step)
        return (replace(st, lo=mine, step=stride, body=body, kind="serial", unroll=0),)

    def _joined(self, loops: list[s.For], before: s.Body, body: s.Body) -> s.Body:
        number = self.frame.fresh("e", I32)
        total = 1
        for lp in loops:
            total *= trips(lp) or 1
        left: e.Expr = number
        decls: list[s.Stmt] = []
        for k, lp in reversed(list(enumerate(loops))):
            n = w.const(trips(lp) or 1, I32)
            raw = left if k == 0 else e.Binary("%", left, n, I32)
            value = w.cast(w.binary("*", raw, w.cast(lp.step, I32)), lp.var.type)
            decls.insert(0, s.Decl(lp.var, value, const=True))
            left = e.Binary("/", left, n, I32)
        one = w.const(1, I32)
        whole = s.For(number, w.const(0, I32), w.const(total, I32), one, (*decls, *body))
        return (*before, *self._strided(whole, whole.body))

    def _reduce(self, st: s.For, out: list[s.Stmt]) -> None:
        """Every thread makes a part; the parts are combined across the block."""
        mapping: dict[str, e.Expr] = {}
        parts: list[tuple[Reduction, e.Var, e.Var | None]] = []
        for r in self.survey.of(st).reductions:
            reduce.declare(self.frame.low, r)
            part = self.frame.fresh(f"{r.var.name.split('.')[0]}_part", r.var.type)
            out.append(s.Decl(part, reduce.start(r)))
            mapping[r.var.name] = part
            place = None
            if r.place is not None:
                place = self.frame.fresh(f"{r.place.name.split('.')[0]}_part", r.place.type)
                out.append(s.Decl(place, r.place))
                mapping[r.place.name] = place
            parts.append((r, part, place))
        out += substitute(self._strided(st, st.body), mapping)
        for r, part, place in parts:
            if place is not None:
                self._arg(r, part, place, out)
                continue
            name = reduce.helper(self.frame.low, r)
            total = e.Call(name, (part, self._scratch(r.var.type, "partials")), r.var.type)
            out.append(_accumulated(r, total))
        self.dirty.clear()

    def _scratch(self, t: object, base: str, count: int = 0) -> e.Var:
        assert isinstance(t, Scalar)
        key = f"{base}:{t}:{count}"
        if key not in self.scratch:
            n = count or max(1, self.threads // self.frame.low.machine.wave)
            self.scratch[key] = self.frame.fresh(base, Array(t, n))
        return self.scratch[key]

    def _arg(self, r: Reduction, part: e.Var, place: e.Var, out: list[s.Stmt]) -> None:
        """The extreme of all parts with the smallest index that has it, by halving."""
        assert r.place is not None
        best = self._scratch(r.var.type, "best", self.threads)
        where = self._scratch(r.place.type, "where", self.threads)
        half = self.frame.fresh("half", I32)

        def at(a: e.Var, i: e.Expr) -> e.Index:
            return e.Index(a, i, a.type.elem)  # type: ignore[attr-defined]

        mine, far = self.tid, e.Binary("+", self.tid, half, I32)
        better = e.compare(r.op, at(best, far), at(best, mine))  # type: ignore[arg-type]
        tie = w.both([e.compare("==", at(best, far), at(best, mine)),
                      w.less(at(where, far), at(where, mine))])  # fmt: skip
        take = (s.Assign(at(best, mine), at(best, far)), s.Assign(at(where, mine), at(where, far)))
        ask = e.Binary("||", better, tie, better.type)
        step = s.If(w.less(mine, half), (s.If(ask, take),))
        count = 1
        while count < self.threads:
            count *= 2
        if count != self.threads:
            raise Unfit("the number of threads is no power of two")
        out += (
            s.Assign(at(best, mine), part), s.Assign(at(where, mine), place), s.Barrier(),
            s.Scope((
                s.Decl(half, w.const(self.threads // 2, I32)),
                s.While(e.compare(">", half, w.const(0, I32)), (step, s.Barrier()),
                        (s.Assign(half, w.const(2, I32), "/"),)),
            )),
            s.Assign(r.var, at(best, w.const(0, I32))),
            s.Assign(r.place, at(where, w.const(0, I32))), s.Barrier(),
        )  # fmt: skip


def _accumulated(r: Reduction, total: e.Expr) -> s.Stmt:
    if r.op in ("+", "*", "|", "^"):
        return s.Assign(r.var, total, r.op)  # type: ignore[arg-type]
    return s.Assign(r.var, total)


def _plain(st: s.Stmt) -> s.Stmt:
    (out,) = serial((st,))
    return out


def _bodies(st: s.Stmt) -> Iterator[s.Body]:
    if isinstance(st, s.If):
        yield from (st.then, st.orelse)
    elif isinstance(st, (s.While, s.Scope)):
        yield st.body
    elif isinstance(st, s.Switch):
        yield from (c.body for c in st.cases)


def _decls(body: s.Body) -> list[s.Decl]:
    return list(declared(body).values())


def _stored(body: s.Body) -> set[str]:
    return {_base(n.target) for n in walk(body) if isinstance(n, s.Assign)}


def _base(x: e.Expr) -> str:
    """The variable whose memory a place lies in, its elements read as others too."""
    while isinstance(x, (e.Index, e.Field, e.Cast)):
        x = x.x if isinstance(x, e.Cast) else x.base
    return x.name if isinstance(x, e.Var) else ""


def _escaping(body: s.Body, name: str) -> bool:
    """Whether the array is used other than by its elements."""

    def found(n: Node, indexed: bool) -> bool:
        if isinstance(n, e.Var):
            return n.name == name and isinstance(n.type, Array) and not indexed
        if isinstance(n, e.Index):
            return found(n.base, True) or found(n.index, False)
        if isinstance(n, e.Cast):
            return found(n.x, indexed)
        if isinstance(n, s.Decl):
            return n.init is not None and found(n.init, False)
        return any(found(c, False) for c in children(n))

    return any(found(st, False) for st in body)


def _pointed_at(body: s.Body, name: str) -> bool:
    return any(isinstance(n, e.AddressOf) and root(n.x) == name for n in walk(body))


def _from_zero(lp: s.For) -> bool:
    return isinstance(lp.lo, e.Const) and lp.lo.value == 0


def _perfect(st: s.For) -> bool:
    return len(st.body) == 1 and isinstance(st.body[0], s.For) and st.body[0].kind == "parallel"


def elements(t: Array) -> int | None:
    """Scalars (or vectors, structs) in an array of constant size."""
    if t.size is None:
        return None
    inner = elements(t.elem) if isinstance(t.elem, Array) else 1
    return None if inner is None else t.size * inner


def trips(st: s.For) -> int | None:
    """The number of iterations, where it is constant."""
    parts = (st.lo, st.hi, st.step)
    if not all(isinstance(x, e.Const) for x in parts):
        return None
    lo, hi, step = (int(x.value) for x in parts)  # type: ignore[attr-defined]
    return max(0, -(-(hi - lo) // step)) if step > 0 else None


def total_trips(st: s.For) -> int | None:
    """The points of a perfect nest of parallel loops, where constant."""
    n = trips(st)
    if n is None or not _perfect(st):
        return n
    assert isinstance(st.body[0], s.For)
    inner = total_trips(st.body[0])
    return None if inner is None else n * inner


__all__ = ["Block", "assigned", "rewrite_stmts", "total_trips", "trips"]
