"""The host function around launches: allocate, copy in, launch, copy out, free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, names_in, root
from xpiler.analysis.extents import Use
from xpiler.analysis.filled import filled
from xpiler.analysis.parallelism import asked_for_null
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.rewrite import children, fresh_name, rewrite_stmts, substitute, walk
from xpiler.ir.types import I32, U64, Array, Opaque, Pointer, Struct, Type
from xpiler.passes.cleanup.base import value_sentence
from xpiler.passes.lowering.base import Origin
from xpiler.passes.lowering.simt.context import Lowering
from xpiler.passes.lowering.simt.elements import elements
from xpiler.passes.lowering.simt.host import Form
from xpiler.passes.lowering.simt.layout import byte_count


@dataclass
class _Mirrors:
    """The device copies of a function's pointers, and the statements for them."""

    pointers: dict[str, e.Expr] = field(default_factory=dict)
    allocs: list[s.Stmt] = field(default_factory=list)
    ins: list[s.Stmt] = field(default_factory=list)
    outs: list[s.Stmt] = field(default_factory=list)
    frees: list[s.Stmt] = field(default_factory=list)

    @property
    def epilogue(self) -> s.Body:
        waits = () if self.outs else (s.Instr("host.sync"),)
        return (*waits, *self.outs, *self.frees)


def wrapped(low: Lowering, form: Form, origin: Origin) -> Function:
    """`form` as a host function of the same name on host pointers.

    Where it cannot be told how many elements one of them has (XP1102), all are pointers to device
    memory instead: the function launches, and copies nothing.
    """
    f = form.f
    first = _preamble(form.body)
    front, rest = form.body[:first], form.body[first:]
    taken = {p.name for p in f.params} | set(names_in(form.body))
    said = len(low.ledger.sentences)
    mirrors = _Mirrors()
    missing = []
    far = [p for p in f.params if isinstance(p.type, Pointer) and _on_device(p, rest)]
    for p in far:
        if not _mirror(low, form, p, origin, mirrors, taken):
            missing.append(p)
        elif p.name in assigned(rest):
            _walk(p, mirrors, taken)
    for p in f.params:
        if isinstance(p.type, Struct) and _on_device(p, rest):
            pointers = _inner_pointers(low, p, p.name)
            inner = [(v, x) for v, x in pointers if _is_used(low, p, rest, x)]
            far += [v for v, _ in inner]
            written = {v.name for v, x in inner if _is_written(low, p, rest, x)}
            missing += _mirror_struct(low, f, p, inner, written, origin, mirrors, taken)
    if missing:
        del low.ledger.sentences[said:]
        low.extents.pop(f.name, None)
        f, mirrors = _on_device_memory(low, f, missing, far), _Mirrors()
    body: s.Body = substitute(rewrite_stmts(rest, _on_the_device), mirrors.pointers)
    host = {p.name for p in f.params if p not in far}
    body = rewrite_stmts(body, lambda st: _with_kind(st, host))
    launches = any(isinstance(n, s.Launch) for n in walk(body))
    end = mirrors.epilogue if launches or mirrors.pointers else ()
    body = _before_returns(body, end)
    middle = (*mirrors.allocs, *mirrors.ins, *body)
    value = (s.Return(form.result),) if form.result is not None else ()
    tail = () if _ends(body) else (*end, *value)
    return replace(f, body=(*front, *middle, *tail), role="host", static=False)


def _on_device_memory(
    low: Lowering, f: Function, missing: list[e.Var], far: list[e.Var]
) -> Function:
    """The function with a word on which of its pointers, `far`, are the device's."""
    for p in missing:
        message = f"how many elements {p.name} has cannot be told from {f.name}"
        reason = f"it takes pointers to device memory; --arg {p.name}.extent=EXPR makes it copy"
        low.note("XP1102", message, f.loc, reason=reason)
    told = ", ".join(p.name for p in far)
    low.assume(f"{told} of {f.name} point to device memory")
    return replace(f, comments=(*f.comments, f"{told}: device memory."))


def _preamble(body: s.Body) -> int:
    """How many statements come before the first one that needs device memory."""
    for k, st in enumerate(body):
        if any(isinstance(n, (s.Launch, s.Instr)) for n in walk(st)):
            return k
        pointers = [n for n in walk(st) if isinstance(n, e.Var) and _is_pointer(n.type)]
        if pointers and not isinstance(st, s.If):
            return k
    return len(body)


def _is_pointer(t: Type) -> bool:
    return isinstance(t, (Pointer, Array))


def _on_device(p: e.Var, body: s.Body) -> bool:
    """Whether anything but a copy from or to the host's memory uses the pointer `p`."""
    for n in walk(body):
        if isinstance(n, s.Instr) and n.name in ("host.copy", "host.to_symbol", "host.from_symbol"):
            continue
        if isinstance(n, s.Stmt) and any(p.name in names_in(x) for x in _heads(n)):
            return True
    return False


def _heads(st: s.Stmt) -> list[e.Expr]:
    return [c for c in children(st) if isinstance(c, e.Expr)]


def _mirror(
    low: Lowering, form: Form, p: e.Var, origin: Origin, out: _Mirrors, taken: set[str]
) -> bool:
    assert isinstance(p.type, Pointer)
    use = form.uses.get(p.name)
    count = elements(low, form.f, p, use, origin)
    if count is None:
        return False
    stem = p.name.split(".")[0]
    d = e.Var(fresh_name(f"d_{stem}", taken), Pointer(p.type.elem))
    size = byte_count(low.program, p.type.elem, count)
    out.pointers[p.name] = d
    alloc, copy_in = s.Instr("host.alloc", (d,), (size,)), _copy(d, p, size, "h2d")
    copied = use is None or use.reads or not _is_filled(low, form.f, p, use, count)
    back = () if p.type.const or not (use is None or use.writes) else (_copy(p, d, size, "d2h"),)
    if p.name in _nullable(low, form.f, p):
        there = e.compare("!=", p, e.Const(0, p.type))
        inside = (alloc, copy_in) if copied else (alloc,)
        out.allocs += [s.Decl(d, e.Const(0, d.type)), s.If(there, inside)]
        out.outs += [s.If(there, back)] if back else []
    else:
        out.allocs += [s.Decl(d), alloc]
        out.ins += [copy_in] if copied else []
        out.outs += back
    out.frees.append(s.Instr("host.free", (), (d,)))
    return True


def _is_filled(low: Lowering, f: Function, p: e.Var, use: Use, count: e.Expr) -> bool:
    """Whether every call writes all `count` elements, so that what they were does not matter."""
    facts = use.facts
    wanted = facts.poly(count)
    for found, turns in filled(f.body[_preamble(f.body) :], p, facts):
        if found != wanted:
            continue
        mark = facts.mark()
        several = turns if len(turns) > 1 else ()
        if all(
            facts.nonneg(n) or facts.assume(f"{value_sentence(facts, n)} is not negative", n)
            for n in several
        ):
            return True
        facts.forget(mark)
    return False


def _inner_pointers(low: Lowering, x: e.Expr, name: str) -> Iterator[tuple[e.Var, e.Expr]]:
    """The pointers in a struct: variables called `c.weights`, and the places themselves."""
    if isinstance(x.type, Pointer):
        yield e.Var(name, x.type), x
    elif isinstance(x.type, Struct):
        known = next((d.fields for d in low.program.structs if d.name == x.type.name), ())
        for field_name, t in known:
            yield from _inner_pointers(low, e.Field(x, field_name, t), f"{name}.{field_name}")
    elif isinstance(x.type, Array):
        for k in range(x.type.size or 0 if _holds_pointers(low, x.type.elem) else 0):
            at = e.Index(x, e.Const(k, I32), x.type.elem)
            yield from _inner_pointers(low, at, f"{name}[{k}]")


def _is_used(low: Lowering, struct: e.Var, body: s.Body, place: e.Expr) -> bool:
    """Whether `body`, or a kernel that it launches, uses the pointer at a place in a struct."""
    kernels = {k.name: k for k in low.kernels}
    for n in walk(body):
        if n == place:
            return True
        if isinstance(n, s.Launch) and (kernel := kernels.get(n.kernel)) is not None:
            for q, a in zip(kernel.params, n.args, strict=False):
                inner = substitute(place, {struct.name: q})
                if a == struct and _is_used(low, q, kernel.body, inner):
                    return True
        elif isinstance(n, (e.Call, e.AddressOf, s.Decl, s.Assign)) and struct in children(n):
            return True  # as a whole
    return False


def _is_written(low: Lowering, struct: e.Var, body: s.Body, place: e.Expr) -> bool:
    """Whether `body`, or a kernel that it launches, may write what the pointer at a place in a
    struct points to: two of them may be the same, and a copy that is old must not come back."""
    kernels = {k.name: k for k in low.kernels}
    if place.type.const:  # type: ignore[attr-defined]
        return False
    for st in body:
        if _may_write(st, struct, place):
            return True
        for n in walk(st):
            kernel = kernels.get(n.kernel) if isinstance(n, s.Launch) else None
            if kernel is None:
                continue
            for q, a in zip(kernel.params, n.args, strict=False):  # type: ignore[union-attr]
                inner = substitute(place, {struct.name: q})
                if a == struct and _is_written(low, q, kernel.body, inner):
                    return True
    return False


def _may_write(n: object, struct: e.Var, place: e.Expr, target: bool = False) -> bool:
    """Whether `n` stores through the pointer, or uses it (or all of the struct) otherwise than to
    read elements; `target`: `n` is stored to, or its address taken."""
    if n == place:
        return True
    if isinstance(n, e.Index):
        through = target if n.base == place else _may_write(n.base, struct, place, target)
        return through or _may_write(n.index, struct, place)
    if isinstance(n, e.Field):
        return _may_write(n.base, struct, place, target) if n.base != struct else False
    if isinstance(n, e.Expr) and asked_for_null(n) is not None:
        return False
    if isinstance(n, s.Decl) and isinstance(n.var.type, Pointer) and n.var.type.const:
        return False
    if isinstance(n, (e.Call, s.Decl, e.AddressOf)) and struct in children(n):
        return True
    if isinstance(n, s.Assign):
        stored = n.target == struct or _may_write(n.target, struct, place, target=True)
        return stored or n.value == struct or _may_write(n.value, struct, place)
    inner = isinstance(n, e.AddressOf)
    return any(_may_write(c, struct, place, inner) for c in children(n))  # type: ignore[arg-type]


def _holds_pointers(low: Lowering, t: Type) -> bool:
    return next(_inner_pointers(low, e.Var("", t), ""), None) is not None


def _mirror_struct(
    low: Lowering,
    f: Function,
    p: e.Var,
    inner: list[tuple[e.Var, e.Expr]],
    written: set[str],
    origin: Origin,
    out: _Mirrors,
    taken: set[str],
) -> list[e.Var]:
    """A struct whose pointers point to copies on the device; those whose elements nobody tells."""
    counts = [elements(low, f, v, None, origin) for v, _ in inner]
    if not inner or None in counts:
        return [v for (v, _), count in zip(inner, counts, strict=True) if count is None]
    own = e.Var(fresh_name(f"d_{p.name.split('.')[0]}", taken), p.type)
    out.ins.append(s.Decl(own, p))
    for (v, place), count in zip(inner, counts, strict=True):
        assert count is not None
        assert isinstance(v.type, Pointer)
        d = e.Var(
            fresh_name(f"d_{v.name.split('.')[-1].split('[')[0]}", taken), Pointer(v.type.elem)
        )
        size = byte_count(low.program, v.type.elem, count)
        there = e.compare("!=", place, e.Const(0, v.type))
        fill = (s.Instr("host.alloc", (d,), (size,)), _copy(d, place, size, "h2d"))
        out.allocs += [s.Decl(d, e.Const(0, d.type)), s.If(there, fill)]
        out.ins.append(s.Assign(substitute(place, {p.name: own}), d))
        if v.name in written:
            out.outs.append(s.If(there, (_copy(place, d, size, "d2h"),)))
        out.frees.append(s.Instr("host.free", (), (d,)))
    out.pointers[p.name] = own
    return []


def _nullable(low: Lowering, f: Function, p: e.Var) -> set[str]:
    """The parameter's name if the function, or one that it calls, asks whether it is null."""
    reached = [g for g in low.program.functions if g.name == f.name or _calls(f, g.name)]
    found = {
        v.name
        for g in reached
        for n in walk(g.body)
        if isinstance(n, e.Expr) and (v := asked_for_null(n)) is not None
    }
    for g in reached:
        for n in walk(f.body):
            if isinstance(n, e.Call) and n.func == g.name:
                pairs = zip(g.params, n.args, strict=False)
                found |= {a.name for q, a in pairs if q.name in found and isinstance(a, e.Var)}
    return found & {p.name}


def _calls(f: Function, name: str) -> bool:
    return any(isinstance(n, e.Call) and n.func == name for n in walk(f.body))


def _walk(p: e.Var, out: _Mirrors, taken: set[str]) -> None:
    """A pointer that the function moves: the start of the device's copy is kept."""
    start = out.pointers[p.name]
    moving = e.Var(fresh_name(p.name, taken), p.type)
    out.ins.append(s.Decl(moving, start))
    out.pointers[p.name] = moving


def _copy(to: e.Expr, source: e.Expr, size: e.Expr, kind: str) -> s.Instr:
    return s.Instr("host.copy", (), (to, source, size), (("kind", kind),))


def _on_the_device(st: s.Stmt) -> s.Stmt:
    """Buffers of the function's own are device memory now."""
    if isinstance(st, s.Instr) and st.name in ("host.alloc", "host.free", "host.set"):
        return replace(st, attrs=tuple(a for a in st.attrs if a[0] != "kind"))
    return st


def _with_kind(st: s.Stmt, host: set[str]) -> s.Stmt:
    """Copies say between which memories they go; `host` names the host's pointers."""
    if not isinstance(st, s.Instr) or st.name != "host.copy":
        return st
    sides = ["h" if _of_host(x, host) else "d" for x in (st.ins[1], st.ins[0])]
    return replace(st, attrs=(("kind", "2".join(sides)),))


def _of_host(x: e.Expr, host: set[str]) -> bool:
    while isinstance(x, e.Cast):
        x = x.x
    if isinstance(x, e.AddressOf) and isinstance(x.x, e.Var):
        return True  # a variable of the function
    return root(x) in host


def _before_returns(body: s.Body, end: s.Body) -> s.Body:
    """Device memory is copied back and freed before the function is left early."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        return (*end, st) if isinstance(st, s.Return) else st

    out: s.Body = rewrite_stmts(body, one)
    return out


def _ends(body: s.Body) -> bool:
    return bool(body) and isinstance(body[-1], s.Return)


__all__ = ["U64", "Opaque", "wrapped"]
