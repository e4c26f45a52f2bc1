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

_TRUTH = ("bool", "const bool", "int", "const int")
_IDLE = ("COMPOUND_STMT", "NULL_STMT", "RETURN_STMT")


Side = list[Node]
"""What some cores do: nothing, a statement, or what stands behind `if`: a condition and its one or
two statements."""


def other_side(r: FunctionReader, kids: list[Node]) -> s.Body | None:
    """`if (kids[0]) kids[1] else kids[2]` for the computing cores, where it asks for the other.

    Raises NotUnderstood where the memory core's work cannot be done by one of them.
    """
    sides = _sides(r, kids)
    if sides is None:
        return None
    its, others = sides
    if r.memory_core.there is not None:
        return _read(r, its if r.memory_core.there else others, r.memory_core.there)
    inside = [k.kind for part in its[len(its) > 1 :] for k in _statements(part)]
    r.memory_core.leaves |= "RETURN_STMT" in inside
    first = () if all(kind in _IDLE for kind in inside) else _of_first(r, _read(r, its, True))
    rest = _read(r, others, False)
    r.memory_core.leaves |= escapes(rest)
    r.memory_core.apart |= assigned(rest) - set(declared(rest))
    return (*first, *rest)


def _sides(r: FunctionReader, kids: list[Node]) -> tuple[Side, Side] | None:
    """What of an `if` the memory core does, and what the others do; None where it asks for neither.

    The test may be one side of `&&` or `||`, whose other side then decides for those that it
    leaves undecided.
    """
    then, orelse = [kids[1]], kids[2:3]
    cond = kids[0].stripped()
    true = _true_on_memory_core(r, cond)
    if true is not None:
        return (then, orelse) if true else (orelse, then)
    if cond.kind != "BINARY_OPERATOR" or cond.binary not in ("&&", "||"):
        return None
    for test, rest in (cond.kids, cond.kids[::-1]):
        true = _true_on_memory_core(r, test)
        if true is not None:
            whole, at_once = [rest, *kids[1:]], then if cond.binary == "||" else orelse
            return (at_once, whole) if true == (cond.binary == "||") else (whole, at_once)
    return None


def _read(r: FunctionReader, side: Side, there: bool) -> s.Body:
    """The statements of one side; tests within it have one answer."""
    from xpiler.frontend.statements import branch

    before, r.memory_core.there = r.memory_core.there, there
    try:
        with r.capture() as inner:
            if len(side) > 1:
                branch(r, side)
            elif side:
                r.statement(side[0], nested=True)
    finally:
        r.memory_core.there = before
    return tuple(inner)


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
    if cond.kind == "DECL_REF_EXPR" and cond.name not in table:
        value = _only_value(r, cond)
        return None if value is None else _true_on_memory_core(r, value)
    if cond.kind == "CALL_EXPR" and cond.name in table:
        return table[cond.name] == "then"
    if cond.kind == "BINARY_OPERATOR" and cond.binary in ("==", "!="):
        for one, other in (cond.kids, cond.kids[::-1]):
            name = one.stripped()
            known = name.kind == "DECL_REF_EXPR" and name.name in table
            if known and other.evaluate() == int(table[name.name]):
                return cond.binary == "=="
    return None


def _only_value(r: FunctionReader, n: Node) -> Node | None:
    """The value that a local variable was declared with, if it never changes."""
    var = n.ref
    if var is None or var.kind != "VAR_DECL":
        return None
    if str(var.type.get_canonical().spelling) not in _TRUTH:
        return None
    function = Node(var.c.semantic_parent)
    if function.kind not in ("FUNCTION_DECL", "CXX_METHOD", "FUNCTION_TEMPLATE"):
        return None
    return None if inline.changes(r, function, var) else next(reversed(var.kids), None)
