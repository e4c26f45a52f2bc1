"""A variable that is declared and then changed once, before it is read, starts with that value.

`float *p = a; p += n;` is `float *p = a + n;`: a pointer or a number that never changes, which
other passes then know everything about.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from xpiler.analysis.effects import ANY, names_in, of_stmt
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import substitute, walk
from xpiler.ir.types import Pointer, Scalar
from xpiler.passes.cleanup.base import Context, each_function
from xpiler.passes.cleanup.bodies import each_body
from xpiler.passes.cleanup.nests import plain


@dataclass(frozen=True)
class Settled:
    """Declarations with the value that their variable keeps."""

    name: str = "settled"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            changes = _changes(f)
            body = each_body(f.body, lambda b: _settled(b, changes))
            return f if body is f.body else f.with_body(body)

        return each_function(program, one)


def _changes(f: Function) -> Counter[str]:
    """How often each variable is given another value, an address of it counting as many times."""
    found: Counter[str] = Counter()
    for n in walk(f.body):
        if isinstance(n, s.Assign):
            found.update(names_in(n.target) if not isinstance(n.target, e.Index) else ())
        elif isinstance(n, e.AddressOf) and isinstance(n.x, e.Var):
            found[n.x.name] += 2
        elif isinstance(n, s.Instr):
            found.update({x: 2 for out in n.outs for x in names_in(out)})
    return found


def _settled(body: s.Body, changes: Counter[str]) -> s.Body:
    for at, d in enumerate(body):
        if isinstance(d, s.Decl) and changes[d.var.name] == 1 and _is_number(d):
            to = _change(body, at, d)
            if to is not None:
                last = body[to]
                assert isinstance(last, s.Assign)
                comments = (*d.comments, *last.comments)
                new = replace(d, init=_value(d, last), comments=comments)
                rest = (*body[:at], *body[at + 1 : to], new, *body[to + 1 :])
                return _settled(rest, changes)
    return body


def _is_number(d: s.Decl) -> bool:
    """Whether the variable is a pointer or an integer, and starts as plain arithmetic."""
    t = d.var.type
    if d.init is None or d.space != "local" or not plain(d.init) or d.init.type != t:
        return False
    return isinstance(t, Pointer) or (isinstance(t, Scalar) and t.is_integer)


def _change(body: s.Body, at: int, d: s.Decl) -> int | None:
    """Where the variable gets the value that it keeps, if nothing asks for the first one before."""
    assert d.init is not None
    needed = names_in(d.init)
    for k in range(at + 1, len(body)):
        st = body[k]
        if d.var.name in names_in(st):
            changes = isinstance(st, s.Assign) and st.target == d.var
            return k if changes and plain(_value(d, st)) else None  # type: ignore[arg-type]
        done = of_stmt(st)
        if done.other or done.jumps or done.writes & {ANY, *needed}:
            return None
    return None


def _value(d: s.Decl, st: s.Assign) -> e.Expr:
    whole = e.Binary(st.op, st.target, st.value, d.var.type) if st.op else st.value
    assert d.init is not None
    out: e.Expr = substitute(whole, {d.var.name: d.init})
    return out
