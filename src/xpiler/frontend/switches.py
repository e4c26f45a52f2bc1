"""`switch`: every arm made whole by copying the tail that it falls through to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xpiler.frontend.convert import const_int
from xpiler.frontend.cursor import Node
from xpiler.frontend.reader import FunctionReader, statement
from xpiler.ir.expr import Const, Var
from xpiler.ir.rewrite import fresh_name, rewrite_stmts, substitute, walk
from xpiler.ir.stmt import Body, Break, Case, Continue, Decl, For, Return, Stmt, Switch


@dataclass
class _Arm:
    values: list[int] = field(default_factory=list)
    default: bool = False
    body: Body = ()
    falls: bool = True


@statement("SWITCH_STMT")
def _switch(r: FunctionReader, n: Node) -> None:
    value = r.expr(n.kids[0])
    block = n.kids[-1]
    if block.kind != "COMPOUND_STMT":
        r.fail("XP0201", "a switch without braces is not understood")
    above, r.above = r.above, ()
    arms = _arms(r, block)
    r.above = above
    known = const_int(value)
    if known is not None and not _breaks_inside(arms):
        r.out.extend(_chosen(r, arms, known))
        return
    cases = tuple(
        Case(() if a.default else tuple(a.values), _whole(r, arms, i)) for i, a in enumerate(arms)
    )
    r.emit(Switch(value, cases))


def _arms(r: FunctionReader, block: Node) -> list[_Arm]:
    """The labelled parts in order, each with its own statements only."""
    arms: list[_Arm] = []
    r.frame.depth += 1
    for k in block.kids:
        inner: Node | None = k
        if k.kind in ("CASE_STMT", "DEFAULT_STMT"):
            arm = _Arm()
            inner = _labels(r, k, arm)
            arms.append(arm)
        if not arms:
            if k.kind != "NULL_STMT":
                r.fail("XP0201", "a statement before the first label is not understood")
            continue
        if inner is not None:
            arms[-1].body += r.body(inner)
    r.frame.depth -= 1
    for arm in arms:
        arm.falls = not (arm.body and isinstance(arm.body[-1], (Break, Return, Continue)))
        if arm.body and isinstance(arm.body[-1], Break):
            arm.body = arm.body[:-1]
    return arms


def _labels(r: FunctionReader, n: Node, arm: _Arm) -> Node | None:
    """Collects the values of nested labels; gives the statement behind them."""
    inner: Node | None = n
    while inner is not None and inner.kind in ("CASE_STMT", "DEFAULT_STMT"):
        if inner.kind == "DEFAULT_STMT":
            arm.default = True
        else:
            value = inner.kids[0].evaluate()
            if value is None:
                r.fail("XP0201", "the value of this label is not known")
            arm.values.append(int(value))
        inner = inner.kids[-1] if inner.kids else None
    return inner


def _whole(r: FunctionReader, arms: list[_Arm], i: int) -> Body:
    """Arm `i` with the arms that it falls through to, later copies with names of their own."""
    body = arms[i].body
    k = i
    while arms[k].falls and k + 1 < len(arms):
        k += 1
        body += _renamed(arms[k].body, r)
    return body


def _renamed(body: Body, r: FunctionReader) -> Body:
    """A copy of `body` whose declarations have fresh names."""
    names: dict[str, Var] = {}
    for n in walk(body):
        if isinstance(n, (Decl, For)):
            names[n.var.name] = Var(fresh_name(n.var.name, r.taken), n.var.type)

    def rename(st: Stmt) -> Stmt:
        if isinstance(st, (Decl, For)) and st.var.name in names:
            return replace(st, var=names[st.var.name])
        return st

    result: Body = rewrite_stmts(substitute(body, names), rename)
    return result


def _breaks_inside(arms: list[_Arm]) -> bool:
    from xpiler.frontend.loops import jumps

    return any(jumps(a.body) for a in arms)


def _chosen(r: FunctionReader, arms: list[_Arm], value: int) -> Body:
    for i, a in enumerate(arms):
        if value in a.values:
            return _whole(r, arms, i)
    for i, a in enumerate(arms):
        if a.default:
            return _whole(r, arms, i)
    return ()


_ = Const
