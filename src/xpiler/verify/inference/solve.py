"""z3 finds sizes under which what the host allocates is what the kernel touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.verify.inference.sized import candidates
from xpiler.verify.inference.values import Region

if TYPE_CHECKING:
    from xpiler.verify.inference.search import Searcher, Trial

TIMEOUT_MS = 400
LARGE_FALLING = (320, 160, 80, 40, 20, 10, 4, 2)
SCALES = (1, 2, 4, 8)
LARGE_ALIKE = (2048, 4096)


def fitting(search: Searcher, one: Trial, other: Trial) -> Trial | None:
    """Sizes that fit a kernel with sizes of its own, where the host's are expressions.

    Large falling sizes, a window smaller than its image, show its own ones if `one` and `other`
    do not.
    """

    def own(one: Trial, other: Trial) -> Trial | None:
        hulls = _fixed_hulls(one, other)
        found = candidates(search.entry, search.sizes, one.values, hulls, search.literals)
        trials = (search.trial({**one.values, **x}, one.data, one.shape) for x in found)
        return next((t for t in trials if t.score()[0] == 0 == t.seen.uncovered()), None)

    def solved(one: Trial, other: Trial) -> Trial | None:
        sizes = solve_sizes(search.program, search.entry, search.sizes, one, other, search.literals)
        return search.trial({**one.values, **sizes}, one.data, one.shape) if sizes else None

    def falling(scale: int) -> Trial:
        sizes = [scale * n for n in LARGE_FALLING[:count]]
        return search.trial(search.defaults(sizes), one.data, one.shape)

    def alike(size: int) -> Trial:
        return search.trial(search.defaults([size] * count), one.data, one.shape)

    count = len(search.sizes)
    scales = SCALES if 2 <= count <= len(LARGE_FALLING) else ()
    # Larger ones until the launch passes any bound in the kernel.
    larger = chain(pairwise(map(falling, scales)), pairwise(map(alike, scales and LARGE_ALIKE)))
    pairs = chain(((one, other),), larger)
    if (found := next((t for pair in pairs if (t := own(*pair)) is not None), None)) is not None:
        return found
    found = solved(one, other)
    return solved(*map(falling, scales[:2])) if found is None and scales else found


def solve_sizes(
    program: Program,
    entry: Function,
    sizes: Sequence[str],
    one: Trial,
    other: Trial,
    literals: Sequence[int],
) -> dict[str, int] | None:
    """Values of `sizes` that make every allocation fit its constant footprint, or None.

    A kernel that hard-codes its sizes touches the same bytes in both trials; the bytes that the
    host allocates are expressions of the scalars. Their equality is a small nonlinear system.
    """
    wanted = _fixed_hulls(one, other)
    if not wanted:
        return None
    import z3

    symbols = {name: z3.Int(name) for name in sizes}
    env: dict[str, Any] = {**{k: int(x) for k, x in one.values.items()}, **symbols}
    opt = z3.Optimize()
    opt.set("timeout", TIMEOUT_MS)
    for x in symbols.values():
        opt.add(x >= 1, x <= 1 << 24)
    linked = False
    allocations, computed = _allocations(entry, env)
    for index, hull in wanted.items():
        if index < len(allocations) and isinstance(allocations[index], z3.ExprRef):
            linked = True
            opt.add(allocations[index] >= hull)
            opt.add_soft(allocations[index] == hull, weight=8)
    for x in symbols.values():
        opt.add_soft(z3.Or([x == k for k in literals]) if literals else x >= 1, weight=1)
    for x in computed:  # product and quotient by 1 are the same
        if isinstance(x, z3.ExprRef):
            opt.add_soft(x >= 1, weight=8)
            opt.add_soft(x >= 2, weight=2)
    if not linked or opt.check() != z3.sat:
        return None
    model = opt.model()
    return {n: model.eval(x, model_completion=True).as_long() for n, x in symbols.items()}


def _fixed_hulls(one: Trial, other: Trial) -> dict[int, int]:
    """Allocation number -> bytes touched, where both trials agree."""
    out: dict[int, int] = {}
    order = [n for n, r in one.seen.regions.items() if n.startswith("alloc ")]
    for index, name in enumerate(order):
        a, b = one.seen.regions[name], other.seen.regions.get(name)
        if b is not None and (n := _kernel_hull(a)) is not None and n == _kernel_hull(b):
            out[index] = n
    return out


def _kernel_hull(r: Region) -> int | None:
    span = r.device
    return int(span.hi) if span is not None and span.bounded else None


def _allocations(entry: Function, env: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """As z3 terms: the bytes of each allocation of a straight host function, and its variables."""
    known = dict(env)
    out: list[Any] = []
    computed: list[Any] = []
    for n in walk(entry.body):
        if isinstance(n, s.Decl) and n.init is not None:
            known[n.var.name] = term(n.init, known)
            computed.append(known[n.var.name])
        elif isinstance(n, s.Instr) and n.name == "host.alloc":
            out.append(term(n.ins[0], known))
    return out, computed


def term(x: e.Expr, env: Mapping[str, Any]) -> Any:
    """`x` over unbounded integers as a z3 term (or an int), None where it is neither."""
    if isinstance(x, e.Const):
        return int(x.value) if isinstance(x.value, int) else None
    if isinstance(x, e.Var):
        return env.get(x.name)
    if isinstance(x, e.Cast):
        return term(x.x, env)
    if isinstance(x, e.Binary) and x.op in ("+", "-", "*", "/"):
        a, b = term(x.a, env), term(x.b, env)
        if a is None or b is None:
            return None
        if x.op == "/":
            return (
                a // b
                if isinstance(a, int) and isinstance(b, int) and b
                else None
                if isinstance(b, int) and not b
                else a / b
            )
        return {"+": a + b, "-": a - b, "*": a * b}[x.op]
    return None
