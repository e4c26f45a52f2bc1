"""Sizes with which loops over tiles of the translation take several turns, the last a shorter one.

A translation that works in tiles of 4096 elements is not shown right by rows of 1000: what it does
with the second tile, and with a last one that is shorter, has not run. A tile is the step of a
loop, or what its bound divides a size by: `i += 16`, `b < (n + 63) / 64`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.verify.inference.candidates import bare, is_integer
from xpiler.verify.inference.entries import scalars
from xpiler.verify.inference.fuller import SMALL, runs
from xpiler.verify.inference.search import Searcher, Trial

MOST_CASES = 3
LEAST, LARGEST = 8, 1 << 15
"""Steps of loops that may be tiles."""
SHARES = 4
"""Tasks that a loop's range is dealt out to, where the text divides it by their number."""
TURNS = (3, 1)
"""Whole tiles before the last one, most wanted first."""
Sizes = Mapping[str, int | float]


def turning(
    search: Searcher, trials: Sequence[Trial], make: Callable[[Sizes], Trial], target: Program
) -> list[Trial]:
    """Trials with several turns of the loops over tiles that have fewer in all of `trials`.

    Of a size that was given, the least multiple with a second turn: what else the program asks of
    it, such as rows of 16, nobody said.
    """
    whole = {p.name for p in scalars(search.program, search.entry) if is_integer(p.type)}
    given = [n for n in search.fixed if n in whole and trials[0].values[n] > 0]
    found: list[Trial] = []
    tiles = tiled(target, (*search.sizes, *given))
    for name, tile in sorted(tiles.items(), key=lambda item: item[1]):
        known = max(int(t.values[name]) for t in (*trials, *found))
        if name in given:
            sizes = _multiples(int(trials[0].values[name]), tile) if known <= tile else ()
        else:
            sizes = tuple(k * tile + tile // 2 + 3 for k in TURNS if known <= k * tile)
        small = {n: SMALL[k % len(SMALL)] for k, n in enumerate(search.sizes) if n != name}
        wanted = (
            make({**trials[0].values, **others, name: size})
            for size in sizes
            for others in ((small, {}) if small else ({},))
        )
        found += islice(filter(runs, wanted), 1)
    return found[:MOST_CASES]


def deciding(
    search: Searcher, trials: Sequence[Trial], make: Callable[[Sizes], Trial], target: Program
) -> list[Trial]:
    """Trials with sizes that comparisons with constants tell apart from those of all `trials`.

    Of `1 < n` both answers are wanted: a guard that asks too much is right where there are many.
    """
    whole = {p.name for p in scalars(search.program, search.entry) if is_integer(p.type)}
    found: list[Trial] = []
    for name, op, k in dict.fromkeys(
        c for p in (target, search.program) for f in p.functions for c in _compared(f.body, whole)
    ):
        known = {_ORDER[op](int(t.values[name]), k) for t in (*trials, *found)}
        sizes = (n for n in (k, k + 1, k - 1) if n > 0 and _ORDER[op](n, k) not in known)
        wanted = (make({**trials[0].values, name: n}) for n in sizes)
        found += islice(filter(runs, wanted), 1)
        if len(found) == MOST_CASES:
            break
    return found


_ORDER: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
SMALLEST, MOST = 1, 64
"""Constants that sizes are compared with: of 0 there is nothing to run."""


def _compared(body: s.Body, sizes: Collection[str]) -> Iterator[tuple[str, str, int]]:
    """Comparisons of a size with a constant: (size, operator, constant)."""
    for n in walk(body):
        if not isinstance(n, e.Binary) or n.op not in _ORDER:
            continue
        a, b, op = bare(n.a), bare(n.b), str(n.op)
        if isinstance(a, e.Const):
            a, b, op = b, a, _TURNED.get(op, op)
        name, k = _name(a), b.value if isinstance(b, e.Const) else None
        if name in sizes and isinstance(k, int) and SMALLEST <= k <= MOST:
            yield name, op, k


def _name(x: e.Expr) -> str:
    """What a size is called: `n`, or `shape.rows` in a struct; "" for anything else."""
    if isinstance(x, e.Field):
        return f"{inner}.{x.name}" if (inner := _name(x.base)) else ""
    return x.name if isinstance(x, e.Var) else ""


def _multiples(given: int, tile: int) -> tuple[int, ...]:
    """Multiples of a given size that are longer than a tile."""
    least = tile // given + 1
    return (least * given, 2 * least * given)


def tiled(target: Program, sizes: Sequence[str]) -> dict[str, int]:
    """The largest tile of each size, over the loops that it bounds.

    Parameters of the translation are told by their names, which are those of the source.
    """
    out: dict[str, int] = {}
    for f in target.functions:
        values = {
            n.var.name: n.init for n in walk(f.body) if isinstance(n, s.Decl) and n.init is not None
        }
        for loop, step in _loops(f.body):
            names, parts, shared = _sources(loop, values)
            tile = step * max((p for p in parts if step * p <= LARGEST), default=1)
            for name in names & set(sizes) if tile >= LEAST else ():
                out[name] = max(out.get(name, 0), tile * (SHARES if shared else 1))
    return out


def _loops(body: s.Body) -> Iterator[tuple[e.Expr, int]]:
    """The bounds of loops with a step that may be a tile's length."""
    for n in walk(body):
        if isinstance(n, s.For) and isinstance(n.step, e.Const):
            if 1 <= int(n.step.value) <= LARGEST:
                yield n.hi, int(n.step.value)
        elif isinstance(n, s.While):
            steps = [
                int(a.value.value)
                for st in (*n.body, *n.step)
                for a in (st,)
                if isinstance(a, s.Assign) and a.op == "+" and isinstance(a.value, e.Const)
            ]
            yield from ((n.cond, k) for k in steps if 1 <= k <= LARGEST)


def _sources(x: e.Expr, values: Mapping[str, e.Expr]) -> tuple[set[str], set[int], bool]:
    """The names that `x` is made of, through declarations, and what there is divided by.

    That is constants, and whether something else is: the number of tasks.
    """
    names: set[str] = set()
    parts: set[int] = set()
    todo, shared = [x], False
    while todo:
        for n in walk(todo.pop()):
            if isinstance(n, e.Binary) and n.op == "/":
                divisor = bare(n.b)
                if isinstance(divisor, e.Const):
                    parts.add(int(divisor.value))
                else:
                    shared = True
            if isinstance(n, e.Var) and n.name not in names:
                names.add(n.name)
                if n.name in values:
                    todo.append(values[n.name])
    return names, parts, shared
