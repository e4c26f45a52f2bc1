"""Instruction forms of a platform: what each means, read from its text by the front end.

A form is a small function in the platform's own language, in its `prelude/forms.h`: a few
instructions between addresses. Raising that text as any other gives the loop that it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from xpiler.analysis.ranges import Facts, Ledger
from xpiler.analysis.walker import inside
from xpiler.frontend import read
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import substitute
from xpiler.ir.types import Scalar
from xpiler.passes.cleanup import clean_up
from xpiler.passes.cleanup.base import Assumptions, Context
from xpiler.passes.recovery import recover
from xpiler.passes.steps.base import Done
from xpiler.passes.steps.loop_contraction import LoopContraction
from xpiler.platforms.registry import Platform

FILE = "prelude/forms.h"


@dataclass(frozen=True)
class Form:
    """An instruction form: `loops` around one statement; `result` where it gives back a sum.

    `facts` is what holds at the statement, for its indices.
    """

    name: str
    params: tuple[e.Var, ...]
    loops: tuple[s.For, ...]
    store: s.Assign
    result: e.Var | None
    facts: Facts
    type: object

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(int(lp.hi.value) for lp in self.loops if isinstance(lp.hi, e.Const))


def forms(platform: Platform | None) -> tuple[Form, ...]:
    """The forms of a platform; none where it has no file of them."""
    path = platform.folder / FILE if platform is not None else None
    if path is None or not path.is_file() or platform is None:
        return ()
    return _forms(path, platform.name)


@cache
def _forms(path: Path, name: str) -> tuple[Form, ...]:
    from xpiler.platforms.registry import platform

    text = path.read_text(encoding="utf-8")
    words = platform(name).words
    program = read(text, str(path.with_suffix(platform(name).suffixes[0])), words).program
    program = _merged(clean_up(recover(program).program).program)
    ctx = Context(Assumptions(), Ledger(), program)
    found = (_form(f, ctx.facts(f), program) for f in program.functions)
    return tuple(f for f in found if f is not None)


def _merged(program: Program) -> Program:
    """Loops that only hand elements on to the next one are made one with it."""
    step = LoopContraction()
    while found := step.knobs(program):
        done = step.apply(program, found[0])
        assert isinstance(done, Done)
        program = done.program
    return program


def _form(f: Function, facts: Facts, program: Program) -> Form | None:
    """The form that a function is; None where its body is more than loops around one statement."""
    body = f.body
    result: e.Var | None = None
    if body and isinstance(body[-1], s.Return) and isinstance(body[-1].value, e.Var):
        result, body = body[-1].value, body[:-1]
        body = tuple(st for st in body if not (isinstance(st, s.Decl) and st.var == result))
    found = nest_of(body)
    if found is None:
        return None
    loops, store = found
    for st in loops:
        facts = inside(st, facts)
    return Form(f.name, f.params, loops, store, result, facts, f.ret)


def nest_of(body: s.Body) -> tuple[tuple[s.For, ...], s.Assign] | None:
    """Loops one right inside the other, around one plain assignment; None for other bodies."""
    loops: list[s.For] = []
    while len(body) == 1 and isinstance(body[0], s.For):
        loops.append(body[0])
        body = body[0].body
    store = one_store(body)
    if not loops or store is None or not all(_counts(lp) for lp in loops):
        return None
    return tuple(loops), store


def _counts(loop: s.For) -> bool:
    return isinstance(loop.step, e.Const) and loop.step.value == 1


def _temporaries(before: list[s.Stmt]) -> dict[str, e.Expr] | None:
    """The values of variables that are set once, one after the other; None for anything else."""
    mapping: dict[str, e.Expr] = {}
    empty: set[str] = set()
    for st in before:
        if isinstance(st, s.Decl) and st.space == "local" and isinstance(st.var.type, Scalar):
            name, value = st.var.name, st.init
            empty |= {name} if value is None else set()
        elif isinstance(st, s.Assign) and not st.op and isinstance(st.target, e.Var):
            name, value = st.target.name, st.value
            if name not in empty:
                return None
            empty.discard(name)
        else:
            return None
        if value is not None:
            mapping[name] = substitute(value, mapping)
    return None if empty else mapping


def one_store(body: s.Body) -> s.Assign | None:
    """The one assignment that `body` amounts to, with its temporaries in their places."""
    *before, last = body if body else (None,)
    mapping = _temporaries(before)
    if not isinstance(last, s.Assign) or mapping is None:
        return None
    if isinstance(last.target, e.Var) and last.target.name in mapping:
        return None
    target, value = (substitute(x, mapping) for x in (last.target, last.value))
    if last.op:
        value = e.Binary(last.op, target, value, target.type)
    return s.Assign(target, value)
