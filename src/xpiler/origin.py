"""What lowering should know of a source: its kernels, and how large the buffers are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpiler.ir.expr import Expr
    from xpiler.passes.lowering import Origin
    from xpiler.verify.inference.measured import Measured
    from xpiler.verify.reading import Reading


def origin_of(reading: Reading) -> Origin:
    """What lowering should know of the source: its kernels, and how large the buffers are."""
    from xpiler.ir.types import Pointer
    from xpiler.passes.lowering import Example, Origin
    from xpiler.verify.inference.measured import Measured
    from xpiler.verify.spec import size_expr

    bare = {plan.entry.name for plan in reading.plans if plan.kind == "kernel"}
    launched = {f.name for f in reading.program.kernels()} - bare
    extents: dict[str, dict[str, Expr]] = {}
    examples: dict[str, tuple[Example, ...]] = {}
    for plan in reading.plans:
        scalars = {p.name: p.type for p in plan.entry.params if not isinstance(p.type, Pointer)}
        given = {n: a.extent for n, a in reading.spec.args.items() if a.extent is not None}
        said = {n: size_expr(x, scalars) for n, x in given.items()}
        extents[plan.entry.name] = dict(plan.entry.extents) | said
        examples[plan.entry.name] = tuple(
            Example(case.scalars, {b.name: b.count for b in case.buffers})
            for case in (*plan.cases, *plan.aligned, *plan.further)
        )

    @cache
    def sampled(name: str) -> tuple[Example, ...]:
        from xpiler.verify.inference.samples import samples

        plans = [plan for plan in reading.plans if plan.entry.name == name]
        found = samples(reading.program, plans[0], reading.spec) if plans else ()
        return tuple(Example(sizes, counts) for sizes, counts in found)

    @cache
    def measurements(name: str) -> Measured | None:
        plans = [plan for plan in reading.plans if plan.entry.name == name]
        runs = plans and plans[0].kind == "function"
        return Measured(reading.program, plans[0], reading.spec) if runs else None

    def measured(name: str, pointer: str, quotients: Sequence[Expr], between: bool) -> Expr | None:
        found = measurements(name)
        return None if found is None else found.extent(pointer, quotients, between)

    kernels = frozenset(bare), frozenset(launched)
    return Origin(reading.platform.name, *kernels, extents, examples, sampled, measured=measured)
