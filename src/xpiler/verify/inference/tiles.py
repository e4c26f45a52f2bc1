"""Sizes with which loops over tiles of the translation take a second, shorter turn.

A translation that works in tiles of 4096 elements is not shown right by rows of 1000: what it does
with the second tile, and with a last one that is shorter, has not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.verify.inference.fuller import SMALL, runs
from xpiler.verify.inference.search import Searcher, Trial

MOST_CASES = 3
LEAST, LARGEST = 8, 1 << 15
"""Steps of loops that may be tiles."""
SHARES = 4
"""Tasks that a loop's range is dealt out to, where the text divides it."""
Sizes = Mapping[str, int | float]


def turning(
    search: Searcher, trials: Sequence[Trial], make: Callable[[Sizes], Trial], target: Program
) -> list[Trial]:
    """Trials that are large enough for two turns of loops that took at most one in `trials`."""
    found: list[Trial] = []
    for name, least in sorted(tiled(target, search.sizes).items(), key=lambda item: item[1]):
        if any(int(t.values[name]) > least for t in (*trials, *found)):
            continue
        size = least + least // 2 + 3
        small = {n: SMALL[k % len(SMALL)] for k, n in enumerate(search.sizes) if n != name}
        for others in (small, {}):
            t = make({**trials[0].values, **others, name: size})
            if runs(t):
                found.append(t)
                break
    return found[:MOST_CASES]


def tiled(target: Program, sizes: Sequence[str]) -> dict[str, int]:
    """The largest value of each size for which some loop that it bounds takes one turn only.

    Parameters of the translation are told by their names, which are those of the source.
    """
    out: dict[str, int] = {}
    for f in target.functions:
        values = {
            n.var.name: n.init for n in walk(f.body) if isinstance(n, s.Decl) and n.init is not None
        }
        for loop, step in _loops(f.body):
            names, divided = _sources(loop, values)
            for name in names & set(sizes):
                out[name] = max(out.get(name, 0), step * (SHARES if divided else 1))
    return out


def _loops(body: s.Body) -> Iterator[tuple[e.Expr, int]]:
    """The bounds of loops with a step that may be a tile's length."""
    for n in walk(body):
        if isinstance(n, s.For) and isinstance(n.step, e.Const):
            if LEAST <= int(n.step.value) <= LARGEST:
                yield n.hi, int(n.step.value)
        elif isinstance(n, s.While):
            steps = [
                int(a.value.value)
                for st in (*n.body, *n.step)
                for a in (st,)
                if isinstance(a, s.Assign) and a.op == "+" and isinstance(a.value, e.Const)
            ]
            yield from ((n.cond, k) for k in steps if LEAST <= k <= LARGEST)


def _sources(x: e.Expr, values: Mapping[str, e.Expr]) -> tuple[set[str], bool]:
    """The names that `x` is made of, through declarations, and whether there was a division."""
    names: set[str] = set()
    todo, divided = [x], False
    while todo:
        for n in walk(todo.pop()):
            divided |= isinstance(n, e.Binary) and n.op == "/"
            if isinstance(n, e.Var) and n.name not in names:
                names.add(n.name)
                if n.name in values:
                    todo.append(values[n.name])
    return names, divided
