"""The dynamic shared memory of a lone kernel: as much as its threads touch."""

from __future__ import annotations

import math
from collections.abc import Mapping

from xpiler.analysis.interpolate import polynomial
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import walk
from xpiler.ir.types import I64
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.search import Searcher, Trial


def dynamic_bytes(search: Searcher, trial: Trial, names: Mapping[str, e.Expr]) -> e.Expr | None:
    """Bytes of dynamic shared memory as an i64 expression in `names`, the free sizes.

    None where the kernel has none, or where how much of it is touched follows no formula.
    """
    arrays = [
        n.var.name
        for f in c.reachable(search.program, search.entry)
        for n in walk(f.body)
        if isinstance(n, s.Decl) and n.space == "shared" and n.dynamic
    ]
    if not arrays:
        return None

    def count(sizes: Mapping[str, int | float]) -> int | None:
        seen = search.trial({**trial.values, **sizes}, trial.data, trial.shape).seen
        spans = [r.touched for n in arrays if (r := seen.regions.get(n)) and r.touched]
        if seen.failed or not spans or not all(math.isfinite(x.hi) for x in spans):
            return None
        return int(max(x.hi for x in spans))

    base = {n: int(x) for n, x in trial.values.items() if n in search.sizes}
    if not base:
        found = count({})
        return None if found is None else e.Const(found, I64)
    return polynomial(count, base, 1, names)
