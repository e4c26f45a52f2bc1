"""What the parts of the recipe share while one program is lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import names_in
from xpiler.analysis.ranges import Facts, Ledger
from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.diagnostics.registry import lookup
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, walk
from xpiler.ir.types import I32, Array, Pointer, Type
from xpiler.passes.cleanup.base import Context


class Unfit(Exception):
    """A form that does not suit the statements at hand; the message says why."""


@dataclass(frozen=True)
class Machine:
    """What the recipe asks of a platform: widths in threads, sizes in bytes."""

    wave: int = 32
    threads: int = 256
    max_threads: int = 1024
    shared_bytes: int = 49152
    grid_y: int = 65535
    local_bytes: int = 65536


@dataclass
class Lowering:
    """One program on its way: the kernels made so far and everything that has to be told."""

    program: Program
    machine: Machine
    ctx: Context
    readers: frozenset[str]
    kernels: list[Function] = field(default_factory=list)
    helpers: dict[str, Function] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    extents: dict[str, dict[str, e.Expr]] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return self.ctx.ledger

    def assume(self, sentence: str) -> None:
        """Record what has to hold; callers check `ledger.allowed` where they have a choice."""
        if sentence not in self.ledger.sentences:
            self.ledger.sentences.append(sentence)

    def accept(self, sentences: tuple[str, ...]) -> None:
        for x in sentences:
            self.assume(x)

    def note(self, code: str, message: str, loc: SourceLoc | None, reason: str = "") -> None:
        entry = lookup(code)
        severity = entry.severity if entry is not None else "error"
        new = Diagnostic(code, message, severity, loc=loc, reason=reason or None)  # type: ignore[arg-type]
        if new not in self.diagnostics:
            self.diagnostics.append(new)

    def kernel_name(self, f: Function) -> str:
        """NAME_kernel, NAME_kernel_2, ..."""
        base = f"{f.public.split('.')[0]}_kernel"
        name, k = base, 1
        while name in self.names:
            k += 1
            name = f"{base}_{k}"
        self.names.add(name)
        return name


@dataclass
class Frame:
    """One function on its way: its facts, and the names that its host code has taken.

    `tables` are arrays with values that never change: kernels declare them for themselves.
    """

    low: Lowering
    f: Function
    facts: Facts
    taken: set[str]
    tables: dict[str, s.Decl] = field(default_factory=dict)

    def fresh(self, base: str, t: Type) -> e.Var:
        return e.Var(fresh_name(base, self.taken), t)


def free_variables(body: s.Body) -> list[e.Var]:
    """The variables that `body` uses and does not declare, in order of appearance."""
    own = {n.var.name for n in walk(body) if isinstance(n, (s.Decl, s.For))}
    out: dict[str, e.Var] = {}
    for n in walk(body):
        if isinstance(n, e.Var) and n.name not in own:
            out.setdefault(n.name, n)
    return list(out.values())


def loaded(body: s.Body, resident: Mapping[str, e.Var]) -> s.Body:
    """`body` after loads of the values that it needs and that are in device memory."""
    front = []
    for v in free_variables(body):
        where = resident.get(v.name)
        if where is not None:
            zero = e.Const(0, I32)
            front.append(s.Decl(v, e.Index(where, zero, v.type)))
    return (*front, *body)


def outline(
    frame: Frame, body: s.Body, threads: int = 0, allocates: bool = False
) -> tuple[str, tuple[e.Expr, ...]]:
    """Make a kernel of `body`; its name and the arguments for it, in terms of the host's names.

    `allocates`: it may allocate memory for itself.
    """
    low = frame.low
    own = ("host.alloc", "host.free") if allocates else ()
    for n in walk(body):
        if isinstance(n, s.Instr) and n.name.startswith("host.") and n.name not in own:
            raise Unfit(f"{n.name} in a kernel")
    known = [frame.tables[v.name] for v in free_variables(body) if v.name in frame.tables]
    body = (*known, *body)
    shared = {g.var.name for g in low.program.globals}
    free = [v for v in free_variables(body) if v.name not in shared]
    low.constants |= names_in(body) & shared
    order = {p.name: k for k, p in enumerate(frame.f.params)}
    free.sort(key=lambda v: (order.get(v.name, len(order)),))
    params = tuple(_parameter(v) for v in free)
    name = low.kernel_name(frame.f)
    new = Function(
        name, params, body, role="kernel", static=False, launch_bounds=threads, loc=frame.f.loc,
        comments=() if low.kernels and low.kernels[-1].loc == frame.f.loc else frame.f.comments,
    )  # fmt: skip
    low.kernels.append(new)
    return name, tuple(free)


def _parameter(v: e.Var) -> e.Var:
    """Arrays of the host's are handed over as pointers to device memory."""
    return replace(v, type=Pointer(v.type.elem)) if isinstance(v.type, Array) else v
