"""The pass itself: every kernel of a program, its launches, its globals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xpiler.diagnostics import Diagnostic, SourceLoc
from xpiler.diagnostics.model import Severity
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Global, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, variables
from xpiler.ir.types import U8, U64, Array, Pointer
from xpiler.passes.cleanup import before_recovery
from xpiler.passes.onchip import is_on_chip, prepare
from xpiler.passes.recovery import launch as la
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.collectives import Unsupported
from xpiler.passes.recovery.components import split_components
from xpiler.passes.recovery.coords import known_extent
from xpiler.passes.recovery.effects import byte_pointer, commutes, ordered_functions, sequential
from xpiler.passes.recovery.flow import written
from xpiler.passes.recovery.inline import TooDeep, inline, must_inline
from xpiler.passes.recovery.jumps import flatten_scopes
from xpiler.passes.recovery.levels import has_sync
from xpiler.passes.recovery.lower import Env
from xpiler.passes.recovery.shape import LaunchShape, constant
from xpiler.passes.recovery.tiles import as_tiles, fragment_names, lane_elements, tile_type
from xpiler.passes.recovery.units import block_loops, lower_grid
from xpiler.passes.recovery.webs import split_webs

SHARED_ALIGNMENT = 16


@dataclass(frozen=True)
class RecoverResult:
    """A sequential program, what could not be raised, and what was taken for granted."""

    program: Program
    diagnostics: tuple[Diagnostic, ...] = ()
    assumptions: tuple[str, ...] = ()


def recover(program: Program, shapes: Mapping[str, LaunchShape] | None = None) -> RecoverResult:
    """Raises every kernel of `program` to a sequential function.

    `shapes` gives the launch shape of kernels that no host function of the file launches, by name.
    What cannot be raised is left out with a diagnostic XP04xx; the rest is still raised.
    """
    easier = before_recovery(split_components(program))
    found = _Recovery(easier.program, shapes or {}).run()
    return replace(found, assumptions=(*easier.assumptions, *found.assumptions))


@dataclass
class _Recovery:
    program: Program
    shapes: Mapping[str, LaunchShape]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    plans: dict[str, la.KernelLaunch] = field(default_factory=dict)

    def run(self) -> RecoverResult:
        inlined = must_inline(self.program)
        self.ordered = ordered_functions(self.program)
        self.sites = la.sites(self.program)
        self.helpers = {f.name: f for f in self.program.functions if f.name in inlined}
        done: dict[str, Function] = {}
        for f in self.program.kernels():
            raised = self.kernel(f)
            if raised is not None:
                done[f.name] = raised
        lost = {f.name for f in self.program.kernels()} - done.keys()
        out = [self.other(f, done, lost) for f in self.program.functions if f.name not in inlined]
        functions = tuple(f for f in out if f is not None)
        new = replace(
            self.program,
            functions=functions,
            globals=tuple(_plain_global(g) for g in self.program.globals if not is_on_chip(g)),
        )
        return RecoverResult(new, tuple(self.diagnostics), tuple(self.assumptions))

    def other(self, f: Function, done: Mapping[str, Function], lost: set[str]) -> Function | None:
        if f.role == "kernel":
            return done.get(f.name)
        taken = variables(f.body) | {p.name for p in f.params}
        if f.role == "device":
            body = sequential(f.body, taken)
            return replace(f, role="host", static=True, body=body)
        return _host(la.as_calls(f, self.plans, lost))

    def kernel(self, f: Function) -> Function | None:
        """The kernel as a sequential function, or None with a diagnostic."""
        try:
            return Kernel(self, f).raised()
        except la.NoShape as why:
            self.refuse(
                "XP0401", f"how {f.name} is launched is not known", f.loc,
                f"no host code here launches it, and {why} matter to what it computes",
                "give --grid and --block, or [launch] in the sidecar file",
                severity="warning" if self.sites else "error",
            )  # fmt: skip
        except TooDeep as why:
            self.refuse(
                "XP0404", f"{f.name} calls {why} recursively", f.loc,
                "a function in which threads act together has to be inlined",
            )  # fmt: skip
        except Unsupported as why:
            self.refuse("XP0403", f"{f.name}: {why}", why.stmt.loc or f.loc, why.reason)
        except Exception as why:
            if os.environ.get("XPILER_DEBUG"):
                raise
            reason = f"{type(why).__name__}: {why}"
            self.refuse("XP0405", f"{f.name} could not be cut into loops", f.loc, reason)
        return None

    def refuse(
        self, code: str, message: str, loc: SourceLoc | None, reason: str, help_: str = "",
        severity: Severity = "error",
    ) -> None:  # fmt: skip
        self.diagnostics.append(Diagnostic(code, message, severity, loc, "", reason, help_))


@dataclass
class Kernel:
    """One kernel on its way to a sequential function."""

    recovery: _Recovery
    function: Function

    def raised(self) -> Function:
        rec, f = self.recovery, self.function
        program = rec.program
        body = n.edit(f.body, lambda st: st)
        self.taken = {v for fn in program.functions for v in variables(fn.body)}
        self.taken |= {p.name for p in f.params} | {fn.name for fn in program.functions}
        self.taken |= {g.var.name for g in program.globals}
        body = flatten_scopes(inline(body, rec.helpers, self.taken))
        body = prepare(f, body, program.globals, self.taken, rec.assumptions)
        refuse_launches(body)
        found = rec.sites.get(f.name, [])
        if found:
            plan = la.hosted(f, found, program.wave, self.taken)
        else:
            plan = la.alone(f, rec.shapes.get(f.name), program.wave, body)
        rec.plans[f.name] = plan
        body = rewrite_exprs(self.own_copies(body), lambda x: lane_elements(x, program.wave))
        body = rewrite_exprs(body, lambda x: known_extent(x, plan.extents))
        body, shared, head, tail = self.shared_memory(body, plan)
        body = split_webs(body, self.taken)
        env = Env(
            plan.extents,
            self.taken,
            {d.var.name for d in shared}
            | {g.var.name for g in program.globals if not is_on_chip(g)},
            {p.name: p.type for p in f.params if isinstance(p.type, Pointer)},
            rec.ordered,
            lambda t: la.size_of(tile_type(t), program),
            fragment_names(body),
        )
        code = as_tiles(self.loops(body, env, shared, head, tail))
        rec.assumptions += plan.assumptions
        used = variables(code)
        extra = {slot: v for slot, v in plan.extra.items() if v.name in used}
        plan.extra = extra
        params = (*f.params, *extra.values())
        return replace(
            f, body=code, params=params, role="host", static=plan.hosted, launch_bounds=0
        )

    def loops(
        self, body: s.Body, env: Env, shared: list[s.Decl], head: s.Body, tail: s.Body
    ) -> s.Body:
        """The loops over blocks and threads that run `body`."""
        if not has_sync(body, "grid"):
            free = commutes(body, env.ordered)
            return block_loops(body, env, free, ((*shared, *head), tail))
        if head:
            where = next(st for st in n.statements(body) if isinstance(st, s.Barrier))
            raise Unsupported(
                where, "shared memory of a size that the launch gives, in a grid that meets"
            )
        return lower_grid(body, tuple(shared), env)

    def own_copies(self, body: s.Body) -> s.Body:
        """`body` that assigns no parameter: assigned ones are copied first."""
        changed = written(body)
        copies = {
            p.name: replace(p, name=fresh_name(p.name, self.taken))
            for p in self.function.params
            if p.name in changed
        }
        decls = tuple(s.Decl(copies[p.name], p) for p in self.function.params if p.name in copies)

        def one(x: e.Expr) -> e.Expr:
            return copies.get(x.name, x) if isinstance(x, e.Var) else x

        return (*decls, *rewrite_exprs(body, one))

    def shared_memory(
        self, body: s.Body, plan: la.KernelLaunch
    ) -> tuple[s.Body, list[s.Decl], s.Body, s.Body]:
        """Shared variables become the block's local ones: (rest of the body, declarations,
        statements before the block's work, statements after it)."""
        decls = (st for st in n.statements(body) if isinstance(st, s.Decl))
        found = list({d.var.name: d for d in decls if d.space == "shared"}.values())
        body = n.edit(
            body, lambda st: () if isinstance(st, s.Decl) and st.space == "shared" else st
        )
        plain = [replace(d, space="local", init=None) for d in found if not _dynamic(d)]
        dynamic = [d for d in found if _dynamic(d)]
        if not dynamic:
            return body, plain, (), ()
        body, views, head, tail = self.dynamic_memory(body, dynamic, plan)
        return body, plain + views, head, tail

    def dynamic_memory(
        self, body: s.Body, decls: list[s.Decl], plan: la.KernelLaunch
    ) -> tuple[s.Body, list[s.Decl], s.Body, s.Body]:
        """Dynamic shared memory: an array where its size is a constant, else allocated."""
        size = plan.extents.shared_bytes or e.Const(0, U64)
        known = constant(size)
        elem = decls[0].var.type
        assert isinstance(elem, Array)
        width = la.size_of(elem.elem, self.recovery.program)
        if known is not None and len(decls) == 1 and known % width == 0:
            sized = replace(decls[0].var, type=Array(elem.elem, max(known // width, 1)))
            decl = replace(decls[0], var=sized, space="local", dynamic=False)
            return _retyped(body, {sized.name: sized}), [decl], (), ()
        raw = e.Var(fresh_name("shared_memory", self.taken), Pointer(U8))
        pointers = {
            d.var.name: e.Var(d.var.name, Pointer(d.var.type.elem))
            for d in decls if isinstance(d.var.type, Array)
        }  # fmt: skip
        bytes_ = size if size.type == U64 else e.Cast(size, U64)
        get = s.Instr("host.alloc", (raw,), (bytes_,))
        views = [s.Decl(p, e.Cast(raw, p.type)) for p in pointers.values()]
        if len(views) == 1:
            raw = next(iter(pointers.values()))
            get, views = s.Instr("host.alloc", (raw,), (bytes_,)), []
        free = s.Instr("host.free", (), (raw,))
        return (
            _retyped(body, pointers), [s.Decl(raw)], (get, *views), (free,)
        )  # fmt: skip


def refuse_launches(body: s.Body) -> None:
    """Raises Unsupported where threads launch kernels themselves."""
    for st in n.statements(body):
        if isinstance(st, s.Launch):
            raise Unsupported(st, "threads that launch kernels are not understood")


def _dynamic(d: s.Decl) -> bool:
    return d.dynamic or (isinstance(d.var.type, Array) and d.var.type.size is None)


def _retyped(body: s.Body, variables_: Mapping[str, e.Var]) -> s.Body:
    def one(x: e.Expr) -> e.Expr:
        return variables_.get(x.name, x) if isinstance(x, e.Var) else x

    new: s.Body = rewrite_exprs(body, one)
    return new


def _plain_global(g: Global) -> Global:
    """Device and constant memory are file-scope variables of one sequential program."""
    if g.space == "local":
        return g
    return replace(g, space="local", static=True, const=False)


def _host(f: Function) -> Function:
    """A host function whose device is the host itself: copies to symbols are copies."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Instr) or st.name not in ("host.to_symbol", "host.from_symbol"):
            return st
        to = st.name == "host.to_symbol"
        symbol, other = (st.ins[0], st.ins[1]) if to else (st.ins[1], st.ins[0])
        size, offset = st.ins[2], st.ins[3] if len(st.ins) > 3 else e.Const(0, U64)
        if constant(offset) != 0:
            moved = byte_pointer(symbol)
            symbol = e.Binary("+", moved, la.byte_offset(offset), moved.type)
        ends = (symbol, other) if to else (other, symbol)
        return replace(st, name="host.copy", ins=(*ends, size), attrs=(("kind", "default"),))

    return f.with_body(n.edit(f.body, one))
