"""A pointer that steps only between the statements of its body is a new pointer after each step.

`float *o = row; fill(o, n); o += n; fill(o, m);` is `float *o = row; fill(o, n); float *p = o + n;
fill(p, m);`: none of them ever changes, so that what each points to is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from xpiler.analysis.effects import assigned
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, substitute, variables, walk
from xpiler.ir.types import Pointer
from xpiler.passes.cleanup.base import Context, Walker, each_function


@dataclass(frozen=True)
class Versions:
    """Steps of local pointers as declarations of others."""

    name: str = "versions"

    def apply(self, program: Program, ctx: Context) -> Program:
        def one(f: Function) -> Function:
            taken = {p.name for p in f.params} | variables(f.body)
            return _Renamer(taken).run(f, ctx.facts(f))

        return each_function(program, one)


@dataclass
class _Renamer(Walker):
    taken: set[str]

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        k = 0
        while k < len(body):
            st = body[k]
            if isinstance(st, s.Decl) and _steps_here(st, body[k + 1 :]):
                body = (*body[: k + 1], *self._renamed(st.var, body[k + 1 :]))
            k += 1
        return super().body(body, facts)

    def _renamed(self, v: e.Var, rest: s.Body) -> s.Body:
        """`rest` with another variable after each step of `v`."""
        now, out = v, []
        for st in rest:
            if not _is_step(st, v):
                out.append(substitute(st, {v.name: now}) if now != v else st)
                continue
            assert isinstance(st, s.Assign)
            value = substitute(st.value, {v.name: now})
            if st.op:
                way = value if st.op == "+" else e.Unary("-", value, value.type)
                value = e.Binary("+", now, way, v.type)
            now = e.Var(fresh_name(v.name, self.taken), v.type)
            out.append(s.Decl(now, value, loc=st.loc, comments=st.comments))
        return tuple(out)


def _is_step(st: s.Stmt, v: e.Var) -> bool:
    """Whether `st` gives the pointer `v` another value."""
    return isinstance(st, s.Assign) and st.target == v and st.op in ("", "+", "-")


def _steps_here(d: s.Decl, rest: s.Body) -> bool:
    """Whether the pointer changes in `rest`, and only by statements of that body itself."""
    v = d.var
    if not isinstance(v.type, Pointer) or d.init is None or d.space != "local":
        return False
    others = tuple(st for st in rest if not _is_step(st, v))
    lent = any(isinstance(n, e.AddressOf) and n.x == v for n in walk(rest))
    return len(others) < len(rest) and v.name not in assigned(others) and not lent
