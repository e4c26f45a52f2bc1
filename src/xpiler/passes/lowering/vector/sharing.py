"""What a statement computes more than once gets a name.

Where the value of a call takes the call's place, an argument stands wherever the parameter did:
`leaky(gelu(x[i]))` has `gelu(x[i])` three times, and `x[i]` a dozen times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import names_in
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import children, fresh_name, rewrite_exprs, walk
from xpiler.ir.types import Scalar

MOST = 16
"""Names that one statement gets, at most."""


def shared(st: s.Stmt, taken: set[str]) -> s.Body:
    """`st`, an assignment or declaration, after declarations of what occurs in it repeatedly."""
    value = st.init if isinstance(st, s.Decl) else st.value if isinstance(st, s.Assign) else None
    if value is None:
        return (st,)
    work = _Work(value, taken)
    while len(work.decls) < MOST and (x := work.repeated()) is not None:
        work.name(x)
    if not work.decls:
        return (st,)
    decls = [s.Decl(v, x, loc=st.loc) for v, x in work.decls]
    decls[0] = replace(decls[0], comments=st.comments)
    if isinstance(st, s.Decl):
        return (*decls, replace(st, comments=(), init=work.value))
    assert isinstance(st, s.Assign)
    return (*decls, replace(st, comments=(), value=work.value))


@dataclass
class _Work:
    value: e.Expr
    taken: set[str]
    decls: list[tuple[e.Var, e.Expr]] = field(default_factory=list)

    def repeated(self) -> e.Expr | None:
        """The largest expression that occurs twice, and once at least in any case."""
        times: Counter[e.Expr] = Counter()
        always: set[e.Expr] = set()
        for root in (self.value, *(x for _, x in self.decls)):
            for x, sure in _parts(root, True):
                if _computes(x):
                    times[x] += 1
                    if sure:
                        always.add(x)
        found = [x for x, n in times.items() if n > 1 and (x in always or not _loads(x))]
        return max(found, key=_size, default=None)

    def name(self, x: e.Expr) -> None:
        stem = x.base.name if isinstance(x, e.Index) and isinstance(x.base, e.Var) else "t"
        var = e.Var(
            fresh_name(stem.split(".")[0] if stem == "t" else f"{stem}_i", self.taken), x.type
        )
        self.taken.add(var.name)

        def one(y: e.Expr) -> e.Expr:
            return var if y == x else y

        self.value = rewrite_exprs(self.value, one)
        self.decls = [(v, rewrite_exprs(y, one)) for v, y in self.decls]
        users = [k for k, (_, y) in enumerate(self.decls) if var.name in names_in(y)]
        self.decls.insert(users[0] if users else len(self.decls), (var, x))


def _parts(x: e.Expr, sure: bool) -> Iterator[tuple[e.Expr, bool]]:
    """Expressions in `x`, each with whether it is computed whenever `x` is."""
    yield x, sure
    for k, y in enumerate(n for n in children(x) if isinstance(n, e.Expr)):
        depends = isinstance(x, e.Select) or (isinstance(x, e.Binary) and x.op in ("&&", "||"))
        yield from _parts(y, sure and not (depends and k > 0))


def _computes(x: e.Expr) -> bool:
    """Whether `x` is worth a name, and the same wherever in the statement it is computed."""
    if not isinstance(x, (e.Index, e.Binary, e.Call, e.Select)) or not isinstance(x.type, Scalar):
        return False
    if x.type.is_integer or not x.type.is_float:
        return False
    return all(not isinstance(n, e.Call) or n.func in math_functions() for n in walk(x))


def _loads(x: e.Expr) -> bool:
    return any(isinstance(n, (e.Index, e.Field)) for n in walk(x))


def _size(x: e.Expr) -> int:
    return sum(1 for _ in walk(x))
