"""Runs a case of the collection on its platform's emulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import load
import numpy as np

from xpiler.verify.execution import RunResult, build, differential, execute
from xpiler.verify.invocation import BufferArg, Invocation, ScalarArg


def invocation(case: load.Case, sizes: load.Sizes, drawn: Mapping[str, load.Array]) -> Invocation:
    """The call of the case's entry on the drawn inputs; outputs are poisoned."""
    grid, block, shared_bytes = load.launch(case, sizes)
    args = tuple(_argument(arg, sizes, drawn) for arg in case.args)
    return Invocation(case.entry, case.kind, args, grid, block, shared_bytes)


def _argument(
    arg: load.Argument, sizes: load.Sizes, drawn: Mapping[str, load.Array]
) -> ScalarArg | BufferArg:
    if arg.kind == "scalar":
        return ScalarArg(arg.ctype, load.scalar(arg, sizes))
    dtype = "bf16" if arg.ctype == "bf16" else load.DTYPES[arg.ctype]
    count = int(np.prod(load.shape(arg, sizes)))
    data = drawn[arg.name].reshape(-1) if arg.reads else None
    return BufferArg(arg.name, "", dtype, count, data)


def run(case: load.Case, call: Invocation, variant: int = 0) -> RunResult:
    """One checked run of the unmodified text; `variant` changes all that is unspecified."""
    text = case.path.read_text(encoding="utf-8")
    program = build(text, case.platform, call, filename=case.path.name)
    return execute(program, call, seed=variant, poison=variant, schedule=variant)


def disagreements(case: load.Case) -> Iterator[str]:
    """Faults that the emulator finds and elements that differ from NumPy, for every size."""
    for sizes in case.sizes:
        drawn = load.inputs(case, sizes, seed=1)
        result = run(case, invocation(case, sizes, drawn), variant=3)
        yield from (f"{dict(sizes)}: {finding}" for finding in result.errors)
        if result.exit_status:
            yield f"{dict(sizes)}: ended with {result.exit_status}"
            continue
        for name, want in load.expected(case, sizes, drawn).items():
            worst = load.mismatch(case, name, result.outputs[name], want)
            yield from [f"{dict(sizes)}: {worst}"] if worst else []


def faults(case: load.Case) -> set[str]:
    """Kinds of the faults that two runs with different poison and schedule show."""
    kinds: set[str] = set()
    for sizes in case.sizes:
        call = invocation(case, sizes, load.inputs(case, sizes, seed=1))
        first, second = (run(case, call, i) for i in (0, 1))
        found = [*first.errors, *second.errors, *differential(first, second, same_schedule=False)]
        kinds |= {finding.kind for finding in found}
    return kinds
