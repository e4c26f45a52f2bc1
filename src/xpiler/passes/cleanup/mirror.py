"""Device buffers that only mirror a host buffer become the host buffer itself.

`d <- alloc(n); copy(d, h, n); kernel(d, ...); copy(h, d, n); free(d)` is `kernel(h, ...)` where d
is nothing but h for as long as it lives: every copy has the size of the allocation, nothing else
touches h meanwhile, and a buffer that came from a pointer to const is never written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.analysis.dependence import distinct, summarise
from xpiler.analysis.effects import declared, has_jump, names_in, root
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, rewrite_stmts, substitute, walk
from xpiler.ir.types import Pointer, Type
from xpiler.passes.cleanup.base import Context, after, each_function

EFFECTLESS = ("host.none", "host.sync")


@dataclass(frozen=True)
class Mirror:
    """Host wrappers that call their kernels on their own pointers."""

    name: str = "mirror"

    def apply(self, program: Program, ctx: Context) -> Program:
        if ctx.assume.separate:
            return program

        def one(f: Function) -> Function:
            body = rewrite_stmts(f.body, _without_waiting)
            new = f if body is f.body else f.with_body(body)
            return _mirrored(new, program, ctx)

        return each_function(program, one)


def _without_waiting(st: s.Stmt) -> s.Stmt | s.Body:
    idle = isinstance(st, s.Instr) and st.name in EFFECTLESS and not st.outs
    return () if idle else st


@dataclass
class _Buffer:
    """A device buffer and the places (indices into the body) where it is mentioned."""

    var: e.Var
    size: e.Expr
    alloc: int
    ins: list[int] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)
    frees: list[int] = field(default_factory=list)
    uses: list[int] = field(default_factory=list)


def _mirrored(f: Function, program: Program, ctx: Context) -> Function:
    if not any(isinstance(st, s.Instr) and st.name == "host.alloc" for st in f.body):
        return f
    facts = ctx.facts(f)
    for st in f.body:
        facts = after(st, facts)
    buffers = [b for i in range(len(f.body)) if (b := _buffer(f.body, i))]
    chosen: dict[str, e.Var] = {}
    for b in buffers:
        host = _host_of(b, f, facts)
        if host is None or host.name in {h.name for h in chosen.values()}:
            continue
        if _legal(b, host, f, program, facts) and _apart(b, host, f, facts):
            chosen[b.var.name] = host
    if not chosen:
        return f
    return f.with_body(_replaced(f.body, {b.var.name: b for b in buffers}, chosen, program))


def _buffer(body: s.Body, i: int) -> _Buffer | None:
    """The buffer that statement `i` allocates, if it is a plain local of this body."""
    st = body[i]
    if not isinstance(st, s.Instr) or st.name != "host.alloc" or len(st.outs) != 1:
        return None
    var = st.outs[0]
    if not isinstance(var, e.Var) or var.name not in declared(body):
        return None
    out = _Buffer(var, st.ins[0], i)
    for k, other in enumerate(body):
        if k == i or var.name not in names_in(other):
            continue
        if isinstance(other, s.Decl) and other.var == var:
            if other.init is not None and not _null(other.init):
                return None
        elif isinstance(other, s.Instr) and other.name == "host.copy":
            _note_copy(out, other, k)
        elif isinstance(other, s.Instr) and other.name == "host.free":
            out.frees.append(k)
        else:
            out.uses.append(k)
    return out


def _null(x: e.Expr) -> bool:
    while isinstance(x, e.Cast):
        x = x.x
    return isinstance(x, e.Const) and x.value == 0


def _note_copy(b: _Buffer, st: s.Instr, k: int) -> None:
    to, source = bare(st.ins[0]), bare(st.ins[1])
    if to == b.var and b.var.name not in names_in(source):
        b.ins.append(k)
    elif source == b.var and b.var.name not in names_in(to):
        b.outs.append(k)
    else:
        b.uses.append(k)


def bare(x: e.Expr) -> e.Expr:
    """A pointer expression without conversions."""
    while isinstance(x, e.Cast):
        x = x.x
    return x


def _host_of(b: _Buffer, f: Function, facts: Facts) -> e.Var | None:
    """The host pointer that `b` mirrors, by the number, order and size of the copies."""
    if len(b.ins) > 1 or len(b.outs) > 1 or not (b.ins or b.outs):
        return None
    busy = [*b.uses, *b.outs, *b.frees]
    if any(k < b.alloc for k in [*b.ins, *busy]) or (b.ins and any(k < b.ins[0] for k in busy)):
        return None
    if b.outs and any(k > b.outs[0] for k in b.uses):
        return None
    hosts = []
    for k in (*b.ins, *b.outs):
        st = f.body[k]
        assert isinstance(st, s.Instr)
        if not _same_size(st.ins[2], b.size, facts):
            return None
        hosts.append(bare(st.ins[1] if k in b.ins else st.ins[0]))
    host = hosts[-1]
    fixed = isinstance(host, e.Var) and isinstance(host.type, Pointer) and host in f.params
    if not fixed or host.name in facts.mutable:  # type: ignore[attr-defined]
        return None
    assert isinstance(host, e.Var)
    return host if _same_elements(host, b.var) and all(h == host for h in hosts) else None


def _same_size(a: e.Expr, b: e.Expr, facts: Facts) -> bool:
    return a == b or (a.type == b.type and facts.equal(a, b))


def _same_elements(a: e.Var, b: e.Var) -> bool:
    return (
        isinstance(a.type, Pointer) and isinstance(b.type, Pointer) and a.type.elem == b.type.elem
    )


def _legal(b: _Buffer, host: e.Var, f: Function, program: Program, facts: Facts) -> bool:
    """Whether nothing else touches the host buffer while `b` lives, and const stays const."""
    if any(_moves(f.body[k], b.var) for k in b.uses):
        return False
    last = max([b.alloc, *b.uses, *b.outs])
    copies = {*b.ins, *b.outs}
    live = range(b.alloc, last + 1)
    if any(host.name in names_in(f.body[k]) for k in live if k not in copies):
        return False
    if has_jump(tuple(f.body[k] for k in live)):
        return False
    assert isinstance(host.type, Pointer)
    if b.outs and not host.type.const:
        return True
    return not b.outs and all(_only_reads(f.body[k], b.var, program, facts) for k in b.uses)


def _moves(st: s.Stmt, d: e.Var) -> bool:
    """Whether `st` may make `d` point elsewhere (a swap of buffers)."""
    for n in walk(st):
        if isinstance(n, s.Assign) and n.target == d:
            return True
        if isinstance(n, s.Instr) and d in n.outs:
            return True
        if isinstance(n, e.AddressOf) and n.x == d:
            return True
    return False


def _only_reads(st: s.Stmt, d: e.Var, program: Program, facts: Facts) -> bool:
    """Whether `st` uses `d` only as an argument that its callee reads through."""
    calls = [n for n in walk(st) if isinstance(n, e.Call) and d.name in names_in(n)]
    inside = sum(1 for c in calls for n in walk(c) if isinstance(n, e.Var) and n.name == d.name)
    if inside != sum(1 for n in walk(st) if isinstance(n, e.Var) and n.name == d.name):
        return False
    return all(_reads_through(c, d, program) for c in calls)


def _reads_through(c: e.Call, d: e.Var, program: Program) -> bool:
    try:
        callee = program.function(c.func)
    except KeyError:
        return False
    for a, p in zip(c.args, callee.params, strict=False):
        if d.name in names_in(a) and not read_only(callee, p):
            return False
    return True


def read_only(f: Function, p: e.Var) -> bool:
    """Whether `f` never writes through its pointer parameter `p`."""
    if isinstance(p.type, Pointer) and p.type.const:
        return True
    found = summarise(f.body, Facts())
    return not found.opaque and p.name not in found.written


def _apart(b: _Buffer, host: e.Var, f: Function, facts: Facts) -> bool:
    """Whether the host pointers may be assumed (or are known) not to overlap."""
    others = [p for p in f.params if isinstance(p.type, Pointer) and p.name != host.name]
    copied = {
        root(x)
        for st in f.body
        if isinstance(st, s.Instr) and st.name == "host.copy"
        for x in st.ins[:2]
    }
    for p in others:
        assert isinstance(p.type, Pointer)
        if p.name not in copied or distinct(p, host):
            continue
        if isinstance(host.type, Pointer) and host.type.const and p.type.const:
            continue
        first, second = sorted((p.name, host.name))
        if not facts.ledger.assume_apart(first, second):
            return False
    return True


def _replaced(
    body: s.Body, buffers: dict[str, _Buffer], chosen: dict[str, e.Var], program: Program
) -> s.Body:
    gone: set[int] = set()
    for name in chosen:
        b = buffers[name]
        gone |= {b.alloc, *b.ins, *b.outs, *b.frees}
    left = (
        st
        for k, st in enumerate(body)
        if k not in gone and not (isinstance(st, s.Decl) and st.var.name in chosen)
    )
    new = substitute(tuple(left), chosen)
    out: s.Body = rewrite_exprs(new, lambda x: _unconst(x, program))
    return out


def _unconst(x: e.Expr, program: Program) -> e.Expr:
    """Calls that hand a pointer to const to a plain pointer parameter say so."""
    if not isinstance(x, e.Call):
        return x
    callee = next((f for f in program.functions if f.name == x.func), None)
    if callee is None:
        return x
    args = tuple(_fitting(a, p.type) for a, p in zip(x.args, callee.params, strict=True))
    same = all(a is b for a, b in zip(args, x.args, strict=True))
    return x if same else replace(x, args=args)


def _fitting(a: e.Expr, t: Type) -> e.Expr:
    if not isinstance(t, Pointer) or not isinstance(a.type, Pointer):
        return a
    return e.Cast(a, Pointer(t.elem)) if a.type.const and not t.const else a
