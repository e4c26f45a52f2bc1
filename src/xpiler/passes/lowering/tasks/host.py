"""Host functions: every loop that can be shared becomes a launch, all between them one more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import declared, names_in
from xpiler.analysis.parallelism import survey
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import F32, F64, I32, U32, Array, Pointer
from xpiler.passes.cleanup.base import sentence
from xpiler.passes.lowering.simt.context import (
    Frame,
    Lowering,
    Unfit,
    free_variables,
    loaded,
    outline,
)
from xpiler.passes.lowering.simt.driver import _Driver
from xpiler.passes.lowering.simt.host import Form, Host
from xpiler.passes.lowering.simt.threads import bindable
from xpiler.passes.lowering.simt.words import size_of
from xpiler.passes.lowering.tasks.tasks import POOL

CORES = 4
"""Tasks that a launch has: one union of a cluster's cores."""


@dataclass
class TaskHost(Host):
    """A launch has one job of tasks; what is in the kernel is shared among them later.

    `wide` are the host's doubles that the device has as two floats.
    """

    wide: dict[str, e.Var] = field(default_factory=dict)

    def _loop(
        self, st: s.For, facts: Facts, run: list[tuple[s.Stmt, Facts]], out: list[s.Stmt]
    ) -> s.Body | None:
        if not bindable(st) or self._is_small(st):
            return None
        if self.survey.of(st).free:
            front = (*self._flush(run), *self._fetched((st.lo, st.hi, st.step)))
            return (*front, *self._launch((st,)))
        if self._worth_launching(st.body):
            front = (*self._flush(run), *self._fetched((st.lo, st.hi, st.step)))
            before, inner = self._repeated(st.body, inside(st, facts))
            return (*front, *before, s.For(st.var, st.lo, st.hi, st.step, inner))
        return None

    def _launch(self, body: s.Body, targets: Mapping[str, e.Var] | None = None) -> s.Body:
        scalars = {n.name: n for n in walk(body) if isinstance(n, e.Var)}
        stores = [
            st for name, at in (targets or {}).items() for st in self._stored(scalars[name], at)
        ]
        whole = self._loaded((*body, *stores))
        name, args = outline(self.frame, whole, allocates=self._allocates_for_itself(body))
        one = e.Const(1, U32)
        cores = e.Const(CORES, U32)
        return (s.Launch(name, (one, one, one), (cores, one, one), args),)

    def _together(self, body: s.Body, facts: Facts, targets: Mapping[str, e.Var]) -> s.Body:
        return self._launch(body, targets)

    def _loaded(self, body: s.Body) -> s.Body:
        """`body` after loads of the values that it needs and that are in device memory."""
        wide = {n: at for n, at in self.resident.items() if n in self.wide}
        front = [
            s.Decl(v, _sum(*(_element(wide[v.name], k) for k in (0, 1))))
            for v in free_variables(body)
            if v.name in wide
        ]
        others = {n: at for n, at in self.resident.items() if n not in wide}
        return loaded((*front, *body), others)

    def _stored(self, v: e.Var, at: e.Var) -> s.Body:
        """The value put into device memory; of a double a float, and what is missing to it."""
        if v.name not in self.wide:
            return (s.Assign(_element(at, 0), v),)
        high = e.Cast(v, F32)
        rest = e.Cast(e.Binary("-", v, e.Cast(high, F64), F64), F32)
        return (s.Assign(_element(at, 0), high), s.Assign(_element(at, 1), rest))

    def _buffer(self, v: e.Var) -> e.Var:
        """Device memory for one value; of doubles it has two floats, all that cores have."""
        if v.type != F64:
            return super()._buffer(v)
        if self.frame.f.ret == F64:
            raise Unfit("it gives back a double, which the cores do not have")
        self.wide[v.name] = v
        where = super()._buffer(replace(v, type=F32))
        self.hoisted[where.name] = (where, size_of(F64, 8))
        return where

    def _fetch(self, names: set[str]) -> s.Body:
        """Copies of values to the host, where two floats become a double again."""
        return tuple(x for st in super()._fetch(names) for x in self._widened(st))

    def _widened(self, st: s.Stmt) -> s.Body:
        assert isinstance(st, s.Instr)
        to = st.ins[0].x if isinstance(st.ins[0], e.AddressOf) else None
        wide = self.wide.get(to.name) if isinstance(to, e.Var) else None
        if wide is None:
            return (st,)
        at = st.ins[1]
        assert isinstance(at, e.Var)
        out: list[s.Stmt] = []
        halves = [self.frame.fresh(f"{wide.name.split('.')[0]}_{n}", F32) for n in ("high", "low")]
        for k, got in enumerate(halves):
            place = e.address_of(_element(at, k))
            copied = replace(st, ins=(e.address_of(got), place, size_of(F32, 4)))
            out += [s.Decl(got), copied]
        return (*out, s.Assign(wide, _sum(*halves)))

    def _allocates_for_itself(self, body: s.Body) -> bool:
        """Whether what `body` allocates and frees are arrays that no other variable is made of."""
        targets = [n.target for n in walk(body) if isinstance(n, s.Assign)]
        own = set(declared(body)) - {x.name for x in targets if isinstance(x, e.Var)}
        changes = [n for n in walk(body) if isinstance(n, s.Instr)]
        places = [x for n in changes for x in (n.outs if n.name == "host.alloc" else n.ins)]
        if not all(isinstance(x, e.Var) and x.name in own for x in places):
            return False
        for n in changes:
            if n.name == "host.alloc":
                self.frame.low.assume(f"{sentence(n.ins[0])} is at most {POOL}")
        return True


def _element(where: e.Var, k: int) -> e.Index:
    assert isinstance(where.type, (Array, Pointer))
    return e.Index(where, e.Const(k, I32), where.type.elem)


def _sum(high: e.Expr, low: e.Expr) -> e.Expr:
    """The double that two floats stand for."""
    return e.Binary("+", e.Cast(high, F64), e.Cast(low, F64), F64)


class HostDriver(_Driver):
    """The functions that are called from outside, with launches in them."""

    def _form(self, f: Function, forms: Mapping[str, Form], whole: bool = False) -> Form:
        low: Lowering = self.low
        facts = self._facts(f)
        found = survey(f.body, facts, low.readers)
        used = self._used(f, f.body, facts, forms)
        frame = Frame(low, f, facts, {p.name for p in f.params} | set(names_in(f.body)))
        host = TaskHost(frame, found, forms)
        new = host.whole(f.body, facts) if whole else host.body(f.body, facts)
        return Form(f, host.finished(new), host.result, used)


__all__ = ["CORES", "HostDriver", "Program", "TaskHost"]
