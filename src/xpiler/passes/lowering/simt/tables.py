"""Pointers to rows of constant tables are numbers of rows: those a kernel can be given.

`const float *k = table[mode]; .. k[i] ..` is `const int k_row = mode; .. table[k_row][i] ..`.
"""

from __future__ import annotations

from dataclasses import replace

from xpiler.analysis.effects import assigned
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, rewrite_exprs, rewrite_stmts, variables, walk
from xpiler.ir.types import Array, Pointer


def by_row(program: Program) -> Program:
    """The program without such pointers."""
    tables = {g.var.name for g in program.globals if isinstance(g.var.type, Array)}
    return program.with_functions(tuple(_without(f, tables) for f in program.functions))


def _without(f: Function, tables: set[str]) -> Function:
    decls = [st for st in walk(f.body) if isinstance(st, s.Decl)]
    rows = {
        st.var.name: row
        for st in decls
        if (row := _row(st, tables)) is not None and _by_element(st.var, f.body)
    }
    rows = {n: x for n, x in rows.items() if n not in assigned(f.body)}
    if not rows:
        return f
    taken = variables(f.body) | {p.name for p in f.params}
    numbers: dict[str, e.Var] = {}
    for name, row in rows.items():
        numbers[name] = e.Var(fresh_name(f"{name.split('.')[0]}_row", taken), row.index.type)
        taken.add(numbers[name].name)

    def place(x: e.Expr) -> e.Expr:
        if isinstance(x, e.Index) and isinstance(x.base, e.Var) and x.base.name in rows:
            return replace(x, base=replace(rows[x.base.name], index=numbers[x.base.name]))
        return x

    def number(st: s.Stmt) -> s.Stmt:
        if isinstance(st, s.Decl) and st.var.name in rows:
            row = rows[st.var.name]
            return replace(st, var=numbers[st.var.name], init=row.index, const=True)
        return st

    body = rewrite_stmts(f.body, number)
    return f.with_body(rewrite_exprs(body, place))


def _row(st: s.Decl, tables: set[str]) -> e.Index | None:
    """The row of a table that a pointer is set to."""
    x = st.init
    if not isinstance(x, e.Index) or not isinstance(st.var.type, Pointer):
        return None
    of_table = isinstance(x.base, e.Var) and x.base.name in tables
    return x if of_table and isinstance(x.type, Array) else None


def _by_element(v: e.Var, body: s.Body) -> bool:
    """Whether the pointer is only ever used to reach elements."""
    total = sum(1 for n in walk(body) if isinstance(n, e.Var) and n.name == v.name)
    elements = [n for n in walk(body) if isinstance(n, e.Index) and n.base == v]
    return total == len(elements) + sum(
        1 for n in walk(body) if isinstance(n, s.Decl) and n.var == v
    )
