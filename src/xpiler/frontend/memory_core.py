"""Branches for a cluster's memory core: what it does, the first of the computing cores does.

A platform's table `[memory_core]` names what tells it from the others: functions (`then` or `else`:
where it goes when they are true) and variables with the value that they have on it alone.

Between two barriers that all cores of the cluster meet, the memory core and the others run at the
same time and may not race, so its work may as well come first, on another core. That holds where
its work has no barrier, changes no variable of the kernel, and reads none that is another on it.
"""

from __future__ import annotations

from typing import NoReturn

from xpiler.analysis.effects import assigned, declared, escapes, loop_vars, names_in
from xpiler.frontend import inline
from xpiler.frontend.cursor import Node
from xpiler.frontend.faults import NotUnderstood
from xpiler.frontend.reader import FunctionReader
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import children, walk
from xpiler.ir.types import Array

_IDLE = ("COMPOUND_STMT", "NULL_STMT", "RETURN_STMT")


def other_side(r: FunctionReader, kids: list[Node]) -> s.Body | None:
    """`if (kids[0]) kids[1] else kids[2]` for the computing cores, where it asks for the other.

    Raises NotUnderstood where the memory core's work cannot be done by one of them.
    """
    true = _true_on_memory_core(r, kids[0])
    if true is None:
        return None
    then, orelse = kids[1], kids[2] if len(kids) > 2 else None
    its, others = (then, orelse) if true else (orelse, then)
    first: s.Body = ()
    if its is not None:
        inside = [k.kind for k in _statements(its)]
        r.memory_core.leaves |= "RETURN_STMT" in inside
        if not all(kind in _IDLE for kind in inside):
            first = _of_first(r, r.body(its))
    rest = r.body(others)
    r.memory_core.leaves |= escapes(rest)
    r.memory_core.apart |= assigned(rest) - set(declared(rest))
    return (*first, *rest)


def _of_first(r: FunctionReader, body: s.Body) -> s.Body:
    """The memory core's work, for the first computing core of the cluster."""
    if r.role != "kernel":
        _refuse("its work is in a function of its own")
    core = _number(r)
    cores = _Cores(r, core)
    own = set(declared(body)) | loop_vars(body)
    if escapes(body) or cores.waits(body):
        _refuse("it waits or leaves amid its work")
    if assigned(body) - own:
        _refuse(f"it changes {_first_name(assigned(body) - own)}")
    if any(map(cores.differ, body)):
        _refuse("its work depends on its number")
    work = s.If(e.compare("==", core, e.Const(0, core.type)), body)
    r.memory_core.works.append(work)
    r.memory_core.served |= names_in(body) - own
    return (work,)


def _number(r: FunctionReader) -> e.Expr:
    """The number of a core in its cluster."""
    words = r.unit.words
    name = next(n for n, value in words.memory_core.items() if value.isdigit())
    return inline.run(r, r.unit.stub_function(words.values[name]), [], [], None)


def checked(r: FunctionReader, body: s.Body) -> s.Body:
    """`body`; raises NotUnderstood where the memory core's work is not what the others would do."""
    known = r.memory_core
    if not known.works:
        return body
    there = [n for n in walk(body) if isinstance(n, s.If)]
    if not all(work in there for work in known.works):
        _refuse("where it goes on is decided by jumps")
    if known.leaves:
        _refuse("some cores leave early")
    own = {d.var.name for d in declared(body).values() if isinstance(d.var.type, Array)
           and d.space != "shared"}  # fmt: skip
    cores = _Cores(r, _number(r), known.apart | own)
    size = -1
    while len(cores.apart) != size:
        size = len(cores.apart)
        cores.spread(body, known.works)
    if cores.apart & known.served:
        _refuse(f"{_first_name(cores.apart & known.served)} has another value there")
    return body


class _Cores:
    """What is not the same on all cores of a cluster; `apart` are variables with other values."""

    def __init__(self, r: FunctionReader, number: e.Expr, apart: set[str] | None = None) -> None:
        self.functions = {f.name: f.done for f in r.unit.functions.values()}
        self.apart = set() if apart is None else apart
        self.sizes = {
            n.b for n in walk(number)
            if isinstance(n, e.Binary) and n.op == "%" and isinstance(n.b, e.Const)
        }  # fmt: skip

    def spread(self, body: s.Body, works: list[s.If], inside: bool = False) -> None:
        """Add variables whose values come of the core's number or of others in `apart`."""
        for st in body:
            heads = [x for x in children(st) if isinstance(x, e.Expr)]
            differs = inside or (st not in works and any(map(self._varies, heads)))
            if differs and (st in works or (not inside and escapes((st,)))):
                _refuse("not all cores come there")
            if differs:
                self.apart |= assigned((st,)) | set(declared((st,))) | loop_vars((st,))
            for inner in _bodies(st):
                self.spread(inner, works, differs)

    def _varies(self, x: e.Expr) -> bool:
        return bool(names_in(x) & self.apart) or self.differ(x)

    def differ(self, n: e.Expr | s.Stmt | s.Case) -> bool:
        """Whether something depends on the number of a core; that of its cluster is a quotient."""
        if isinstance(n, e.Binary) and n.op == "/" and n.b in self.sizes:
            inner = n.a.x if isinstance(n.a, e.Cast) else n.a
            if isinstance(inner, e.Axis):
                return False
        if isinstance(n, e.Axis):
            return n.level in ("thread", "lane", "task")
        return any(map(self.differ, (*children(n), *self._called(n))))

    def waits(self, body: s.Body) -> bool:
        """Whether there is a barrier, in functions that are called, too."""
        return any(isinstance(n, s.Barrier) or self.waits(self._called(n)) for n in walk(body))

    def _called(self, n: object) -> s.Body:
        """The statements of the user's function that `n` calls; raises NotUnderstood."""
        if not isinstance(n, e.Call) or n.func in math_functions():
            return ()
        f = self.functions.get(n.func)
        if f is None:
            _refuse(f"what {n.func} does is not known")
        return f.body


def _bodies(st: s.Stmt) -> list[s.Body]:
    if isinstance(st, s.Switch):
        return [c.body for c in st.cases]
    found = [getattr(st, name, ()) for name in ("body", "then", "orelse", "step")]
    return [b for b in found if isinstance(b, tuple)]


def _first_name(names: set[str] | frozenset[str]) -> str:
    return min(names).split(".")[0]


def _refuse(why: str) -> NoReturn:
    message = "the memory core has work of its own here"
    raise NotUnderstood("XP0215", message, why, "let the computing cores copy for themselves")


def _statements(n: Node) -> list[Node]:
    inner = [s for k in n.kids for s in _statements(k)] if n.kind == "COMPOUND_STMT" else []
    return [n, *inner]


def _true_on_memory_core(r: FunctionReader, cond: Node) -> bool | None:
    table = r.unit.words.memory_core
    cond = cond.stripped()
    if not table:
        return None
    if cond.kind == "UNARY_OPERATOR" and cond.unary == "!":
        inner = _true_on_memory_core(r, cond.kids[0])
        return None if inner is None else not inner
    if cond.kind == "CALL_EXPR" and cond.name in table:
        return table[cond.name] == "then"
    if cond.kind == "BINARY_OPERATOR" and cond.binary in ("==", "!="):
        for one, other in (cond.kids, cond.kids[::-1]):
            name = one.stripped()
            known = name.kind == "DECL_REF_EXPR" and name.name in table
            if known and other.evaluate() == int(table[name.name]):
                return cond.binary == "=="
    return None
