"""Parameters that choose between ways to compute: each way is to be tried.

A number is a flag where all that is done with it is to compare it with constants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from xpiler.analysis.readonly import pointed_to
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, walk
from xpiler.ir.types import BOOL, Array
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.entries import scalars

DEEPEST = 8  # calls that a parameter is followed through
MOST_WAYS = 3
"""Cases beside those with the flags' usual values."""
Sizes = Mapping[str, int | float]


def ways(program: Program, entry: Function, values: Sizes) -> Iterator[Sizes]:
    """Values with other flags than `values`, all of them changed at once."""
    other = {}
    for p in scalars(program, entry):
        known = {0, 1} if p.type == BOOL else set()
        if c.is_integer(p.type):
            told = choices(program, entry, p.name)
            known = _compared(program, entry, p.name) or set(told if len(told) > 1 else ())
            known |= _rows(program, entry, p.name)
        if p.name not in values:
            continue
        now = values[p.name]
        rest = sorted(known - {now}) if known else []
        if rest:
            other[p.name] = rest
    for k in range(min(MOST_WAYS, max(map(len, other.values()), default=0))):
        yield {**values, **{n: rest[k % len(rest)] for n, rest in other.items()}}


def _rows(program: Program, f: Function, name: str, depth: int = 0) -> set[int]:
    """The first rows and the last one of tables of which the parameter chooses a row."""
    tables = {g.var.name for g in program.globals}
    found: set[int] = set()
    for n in walk(f.body):
        if isinstance(n, e.Index) and isinstance(n.base, e.Var) and n.base.name in tables:
            rows = n.base.type.size if isinstance(n.base.type, Array) else 0
            alone = {x.name for x in walk(n.index) if isinstance(x, e.Var)} == {name.split(".")[0]}
            if rows and alone and any(_is(x, name) for x in walk(n.index)):
                found |= {0, 1, rows - 1}
        for g, own, _ in _passed(program, n, name):
            found |= _rows(program, g, own, depth + 1) if depth < DEEPEST else set()
    return found


def choices(program: Program, f: Function, name: str, depth: int = 0) -> list[int]:
    """The constants that a parameter is told apart by, whatever else is done with it, in order."""
    found: dict[int, None] = {}

    def visit(n: object) -> None:
        found.update({value: None for x, value in _tests(n, False) if _is(c.bare(x), name)})
        for g, own, _ in _passed(program, n, name):
            if depth < DEEPEST:
                found.update(dict.fromkeys(choices(program, g, own, depth + 1)))
        for child in children(n):  # type: ignore[arg-type]
            visit(child)

    for st in f.body:
        visit(st)
    return list(found)


def limits(program: Program, f: Function, name: str, depth: int = 0) -> set[str]:
    """Whether a parameter is a "low" or a "high" limit that numbers are set to beyond it."""
    found: set[str] = set()
    for n in walk(f.body):
        if isinstance(n, s.If) and len(n.then) == 1 and isinstance(n.then[0], s.Assign):
            found |= _limit(n.cond, n.then[0].value, name)
        elif isinstance(n, e.Select):
            found |= _limit(n.cond, n.a, name)
            found |= {_OTHER[side] for side in _limit(n.cond, n.b, name)}
        elif isinstance(n, e.Call) and any(_is(c.bare(x), name) for x in n.args):
            found |= _LIMITING.get(n.func, set())
        for g, own, _ in _passed(program, n, name):
            if depth < DEEPEST:
                found |= limits(program, g, own, depth + 1)
    return found


def is_wide_factor(program: Program, f: Function, name: str, depth: int = 0) -> bool:
    """Whether a parameter is a factor of a product of 64 bits, of which high ones may count."""
    for n in walk(f.body):
        if isinstance(n, e.Binary) and n.op == "*" and str(n.type) in ("i64", "u64"):
            if any(_is(c.bare(x), name) for x in (n.a, n.b)):
                return True
        elif isinstance(n, s.Decl) and n.init is not None and n.var.name != name:
            copied = _is(c.bare(n.init), name)
            if copied and is_wide_factor(program, f, n.var.name, depth):
                return True
        for g, own, _ in _passed(program, n, name):
            if depth < DEEPEST and is_wide_factor(program, g, own, depth + 1):
                return True
    return False


_OTHER = {"low": "high", "high": "low"}
_LIMITING = {"max": {"low"}, "min": {"high"}}


def _limit(cond: e.Expr, value: e.Expr, name: str) -> set[str]:
    """Which limit the parameter is where `value` is taken if `cond` holds; nothing for none."""
    if not (isinstance(cond, e.Binary) and cond.op[0] in "<>" and _is(c.bare(value), name)):
        return set()
    low, high = (cond.b, cond.a) if cond.op[0] == "<" else (cond.a, cond.b)
    return {w for w, x in (("low", low), ("high", high)) if _is(c.bare(x), name)}


def _compared(program: Program, f: Function, name: str, depth: int = 0) -> set[int]:
    """The constants that a parameter is compared with; none where it is used otherwise."""
    found: set[int] = set()
    plain = True

    def use(value: int | None) -> None:
        nonlocal plain
        plain = plain and value is not None
        found.update({0, 1} if value is None else {value})

    def inner(g: Function, own: str) -> None:
        nonlocal plain
        known = _compared(program, g, own, depth + 1)
        plain = plain and bool(known) and depth < DEEPEST
        found.update(known)

    for st in f.body:
        _uses(program, st, name, use, inner)
    return found if plain else set()


Use = Callable[[int | None], None]
Inner = Callable[[Function, str], None]


def _uses(program: Program, n: object, name: str, use: Use, inner: Inner) -> None:
    """Tell `use` each use of the parameter in `n`, `inner` each place where it is passed on."""
    if _is(n, name):
        use(None)
        return
    for x, value in _tests(n):
        if _is(c.bare(x), name):
            use(value)
    tested = [x for x, _ in _tests(n) if _is(c.bare(x), name)]
    passed = list(_passed(program, n, name))
    for g, own, x in passed:
        inner(g, own)
        tested.append(x)
    for child in children(n):  # type: ignore[arg-type]
        if not any(child is x for x in tested):
            _uses(program, child, name, use, inner)


def _is(n: object, name: str) -> bool:
    return isinstance(n, (e.Var, e.Field, e.Index)) and path(n) == name


def path(n: e.Expr) -> str:
    """A variable or a part of one as a parameter's parts are called; "" for anything else."""
    if isinstance(n, e.Var):
        return n.name
    if (p := pointed_to(n)) is not None:
        return p.name
    base = path(n.base) if isinstance(n, (e.Field, e.Index)) else ""
    if isinstance(n, e.Field):
        return base and f"{base}.{n.name}"
    known = isinstance(n, e.Index) and isinstance(n.index, e.Const)
    return f"{base}[{n.index.value}]" if base and known else ""  # type: ignore[attr-defined]


def _tests(n: object, truth: bool = True) -> Iterator[tuple[e.Expr, int]]:
    """Expressions that `n` compares with a constant; a condition (`truth`) compares with 0."""
    if isinstance(n, e.Binary) and n.op in ("==", "!="):
        for x, k in ((n.a, n.b), (n.b, n.a)):
            k = c.bare(k)
            if isinstance(k, e.Const) and isinstance(k.value, int):
                yield x, int(k.value)
    elif isinstance(n, s.Switch):
        for case in n.cases:
            for value in case.values:
                yield n.value, value
    elif not truth:
        return
    elif isinstance(n, (s.If, e.Select, s.While)):
        yield n.cond, 0
    elif isinstance(n, e.Unary) and n.op == "!":
        yield n.x, 0
    elif isinstance(n, e.Binary) and n.op in ("&&", "||"):
        yield n.a, 0
        yield n.b, 0


def _passed(program: Program, n: object, name: str) -> Iterator[tuple[Function, str, e.Expr]]:
    """What the parameter is called where it, or the struct that it is in, is passed on to."""
    called = n.func if isinstance(n, e.Call) else n.kernel if isinstance(n, s.Launch) else None
    g = next((f for f in program.functions if f.name == called), None)
    if g is not None and isinstance(n, (e.Call, s.Launch)):
        for own, x in zip(g.params, n.args, strict=False):
            whole = path(c.bare(x))
            if whole and (name == whole or name.startswith((f"{whole}.", f"{whole}["))):
                yield g, own.name + name[len(whole) :], x
