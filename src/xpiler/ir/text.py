"""The compact textual form of a program, for traces, golden tests and debugging."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import Type


@singledispatch
def show(node: object) -> str:
    """The text of an expression; raises TypeError for what is none."""
    raise TypeError(f"no text for {type(node).__name__}")


@show.register
def _(n: e.Const) -> str:
    if n.text is not None:
        return n.text
    return str(n.value).lower() if isinstance(n.value, bool) else repr(n.value)


@show.register
def _(n: e.Text) -> str:
    return f'"{n.value}"'


@show.register
def _(n: e.Var) -> str:
    return n.name


@show.register
def _(n: e.Axis) -> str:
    return f"{n.level}.{n.dim}" if n.dim else n.level


@show.register
def _(n: e.Unary) -> str:
    return f"{n.op}{show(n.x)}"


@show.register
def _(n: e.Binary) -> str:
    return f"({show(n.a)} {n.op} {show(n.b)})"


@show.register
def _(n: e.Select) -> str:
    return f"({show(n.cond)} ? {show(n.a)} : {show(n.b)})"


@show.register
def _(n: e.Cast) -> str:
    return f"{n.type}({show(n.x)})"


@show.register
def _(n: e.Bits) -> str:
    return f"bits<{n.type}>({show(n.x)})"


@show.register
def _(n: e.Call) -> str:
    return f"{'fast.' if n.fast else ''}{n.func}({_list(n.args)})"


@show.register
def _(n: e.Index) -> str:
    return f"{show(n.base)}[{show(n.index)}]"


@show.register
def _(n: e.Field) -> str:
    return f"{show(n.base)}.{n.name}"


@show.register
def _(n: e.AddressOf) -> str:
    return f"&{show(n.x)}"


@show.register
def _(n: e.Aggregate) -> str:
    return f"{n.type}{{{_list(n.items)}}}"


def _list(items: Iterable[e.Expr]) -> str:
    return ", ".join(map(show, items))


def show_body(body: s.Body, indent: int = 0) -> str:
    """The lines of a body, indented by two spaces a level."""
    return "".join(line + "\n" for st in body for line in _lines(st, "  " * indent))


@singledispatch
def _head(n: s.Stmt) -> str:
    return type(n).__name__.lower()


@_head.register
def _(n: s.Decl) -> str:
    words = [
        w
        for w, on in (("const", n.const), (n.space, n.space != "local"), ("dynamic", n.dynamic))
        if on
    ]
    align = f" align({n.align})" if n.align else ""
    init = f" = {show(n.init)}" if n.init is not None else ""
    return " ".join([*words, f"{n.var.name}: {n.var.type}"]) + align + init


@_head.register
def _(n: s.Assign) -> str:
    return f"{show(n.target)} {n.op}= {show(n.value)}"


@_head.register
def _(n: s.For) -> str:
    kind = "" if n.kind == "serial" else f"{n.kind} "
    unroll = f" unroll({n.unroll})" if n.unroll else ""
    step = f" step {show(n.step)}" if show(n.step) != "1" else ""
    return f"{kind}for {n.var.name}: {n.var.type} in [{show(n.lo)}, {show(n.hi)}){step}{unroll}"


@_head.register
def _(n: s.While) -> str:
    return f"{'do ' if n.do else ''}while {show(n.cond)}"


@_head.register
def _(n: s.If) -> str:
    return f"if {show(n.cond)}"


@_head.register
def _(n: s.Switch) -> str:
    return f"switch {show(n.value)}"


@_head.register
def _(n: s.Return) -> str:
    return f"return {show(n.value)}" if n.value is not None else "return"


@_head.register
def _(n: s.Eval) -> str:
    return show(n.call)


@_head.register
def _(n: s.Barrier) -> str:
    return f"barrier {n.scope}"


@_head.register
def _(n: s.Instr) -> str:
    outs = f"{_list(n.outs)} <- " if n.outs else ""
    attrs = "".join(f" {k}={v}" for k, v in n.attrs)
    return f"{outs}{n.name}({_list(n.ins)}){attrs}"


@_head.register
def _(n: s.Launch) -> str:
    shared = f", {show(n.shared_bytes)} B" if n.shared_bytes is not None else ""
    return f"launch {n.kernel}<{_list(n.grid)} | {_list(n.block)}{shared}>({_list(n.args)})"


@_head.register
def _(n: s.LeftOut) -> str:
    return f"left_out {n.code}: {' '.join(n.text.split())}"


def _nested(n: s.Stmt) -> list[tuple[str, s.Body]]:
    if isinstance(n, s.If):
        return [("", n.then), ("else", n.orelse)] if n.orelse else [("", n.then)]
    if isinstance(n, s.While):
        return [("", n.body), ("step", n.step)] if n.step else [("", n.body)]
    if isinstance(n, s.Switch):
        label = [", ".join(map(str, c.values)) or "default" for c in n.cases]
        return [(name, c.body) for name, c in zip(label, n.cases, strict=True)]
    return [("", n.body)] if isinstance(n, (s.For, s.Scope)) else []


def _lines(n: s.Stmt, pad: str) -> list[str]:
    out = [pad + _head(n)]
    for label, body in _nested(n):
        out += [f"{pad}{label}"] if label else []
        out += [line for st in body for line in _lines(st, pad + "  ")]
    return out


def show_function(f: Function) -> str:
    """A function's head and body."""
    params = ", ".join(f"{p.name}: {p.type}" for p in f.params)
    bounds = f" launch_bounds({f.launch_bounds})" if f.launch_bounds else ""
    return f"{f.role} {f.name}({params}) -> {_type(f.ret)}{bounds}\n{show_body(f.body, 1)}"


def _type(t: Type) -> str:
    return str(t)


def show_program(p: Program) -> str:
    """The whole unit: macros, structs, globals, functions."""
    out = [f"program {p.platform} wave={p.wave}\n"]
    out += [f"macro {m.name} = {m.text}\n" for m in p.macros]
    for d in p.structs:
        out.append(f"struct {d.name} {{ {'; '.join(f'{n}: {t}' for n, t in d.fields)} }}\n")
    for g in p.globals:
        init = f" = {show(g.init)}" if g.init is not None else ""
        out.append(f"{g.space} {g.var.name}: {g.var.type}{init}\n")
    return "".join(out) + "".join(show_function(f) for f in p.functions)
