"""A whole program: kernels for the cores, and host functions that launch them."""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import names_in
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Ledger
from xpiler.diagnostics import Diagnostic
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.passes.cleanup.base import Assumptions, Context
from xpiler.passes.lowering.base import EntryPoint, Lowered, Origin
from xpiler.passes.lowering.simt.context import Lowering, Machine
from xpiler.passes.lowering.tasks.host import CORES, HostDriver
from xpiler.passes.lowering.tasks.nram import TooLarge
from xpiler.passes.lowering.tasks.tasks import Kernel
from xpiler.platforms.registry import Platform


def lower(program: Program, platform: Platform, origin: Origin, assume: Assumptions) -> Lowered:
    """`program` as kernels whose tasks share its parallel loops, with host functions around them.

    Loops that stay scalar are noted (XP1201); functions that cannot be lowered are errors (XP1202).
    """
    ledger = Ledger(allowed=assume.no_wrap, alias_allowed=assume.no_alias)
    low = Tasks(program, platform, origin, Context(assume, ledger, program))
    done = low.run()
    return Lowered(done, tuple(low.diagnostics), tuple(ledger.sentences), low.entries)


class Tasks:
    """One program on its way."""

    def __init__(
        self, program: Program, platform: Platform, origin: Origin, ctx: Context
    ) -> None:
        self.program, self.platform, self.origin, self.ctx = program, platform, origin, ctx
        self.readers = readers(program)
        self.budget = int(platform.limits.get("nram_bytes", 393216)) - 4096
        self.diagnostics: list[Diagnostic] = []
        self.entries: dict[str, EntryPoint] = {}

    def run(self) -> Program:
        own = [f for f in self.program.functions if f.name in self.origin.bare_kernels]
        kernels = [k for k in map(self.bare, own) if k is not None]
        rest = [f for f in self.program.functions if f not in own]
        serving = [f for f in rest if self._serves(f, rest)]
        hosts = self._hosts(tuple(rest), serving)
        low = {f.name: f for f in (*serving, *hosts)}
        functions = tuple(replace(f, role="device") for f in serving if f not in hosts)
        functions = (*(f for f in functions if low[f.name] is not None), *kernels, *hosts)
        names = {f.name for f in hosts}
        functions = tuple(f for f in functions if f in hosts or f.name not in names)
        done = replace(self.program, functions=functions, platform=self.platform.name)
        done = replace(done, functions=_reachable(done))
        return replace(done, externals=_externals(done))

    def _serves(self, f: Function, rest: list[Function]) -> bool:
        """Whether only other functions have a use for it: nothing else calls it, it launches
        nothing."""
        return any(
            isinstance(n, e.Call) and n.func == f.name
            for g in self.program.functions if g is not f for n in walk(g.body)
        )  # fmt: skip

    def _hosts(self, rest: tuple[Function, ...], serving: list[Function]) -> list[Function]:
        """Host functions and the kernels that they launch."""
        if not rest or all(f in serving for f in rest):
            return []
        part = replace(self.program, functions=rest)
        low = Lowering(part, Machine(1), self.ctx, self.readers, names={f.name for f in rest})
        made = HostDriver(low, self.origin).run()
        self.diagnostics += low.diagnostics
        out: list[Function] = []
        for f in made.functions:
            found = self.kernel(f) if f.role == "kernel" else f
            out += [found] if found is not None else []
        return out

    def bare(self, f: Function) -> Function | None:
        """A kernel of the same name and parameters, right for any number of tasks."""
        made = self.kernel(f)
        if made is not None:
            self.entries[f.name] = EntryPoint("kernel", (1, 1, 1), (CORES, 1, 1))
        return made

    def kernel(self, f: Function) -> Function | None:
        taken = {p.name for p in f.params} | set(names_in(f.body))
        writer = Kernel(self.ctx.facts(f), self.readers, self.budget, taken)
        try:
            body = writer.write(f.body)
        except TooLarge as why:
            self.note("XP1202", f"{f.name} does not fit into a core's memory", f, str(why))
            return None
        for loop, reason in writer.notes.items():
            stem = loop.split(".")[0]
            self.note("XP1201", f"the loop over {stem} in {f.name} stays scalar", f, reason)
        return replace(f, body=body, role="kernel", static=False)

    def note(self, code: str, message: str, f: Function, reason: str) -> None:
        new = Diagnostic(code, message, loc=f.loc, reason=reason)
        if new not in self.diagnostics:
            self.diagnostics.append(new)


def _reachable(program: Program) -> tuple[Function, ...]:
    """Kernels, host functions and what they call."""
    own = {f.name: f for f in program.functions}
    todo = [f for f in program.functions if f.role != "device"]
    kept = {f.name for f in todo}
    while todo:
        for n in walk(todo.pop().body):
            if isinstance(n, e.Call) and n.func in own and n.func not in kept:
                kept.add(n.func)
                todo.append(own[n.func])
    return tuple(f for f in program.functions if f.name in kept)


def _externals(program: Program) -> frozenset[str]:
    """The platform's instructions and words that the program uses."""
    own = {f.name for f in program.functions} | set(math_functions())
    called = {n.func for f in program.functions for n in walk(f.body) if isinstance(n, e.Call)}
    return frozenset(called - own)


__all__ = ["lower", "s"]
