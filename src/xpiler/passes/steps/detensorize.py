"""Detensorize: an instruction form becomes the loops that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpiler.analysis.effects import names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import map_children, rewrite_stmts, walk
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.forms_of import Form, forms
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.nest import Place


class Detensorize(Step):
    """`add_16(&c[x], &a[y], &b[z])` as `for i in [0, 16) { c[x + i] = a[y + i] + b[z + i]; }`."""

    name = "detensorize"
    category = "tensorisation"
    summary = "an instruction form becomes the loops that it stands for"
    legality = "always, for the forms of the target (those of the source are read as loops anyway)"
    params = (Param("form", "name", "the instruction form, wherever it occurs"),)
    inverse = "tensorize"
    proof = "the form's own body in the place of its name"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        known = {f.name for f in forms(around.platform)}
        called = {n.func for f in program.functions for n in walk(f.body) if isinstance(n, e.Call)}
        for name in sorted(known & called):
            yield self.make(form=name)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        name = given.text("form")
        found = [f for f in forms(work.around.platform) if f.name == name]
        if not found:
            raise Refused(f"the target has no instruction form {name}")
        functions = tuple(_without(f, found[0]) for f in program.functions)
        if functions == program.functions:
            raise Refused(f"the program does not use {name}")
        return replace(program, functions=functions, externals=program.externals - {name})


def _without(f: Function, form: Form) -> Function:
    place = Place(f, {p.name for p in f.params} | set(names_in(f.body)))

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        call = _call(st)
        return opened(call, st, form, place) if call and call.func == form.name else st

    body: s.Body = rewrite_stmts(f.body, one)
    return f if body == f.body else f.with_body(body)


def _call(st: s.Stmt) -> e.Call | None:
    value = st.call if isinstance(st, s.Eval) else st.value if isinstance(st, s.Assign) else None
    return value if isinstance(value, e.Call) else None


def opened(call: e.Call, st: s.Stmt, form: Form, place: Place) -> s.Body:
    """The loops that a call of a form stands for; plain operands are computed once, before."""
    before: list[s.Stmt] = []
    operands: dict[str, e.Expr] = {}
    for p, x in zip(form.params, call.args, strict=True):
        operands[p.name] = x
        if not isinstance(x, (e.AddressOf, e.Var, e.Const)):
            v = place.fresh(p)
            before.append(s.Decl(v, x, const=True))
            operands[p.name] = v
    if form.result is not None:
        assert isinstance(st, s.Assign)
        operands[form.result.name] = st.target
    fresh = {lp.var.name: place.fresh(lp.var) for lp in form.loops}
    store = _placed(form.store, operands, fresh)
    body: s.Body = (store,)
    for lp in reversed(form.loops):
        body = (s.For(fresh[lp.var.name], lp.lo, lp.hi, lp.step, body),)
    first = replace(body[0], loc=st.loc, comments=st.comments)
    return (*before, first)


def _placed(store: s.Assign, operands: dict[str, e.Expr], fresh: dict[str, e.Var]) -> s.Assign:
    def go(n: object) -> object:
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name in operands:
            return _element(operands[n.base.name], go(n.index))  # type: ignore[arg-type]
        if isinstance(n, e.Var):
            return fresh.get(n.name, operands.get(n.name, n))
        return map_children(n, go)  # type: ignore[type-var]

    found = map_children(store, go)
    assert isinstance(found, s.Assign)
    return found


def _element(operand: e.Expr, index: e.Expr) -> e.Expr:
    """`operand[index]`, where the operand may be the address of a place."""
    if isinstance(operand, e.AddressOf) and isinstance(operand.x, e.Index):
        place = operand.x
        t = place.index.type
        more = index if index.type == t else e.Cast(index, t)
        return replace(place, index=e.Binary("+", place.index, more, t))
    return e.Index(operand, index, operand.type.elem)  # type: ignore[attr-defined]
