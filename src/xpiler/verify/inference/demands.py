"""What a function asks of its sizes before it does anything: it returns unless they fit together.

`if (cols != rows * block) return -1;` asks for one size, `if (n % block) return` for multiples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpiler.analysis import fit
from xpiler.analysis.effects import assigned, names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_exprs, substitute, walk
from xpiler.ir.types import Array, Scalar
from xpiler.verify.inference.candidates import bare
from xpiler.verify.inference.flags import path

DEEPEST = 4  # calls of functions that only compute a value
MOST_PASSES = 4
Sizes = Mapping[str, int | float]


@dataclass(frozen=True)
class Demand:
    """The size called `name` is to be `value`, or (`multiple`) a multiple of it.

    `value` is over variables that are called as the sizes are.
    """

    name: str
    value: e.Expr
    multiple: bool = False


def demands(program: Program, entry: Function, sizes: Collection[str]) -> list[Demand]:
    """What the entry asks of `sizes`, each at most once; of two equal ones the first is asked."""
    found: dict[str, Demand] = {}
    for cond in _refusals(program, entry):
        for demand in _asked(cond, sizes):
            if demand.name not in found and not _leads_back(demand, found):
                found[demand.name] = demand
                break
    return list(found.values())


def met(asked: Sequence[Demand], values: Sizes) -> dict[str, int | float]:
    """`values` with such sizes as are asked for, where those are positive."""
    out = dict(values)
    for _ in range(MOST_PASSES):
        before = dict(out)
        for demand in asked:
            found = fit.value(demand.value, out)
            if found is None or found <= 0:
                continue
            now = int(out[demand.name])
            out[demand.name] = -(-now // found) * found if demand.multiple else found
        if out == before:
            break
    return out


def _leads_back(demand: Demand, found: Mapping[str, Demand]) -> bool:
    """Whether the value depends on the size itself, by way of what others are to be."""
    names, seen = set(names_in(demand.value)), set[str]()
    while names:
        name = names.pop()
        if name == demand.name:
            return True
        if name in found and name not in seen:
            names |= names_in(found[name].value)
        seen.add(name)
    return False


def _refusals(program: Program, entry: Function) -> Iterator[e.Expr]:
    """Conditions under which the entry returns at once, over its parameters."""
    known: dict[str, e.Expr] = {}
    changed = assigned(entry.body)
    for st in entry.body:
        if isinstance(st, s.Decl) and st.var.name not in changed and st.init is not None:
            known[st.var.name] = _computed(program, substitute(st.init, known))
        elif isinstance(st, s.Instr) and st.name == "assert":
            yield from _alternatives(_computed(program, substitute(st.ins[0], known)), True)
        elif isinstance(st, s.If) and not st.orelse and _only_leaves(st.then):
            yield from _alternatives(_computed(program, substitute(st.cond, known)), False)
        elif any(isinstance(n, (s.For, s.While, s.Launch)) for n in walk(st)):
            return


def _only_leaves(body: s.Body) -> bool:
    leaves = bool(body) and (isinstance(body[-1], s.Return) or _is_trap(body[-1]))
    return leaves and all(isinstance(st, s.Eval) for st in body[:-1])


def _is_trap(st: s.Stmt) -> bool:
    return isinstance(st, s.Instr) and st.name == "trap"


def _alternatives(cond: e.Expr, holds: bool) -> Iterator[e.Expr]:
    """Comparisons none of which may be true (`holds`: false) if the function is to go on."""
    cond = bare(cond)
    if isinstance(cond, e.Unary) and cond.op == "!":
        yield from _alternatives(cond.x, not holds)
    elif isinstance(cond, e.Binary) and cond.op == ("&&" if holds else "||"):
        yield from _alternatives(cond.a, holds)
        yield from _alternatives(cond.b, holds)
    elif (isinstance(cond, e.Binary) and cond.op == ("==" if holds else "!=")) or (
        not holds and isinstance(cond, e.Binary) and cond.op == "%"
    ):
        yield cond


def _asked(cond: e.Expr, sizes: Collection[str]) -> Iterator[Demand]:
    """What makes the two sides equal, or the remainder nothing."""
    assert isinstance(cond, e.Binary)
    a, b = bare(cond.a), bare(cond.b)
    zero = isinstance(b, e.Const) and b.value == 0
    if cond.op == "%" or (zero and isinstance(a, e.Binary) and a.op == "%"):
        whole = cond if cond.op == "%" else a
        assert isinstance(whole, e.Binary)
        name, by = path(bare(whole.a)), _over_sizes(whole.b)
        if name in sizes and by is not None:
            yield Demand(name, by, multiple=True)
        return
    for this, other in ((a, b), (b, a)):
        name, value = path(this), _over_sizes(other)
        if name in sizes and value is not None:
            yield Demand(name, value)


def _over_sizes(x: e.Expr) -> e.Expr | None:
    """`x` over variables for the parameters and their parts; None where there is more to it."""
    x = bare(x)
    if isinstance(x, e.Const):
        return x if isinstance(x.value, int) else None
    if name := path(x):
        whole = isinstance(x.type, Scalar) and x.type.is_integer
        return e.Var(name, x.type) if whole else None
    if not isinstance(x, e.Binary) or x.op not in ("+", "-", "*", "/", "%"):
        return None
    a, b = _over_sizes(x.a), _over_sizes(x.b)
    return None if a is None or b is None else e.Binary(x.op, a, b, x.type)


def _computed(program: Program, x: e.Expr, depth: int = 0) -> e.Expr:
    """`x` with calls of functions that only return a value replaced by that."""
    own = {f.name: f for f in program.functions}

    def one(n: e.Expr) -> e.Expr:
        f = own.get(n.func) if isinstance(n, e.Call) else None
        if f is None or depth == DEEPEST or len(f.body) != 1:
            return n
        last = f.body[0]
        if not isinstance(last, s.Return) or last.value is None or isinstance(f.ret, Array):
            return n
        given = dict(zip((p.name for p in f.params), n.args, strict=False))  # type: ignore[attr-defined]
        return _computed(program, substitute(last.value, given), depth + 1)

    out: e.Expr = rewrite_exprs(x, one)
    return out
