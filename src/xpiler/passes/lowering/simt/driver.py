"""A whole program: which functions become wrappers, which run on the device, in what order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from xpiler.analysis.effects import names_in
from xpiler.analysis.extents import Use, uses
from xpiler.analysis.parallelism import divisors, survey
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts, Ledger
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Pointer
from xpiler.passes.cleanup.base import Assumptions, Context, value_sentence
from xpiler.passes.lowering.base import Lowered, Origin
from xpiler.passes.lowering.simt.columns import in_columns
from xpiler.passes.lowering.simt.context import Frame, Lowering, Machine, Unfit
from xpiler.passes.lowering.simt.copies import in_loops
from xpiler.passes.lowering.simt.counted import counted
from xpiler.passes.lowering.simt.held import held
from xpiler.passes.lowering.simt.host import Form, Host, touches_memory
from xpiler.passes.lowering.simt.inline import callees_first, calls_in, inlined, reached
from xpiler.passes.lowering.simt.own import own_memory
from xpiler.passes.lowering.simt.spill import spilled
from xpiler.passes.lowering.simt.spread import spread
from xpiler.passes.lowering.simt.structs import renamed_structs
from xpiler.passes.lowering.simt.tables import by_row
from xpiler.passes.lowering.simt.threads import marked
from xpiler.passes.lowering.simt.tiled import untiled
from xpiler.passes.lowering.simt.wrapper import wrapped
from xpiler.platforms.registry import Platform


def lower(program: Program, platform: Platform, origin: Origin, assume: Assumptions) -> Lowered:
    """`program` as kernels and host functions that launch them.

    Loops that stay serial are noted (XP1101); pointers whose extent cannot be told are errors
    (XP1102), functions that cannot be lowered at all too (XP1103).
    """
    ledger = Ledger(
        allowed=assume.no_wrap, alias_allowed=assume.no_alias, unsigned=True, effort=3_000_000
    )
    program = _prepared(program)
    low = Lowering(program, machine_of(platform), Context(assume, ledger, program),
                   readers(program), names={f.name for f in program.functions})  # fmt: skip
    low.program = program.with_functions(in_loops(low, program))
    done = spilled(_Driver(low, origin).run(), low.machine.local_bytes)
    done = without_reserved(done, platform)
    return Lowered(
        replace(done, platform=platform.name, wave=low.machine.wave),
        tuple(low.diagnostics), tuple(ledger.sentences), extents=low.extents,
    )  # fmt: skip


def _prepared(program: Program) -> Program:
    """Loops with counters as counting loops, small functions in their places."""
    program = program.with_functions(tuple(counted(f) for f in program.functions))
    return by_row(inlined(program, readers(program)))


def without_reserved(program: Program, platform: Platform) -> Program:
    """Structs of the user's get other names where the platform has a type of that name."""
    pattern = re.compile(platform.tables.get("lowering", {}).get("reserved", "(?!)"))
    new = {d.name: f"{d.name}_t" for d in program.structs if pattern.fullmatch(d.name)}
    return renamed_structs(program, new) if new else program


def machine_of(platform: Platform) -> Machine:
    """The widths and sizes in the platform's tables."""
    limits, table = platform.limits, platform.tables.get("lowering", {})
    usual = Machine()
    return Machine(
        platform.wave(),
        int(table.get("threads", usual.threads)),
        int(limits.get("threads_per_block", usual.max_threads)),
        int(limits.get("shared_bytes", usual.shared_bytes)),
        int(limits.get("grid", [0, usual.grid_y])[1]),
        int(limits.get("local_bytes", usual.local_bytes)),
    )


@dataclass
class _Driver:
    low: Lowering
    origin: Origin

    def run(self) -> Program:
        program = self.low.program
        forms: dict[str, Form] = {}
        hosts: dict[str, Function] = {}
        for f in callees_first(program):
            if f.name in self.origin.bare_kernels | self.origin.examples.keys():
                # What is run, though others call or launch it, too.
                f = replace(f, static=False)
            gone = f.static and not _is_called(program, f.name)
            if gone or self._is_device(f):
                continue
            made = self._one(f, forms)
            if made is not None:
                forms[f.name], host = made
                if host is not None:
                    hosts[f.name] = host
        return self._assembled(hosts)

    def _is_device(self, f: Function) -> bool:
        """Whether it only serves kernels: nothing but computing, and somebody calls it."""
        return (
            f.name in self.low.readers
            and (f.static or _is_called(self.low.program, f.name) or not _works_on_memory(f))
            and not _has_loops_over_memory(f)
        )

    def _one(self, f: Function, forms: Mapping[str, Form]) -> tuple[Form, Function | None] | None:
        """The function over device pointers, and its wrapper if it is called from outside."""
        low = self.low
        kernels, names = len(low.kernels), set(low.names)
        reasons: list[str] = []
        for whole in (False, True):
            try:
                form = self._form(f, forms, whole)
                if reasons:
                    low.note("XP1101", f"{f.name} runs in one launch", f.loc, reasons[0])
                inner = f.static or f.name in self.origin.launched
                if inner and _is_called(low.program, f.name):
                    return form, None
                return form, wrapped(low, form, self.origin)
            except Unfit as why:
                reasons.append(str(why))
                del low.kernels[kernels:]
                low.names = names
        low.note("XP1103", f"{f.name} could not be brought to the device", f.loc, reasons[0])
        return None

    def _form(self, f: Function, forms: Mapping[str, Form], whole: bool = False) -> Form:
        low = self.low
        f = spread(f, {p.name for p in f.params} | set(names_in(f.body)))
        facts = self._facts(f)
        f = self._arranged(f, facts)
        found = survey(f.body, facts, low.readers)
        body = marked(f.body, found)
        used = self._used(f, body, facts, forms)
        frame = Frame(low, f, facts, {p.name for p in f.params} | set(names_in(f.body)))
        host = Host(frame, found, forms)
        new = host.whole(body, facts) if whole else host.body(body, facts)
        return Form(f, host.finished(new), host.result, used)

    def _arranged(self, f: Function, facts: Facts) -> Function:
        """`f` with memory and loops where threads want them; proofs to come lose nothing by it."""
        effort = facts.ledger.effort
        f = untiled(f, facts, self.low.readers, {p.name for p in f.params} | set(names_in(f.body)))
        f = own_memory(f, facts, self.low.readers)
        f = in_columns(f, facts, self.low.readers)
        f = held(f, facts, self.low.readers, {p.name for p in f.params} | set(names_in(f.body)))
        facts.ledger.effort = effort
        return f

    def _used(
        self, f: Function, body: s.Body, facts: Facts, forms: Mapping[str, Form]
    ) -> dict[str, Use]:
        """What `f` does with its buffers, read off its plain form where there is one."""
        known = {n: (form.f.params, form.uses) for n, form in forms.items()}
        same = [g for g in self.plain if (g.name, g.params) == (f.name, f.params)]
        if same:
            facts = self._facts(same[0])
            body = marked(same[0].body, survey(same[0].body, facts, self.low.readers))
        return uses(f, body, facts, self.low.readers, known, self.low.program.structs)

    @cached_property
    def plain(self) -> tuple[Function, ...]:
        """The functions before steps changed them."""
        before = self.origin.plain
        return _prepared(before).functions if before is not None else ()

    def _facts(self, f: Function) -> Facts:
        """What holds at the start of `f`; sizes that it divides by are taken to be positive."""
        facts = self.low.ctx.facts(f)
        keep = frozenset(p.name for p in f.params if p.name not in facts.mutable)
        for _ in range(2):  # a divisor may be a quotient itself
            for p in divisors(f.body, facts, keep):
                sentence = f"{value_sentence(facts, p)} is positive"
                if self.low.ledger.assume(sentence):
                    facts = facts.with_fact(p - 1)
        return facts

    def _assembled(self, hosts: Mapping[str, Function]) -> Program:
        """Device functions, kernels and wrappers, each before it is used."""
        low, program = self.low, self.low.program
        nodes = (n for h in hosts.values() for n in walk(h.body))
        launched = {n.kernel for n in nodes if isinstance(n, s.Launch)}
        kernels = [k for k in low.kernels if k.name in launched]
        needed = reached(program, [k.body for k in kernels])
        scalar = reached(program, [h.body for h in hosts.values()])
        helpers = [replace(f, role="device") for f in program.functions if f.name in needed]
        own = {f.name for f in program.functions if self._is_device(f) and not f.static}
        keep = [f for f in program.functions if f.name in (scalar | own) - needed - set(hosts)]
        order = [hosts[f.name] for f in program.functions if f.name in hosts]
        used = {n for k in kernels for n in calls_in(k.body)}
        own_helpers = [h for h in low.helpers.values() if h.name in used]
        functions = (*own_helpers, *helpers, *kernels, *keep, *order)
        return replace(program, functions=tuple(functions))


def _works_on_memory(f: Function) -> bool:
    return any(isinstance(p.type, Pointer) for p in f.params)


def _has_loops_over_memory(f: Function) -> bool:
    """Whether the function is work by itself: a loop over what its pointers point to."""
    pointers = {p.name for p in f.params if isinstance(p.type, Pointer)}
    return any(isinstance(n, s.For) and names_in(n) & pointers for n in walk(f.body))


def _is_called(program: Program, name: str) -> bool:
    return any(
        isinstance(n, e.Call) and n.func == name for f in program.functions for n in walk(f.body)
    )


__all__ = ["lower", "touches_memory"]
