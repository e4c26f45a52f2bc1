"""What each loop nest of a sequential program computes, found by its form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xpiler.analysis.reductions import update
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, variables, walk, walk_exprs
from xpiler.ir.text import show

WORDS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "min": "min", "max": "max", "<": "max",
    ">": "max", "<=": "max", ">=": "max", "&": "and", "|": "or", "^": "xor",
}  # fmt: skip
_MEANING = {
    "matmul": "matrix multiply accumulate dot mma fma",
    "matvec": "matrix vector multiply dot fma",
    "dot": "dot product multiply accumulate fma",
    "conv": "convolution window multiply accumulate",
    "sum": "sum reduce add",
    "max": "max reduce pool",
    "min": "min reduce pool",
    "product": "reduce mul",
    "copy": "copy memcpy move load store",
    "transpose": "transpose permute",
    "gather": "gather index",
    "scatter": "scatter index atomic",
    "fill": "set write zero value fill",
    "scan": "scan prefix",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One computation: its operation, the element type, what it reads and what it writes."""

    operation: str
    dtype: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    def render(self) -> str:
        """`matmul f32 (a[m*k + i], b[...]) -> c[...]`."""
        reads, writes = ", ".join(self.reads), ", ".join(self.writes)
        return f"{self.operation} {self.dtype} ({reads}) -> {writes}"

    @property
    def query(self) -> str:
        """Words by which its instructions are found."""
        kind, _, ops = self.operation.partition(" ")
        return f"{kind} {ops.strip('()').replace(',', ' ')} {_MEANING.get(kind, '')} {self.dtype}"


@dataclass(frozen=True, slots=True)
class Nest:
    """A loop nest: where it stands, its loops from the outermost, its pieces (none: not known)."""

    function: str
    line: int
    loops: tuple[str, ...]
    pieces: tuple[Piece, ...]

    def render(self) -> str:
        """Lines for a prompt."""
        head = f"{self.function}, loops {' > '.join(self.loops)}"
        found = [f"  {p.render()}" for p in self.pieces] or ["  not known"]
        return "\n".join([f"- {head}:", *dict.fromkeys(found)])


def annotate(program: Program) -> tuple[Nest, ...]:
    """Every outermost loop of `program` with what is computed in it."""
    return tuple(n for f in program.functions for n in _nests(f))


def _nests(f: Function) -> Iterator[Nest]:
    def outermost(body: s.Body) -> Iterator[s.For]:
        for st in body:
            if isinstance(st, s.For):
                yield st
            else:
                for inner in _bodies(st):
                    yield from outermost(inner)

    for loop in outermost(f.body):
        inside = [n for n in walk(loop) if isinstance(n, s.For)]
        names = tuple(f"{n.var.name.split('.')[0]}<{show(n.hi)}" for n in inside)
        line = loop.loc.line if loop.loc else 0
        yield Nest(f.name, line, names, tuple(dict.fromkeys(_pieces(loop, ()))))


def _bodies(st: s.Stmt) -> list[s.Body]:
    if isinstance(st, s.If):
        return [st.then, st.orelse]
    if isinstance(st, s.Switch):
        return [c.body for c in st.cases]
    return [st.body] if isinstance(st, (s.Scope, s.While, s.For)) else []


def _pieces(loop: s.For, outer: tuple[s.For, ...]) -> Iterator[Piece]:
    """The pieces of a loop inside `outer` loops, in the order of the text."""
    around = (*outer, loop)
    for st in _flat(loop.body):
        if isinstance(st, s.For):
            yield from _pieces(st, around)
        elif isinstance(st, (s.Assign, s.If)) and (piece := _piece(st, around)) is not None:
            yield piece


def _flat(body: s.Body) -> Iterator[s.Stmt]:
    """Statements with the branches of conditions and scopes laid open, but for guarded updates."""
    for st in body:
        if isinstance(st, s.If) and _accumulated(st) is None:
            yield from _flat(st.then)
            yield from _flat(st.orelse)
        elif isinstance(st, (s.Scope, s.While)):
            yield from _flat(st.body)
        else:
            yield st


def _accumulated(st: s.Stmt) -> tuple[e.Expr, str, e.Expr] | None:
    """Target, operator and value where `st` combines a value into what is there."""
    if isinstance(st, s.Assign) and isinstance(st.target, e.Index):
        if st.op:
            return st.target, st.op, st.value
        x = st.value
        if isinstance(x, e.Binary) and x.op in ("+", "*") and st.target in (x.a, x.b):
            return st.target, x.op, x.b if x.a == st.target else x.a
        return None
    scalars = {v.name for v in walk_exprs(st) if isinstance(v, e.Var)}
    for name in _assigned(st):
        found = update(st, {name}) if name in scalars else None
        if found is not None:
            return found.var, found.op, found.value
    return None


def _assigned(st: s.Stmt) -> list[str]:
    targets = [n.target for n in walk(st) if isinstance(n, s.Assign)]
    return list(dict.fromkeys(t.name for t in targets if isinstance(t, e.Var)))


def _piece(st: s.Assign | s.If, loops: tuple[s.For, ...]) -> Piece | None:
    found = _accumulated(st)
    if found is not None:
        return _reduction(*found, loops)
    if not isinstance(st, s.Assign) or not isinstance(st.target, e.Index):
        return None
    return _mapped(st.target, st.value, loops)


def _loads(x: e.Expr) -> list[e.Index]:
    """Places in memory that `x` reads, without those that only make up an index."""
    out: list[e.Index] = []

    def visit(n: e.Expr) -> None:
        if isinstance(n, e.Index):
            out.append(n)
            return
        for child in children(n):
            if isinstance(child, e.Expr):
                visit(child)

    visit(x)
    return list(dict.fromkeys(out))


def _reduction(target: e.Expr, op: str, value: e.Expr, loops: tuple[s.For, ...]) -> Piece | None:
    word = {"+": "sum", "-": "sum", "*": "product", "min": "min", "max": "max"}.get(op)
    if op in ("<", "<=", ">", ">="):  # `if (value > best) best = value` is a maximum
        word = "max" if op.startswith(">") else "min"
    loads = _loads(value)
    if word is None or not loads:
        return None
    inner = _bare(value)
    if word == "sum" and isinstance(inner, e.Binary) and inner.op == "*" and len(loads) == 2:
        word = _product_sum(loads, loops)
    else:
        word = " ".join([word, _ops(value)]).strip()
    return Piece(word, _dtype(value), _names(loads), (show(target),))


def _bare(x: e.Expr) -> e.Expr:
    while isinstance(x, e.Cast):
        x = x.x
    return x


def _product_sum(loads: list[e.Index], loops: tuple[s.For, ...]) -> str:
    """matmul, matvec, dot or conv, by which loops the indices of both factors follow."""
    names = {loop.var.name for loop in loops}
    a, b = ({v for v in variables(x.index) if v in names} for x in loads)
    shared, only_a, only_b = a & b, a - b, b - a
    innermost = {loop.var.name for loop in loops[-2:]}
    if len(innermost & shared) == 2 and (only_a or only_b):
        return "conv"
    if shared and only_a and only_b:
        return "matmul"
    return "matvec" if shared and (only_a or only_b) else "dot"


def _mapped(target: e.Index, value: e.Expr, loops: tuple[s.For, ...]) -> Piece:
    """A store that depends on nothing that was stored before."""
    loads = _loads(value)
    bare = _bare(value)
    if _indirect(target):
        word = "scatter"
    elif isinstance(bare, e.Index):
        word = "copy"
        if _indirect(bare):
            word = "gather"
        elif show(bare.index) != show(target.index):
            names = {loop.var.name for loop in loops}
            shared = names & variables(bare.index) & variables(target.index)
            word = "transpose" if len(shared) >= 2 else "copy"
    elif not loads:
        word = f"elementwise {_ops(value)}" if _ops(value) else "store"
        word = "fill" if isinstance(bare, e.Const) else word
    else:
        word = f"elementwise {_ops(value)}".strip()
    return Piece(word, _dtype(value), _names(loads), (show(target),))


def _indirect(x: e.Index) -> bool:
    return any(isinstance(n, e.Index) for n in walk_exprs(x.index))


def _ops(x: e.Expr) -> str:
    """The operations on values (not on indices) in `x`: `(mul, add, exp)`."""
    out: list[str] = []

    def visit(n: e.Expr) -> None:
        if isinstance(n, e.Index):
            return
        if isinstance(n, e.Binary) and n.op in WORDS and n.op not in e.COMPARISONS:
            out.append(WORDS[n.op])
        elif isinstance(n, e.Select):
            out.append("select")
        elif isinstance(n, e.Unary) and n.op == "-":
            out.append("neg")
        elif isinstance(n, e.Call):
            out.append(n.func)
        for child in children(n):
            if isinstance(child, e.Expr):
                visit(child)

    visit(x)
    return f"({', '.join(dict.fromkeys(out))})" if out else ""


def _dtype(x: e.Expr) -> str:
    return str(x.type)


def _names(loads: list[e.Index]) -> tuple[str, ...]:
    return tuple(show(x) for x in loads[:4])
