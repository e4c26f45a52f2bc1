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
from xpiler.ir.program import Function, Program, Role
from xpiler.ir.rewrite import children, rewrite_stmts, walk
from xpiler.ir.text import show
from xpiler.ir.types import F64, U32, Pointer
from xpiler.passes.cleanup.base import Assumptions, Context
from xpiler.passes.lowering.base import EntryPoint, Lowered, Origin
from xpiler.passes.lowering.simt.context import Lowering, Machine
from xpiler.passes.lowering.simt.inline import inlined
from xpiler.passes.lowering.tasks.conversions import WRAPS
from xpiler.passes.lowering.tasks.doubles import PAIRS, Stays, in_floats, launched
from xpiler.passes.lowering.tasks.host import CORES, HostDriver
from xpiler.passes.lowering.tasks.nram import TooLarge
from xpiler.passes.lowering.tasks.prepare import prepared, signed_sums, steady_pointers
from xpiler.passes.lowering.tasks.tasks import Kernel
from xpiler.platforms.registry import Platform


def lower(program: Program, platform: Platform, origin: Origin, assume: Assumptions) -> Lowered:
    """`program` as kernels whose tasks share its parallel loops, with host functions around them.

    Loops that stay scalar are noted (XP1201); functions that cannot be lowered are errors (XP1202).
    """
    ledger = Ledger(allowed=assume.no_wrap, alias_allowed=assume.no_alias, unsigned=True)
    low = Tasks(program, platform, origin, Context(assume, ledger, program))
    done = low.run()
    return Lowered(done, tuple(low.diagnostics), tuple(ledger.sentences), low.entries, low.extents)


class Tasks:
    """One program on its way."""

    def __init__(self, program: Program, platform: Platform, origin: Origin, ctx: Context) -> None:
        self.program, self.platform, self.origin, self.ctx = program, platform, origin, ctx
        self.readers = readers(program)
        self.budget = int(platform.limits.get("nram_bytes", 393216)) - 4096
        self.diagnostics: list[Diagnostic] = []
        self.entries: dict[str, EntryPoint] = {}
        self.extents: dict[str, dict[str, e.Expr]] = {}
        self.narrowed: dict[str, Function] = {}

    def run(self) -> Program:
        if self.origin.bare_kernels or self.origin.launched:
            functions = self._as_before()
        else:
            functions = self._hosts()
        known = {n: f for n, f in self.narrowed.items() if n not in self.origin.bare_kernels}
        functions = tuple(f.with_body(launched(f.body, known)) for f in functions)
        done = replace(self.program, functions=functions, platform=self.platform.name)
        done = replace(done, functions=_reachable(done))
        return replace(done, externals=_externals(done))

    def _as_before(self) -> tuple[Function, ...]:
        """The source's kernels become kernels, and its host code launches them as it did."""
        kernels = self.origin.bare_kernels | self.origin.launched
        lost: set[str] = set()
        out: list[Function] = []
        for f in self.program.functions:
            if f.name in kernels:
                made = self.bare(f)
                out += [made] if made is not None else []
                lost |= {f.name} if made is None else set()
        serving = _called_from(list(out))
        for f in self.program.functions:
            if f.name not in kernels:
                inner = f.name in _closure(self.program, serving)
                role: Role = "device" if inner else "host"
                out.append(replace(f, body=_launching(f.body, kernels), role=role))
        order = {f.name: k for k, f in enumerate(self.program.functions)}
        out.sort(key=lambda f: order[f.name])
        return tuple(f for f in out if not _called_from([f]) & lost)

    def _hosts(self) -> tuple[Function, ...]:
        """Host functions and the kernels that they launch, for a program without any."""
        names = {f.name for f in self.program.functions}
        program = inlined(self.program, self.readers)
        program = program.with_functions(tuple(map(steady_pointers, program.functions)))
        low = Lowering(program, Machine(1), self.ctx, self.readers, names=names)
        made = HostDriver(low, self.origin).run()
        self.diagnostics += low.diagnostics
        self.extents = low.extents
        out: list[Function] = []
        for f in made.functions:
            found = self.kernel(f) if f.role == "kernel" else f
            out += [found] if found is not None else []
        lost = {f.name for f in made.functions} - {f.name for f in out}
        return tuple(f for f in out if not _called_from([f]) & lost)

    def bare(self, f: Function) -> Function | None:
        """A kernel of the same name and parameters, right for any number of tasks."""
        made = self.kernel(f)
        if made is not None and f.name in self.origin.bare_kernels:
            self.entries[f.name] = EntryPoint("kernel", (1, 1, 1), (CORES, 1, 1))
        return made

    def kernel(self, f: Function) -> Function | None:
        taken = {p.name for p in f.params} | set(names_in(f.body))
        body = prepared(f.body, self._others(f), taken, self.program.structs)
        f = replace(f, body=body)
        summed = signed_sums(f.body)
        if summed != f.body and self.ctx.facts(f).ledger.assume(WRAPS):
            f = replace(f, body=summed)
        narrow = self._without_doubles(f)
        if narrow is None:
            return None
        f = narrow
        writer = Kernel(self.ctx.facts(f), self.readers, self.budget, taken, self._far(f), f.params)
        try:
            body = writer.write(f.body)
        except TooLarge as why:
            self.note("XP1202", f"{f.name} does not fit into a core's memory", f, str(why))
            return None
        for loop, reason in writer.notes.items():
            stem = loop.split(".")[0]
            self.note("XP1201", f"the loop over {stem} in {f.name} stays scalar", f, reason)
        return replace(f, body=body, role="kernel", static=False)

    def _others(self, f: Function) -> dict[str, Function]:
        """The program's functions that run on a core as well."""
        return {g.name: g for g in self.program.functions if g.name != f.name}

    def _without_doubles(self, f: Function) -> Function | None:
        """The kernel as a core can run it: in floats where that is all it takes; else noted."""
        where, why = self._double(f), ""
        if not where:
            return f
        try:
            taken = {p.name for p in f.params} | set(names_in(f.body))
            bare = f.name in self.origin.bare_kernels
            narrow = in_floats(f, taken, not bare)
            wide = " and ".join(p.name for p in f.params if bare and p.type == F64)
            told = f"{f.name} computes {PAIRS}" + (f", with {wide} as a float" if wide else "")
            if not self._double(narrow) and self.ctx.ledger.assume(told):
                self.narrowed[f.name] = f
                return narrow
        except Stays as found:
            why = f"; {found}"
        message = f"{f.name} computes in double precision, which the cores do not have"
        self.note("XP1202", message, f, where + why)
        return None

    def _double(self, f: Function) -> str:
        """An operation on doubles in what the kernel runs ("" for none)."""
        for name in {f.name} | _closure(self.program, _called_from([f])):
            for n in walk(self.program.function(name).body if name != f.name else f.body):
                if isinstance(n, (e.Binary, e.Call, e.Unary)) and _is_double(n):
                    return (
                        f"`{show(n)}` is a double; write it in float where that is precise enough"
                    )
                if isinstance(n, s.Assign) and n.op and n.target.type == F64:
                    return f"`{show(n.target)}` is a double that grows"
        return ""

    def _far(self, f: Function) -> frozenset[str]:
        """What points to the device's memory."""
        pointers = {p.name for p in f.params if isinstance(p.type, Pointer)}
        return frozenset(pointers | {g.var.name for g in self.program.globals})

    def note(self, code: str, message: str, f: Function, reason: str) -> None:
        new = Diagnostic(
            code, message, "note" if code == "XP1201" else "error", f.loc, reason=reason
        )
        if new not in self.diagnostics:
            self.diagnostics.append(new)


def _is_double(n: e.Expr) -> bool:
    parts = [n.type, *(c.type for c in children(n) if isinstance(c, e.Expr))]
    return F64 in parts


def _called_from(functions: list[Function]) -> set[str]:
    return {n.func for f in functions for n in walk(f.body) if isinstance(n, e.Call)} | {
        n.kernel for f in functions for n in walk(f.body) if isinstance(n, s.Launch)
    }


def _closure(program: Program, names: set[str]) -> set[str]:
    """The program's functions among `names` and whatever those call."""
    own = {f.name: f for f in program.functions}
    found: set[str] = set()
    todo = [n for n in names if n in own]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [n for n in _called_from([own[name]]) if n in own]
    return found


def _launching(body: s.Body, kernels: frozenset[str]) -> s.Body:
    """Calls of functions that were kernels become launches of one job of tasks."""
    one, cores = e.Const(1, U32), e.Const(CORES, U32)

    def launch(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Eval) and isinstance(st.call, e.Call) and st.call.func in kernels:
            return s.Launch(
                st.call.func, (one, one, one), (cores, one, one), st.call.args,
                loc=st.loc, comments=st.comments,
            )  # fmt: skip
        return st

    out: s.Body = rewrite_stmts(body, launch)
    return out


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


__all__ = ["lower"]
