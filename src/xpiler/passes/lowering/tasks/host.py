"""Host functions: every loop that can be shared becomes a launch, all between them one more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xpiler.analysis.effects import declared, names_in
from xpiler.analysis.parallelism import survey
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I32, U32
from xpiler.passes.cleanup.base import sentence
from xpiler.passes.lowering.simt.context import Frame, Lowering, loaded, outline
from xpiler.passes.lowering.simt.driver import _Driver
from xpiler.passes.lowering.simt.host import Form, Host
from xpiler.passes.lowering.simt.threads import bindable
from xpiler.passes.lowering.tasks.tasks import POOL

CORES = 4
"""Tasks that a launch has: one union of a cluster's cores."""


@dataclass
class TaskHost(Host):
    """A launch has one job of tasks; what is in the kernel is shared among them later."""

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
            inner = self._repeated(st.body, inside(st, facts), frozenset())
            return (*front, s.For(st.var, st.lo, st.hi, st.step, inner))
        return None

    def _launch(self, body: s.Body, targets: Mapping[str, e.Var] | None = None) -> s.Body:
        scalars = {n.name: n for n in walk(body) if isinstance(n, e.Var)}
        stores = tuple(
            s.Assign(e.Index(where, e.Const(0, I32), scalars[name].type), scalars[name])
            for name, where in (targets or {}).items()
        )
        whole = loaded((*body, *stores), self.resident)
        name, args = outline(self.frame, whole, allocates=self._allocates_for_itself(body))
        one = e.Const(1, U32)
        cores = e.Const(CORES, U32)
        return (s.Launch(name, (one, one, one), (cores, one, one), args),)

    def _together(self, body: s.Body, facts: Facts, targets: Mapping[str, e.Var]) -> s.Body:
        return self._launch(body, targets)

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
